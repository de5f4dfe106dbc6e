"""MIDI velocity of a hit from the level of its attack.

Runs on the audio thread. The level that is velocity 127 is either set, or learned from the hits:
a slow tracker of the level that one hit in twenty exceeds, so that any gain of the input and any
player fill the scale.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.kernel.jit import compiled

HEADROOM_DB = 3.0
"""The first hit of a session is taken to be so far under the loudest."""

EXCEEDED = 0.05
"""Share of the hits that are louder than the learned top."""

FIRST_STEP_DB, LAST_STEP_DB = 6.0, 0.5
"""Steps of the tracker: the first divided by the number of hits, until the last."""

GM, LOG, LINEAR = 0, 1, 2
"""Curves, in the order of :data:`rtcluster.settings.VELOCITY_CURVES`."""


@compiled
def learn_top(state: Any, level_db: float) -> None:
    """Let the level of a new hit move the top, unless it is set."""
    if state.velocity_set:
        return
    state.velocity_hits += 1
    if state.velocity_hits == 1:
        state.velocity_top = level_db + HEADROOM_DB
        return
    step = max(LAST_STEP_DB, FIRST_STEP_DB / state.velocity_hits)
    state.velocity_top += step * (1.0 - EXCEEDED if level_db > state.velocity_top else -EXCEEDED)


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
def peak_db(x: npt.NDArray[np.float32]) -> float:
    """Half the peak-to-peak swing in dBFS, -120 at least: free of any offset."""
    if x.size == 0:
        return -120.0
    high = low = x[0]
    for i in range(1, x.size):
        high = max(high, x[i])
        low = min(low, x[i])
    return max(-120.0, 20.0 * math.log10(max(0.5 * (float(high) - float(low)), 1e-6)))
