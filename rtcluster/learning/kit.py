"""Kits: what was learned of a drum kit, and what the detector is tuned to, in one JSON file.

A kit belongs to a sample rate, to the spans that were measured, and to a set of features: with
others its numbers would mean something else, and it is refused. Belongs to the main thread,
before a stream begins and after it has ended.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, fields, replace
from typing import Any

from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.learning import kit_format
from rtcluster.learning.detection import Detection
from rtcluster.learning.kit_format import Unfit
from rtcluster.learning.learner import Learner
from rtcluster.settings import AUTO, FEATURE_SETS, Settings, Spans

_DEFAULTS = Settings()


@dataclass(frozen=True, slots=True)
class Kit:
    """What a file holds.

    Parameters
    ----------
    names : tuple of str
        The classes, by number; empty where there are only detector settings.
    samplerate : int
        Hz.
    window, guess : int
        Spans that were measured, in samples.
    features : tuple of str
    scaling : str
    learned : dict or None
        ``Learner.as_dict()`` without the names.
    detection : Detection or None
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
    source: str = field(default="the kit", compare=False)

    def __post_init__(self) -> None:
        """Check it."""
        kit_format.check(self.content())

    @classmethod
    def of(
        cls,
        learner: Learner | None,
        settings: Settings,
        samplerate: int,
        detection: Detection | None = None,
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
                settings.scaling, learned, detection,
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
        }

    def learner(self, settings: Settings) -> Learner:
        """A learner that begins with what this kit knows.

        Parameters
        ----------
        settings : Settings
            As :meth:`settings` gave them.
        """
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

    def require(self, samplerate: int, spans: Spans) -> None:
        """Refuse a stream that this kit was not made for.

        Raises
        ------
        RtclusterError
            If the rate or a span is another; the message says which.
        """
        if self.learned is None:
            return
        if samplerate != self.samplerate:
            raise RtclusterError(
                f"Expected a kit for {samplerate} Hz, got one for {self.samplerate} Hz in "
                f"{self.source}; teach it again at this rate or run with -r {self.samplerate}."
            )
        for name in ("window", "guess"):
            wanted, has = getattr(spans, name), getattr(self, name)
            if wanted != has:
                raise RtclusterError(
                    f"Expected a kit for a {name} of {wanted} samples, got one for {has} in "
                    f"{self.source}; teach it again or run with --{name} {has}."
                )


def set_name(features: tuple[str, ...]) -> str:
    """Name of a set of features, or the features themselves."""
    return next((n for n, own in FEATURE_SETS.items() if own == features), ",".join(features))
