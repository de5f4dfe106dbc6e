"""Which rises of the flux may be hits: one event for one hit.

Runs in the audio callback, once a hop: no allocation, no exceptions, no locks.

The flux fires where it is over the threshold and stands clear of the last hit:

- for half the mask nothing fires;
- for the whole mask only a *louder* attack fires (1 dB over the last hit's
  peak): the main stroke after the grace note of a flam, never the tail of the
  hit, its second burst, or the hat that was meant to fall together with it;
- later, the flux must exceed a share of the last hit's own flux which decays
  with `DECAY_S` (a 32nd at 200 bpm comes after 37 ms and has about the flux of
  the stroke before; second bursts and resonances have a third of it);
- and it must have risen by a share of that from its lowest point since the
  last hit, so that one broad rise counts once.

A step of the offset (a loose plug, a converter that wakes) has a spectrum like a
soft drum's. It is told by its slope: nearly all its energy is in one sample.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.kernel.jit import compiled

LOUDER_DB = 1.0
RATIO = 1.0  # of the last hit's flux, decaying with DECAY_S
DECAY_S = 0.045
RISE = 0.3  # of the same
ATTACK_S = 0.018  # so long a hit's own flux and level may still rise
LEVEL_HOPS = 3  # the level is the peak of so many hops
STEP_SHARE = 0.6  # of the slope's energy in STEP_SAMPLES samples: a step
NEVER_S = 1e9  # since the last hit, where there was none

PICKER_FIELDS = [
    ("threshold", "f4"),
    ("mask", "f4"),  # s
    ("hop_s", "f4"),  # s
    ("louder", "f4"),  # factor
    ("ratio", "f4"),
    ("decay", "f4"),  # s
    ("rise", "f4"),
    ("since", "f4"),  # s since the last hit fired
    ("peak", "f4"),  # flux of the last hit
    ("valley", "f4"),  # lowest flux since
    ("peak_level", "f4"),  # level of the last hit, 1 is full scale
    ("highest", "f4", (LEVEL_HOPS,)),  # sample in each of the last hops
    ("lowest", "f4", (LEVEL_HOPS,)),
]


def configure_picker(record: Any, samplerate: float, hop: int) -> None:
    """Fill the picker's part of a record, but for threshold and mask, which may change."""
    record["hop_s"] = hop / samplerate
    record["louder"] = 10.0 ** (LOUDER_DB / 20.0)
    record["ratio"], record["decay"], record["rise"] = RATIO, DECAY_S, RISE
    record["since"] = NEVER_S
    for name in ("peak", "valley", "peak_level", "highest", "lowest"):
        record[name] = 0.0


@compiled
def measure_level(record: Any, recent: npt.NDArray[np.float32]) -> Any:
    """Half the peak-to-peak swing of the last hops: free of any offset."""
    hop = record.hop
    highest, lowest = record.highest, record.lowest
    slot = record.hops % LEVEL_HOPS
    high = low = recent[len(recent) - hop]
    for t in range(len(recent) - hop + 1, len(recent)):
        high = max(high, recent[t])
        low = min(low, recent[t])
    highest[slot], lowest[slot] = high, low
    for j in range(LEVEL_HOPS):
        high = max(high, highest[j])
        low = min(low, lowest[j])
    return np.float32(0.5) * (high - low)


@compiled
def is_step(recent: npt.NDArray[np.float32], length: int) -> bool:
    """Whether the slope of the newest `length` samples is one jump and little else."""
    total = first = second = 0.0
    for t in range(len(recent) - length + 1, len(recent)):
        slope = np.float64(recent[t]) - np.float64(recent[t - 1])
        slope *= slope
        total += slope
        if slope > first:
            first, second = slope, first
        elif slope > second:
            second = slope
    return first + second > STEP_SHARE * total


@compiled
def pick(
    record: Any, flux: Any, threshold: Any, level: Any, recent: npt.NDArray[np.float32]
) -> Any:
    """How far the flux stands over what it had to exceed, at least 1; 0 if nothing fires."""
    since = record.since
    record.since = min(np.float32(NEVER_S), since + record.hop_s)
    if since < ATTACK_S:
        if flux > record.peak:
            record.peak = flux
            record.valley = flux
        record.peak_level = max(record.peak_level, level)
    record.valley = min(record.valley, flux)
    if flux <= threshold or since < 0.5 * record.mask:
        return np.float32(0.0)
    last = record.peak * np.exp(-since / record.decay)
    needed = max(threshold, record.ratio * last)
    if flux <= needed or flux - record.valley <= record.rise * last:
        return np.float32(0.0)
    if since < record.mask and level <= record.louder * record.peak_level:
        return np.float32(0.0)
    if is_step(recent, record.frame):
        return np.float32(0.0)
    return flux / needed


@compiled
def remember_hit(record: Any, flux: Any, level: Any) -> None:
    """Make this hop's rise the last hit, against which the next ones are measured."""
    record.since = record.hop_s
    record.peak = flux
    record.valley = flux
    record.peak_level = level
