"""Every parameter of the engine, with its unit and its range, checked once.

A :class:`Settings` is frozen: what it holds was valid when it was made, so that
nothing further down needs to check again. Durations are :class:`Duration`, which
keep the unit they were given in, because the sample rate is known only later.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields
from numbers import Integral, Real
from types import NoneType

from rtcluster.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Stock:
    """Settings that make one of aubio's own methods fire about once a hit.

    Attributes
    ----------
    threshold : float
        aubio's, raised from its default where the method fires again and again.
    mask_ms : float
        Within this of the last hit only one that is 2 dB louder is another one.
    echo_db : float
        Within 70 ms of the last hit, how far the attack must stand out of what could be
        predicted from what sounded before it.
    silence : float
        Level in dBFS under which nothing is a hit.
    """

    threshold: float
    mask_ms: float
    echo_db: float
    silence: float = -70.0


STOCK = {
    "hfc": Stock(0.12, 30.0, 5.0),
    "energy": Stock(1.8, 70.0, 8.0, -55.0),
    "complex": Stock(0.15, 30.0, 5.0),
    "phase": Stock(1.8, 70.0, 8.0, -55.0),
    "specdiff": Stock(0.9, 70.0, 8.0),
    "kl": Stock(1.05, 30.0, 5.0),
    "mkl": Stock(0.15, 30.0, 5.0),
    "specflux": Stock(0.54, 70.0, 8.0),
}
"""aubio's onset detection functions (``aubio_specdesc``), by aubio's names."""

AUTO = "auto"
"""As many classes as there seem to be drums."""

ALL_CHANNELS = "all"
"""Each channel by itself, in place of one of them or of their mean."""

FEATURES = (
    "zcr", "energy", "log_zcr", "log_energy", "level", "brightness", "complexity", "air", "attack",
)  # fmt: skip
"""What can be measured of a hit (:mod:`rtcluster.kernel.features`), in the kernel's order."""

FEATURE_SETS = {
    "notebook": ("zcr", "energy"),
    "best": ("complexity", "air"),
    "taught": ("complexity", "air", "attack"),
}
"""Sets with a name: the notebook's, the best for drums that are learned, and for taught ones."""

SCALINGS = ("minmax", "robust")

MINI_BATCH = "minibatch"

VELOCITY_CURVES = ("gm", "log", "linear")
"""How a level becomes a velocity, in the kernel's order (:mod:`rtcluster.kernel.velocity`)."""

LEARNED = "learned"

DRUMS = "drums"
"""Our own detector (:mod:`rtcluster.kernel.detector`)."""

METHODS = (DRUMS, *STOCK)

DRUMS_MASK = "32ms"
DRUMS_SILENCE = -90.0


@dataclass(frozen=True, slots=True)
class Preset:
    """A trade-off of the drum detector.

    Attributes
    ----------
    frame : int
        Samples at 44.1 kHz.
    peak : float
        Where the window peaks, 0 to 1 of the frame.
    threshold : float
        Flux that fires, in log10 units.
    """

    frame: int
    peak: float
    threshold: float


PRESETS = {
    "fast": Preset(512, 0.75, 0.095),
    "balanced": Preset(1024, 0.85, 0.080),
    "accurate": Preset(1024, 0.75, 0.075),
}
"""Chosen by ``bench/sweep.py``."""

MAX_CLASSES = 32

MAX_FEATURES = 8
"""Features that a hit can be judged by at once."""
REFERENCE_RATE = 44100
"""The rate at which the detector's frame and hop are named, in Hz."""
STOCK_FRAME = 512
"""Samples of a frame of aubio's own methods, at that rate."""

LEAST_THRESHOLD = 1e-6
"""A hit's strength is told as a multiple of the threshold, which must not be endless."""

MAX_SPAN_S = 0.5
"""The longest window, in seconds: the kernel's ring holds this at any usual rate."""


_LONGEST = 1e9  # of a duration, in any unit; far beyond what is of use


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time, in the unit it was given in.

    Attributes
    ----------
    value : float
        The number.
    unit : str
        ``"ms"``, ``"s"`` or ``"samples"``.
    """

    value: float
    unit: str

    def __post_init__(self) -> None:
        """Refuse what is no length of time."""
        if not (0.0 <= self.value <= _LONGEST and self.unit in ("ms", "s", "samples")):
            raise SettingsError(f"Expected a duration, got {self.value!r} {self.unit!r:.80}.")

    @classmethod
    def of(cls, given: Duration | str | int) -> Duration:
        """Read a duration as a user writes it.

        Parameters
        ----------
        given : Duration, str or int
            ``"30ms"``, ``"0.03s"``, or a number of samples.

        Raises
        ------
        SettingsError
            If it is none of these, or negative.
        """
        if isinstance(given, Duration):
            return given
        match = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(ms|s|samples)?\s*", str(given))
        if match is None or (match[2] in (None, "samples") and "." in match[1]):
            raise SettingsError(
                f"Expected a duration such as 30ms, 0.03s or 1323 (samples), got {given!r}."
            )
        return cls(float(match[1]), match[2] or "samples")

    def samples(self, samplerate: float) -> int:
        """Length in whole samples, rounded down, as the notebook's ``int(i + fs * s)``."""
        if self.unit == "samples":
            return int(self.value)
        return int(samplerate * (self.value / 1000 if self.unit == "ms" else self.value))

    def __str__(self) -> str:
        """Text that :meth:`of` reads back."""
        number = f"{self.value:.12f}".rstrip("0").rstrip(".")
        return number + ("" if self.unit == "samples" else self.unit)


_WHOLE, _NUMBER, _NONE = (Integral,), (Real,), (NoneType,)
_SPAN = (Duration, str, Integral)

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
        Number of classes, 1 to 32, or as many as there seem to be drums.
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
        Onset threshold, 1e-6 to 100, more is less sensitive. By default the method's own.
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
        ``"minibatch"``, scikit-learn's MiniBatchKMeans, or a plug-in's.
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
    window: Duration | str | int = Duration(90, "ms")
    guess: Duration | str | int = Duration(30, "ms")
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
        for name in ("mask", "window", "guess"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, Duration.of(getattr(self, name)))
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
        sets = " or of ".join((", ".join(FEATURES), ", ".join(FEATURE_SETS)))
        _expect(
            1 <= len(set(chosen)) == len(chosen) <= MAX_FEATURES
            and set(chosen) <= {*FEATURES, *_plugins("rtcluster.features", chosen, FEATURES)},
            "features", f"out of {sets}, or of an installed plug-in", ",".join(chosen),
        )  # fmt: skip
        own = (MINI_BATCH,)
        known = (*own, *_plugins("rtcluster.clusterers", (self.clusterer,), own))
        _expect(self.clusterer in known, "clusterer", "one of " + ", ".join(known), self.clusterer)
        _expect(self.scaling in SCALINGS, "scaling", "one of " + ", ".join(SCALINGS), self.scaling)
        _expect(0 <= self.memory <= 10**6, "memory", "0 to 1000000 hits", self.memory)
        _expect(0.0 <= self.reject <= 1e3, "reject", "0 to 1000 spreads", self.reject)

    @property
    def warmup_hits(self) -> int:
        """Hits heard before the classes are formed."""
        if self.warmup is not None:
            return self.warmup
        return 12 if isinstance(self.classes, str) else max(8, 2 * self.classes)

    @property
    def firing(self) -> Firing:
        """What the detector fires at: what was given, else the method's own."""
        if self.method == DRUMS:
            own = Firing(PRESETS[self.preset].threshold, DRUMS_SILENCE, Duration.of(DRUMS_MASK))
        else:
            stock = STOCK[self.method]
            own = Firing(stock.threshold, stock.silence, Duration(stock.mask_ms, "ms"))
        return Firing(
            own.threshold if self.threshold is None else self.threshold,
            own.silence if self.silence is None else self.silence,
            own.mask if self.mask is None else Duration.of(self.mask),
        )

    def as_dict(self) -> dict[str, object]:
        """Values that JSON can carry, durations as text; ``Settings(**d)`` gives it back."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        plain = {k: str(v) if isinstance(v, Duration) else v for k, v in values.items()}
        return plain | {"features": list(self.features)}

    def spans(self, samplerate: int) -> Spans:
        """Durations in samples at a rate, checked against each other.

        Raises
        ------
        SettingsError
            If a span is empty, longer than 0.5 s, or the guess longer than the window.
        """
        lengths = {
            "mask": self.firing.mask.samples(samplerate),
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
        usual = PRESETS[self.preset].frame if self.method == DRUMS else STOCK_FRAME
        return Spans(**lengths, **frame_sizes(samplerate, self.buffer, self.hop, usual))


def rate_factor(samplerate: float) -> float:
    """Power of two by which frames and hops grow from 44.1 kHz to a rate.

    The detector then sees the same stretch of time, and its thresholds mean the same, at any rate.
    """
    return float(2.0 ** round(math.log2(samplerate / REFERENCE_RATE)))


@dataclass(frozen=True, slots=True)
class Firing:
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
