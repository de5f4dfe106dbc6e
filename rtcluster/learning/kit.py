"""Kits: what was learned of a drum kit, and what the detector is tuned to, in one JSON file.

A kit belongs to the spans of time that were measured, and to a set of features: with others its
numbers would mean something else, and it is refused. Its numbers are those of the rate it was
taught at; at another rate the kernel measures each hit as it would have been there
(:mod:`rtcluster.kernel.rate`). A kit that keeps the audio of what it was taught with is tied to
none of these: which drums sound is learned anew from the strokes, for the stream's own rate and
spans. Belongs to the main thread, before a stream begins and after it has
ended.
"""

from __future__ import annotations

import functools
from collections.abc import Collection
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.learning import kit_format, kit_schema
from rtcluster.learning.detection import Detection
from rtcluster.learning.kit_schema import Unfit
from rtcluster.learning.strokes import read
from rtcluster.settings import AUTO, FEATURE_SETS, Settings, Spans

if TYPE_CHECKING:  # a kit is looked at without Numba, which these need
    from rtcluster.learning.drum_sets import DrumSets
    from rtcluster.learning.learner import Learner

_DEFAULTS = Settings()


@dataclass(frozen=True, slots=True)
class Kit:
    """What a file holds.

    Parameters
    ----------
    names : tuple of str
        The classes, by number; empty where there are only detector settings.
    samplerate : int
        Hz, of the rate that the features were measured at.
    window, guess : int
        Spans that were measured, in samples at that rate.
    features : tuple of str
    scaling : str
    learned : dict or None
        ``Learner.as_dict()`` without the names.
    detection : Detection or None
    strokes : dict or None
        The audio of the taught strokes, as :func:`rtcluster.learning.strokes.stored` gives it.
    microphones : tuple of int
        Channels, from 1, that its hits were heard on; empty where it was one, or a mean.
    source : str
        The file it came from, for messages; two kits that differ in it alone are equal.

    Raises
    ------
    Unfit
        If anything is out of range or of another shape.
    """

    names: tuple[str, ...]
    samplerate: int
    window: int
    guess: int
    features: tuple[str, ...]
    scaling: str
    learned: dict[str, Any] | None = None
    detection: Detection | None = None
    strokes: dict[str, Any] | None = None
    microphones: tuple[int, ...] = ()
    source: str = field(default="the kit", compare=False)

    def __post_init__(self) -> None:
        """Check it."""
        kit_schema.check(self.content())

    @classmethod
    def of(
        cls,
        learner: Learner | None,
        settings: Settings,
        samplerate: int,
        detection: Detection | None = None,
        strokes: dict[str, Any] | None = None,
        microphones: tuple[int, ...] = (),
    ) -> Kit:
        """The kit of a learner, as it stands.

        Parameters
        ----------
        learner : Learner or None
            None for a kit of detector settings only.
        settings : Settings
            Those that the hits were measured with.
        samplerate : int
            Hz.
        detection : Detection, optional
        strokes : dict, optional
        microphones : tuple of int

        Raises
        ------
        RtclusterError
            If nothing has been learned yet.
        """
        learned, names = None, ()
        if learner is not None:
            try:
                learned = learner.as_dict()
            except ValueError as error:
                raise RtclusterError(f"{error} Play more, or ask for fewer with -k.") from error
            names = tuple(learned.pop("names"))
        spans = settings.spans(samplerate)
        try:
            return cls(
                names, samplerate, spans.window, spans.guess, tuple(settings.features),
                settings.scaling, learned, detection, strokes, microphones,
            )  # fmt: skip
        except Unfit as error:
            raise RtclusterError(f"Expected {error}; the kit cannot be saved.") from error

    def content(self) -> dict[str, Any]:
        """What the file holds, in its order."""
        return {
            "names": list(self.names),
            "samplerate": self.samplerate,
            "window": self.window,
            "guess": self.guess,
            "features": list(self.features),
            "scaling": self.scaling,
            "detector": None if self.detection is None else self.detection.as_dict(),
            "learned": self.learned,
            "strokes": self.strokes,
            **({kit_format.MICROPHONES: list(self.microphones)} if self.microphones else {}),
        }

    def learner(self, settings: Settings) -> Learner:
        """A learner that begins with what this kit knows.

        Parameters
        ----------
        settings : Settings
            As :meth:`settings` gave them.
        """
        from rtcluster.learning.learner import Learner

        if self.learned is None:
            return Learner(settings)
        return Learner.from_dict({"names": self.names, **self.learned}, settings)

    def settings(self, given: Settings, explicit: Collection[str] = ()) -> Settings:
        """Settings with the kit's own in place of defaults.

        Parameters
        ----------
        given : Settings
        explicit : collection of str
            Names of settings that were asked for even where they are the default. What differs
            from the default was asked for anyhow.

        Raises
        ------
        SettingsError
            If other classes, features or scaling were asked for than the kit has.
        """
        asked = {
            one.name for one in fields(Settings)
            if one.name in explicit or getattr(given, one.name) != getattr(_DEFAULTS, one.name)
        }  # fmt: skip
        taken: dict[str, Any] = {}
        if self.learned is not None:
            self._agree("features", given, asked)
            self._agree("scaling", given, asked)
            if "classes" in asked and given.classes not in (AUTO, len(self.names)):
                raise SettingsError(
                    f"Expected a kit of {given.classes} classes, got {len(self.names)} "
                    f"({', '.join(self.names)}) in {self.source}; leave -k out."
                )
            taken = {"features": self.features, "scaling": self.scaling}
            if given.classes != AUTO:
                taken["classes"] = len(self.names)
        if self.detection is not None:
            taken |= self.detection.overrides(given, asked)
        return replace(given, **taken)

    def _agree(self, name: str, given: Settings, asked: Collection[str]) -> None:
        wanted, has = getattr(given, name), getattr(self, name)
        if name in asked and wanted != has:
            wanted, has = (v if isinstance(v, str) else set_name(v) for v in (wanted, has))
            raise SettingsError(
                f"Expected a kit with {name} {wanted}, got {has} in {self.source}; teach it again "
                f"with these or leave --{name} out."
            )

    def rate(self, samplerate: int) -> int:
        """Rate in Hz that hits have to be measured at, where the stream's is ``samplerate``."""
        return samplerate if self.learned is None else self.samplerate

    def measured_as(self, other: Kit) -> Kit:
        """What a learner that went on from another kit has: that one's rate, spans and strokes."""
        if other.learned is None:
            return self
        rate, window, guess = other.samplerate, other.window, other.guess
        return replace(self, samplerate=rate, window=window, guess=guess, strokes=other.strokes)

    @property
    def lacks_audio(self) -> bool:
        """Whether its drums were taught, and the audio of their strokes was not kept."""
        return bool(self.learned and self.learned["taught"]) and self.strokes is None

    def drum_sets(self, samplerate: int, spans: Spans) -> DrumSets | None:
        """What tells which drums sound, for a stream's rate in Hz and spans; None without strokes.

        It takes up to a second or two, and is kept for the next stream of the same kind.
        """
        if self.strokes is None:
            return None
        rows = tuple(
            (one["class"], _tuple(one["peak"]), _tuple(one["pcm"])) for one in self.strokes["audio"]
        )
        own = self.strokes["samplerate"]
        return _trained(rows, own, len(self.names), samplerate, spans.guess, spans.window)

    def require(self, samplerate: int, spans: Spans) -> None:
        """Refuse a stream that this kit was not made for.

        Raises
        ------
        RtclusterError
            If a span is another; the message says which. Not where there are strokes.
        """
        if self.strokes is not None:
            return
        lag = samplerate / self.rate(samplerate)
        for name in ("window", "guess") if self.learned is not None else ():
            wanted, has = getattr(spans, name), getattr(self, name) * lag
            # Spans are rounded down to samples, of either rate.
            if abs(wanted - has) >= max(1.0, lag):
                raise RtclusterError(
                    f"Expected a kit for a {name} of {wanted} samples, got one for {has:.0f} in "
                    f"{self.source}; teach it again or run with --{name} {has:.0f}."
                )


@functools.lru_cache(maxsize=4)
def _trained(
    rows: tuple[tuple[int, Any, Any], ...],
    kept: int,
    classes: int,
    samplerate: int,
    guess: int,
    window: int,
) -> DrumSets:
    from rtcluster.learning.drum_sets import train

    audio = [{"class": class_, "peak": peak, "pcm": pcm} for class_, peak, pcm in rows]
    heard = read({"samplerate": kept, "audio": audio}, samplerate)
    return train(heard, classes, samplerate, kept, guess, window)


def _tuple(value: Any) -> Any:
    """A list as what can be the key of a cache."""
    return tuple(value) if isinstance(value, list) else value


def set_name(features: tuple[str, ...]) -> str:
    """Name of a set of features, or the features themselves."""
    return next((n for n, own in FEATURE_SETS.items() if own == features), ",".join(features))
