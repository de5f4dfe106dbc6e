"""Times between hits, and the fastest run of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rtcluster.performance import statistics
from rtcluster.performance.statistics import Array, Estimate

STROKES = 4
"""A run is at least this many strokes."""

EVEN = 1.5
"""Its longest interval is at most this many times its shortest: a flam is no run."""

_SHORTEST_S = 0.025  # nearer hits are one stroke on two drums, or a flam


@dataclass(frozen=True, slots=True)
class Run:
    """Strokes in an even, fast row.

    Attributes
    ----------
    strokes : int
    begin : float
        Time of the first, in s.
    seconds : float
        From the first to the last.
    rate : Estimate
        Strokes a second; uncertain by the dates of its ends.
    """

    strokes: int
    begin: float
    seconds: float
    rate: Estimate


@dataclass(frozen=True, slots=True)
class Intervals:
    """Times between consecutive hits in ms.

    Attributes
    ----------
    shortest_ms, longest_ms : float
    p10_ms, p50_ms, p90_ms : Estimate
    """

    shortest_ms: float
    longest_ms: float
    p10_ms: Estimate
    p50_ms: Estimate
    p90_ms: Estimate


def intervals(times: Array) -> Intervals | None:
    """Percentiles of the times between hits; None of fewer than two."""
    if len(times) < 2:
        return None
    apart = 1e3 * np.diff(times)
    p10, p50, p90 = (statistics.quantile(apart, q) for q in (0.1, 0.5, 0.9))
    return Intervals(float(apart.min()), float(apart.max()), p10, p50, p90)


def fastest(times: Array, dating: Array) -> Run | None:
    """The fastest even run of :data:`STROKES`, followed for as long as it goes on as fast.

    Parameters
    ----------
    times : ndarray of float64, shape (n,)
        In s, rising.
    dating : ndarray of float64, shape (n,)
        Half-widths of the 95 % intervals of the times, in s.

    Returns
    -------
    Run or None
        None if no stretch is even.
    """
    count = STROKES - 1
    apart = np.diff(times)
    if len(apart) < count:
        return None
    rows = np.lib.stride_tricks.sliding_window_view(apart, count)
    even = (rows.max(axis=1) <= EVEN * rows.min(axis=1)) & (rows.min(axis=1) >= _SHORTEST_S)
    if not even.any():
        return None
    length = np.where(even, rows.sum(axis=1), math.inf)
    first = int(length.argmin())
    last = first + count  # index of the last stroke
    mean = float(length[first]) / count
    while first > 0 and mean / 1.2 <= apart[first - 1] <= 1.2 * mean:
        first -= 1
    while last < len(apart) and mean / 1.2 <= apart[last] <= 1.2 * mean:
        last += 1
    seconds = float(times[last] - times[first])
    rate = (last - first) / seconds
    half = rate * math.hypot(float(dating[first]), float(dating[last])) / seconds
    return Run(last - first + 1, float(times[first]), seconds, Estimate(rate, half))
