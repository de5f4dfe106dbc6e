"""MIDI velocity of a hit from its level.

[audio thread] The level that is velocity 127 is either set, or learned from the hits: a
little over the level that one hit in twenty exceeds, so that any gain of the input and any player
fill the scale. An onset's level is that of its first few samples, a guess's that of the whole
attack, which is several dB higher; each is held against its own like.

Live, only the hits so far are known. A take that is over is held against all of its hits, by the
same rule (:mod:`rtcluster.recording.dynamics`).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.kernel.jit import compiled

EXCEEDED = 0.05
"""Share of the hits that are louder than the rank that the top is learned from."""

HEADROOM_DB = 1.0
"""The learned top is so far over that rank: the full strokes of a steady player differ by less, and
none of them is to be cut off at 127."""

FIRST_HEADROOM_DB = 3.0
"""The first hit is taken to be so far under the top; the second half as far, and so on."""

MEMORY = 512
"""Latest hits that the top is learned from: some minutes, so that a quiet verse stays quiet."""

LEARNED_RANGE_DB = 40.0
"""From the softest velocity to the top, where the range is not set."""

PEAK_S = 0.025
"""A drum reaches its peak within this, in seconds."""

BEFORE_S = 0.010
"""What still sounds from earlier hits is measured over so long before a hit, in seconds."""

SCALE = np.dtype(
    [
        ("hits", "i8"),
        ("top", "f8"),  # dBFS
        ("levels", "f8", (MEMORY,)),  # of the latest hits: hit i at place i % MEMORY
        ("ranked", "f8", (MEMORY,)),  # the same, the loudest first
    ],
    align=True,
)
"""What a learned top is made of."""

GM, LOG, LINEAR = 0, 1, 2
"""Curves, in the order of :data:`rtcluster.settings.VELOCITY_CURVES`."""


@compiled
def learn_top(scale: Any, level_db: float) -> None:
    """Let the level of a new hit move the top.

    Parameters
    ----------
    scale : record of :data:`SCALE`
    level_db : float
        dBFS.
    """
    ranked, place = scale.ranked, scale.hits % MEMORY
    count = min(scale.hits, MEMORY - 1)
    if scale.hits >= MEMORY:  # the oldest makes room
        at = 0
        while at < count and ranked[at] != scale.levels[place]:
            at += 1
        for i in range(at, count):
            ranked[i] = ranked[i + 1]
    at = count
    while at > 0 and ranked[at - 1] < level_db:
        ranked[at] = ranked[at - 1]
        at -= 1
    ranked[at] = scale.levels[place] = level_db
    scale.hits += 1
    scale.top = top_of(ranked[: count + 1])


@compiled
def top_of(ranked: npt.NDArray[np.float64]) -> float:
    """Level in dBFS that is velocity 127, from the levels of some hits, the loudest first."""
    headroom = max(HEADROOM_DB, FIRST_HEADROOM_DB / ranked.size)
    return float(ranked[int(EXCEEDED * ranked.size)]) + headroom


@compiled
def velocity(level_db: float, curve: int, top_db: float, range_db: float) -> int:
    """MIDI velocity of a level.

    Parameters
    ----------
    level_db, top_db : float
        dBFS; the top is velocity 127.
    curve : int
        ``GM``: the square root of the amplitude, which is how a General MIDI synthesiser turns
        velocity into level (40 log10 (v / 127) dB; RP-021). ``LOG``: linear in dB over the
        range. ``LINEAR``: the amplitude.
    range_db : float
        Of ``LOG``.

    Returns
    -------
    int
        1 to 127.
    """
    under = level_db - top_db
    if curve == GM:
        v = 127.0 * 10.0 ** (under / 40.0)
    elif curve == LINEAR:
        v = 127.0 * 10.0 ** (under / 20.0)
    else:
        v = 127.0 + 126.0 * under / range_db
    return int(min(127.0, max(1.0, math.floor(v + 0.5))))


@compiled
def level_of(hit: npt.NDArray[np.float32], before: npt.NDArray[np.float32]) -> float:
    """Peak of a hit in dBFS, without what still sounded before it; -120 at least.

    Parameters
    ----------
    hit, before : ndarray of float32
        Up to :data:`PEAK_S` from the hit's first sample on, and :data:`BEFORE_S` before it.
    """
    peak, rest = swing(hit), swing(before)
    # The two are unrelated signals: their powers add. What is left of a hit that
    # hides under another one is kept to a quarter of it (-12 dB).
    power = max(peak * peak - rest * rest, peak * peak / 16.0)
    return 10.0 * math.log10(power + 1e-12)


@compiled
def swing(x: npt.NDArray[np.float32]) -> float:
    """Half the peak-to-peak swing, which is free of any offset; 0 of nothing."""
    if x.size == 0:
        return 0.0
    high = low = x[0]
    for i in range(1, x.size):
        high = max(high, x[i])
        low = min(low, x[i])
    return 0.5 * (np.float64(high) - np.float64(low))  # as a float32 it may be Inf
