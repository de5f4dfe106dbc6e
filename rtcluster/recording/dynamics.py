"""Velocities of a take that is over, by the loudest of all its hits.

While a take is played, its loudest hits are still to come, so the velocities of the first hits are
on another scale than those of the last ones; in a file run as well, whose events are those of a
live run. The events tell each hit's level besides, and of that whoever reads a whole session makes
velocities on one scale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from rtcluster.kernel.velocity import LEARNED_RANGE_DB, top_of, velocity
from rtcluster.settings import LEARNED, VELOCITY_CURVES


class Levelled(Protocol):
    """What is known of a hit's loudness."""

    level: float | None
    velocity: int


def rescale(hits: Sequence[Levelled], settings: object) -> None:
    """Give hits whose level is known the velocity that they have among all of them.

    Parameters
    ----------
    hits : sequence
        Of a whole session; changed in place.
    settings : mapping
        The session's. Where its velocity range was set, or it is none that this version knows,
        nothing is changed.
    """
    known = settings if isinstance(settings, Mapping) else {}
    curve = known.get("velocity")
    levelled = [(hit, float(hit.level)) for hit in hits if hit.level is not None]
    if not levelled or curve not in VELOCITY_CURVES or known.get("velocity_range") != LEARNED:
        return
    top = top_of(np.array(sorted((level for _, level in levelled), reverse=True)))
    place = VELOCITY_CURVES.index(curve)
    for hit, level in levelled:
        hit.velocity = velocity(level, place, top, LEARNED_RANGE_DB)
