"""The hit with which a stream begins.

The flux needs a past, and a stream has none: noise that is there from the first
sample would be an attack. What tells a hit from a steady sound is that it decays.
So one look is taken `LOOK_S` after the start: if the bands have fallen well below
their highest since, and the signal did not just begin with a jump (an offset or
hum that is cut in), the stream began with a hit. Loops do.

Runs in the audio callback: no allocation, no exceptions, no locks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.kernel.jit import compiled
from rtcluster.kernel.spectrum import MAX_BANDS

LOOK_S = 0.045
DECAYED = 0.25  # mean fall of the bands, log10: 5 dB
JUMP_SHARE = 0.5  # of the curvature's energy in three samples: a jump or a kink
START_SHARE = 0.05  # of the peak (-26 dB): the hit has begun

OPENING_FIELDS = [
    ("look", "i8"),  # hops
    ("loudest", "f4", (MAX_BANDS,)),  # highest magnitude of each band so far
]


def configure_opening(record: Any, samplerate: float, hop: int) -> None:
    """Fill the opening's part of `record`."""
    record["look"] = int(np.ceil(LOOK_S * samplerate / hop))
    record["loudest"] = 0.0


@compiled
def is_jump(recent: npt.NDArray[np.float32], length: int) -> bool:
    """Whether three samples hold most of the curvature of the newest `length`."""
    total = first = second = third = 0.0
    for t in range(len(recent) - length, len(recent)):
        bend = np.float64(recent[t]) - 2.0 * np.float64(recent[t - 1]) + np.float64(recent[t - 2])
        bend *= bend
        total += bend
        if bend > first:
            first, second, third = bend, first, second
        elif bend > second:
            second, third = bend, second
        elif bend > third:
            third = bend
    return first + second + third > JUMP_SHARE * total


@compiled
def opening_hit(record: Any, recent: npt.NDArray[np.float32]) -> int:
    """Distance back to the hit with which the stream began; 0 if there is none (yet).

    To be called once a hop, after the bands are measured and `record.hops` counts this
    hop, as long as `record.hops <= record.look`.
    """
    band, loudest, share = record.band, record.loudest, record.band_weight
    for b in range(record.bands):
        loudest[b] = max(loudest[b], band[b])
    if record.hops != record.look:
        return 0
    floor, cap = record.floor, record.cap
    fall = np.float32(0.0)
    for b in range(record.bands):
        fall += share[b] * min(cap, np.log10((loudest[b] + floor) / (band[b] + floor)))
    length = min(record.hops * record.hop, len(recent) - 2)
    if fall < DECAYED or is_jump(recent, length):
        return 0
    peak = np.float32(0.0)
    for t in range(len(recent) - length, len(recent)):
        peak = max(peak, abs(recent[t]))
    for t in range(len(recent) - length, len(recent)):
        if abs(recent[t]) > np.float32(START_SHARE) * peak:
            return len(recent) - t
    return 0
