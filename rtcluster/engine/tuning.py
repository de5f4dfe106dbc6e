"""Tuning the detector to a player and a room, from some seconds of playing.

It goes as a drum module's manual has it done by hand: raise the threshold until doubles vanish,
not until notes drop. The engine itself runs over the recording at every threshold of a grid, then
at every mask. Between the noise and the softest hit goes the silence floor.

Our own detector's threshold follows the player (:mod:`rtcluster.kernel.following`), and with it
there is little left to choose: a fixed one, higher, is taken only where the one that follows leaves
doubles. What tuning still adds are the mask, the silence floor and the range of the velocity.

A *double* is a second onset that brings nothing new: within 60 ms of a louder hit and over 6 dB
under it, or within 250 ms and hardly standing out of what still rings. The second stroke of a flam
is the louder one, those of a roll are alike; neither is a double.

Belongs to the main thread, before or after a stream.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rtcluster.durations import Duration
from rtcluster.engine.processor import Processor
from rtcluster.engine.samples import as_float32
from rtcluster.engine.setup import first_threshold
from rtcluster.errors import RtclusterError
from rtcluster.events import Onset
from rtcluster.learning.detection import Detection
from rtcluster.settings import Settings

THRESHOLDS = tuple(round(2.0 ** (step / 3.0), 3) for step in range(7))
"""The grid, in thresholds of the method or preset: 1 to 4. The first follows the player."""

MASKS_MS = (40, 50, 60, 80)
"""Masks in ms."""

DOUBLE_S = 0.060
SOFTER_DB = 6.0
RISE_DB = 3.0
"""What a double is: so soon, so much softer, or rising so little."""

LEVEL_S = 0.010
"""Levels are peaks of so long after an onset, and before it, in seconds."""

RING_S = 0.250
"""How long after a hit a rise in what rings of it may pass for another, in seconds."""

FEWEST = 8
"""Hits without which nothing can be chosen."""

DROPPED = 0.02
"""Share of the notes that may go missing."""

HEADROOM_DB = 6.0
"""The floor's distance from the noise and from the softest hit, where there is room."""

Audio = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trial:
    """What the engine heard with one setting.

    Attributes
    ----------
    value : float
        The threshold, or the mask in ms.
    notes : int
        Hits without the doubles.
    doubles : int
    chosen : bool
    """

    value: float
    notes: int
    doubles: int
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Tuning:
    """What was chosen, and why.

    Attributes
    ----------
    detection : Detection
    thresholds, masks : tuple of Trial
        What the choice was made from.
    noise_db, softest_db, loudest_db : float
        Peaks of the noise between hits, and of the softest and the loudest hits, dBFS.
    """

    detection: Detection
    thresholds: tuple[Trial, ...]
    masks: tuple[Trial, ...]
    noise_db: float
    softest_db: float
    loudest_db: float


def tune(audio: Audio, samplerate: int, settings: Settings | None = None) -> Tuning:
    """Choose threshold, mask, silence floor and velocity range.

    Parameters
    ----------
    audio : ndarray of float32, shape (n,)
        Some seconds of playing, soft and loud, with rests.
    samplerate : int
        Hz.
    settings : Settings, optional
        Method and preset; a threshold, a silence floor or a mask given here is kept.

    Raises
    ------
    RtclusterError
        If fewer than 8 hits can be told from the noise.
    """
    settings = settings or Settings()
    engine = _Engine(audio, samplerate, settings)
    usual = settings.thresholds
    mask_ms = _milliseconds(usual.mask, samplerate)

    def own_threshold(value: float) -> float | None:
        """None where the usual threshold, which follows the player, is meant."""
        return None if settings.follows and value == usual.threshold else value

    hits = engine.hits(own_threshold(usual.threshold), mask_ms, _LOWEST)
    levels = engine.levels(hits)
    noise = engine.noise()
    sure = levels[~engine.doubles(hits) & (levels > noise + HEADROOM_DB)]
    if len(sure) < FEWEST:
        raise RtclusterError(
            f"Expected at least {FEWEST} hits that stand out of the noise, got {len(sure)}; play "
            "more, or louder."
        )
    softest, loudest = (float(np.percentile(sure, p)) for p in (2, 98))
    silence = usual.silence if settings.silence is not None else _floor(noise, softest)

    def trials(values: list[tuple[float, float, float]]) -> list[Trial]:
        out = []
        for shown, threshold, mask in values:
            found = engine.hits(own_threshold(threshold), mask, silence)
            doubles = int(engine.doubles(found).sum())
            out.append(Trial(shown, len(found) - doubles, doubles))
        return out

    grid = [usual.threshold]
    if settings.threshold is None:
        grid = [round(usual.threshold * factor, 4) for factor in THRESHOLDS]
    thresholds, threshold = _choose(trials([(t, t, mask_ms) for t in grid]), usual.threshold)
    lengths = [mask_ms]
    if settings.mask is None:
        lengths = sorted({*(m for m in map(float, MASKS_MS) if m > mask_ms), mask_ms})
    masks, mask = _choose(trials([(m, threshold, m) for m in lengths]), mask_ms)
    detection = Detection(
        method=settings.method,
        preset=settings.preset,
        threshold=own_threshold(threshold),
        silence=silence,
        mask=f"{mask:g}ms",
        velocity_floor_db=round(min(softest, 0.0), 1),
        velocity_ceiling_db=round(min(20.0, max(loudest, softest + 1.0)), 1),
    )
    return Tuning(detection, thresholds, masks, noise, softest, loudest)


_LOWEST = -120.0  # dBFS: no silence floor


def _milliseconds(duration: Duration, samplerate: int) -> float:
    factor = {"ms": 1.0, "s": 1e3, "samples": 1e3 / samplerate}[duration.unit]
    return round(duration.value * factor, 3)


def _floor(noise: float, softest: float) -> float:
    """Silence floor: over the noise and under the softest hit, halfway where it is tight."""
    floor = min(noise + HEADROOM_DB, softest - HEADROOM_DB)
    if softest - noise < 2.0 * HEADROOM_DB:
        floor = (noise + softest) / 2.0
    return round(float(np.clip(floor, _LOWEST, 0.0)), 1)


def _choose(trials: list[Trial], usual: float) -> tuple[tuple[Trial, ...], float]:
    """Raise the usual setting until doubles vanish, not until notes drop.

    A higher setting is taken only for more doubles than it costs notes, and none that drops more
    than a few of the notes that the usual one finds. Lower ones are never taken: what they
    add sounds like soft notes and is mostly none.
    """
    values = [trial.value for trial in trials]
    best = values.index(usual)
    least = trials[best].notes * (1.0 - DROPPED)
    for n in range(best + 1, len(trials)):
        if trials[n].notes < least:
            break
        spared = trials[best].doubles - trials[n].doubles
        if spared > max(0, trials[best].notes - trials[n].notes):
            best = n
    out = tuple(replace(trial, chosen=n == best) for n, trial in enumerate(trials))
    return out, trials[best].value


class _Engine:
    """The detector over one recording, again and again."""

    def __init__(self, audio: Audio, samplerate: int, settings: Settings) -> None:
        self._audio = np.ascontiguousarray(as_float32(audio)).reshape(-1, 1)
        self._rate = samplerate
        own = replace(settings, classes=1, warmup=None, freeze=False)
        self._processor = Processor(own)
        self._processor.prepare(samplerate)
        self._processor.record["synchronous"] = 0
        self._reach = max(1, int(LEVEL_S * samplerate))
        self._peaks = np.abs(np.nan_to_num(self._audio[:, 0], posinf=0.0, neginf=0.0))

    def hits(
        self, threshold: float | None, mask_ms: float, silence: float
    ) -> npt.NDArray[np.int64]:
        """Samples at which hits began; without a threshold, as the settings have it."""
        processor = self._processor
        processor.reset(forget=True)
        if threshold is None:
            processor.record["asked_threshold"] = first_threshold(processor.settings)
        else:
            processor.threshold = threshold
        processor.mask = f"{mask_ms:g}ms"
        processor.record["silence"] = silence
        found: list[int] = []
        for begin in range(0, len(self._audio), self._rate):
            processor.advance(self._audio[begin : begin + self._rate])
            events = processor.collect()
            found += [event.sample for event in events if isinstance(event, Onset)]
        return np.array(found, dtype=np.int64)

    def _peak(self, begin: int, end: int) -> float:
        part = self._peaks[max(0, begin) : max(0, end)]
        return 20.0 * float(np.log10(max(float(part.max(initial=0.0)), 1e-6)))

    def levels(self, hits: npt.NDArray[np.int64]) -> Array:
        """Peak of each attack in dBFS, shape (n_hits,)."""
        return np.array([self._peak(hit, hit + self._reach) for hit in hits], dtype=np.float64)

    def doubles(self, hits: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which hits are doubles, shape (n_hits,)."""
        levels, out = self.levels(hits), np.zeros(len(hits), dtype=bool)
        for n in range(1, len(hits)):
            gap = (hits[n] - hits[:n]) / self._rate
            soon = float(levels[:n][gap <= DOUBLE_S].max(initial=-np.inf))
            before = float(levels[:n][gap <= RING_S].max(initial=-np.inf))
            ringing = self._peak(int(hits[n]) - self._reach, int(hits[n]))
            softer = levels[n] < soon - SOFTER_DB
            out[n] = softer or (levels[n] < before and levels[n] < ringing + RISE_DB)
        return out

    def noise(self) -> float:
        """Peak level of the quietest stretches of 10 ms in dBFS: their 5th percentile."""
        count = len(self._peaks) // self._reach
        if not count:
            return _LOWEST
        peaks = self._peaks[: count * self._reach].reshape(count, self._reach).max(axis=1)
        return 20.0 * float(np.log10(max(float(np.percentile(peaks, 5)), 1e-6)))
