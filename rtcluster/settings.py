"""Every parameter of the engine, with its unit and its range, checked once.

A :class:`Settings` is frozen: what it holds was valid when it was made, so that
nothing further down needs to check again. Durations are :class:`Duration`, which
keep the unit they were given in, because the sample rate is known only later.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields

from rtcluster.errors import SettingsError

METHODS = ("hfc", "energy", "complex", "phase", "specdiff", "kl", "mkl", "specflux")
"""aubio's onset detection functions (``aubio_specdesc``), by aubio's names."""

MAX_CLASSES = 32
REFERENCE_RATE = 44100
"""The rate at which the detector's frame and hop are named, in Hz."""

MAX_SPAN_S = 0.5
"""The longest window, in seconds: the kernel's ring holds this at any usual rate."""


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


def _expect(condition: bool, name: str, wanted: str, got: object) -> None:
    if not condition:
        raise SettingsError(f"Expected {name} to be {wanted}, got {got!r}.")


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be chosen before the engine is prepared.

    Parameters
    ----------
    classes : int
        Number of classes, 1 to 32.
    warmup : int, optional
        Hits that are heard before the classes are formed. By default ``max(8, 2 * classes)``.
    freeze : bool
        Do not learn after the warm-up (or at all, with a kit).
    method : str
        Onset detection function, one of :data:`METHODS`.
    threshold : float, optional
        Onset threshold, more is less sensitive. By default aubio's own for the method.
    silence : float
        Level in dBFS under which nothing is a hit, -120 to 0.
    mask : Duration
        Shortest time between two hits.
    window : Duration
        Span of the final's features after the onset.
    guess : Duration
        Span of the guess's features; at most ``window``.
    seed : int
        Seed of the clustering's random starts.
    buffer : int, optional
        Frame of the detector in samples, a power of two. By default 512 at 44.1 kHz and
        as long a time at other rates.
    hop : int, optional
        Hop of the detector in samples. By default 64 at 44.1 kHz, likewise.

    Raises
    ------
    SettingsError
        If a value is outside its range; the message names the parameter.
    """

    classes: int = 2
    warmup: int | None = None
    freeze: bool = False
    method: str = "hfc"
    threshold: float | None = None
    silence: float = -60.0
    mask: Duration | str | int = Duration(30, "ms")
    window: Duration | str | int = Duration(90, "ms")
    guess: Duration | str | int = Duration(30, "ms")
    seed: int = 0
    buffer: int | None = None
    hop: int | None = None

    def __post_init__(self) -> None:
        """Check every value; read durations given as text."""
        for name in ("mask", "window", "guess"):
            object.__setattr__(self, name, Duration.of(getattr(self, name)))
        k = self.classes
        _expect(isinstance(k, int) and 1 <= k <= MAX_CLASSES, "classes", f"1 to {MAX_CLASSES}", k)
        if self.warmup is not None:
            _expect(
                self.warmup >= k, "warmup", f"at least the number of classes ({k})", self.warmup
            )
        _expect(self.method in METHODS, "method", "one of " + ", ".join(METHODS), self.method)
        if self.threshold is not None:
            _expect(0.0 < self.threshold <= 100.0, "threshold", "over 0, to 100", self.threshold)
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
    def warmup_hits(self) -> int:
        """Hits heard before the classes are formed."""
        return max(8, 2 * self.classes) if self.warmup is None else self.warmup

    def as_dict(self) -> dict[str, object]:
        """Values that JSON can carry, durations as text; ``Settings(**d)`` gives it back."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {k: str(v) if isinstance(v, Duration) else v for k, v in values.items()}

    def spans(self, samplerate: int) -> Spans:
        """Durations in samples at a rate, checked against each other.

        Raises
        ------
        SettingsError
            If a span is empty, longer than 0.5 s, or the guess longer than the window.
        """
        lengths = {
            n: Duration.of(getattr(self, n)).samples(samplerate)
            for n in ("mask", "window", "guess")
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
        return Spans(**lengths, **frame_sizes(samplerate, self.buffer, self.hop))


@dataclass(frozen=True, slots=True)
class Spans:
    """Lengths in samples at one sample rate."""

    mask: int
    window: int
    guess: int
    buffer: int
    hop: int


def frame_sizes(samplerate: int, buffer: int | None, hop: int | None) -> dict[str, int]:
    """Frame and hop of the detector at a rate.

    The defaults are the powers of two nearest to 512 / 44100 s and 64 / 44100 s, so that
    the detector sees the same stretch of time, and its thresholds mean the same, at any rate.
    """
    octave = round(math.log2(samplerate / REFERENCE_RATE))
    chosen_hop = hop or min(max(16, int(64 * 2.0**octave)), buffer or 8192)
    chosen_buffer = buffer or max(chosen_hop, int(512 * 2.0**octave))
    return {"buffer": chosen_buffer, "hop": chosen_hop}
