"""Every parameter of the engine, with its unit and its range, checked once.

A :class:`Settings` is frozen: what it holds was valid when it was made, so that
nothing further down needs to check again. They stand in one module, because each is checked
against others.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from numbers import Integral, Real
from types import NoneType
from typing import Any

from rtcluster.durations import GUESS, WINDOW, Duration
from rtcluster.errors import SettingsError
from rtcluster.presets import (
    AUBIO_FRAME,
    AUBIO_PRESETS,
    DRUMS,
    DRUMS_MASK,
    DRUMS_SILENCE,
    METHODS,
    PRESETS,
)

AUTO = "auto"
"""As many classes as there seem to be drums."""

ALL_CHANNELS = "all"
"""Each channel by itself, in place of one of them or of their mean."""

BANDS = 20
"""Mel bands from 40 Hz to 16 kHz (:mod:`rtcluster.kernel.shape`)."""

BAND_FEATURES = tuple(f"band{number}" for number in range(1, BANDS + 1))
"""The shape of a hit's spectrum, a value a band, the lowest first."""

FEATURE_UNITS = {
    "zcr": "count",
    "energy": "full scale * sqrt(samples)",
    "log_zcr": "octaves above 1 Hz",
    "log_energy": "dB",
    "level": "dBFS",
    "brightness": "octaves above 1 Hz",
    "complexity": "octaves",
    "air": "dB",
    "attack": "dB",
    **dict.fromkeys(BAND_FEATURES, "share"),
}
"""What can be measured of a hit (:mod:`rtcluster.kernel.features`), in the kernel's order, and the
unit it is in."""

FEATURES = tuple(FEATURE_UNITS)

ALWAYS_MEASURED = ("zcr", "energy")
"""Features that an event tells in fields of its own, whether hits are judged by them or not."""

FEATURE_SETS = {
    "notebook": ("zcr", "energy"),
    "best": BAND_FEATURES,
    "taught": ("complexity", "air", "attack"),
}
"""Sets with a name: the notebook's, the shape of the spectrum, which tells more drums apart where
nobody teaches them, and what each hit of a taught drum is measured by as well."""

SCALINGS = ("minmax", "robust")

MINI_BATCH = "minibatch"

VELOCITY_CURVES = ("gm", "log", "linear")
"""How a level becomes a velocity, in the kernel's order (:mod:`rtcluster.kernel.velocity`)."""

LEARNED = "learned"

MAX_CLASSES = 32

MAX_CENTRES = 64
"""Centres of all classes together; a taught class has several."""

MAX_MICROPHONES = 16
"""Microphones that may hear one kit."""

SILENT_SHARE = 2e-4
"""Peak of a hit on a microphone, against the one that hears it loudest, up to which it gives
nothing: -74 dB. What bleeds least is at -61 in the taught strokes of a kit, at -55 when played."""

MICROPHONE_FEATURES = tuple(f"mic{number}" for number in range(1, MAX_MICROPHONES + 1))
"""How loud a hit is on each of several microphones, for what range each has, where nobody teaches
which of them hears which drum; in dB."""

MAX_FEATURES = 32
"""Features that a hit can be judged by at once."""
RATES = (8000, 192000)
"""Lowest and highest sample rate, in Hz."""

REFERENCE_RATE = 44100
"""The rate at which the detector's frame and hop are named, in Hz."""

LEAST_THRESHOLD = 1e-6
"""A hit's strength is told as a multiple of the threshold, which must not be endless."""

MAX_SPAN_S = 0.5
"""The longest window, in seconds: the kernel's ring holds this at any usual rate."""


_WHOLE, _NUMBER, _NONE = (Integral,), (Real,), (NoneType,)
_SPAN = (Duration, str, Integral)

_DURATIONS = ("mask", "window", "guess")

_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "classes": ((*_WHOLE, str), "a whole number or text"),
    "warmup": ((*_WHOLE, *_NONE), "a whole number"),
    "freeze": ((bool,), "true or false"),
    "method": ((str,), "text"),
    "preset": ((str,), "text"),
    "threshold": ((*_NUMBER, *_NONE), "a number"),
    "silence": ((*_NUMBER, *_NONE), "a number"),
    "mask": ((*_SPAN, *_NONE), "a duration"),
    "window": (_SPAN, "a duration"),
    "guess": (_SPAN, "a duration"),
    "features": ((str, tuple, list), "names"),
    "scaling": ((str,), "text"),
    "clusterer": ((str,), "text"),
    "memory": (_WHOLE, "a whole number"),
    "reject": (_NUMBER, "a number"),
    "velocity": ((str,), "text"),
    "velocity_range": ((str,), "text"),
    "seed": (_WHOLE, "a whole number"),
    "buffer": ((*_WHOLE, *_NONE), "a whole number"),
    "hop": ((*_WHOLE, *_NONE), "a whole number"),
}
"""Of what kind each setting is. In Python true is 1, but nobody who writes it means that."""


def _expect(condition: bool, name: str, wanted: str, got: object) -> None:
    if not condition:
        raise SettingsError(f"Expected {name} to be {wanted}, got {got!r}.")


def _plugins(group: str, wanted: tuple[str, ...], own: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the plug-ins of a group; looked for only if one is wanted."""
    if set(wanted) <= set(own):
        return ()
    from rtcluster.plugins import find, names

    installed = names(group)
    for name in set(wanted) & set(installed):
        find(group, name)  # refuses what is none
    return installed


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be chosen before the engine is prepared.

    Parameters
    ----------
    classes : int or "auto"
        Number of classes, 1 to 32, or as many as there seem to be drums, which is the default of
        ``rtcluster run`` and ``listen``, :func:`rtcluster.hits` and :func:`rtcluster.listen`.
    warmup : int, optional
        Hits that are heard before the classes are formed. By default ``max(8, 2 * classes)``,
        12 for "auto".
    freeze : bool
        Do not learn after the warm-up (or at all, with a kit).
    method : str
        Onset detector, one of :data:`METHODS`.
    preset : str
        Trade-off of the drum detector, one of :data:`PRESETS`.
    threshold : float, optional
        Onset threshold, 1e-6 to 100, more is less sensitive, and fixed. By default our own
        detector's follows the player, and aubio's methods have their own.
    silence : float, optional
        Level in dBFS under which nothing is a hit, -120 to 0. By default the method's own.
    mask : Duration, optional
        Time after a hit in which only a louder one is another hit; in its first half, none.
        By default the method's own.
    window : Duration
        Span of the final's features after the onset.
    guess : Duration
        Span of the guess's features; at most ``window``.
    features : tuple of str
        What a hit is judged by: names out of :data:`FEATURES`, or one of :data:`FEATURE_SETS`.
    scaling : str
        ``"minmax"`` as in the notebook, or ``"robust"``, which an outlier does not stretch.
    clusterer : str
        ``"minibatch"``, the steps of scikit-learn's MiniBatchKMeans, or a plug-in's.
    memory : int
        Hits after which old ones are forgotten, so that classes follow a drift; 0: never.
    reject : float
        A hit further from every centre than this many times the class's own spread is
        unknown (class -2); 0: never. 4 is a good value.
    velocity : str
        Curve from level to velocity, one of :data:`VELOCITY_CURVES`.
    velocity_range : str
        ``"LOW,HIGH"``, dBFS of the softest and of the loudest hit, or ``"learned"``.
    seed : int
        Seed of the clustering's random starts.
    buffer : int, optional
        Frame of the detector in samples, a power of two. By default the preset's, or 512 for
        aubio's own methods, at 44.1 kHz and as long a time at other rates; or what holds a hop.
    hop : int, optional
        Hop of the detector in samples. By default 64 at 44.1 kHz, likewise.

    Raises
    ------
    SettingsError
        If a value is outside its range; the message names the parameter.
    """

    classes: int | str = 2
    warmup: int | None = None
    freeze: bool = False
    method: str = DRUMS
    preset: str = "balanced"
    threshold: float | None = None
    silence: float | None = None
    mask: Duration | str | int | None = None
    window: Duration | str | int = WINDOW
    guess: Duration | str | int = GUESS
    features: tuple[str, ...] | list[str] | str = FEATURE_SETS["notebook"]
    scaling: str = "minmax"
    clusterer: str = MINI_BATCH
    memory: int = 0
    reject: float = 0.0
    velocity: str = "gm"
    velocity_range: str = LEARNED
    seed: int = 0
    buffer: int | None = None
    hop: int | None = None

    def __post_init__(self) -> None:
        """Check every value; read durations given as text."""
        for name, (kinds, wanted) in _KINDS.items():
            value = getattr(self, name)
            fits = isinstance(value, kinds) and (kinds == (bool,) or not isinstance(value, bool))
            _expect(fits, name, wanted, value)
        names = () if isinstance(self.features, str) else self.features
        _expect(all(isinstance(one, str) for one in names), "features", "names", self.features)
        for name in _DURATIONS:
            if getattr(self, name) is not None:
                object.__setattr__(self, name, Duration.of(getattr(self, name), name))
        self._check_learning()
        curves = "one of " + ", ".join(VELOCITY_CURVES)
        _expect(self.velocity in VELOCITY_CURVES, "velocity", curves, self.velocity)
        _ = self.velocity_levels  # reads the text, and refuses what it cannot
        _expect(self.method in METHODS, "method", "one of " + ", ".join(METHODS), self.method)
        _expect(self.preset in PRESETS, "preset", "one of " + ", ".join(PRESETS), self.preset)
        if self.threshold is not None:
            fits = LEAST_THRESHOLD <= self.threshold <= 100.0
            _expect(fits, "threshold", f"{LEAST_THRESHOLD:g} to 100", self.threshold)
        if self.silence is not None:
            _expect(-120.0 <= self.silence <= 0.0, "silence", "-120 to 0 dBFS", self.silence)
        _expect(0 <= self.seed < 2**32, "seed", "0 to 4294967295", self.seed)
        if self.buffer is not None:
            power = self.buffer & (self.buffer - 1) == 0
            _expect(
                power and 64 <= self.buffer <= 8192,
                "buffer",
                "a power of two, 64 to 8192 samples",
                self.buffer,
            )
        if self.hop is not None:
            _expect(16 <= self.hop <= 2048, "hop", "16 to 2048 samples", self.hop)
        if self.hop is not None and self.buffer is not None:
            _expect(self.hop <= self.buffer, "hop", f"at most buffer ({self.buffer})", self.hop)

    @property
    def velocity_levels(self) -> tuple[float, float] | None:
        """The levels in dBFS that are the softest and the loudest velocity; None: learned."""
        if self.velocity_range == LEARNED:
            return None
        match = re.fullmatch(r"\s*(-?[\d.]+)\s*,\s*(-?[\d.]+)\s*", self.velocity_range)
        try:
            low, high = map(float, match.groups() if match else ())
        except ValueError:
            low, high = 0.0, 0.0
        _expect(
            -120.0 <= low < high <= 20.0,
            "velocity_range", "LOW,HIGH in dBFS, such as -45,-5, or learned", self.velocity_range,
        )  # fmt: skip
        return low, high

    def _check_learning(self) -> None:
        k = self.classes
        if isinstance(k, str) and k.isdecimal() and len(k) <= len(str(MAX_CLASSES)):
            k = int(k)
            object.__setattr__(self, "classes", k)
        _expect(
            k == AUTO or (isinstance(k, int) and 1 <= k <= MAX_CLASSES),
            "classes", f"1 to {MAX_CLASSES} or {AUTO}", k,
        )  # fmt: skip
        if self.warmup is not None:
            least = 2 if isinstance(k, str) else k
            _expect(self.warmup >= least, "warmup", f"at least {least}", self.warmup)
        chosen = self.features
        if isinstance(chosen, str):
            chosen = FEATURE_SETS.get(chosen, tuple(chosen.split(",")))
        chosen = tuple(name.strip() for name in chosen)
        object.__setattr__(self, "features", chosen)
        given = ",".join(chosen)
        sets = " or of ".join((", ".join(FEATURES), ", ".join(FEATURE_SETS)))
        own = (*FEATURES, *MICROPHONE_FEATURES)
        _expect(
            set(chosen) <= {*own, *_plugins("rtcluster.features", chosen, own)},
            "features", f"out of {sets}, or of an installed plug-in", given,
        )  # fmt: skip
        _expect(len(set(chosen)) == len(chosen), "features", "named once each", given)
        some = f"1 to {MAX_FEATURES} names"
        _expect(1 <= len(chosen) <= MAX_FEATURES, "features", some, f"{len(chosen)}: {given}")
        own = (MINI_BATCH,)
        known = (*own, *_plugins("rtcluster.clusterers", (self.clusterer,), own))
        _expect(self.clusterer in known, "clusterer", "one of " + ", ".join(known), self.clusterer)
        _expect(self.scaling in SCALINGS, "scaling", "one of " + ", ".join(SCALINGS), self.scaling)
        _expect(0 <= self.memory <= 10**6, "memory", "0 to 1000000 hits", self.memory)
        _expect(0.0 <= self.reject <= 1e3, "reject", "0 to 1000 spreads", self.reject)

    @property
    def together(self) -> bool:
        """Whether several microphones are heard together, untaught."""
        return not {*MICROPHONE_FEATURES}.isdisjoint(self.features)

    @property
    def units(self) -> dict[str, str]:
        """Units of the features that hits are judged by, by name; a plug-in may not say its own."""
        from rtcluster.plugins import FEATURE_GROUP, find

        known = FEATURE_UNITS | dict.fromkeys(MICROPHONE_FEATURES, "dB")
        return {
            name: known[name] if name in known else find(FEATURE_GROUP, name).unit
            for name in self.features
        }

    @property
    def warmup_hits(self) -> int:
        """Hits heard before the classes are formed."""
        if self.warmup is not None:
            return self.warmup
        return 12 if isinstance(self.classes, str) else max(8, 2 * self.classes)

    @property
    def follows(self) -> bool:
        """Whether the threshold follows the player: our own detector's does, unless one is set."""
        return self.method == DRUMS and self.threshold is None

    @property
    def thresholds(self) -> Thresholds:
        """What the detector fires at: what was given, else the method's own."""
        if self.method == DRUMS:
            own = Thresholds(PRESETS[self.preset].threshold, DRUMS_SILENCE, Duration.of(DRUMS_MASK))
        else:
            stock = AUBIO_PRESETS[self.method]
            own = Thresholds(stock.threshold, stock.silence, Duration(stock.mask_ms, "ms"))
        return Thresholds(
            own.threshold if self.threshold is None else self.threshold,
            own.silence if self.silence is None else self.silence,
            own.mask if self.mask is None else Duration.of(self.mask),
        )

    def as_dict(self) -> dict[str, object]:
        """Values that JSON can carry, durations as text; ``Settings(**d)`` gives it back."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        plain = {k: str(v) if isinstance(v, Duration) else v for k, v in values.items()}
        return plain | {"features": list(self.features)}

    @classmethod
    def stored(cls, values: Mapping[str, Any]) -> Settings:
        """Settings as any version wrote them, with small numbers of samples without a unit.

        Parameters
        ----------
        values : mapping
            As :meth:`as_dict` gives.

        Raises
        ------
        SettingsError
            If a value is outside its range.
        """
        given = {name: values[name] for name in _DURATIONS if values.get(name) is not None}
        return cls(
            **{**values, **{name: Duration.stored(one, name) for name, one in given.items()}}
        )

    def spans(self, samplerate: int) -> Spans:
        """Durations in samples at a rate, checked against each other.

        Raises
        ------
        SettingsError
            If a span is empty, longer than 0.5 s, or the guess longer than the window.
        """
        lengths = {
            "mask": self.thresholds.mask.samples(samplerate),
            "window": Duration.of(self.window).samples(samplerate),
            "guess": Duration.of(self.guess).samples(samplerate),
        }
        longest = int(MAX_SPAN_S * samplerate)
        for name, length in lengths.items():
            lowest = 0 if name == "mask" else 1
            _expect(
                lowest <= length <= longest,
                name,
                f"{lowest} to {longest} samples (0.5 s) at {samplerate} Hz",
                length,
            )
        _expect(
            lengths["guess"] <= lengths["window"],
            "guess",
            f"at most the window ({lengths['window']} samples)",
            lengths["guess"],
        )
        usual = PRESETS[self.preset].frame if self.method == DRUMS else AUBIO_FRAME
        return Spans(**lengths, **frame_sizes(samplerate, self.buffer, self.hop, usual))


def rate_factor(samplerate: float) -> float:
    """Power of two by which frames and hops grow from 44.1 kHz to a rate.

    The detector then sees the same stretch of time, and its thresholds mean the same, at any rate.
    """
    return float(2.0 ** round(math.log2(samplerate / REFERENCE_RATE)))


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What the detector fires at: threshold, silence in dBFS, and mask."""

    threshold: float
    silence: float
    mask: Duration


@dataclass(frozen=True, slots=True)
class Spans:
    """Lengths in samples at one sample rate."""

    mask: int
    window: int
    guess: int
    buffer: int
    hop: int


def frame_sizes(samplerate: int, buffer: int | None, hop: int | None, usual: int) -> dict[str, int]:
    """Frame and hop of the detector in samples: by default those of ``usual`` and 64 at 44.1 kHz.

    A frame is a power of two, without which aubio's transforms end the program, and holds a hop.
    """
    factor = rate_factor(samplerate)
    chosen_hop = hop or min(max(1, int(64 * factor)), buffer or 8192)
    holds_hop = 1 << (chosen_hop - 1).bit_length()
    return {"buffer": buffer or max(holds_hop, int(usual * factor)), "hop": chosen_hop}
