"""The pulse of a stretch of playing: where the beat was at every moment, as the hits tell it.

A stretch is followed from hit to hit with a filter for phase and period, which numbers the beats.
Then the position in beats is regressed on time: a parabola (a tempo that changes evenly, which is
what *drift* means here) or, where that explains too little, local parabolas (Cleveland 1979) of
:data:`WINDOW_S`. Outliers have no say (Tukey's bisquare). The grid inside the beat is chosen again
over the whole stretch, and its swing is a coefficient of the regression.

The steps share one fit and have no use apart, so they are one long module.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rtcluster.performance import beat as beats
from rtcluster.performance.beat import Beat, Grid
from rtcluster.performance.statistics import Array, Estimate, Fit, regress, robust_sd

WINDOW_S = 24.0
"""Length of a local parabola: slower changes of tempo are the pulse, faster ones deviations."""

FEWEST = 4
"""Hits that a tempo takes."""

FEWEST_FOR_DRIFT = 12

_SEARCH_S, _SEARCH_HITS = 12.0, 24
_PLACES = 3  # stretches in which the beat is looked for
_PHASE_GAIN, _PERIOD_GAIN = 0.20, 0.022  # critically damped: b = a^2 / (2 - a)
_OFTEN, _DRUMS = 6, 12  # hits of a drum that it is told apart by, and how many drums are
_STEADY = 12  # hits of a drum that tell how steady it is
_CLEARLY = 10.0  # strong evidence on the scale of Kass and Raftery (1995)
_PLACED = 2000  # hits over which the grid is chosen again


@dataclass(frozen=True, slots=True, eq=False)
class Pulse:
    """The pulse of a stretch, and how its hits stand to it.

    Attributes
    ----------
    grid : Grid
        How the beat is divided.
    tempo : Estimate
        Beats a minute, the mean over the stretch.
    drift : Estimate or None
        Change of the tempo in bpm a minute; None of a stretch that is too short.
    ends : tuple of Estimate
        The tempo at the first and at the last hit, by the same parabola.
    swing : Estimate or None
        How late the second of two notes is, in beats; None of a grid that cannot swing.
    swung : bool
        Whether it is more than its uncertainty; if not, the hits are held against straight notes.
    positions : ndarray of float64, shape (n,)
        Where on the grid each hit belongs, in beats; fractions are slots as they are written,
        without the swing.
    sways : ndarray of float64, shape (n,)
        How far the swing moves that place, in beats; 0 if it is not heard.
    deviations : ndarray of float64, shape (n,)
        Seconds after its place on the grid, swing included.
    errors : ndarray of float64, shape (n,)
        Half-width of the 95 % interval of that place, in s.
    left : ndarray of float64, shape (n,)
        The share of its variance that a hit kept when the pulse was fitted to it, 0 to 1.
    hold : float
        How well the hits hold to the slots: 1 exactly, about 0 by chance.
    local : bool
        Whether the pulse is of local parabolas.
    curve : ndarray of float64, shape (m, 3)
        Time in s, tempo in bpm, half-width of its 95 % interval.
    found : Beat
        What the search came to.
    """

    grid: Grid
    tempo: Estimate
    drift: Estimate | None
    ends: tuple[Estimate, Estimate]
    swing: Estimate | None
    swung: bool
    positions: Array
    sways: Array
    deviations: Array
    errors: Array
    left: Array
    hold: float
    local: bool
    curve: Array
    found: Beat


@dataclass(frozen=True, slots=True, eq=False)
class _Curve:
    """Position in beats over time at the hits, its slope, and what it took from them."""

    at: Array
    slope: Array
    drums: Array  # how late each hit's drum is, in beats
    errors: Array  # standard errors, in beats
    leverages: Array
    t: float
    trend: Fit
    local: bool
    tempo: Array  # (m, 3)


def find(
    times: Array, classes: NDArray[np.int64], bpm: float | None = None, octaves: float = 0.06
) -> Pulse | None:
    """Find the pulse of a stretch.

    Parameters
    ----------
    times : ndarray of float64, shape (n,)
        In seconds, rising.
    classes : ndarray of int64, shape (n,)
    bpm, octaves : float, optional
        The tempo it is about, and how sure that is.

    Returns
    -------
    Pulse or None
        None of fewer than :data:`FEWEST` hits, or if no beat repeats.
    """
    if len(times) < FEWEST:
        return None
    anchor, found = _search(times, classes, bpm, octaves)
    if found is None:
        return None
    return fit(times, classes, follow(times, found, anchor), found)


def _search(
    times: Array, classes: NDArray[np.int64], bpm: float | None, octaves: float
) -> tuple[int, Beat | None]:
    """The clearest beat of a few short stretches, and the hit in the middle of that one."""
    n = len(times)
    best: tuple[float, int, Beat | None] = (-1.0, 0, None)
    starts = np.unique(np.linspace(0, max(0, n - _SEARCH_HITS), _PLACES).astype(int))
    done = -1
    for start in starts:
        stop = int(np.searchsorted(times, times[start] + _SEARCH_S))
        stop = min(n, max(stop, start + _SEARCH_HITS))
        if stop == done:
            continue
        done = stop
        found = beats.find(times[start:stop], classes[start:stop], bpm, octaves)
        if found is not None and found.score > best[0]:
            best = (found.score, (start + stop) // 2, found)
    return best[1], best[2]


def follow(times: Array, found: Beat, anchor: int) -> Array:
    """Number the beats from hit to hit, both ways from one of them.

    Returns
    -------
    ndarray of float64, shape (n,)
        The place of each hit on the grid in beats, swing included.
    """
    out = np.empty(len(times))
    places = [s + found.swing * w for s, w in zip(found.grid.slots, found.grid.sway, strict=True)]
    places += [places[0] + 1.0]
    _walk(times[anchor:], found.start, found.period, places, out[anchor:])
    mirrored = [1.0 - p for p in reversed(places)]
    back = np.empty(anchor)
    _walk(-times[:anchor][::-1], -found.start, found.period, mirrored, back)
    out[:anchor] = -back[::-1]
    return out


def _walk(times: Array, start: float, period: float, places: list[float], out: Array) -> None:
    beat, n = start, 0  # the time of beat n
    for i, time in enumerate(times.tolist()):
        turns = math.floor((time - beat) / period)
        beat += turns * period
        n += turns
        where = (time - beat) / period
        place, nearest = 0.0, 2.0
        for one in places:
            if (off := abs(where - one)) < nearest:
                place, nearest = one, off
        out[i] = n + place
        late = (where - place) * period
        beat += _PHASE_GAIN * late
        period += _PERIOD_GAIN * late


def fit(times: Array, classes: NDArray[np.int64], positions: Array, found: Beat) -> Pulse:
    """Fit the pulse to hits whose places on the grid are known, and choose the grid again.

    Parameters
    ----------
    times : ndarray of float64, shape (n,)
        In seconds.
    classes : ndarray of int64, shape (n,)
    positions : ndarray of float64, shape (n,)
        In beats, of :func:`follow`.
    found : Beat

    Returns
    -------
    Pulse
    """
    grid, sway = found.grid, np.zeros(len(times))
    nominal, drums = positions, _drums(classes)
    kinds = np.unique(classes, return_inverse=True)[1]
    # By chance, and not every tenth: that could be the same place in every bar.
    some = np.arange(len(times))
    if len(times) > _PLACED:
        some = np.random.default_rng(0).choice(some, _PLACED, replace=False)
    for turn in range(3):
        curve, swing = _regress(times, nominal, sway, drums, kinds)
        if turn < 2:
            straight = curve.at - curve.drums  # a drum that is always late keeps to the grid too
            chosen = beats.place(straight[some], 1.0)
            grid = chosen.grid
            nominal, sway = _assign(straight - chosen.start, grid, chosen.swing)
    found = Beat(found.period, found.start, grid, found.swing, found.score, found.others)
    if swing is not None and not _tells(sway, drums):
        # Swing, or drums that are late: what explains more, for what it takes.
        other, _ = _regress(times, nominal, None, drums, kinds)
        if _price(other.trend) + _CLEARLY < _price(curve.trend):
            curve, swing = other, None
    swung = swing is not None and swing.value > swing.uncertainty and swing.value > 0
    if swing is not None and not swung:
        curve, _ = _regress(times, nominal, None, drums, kinds)
    sways = sway * swing.value if swing is not None and swung else np.zeros(len(times))
    late_beats = curve.at - nominal - sways
    late = late_beats / curve.slope
    hold = abs(np.exp(2j * np.pi * len(grid.slots) * late_beats).mean())
    tempo, drift, ends = _tempo(times, curve.trend)
    return Pulse(
        grid, tempo, drift, ends, swing, swung, nominal, sways, late,
        curve.t * curve.errors / curve.slope, 1 - curve.leverages, float(hold), curve.local,
        curve.tempo, found,
    )  # fmt: skip


def _assign(smooth: Array, grid: Grid, swing: float) -> tuple[Array, Array]:
    """The nearest slot of each hit: its place as written, and how far it sways."""
    slots, sway = np.array(grid.slots), np.array(grid.sway)
    off = smooth[:, None] - (slots + swing * sway)[None, :]
    whole = np.round(off)
    nearest = np.abs(off - whole).argmin(axis=1)
    return whole[np.arange(len(smooth)), nearest] + slots[nearest], sway[nearest]


def _drums(classes: NDArray[np.int64]) -> Array:
    """A column for each drum but one: a drum that is always late is no swing and no noise."""
    kinds, counts = np.unique(classes, return_counts=True)
    often = kinds[counts >= _OFTEN][:_DRUMS]
    if len(classes) < 2 * FEWEST_FOR_DRIFT or len(often) < 2:
        return np.zeros((len(classes), 0))
    columns = (classes[:, None] == often[None, 1:]).astype(np.float64)
    return np.asarray(columns - columns.mean(axis=0))  # so that the mean hit is on time


def _regress(
    times: Array,
    nominal: Array,
    sway: Array | None,
    drums: Array,
    kinds: NDArray[np.int64],
) -> tuple[_Curve, Estimate | None]:
    """Position over time, and the swing if the grid has one."""
    n = len(times)
    middle = (times[0] + times[-1]) / 2
    half = max((times[-1] - times[0]) / 2, 1e-9)
    x = (times - middle) / half
    degree = 2 if n >= FEWEST_FOR_DRIFT else 1
    smooth = np.stack([x**power for power in range(degree + 1)], axis=1)
    swings = sway is not None and np.ptp(sway) > 0 and n >= 8
    moves = drums
    if swings:
        assert sway is not None
        moves = np.concatenate([sway[:, None], drums], axis=1)
        if not _tells(sway, drums):
            moves = sway[:, None]
    trend = _by_drum(np.concatenate([smooth, -moves], axis=1), nominal, kinds)
    own = slice(int(swings), None)  # the columns of the drums
    powers, moved = trend.coefficients[: degree + 1], trend.coefficients[degree + 1 :]
    swing = None
    if swings:
        pick = np.zeros(len(trend.coefficients))
        pick[degree + 1] = 1.0
        swing = trend.estimate(pick, float(moved[0]))
    slope = np.full(n, powers[1] / half)
    if degree == 2:
        slope = slope + 2 * powers[2] * x / half
    slope = np.maximum(slope, 0.2 * abs(powers[1]) / half + 1e-9)
    part_of = moves[:, own] @ moved[own]
    rows = np.concatenate([smooth, -moves], axis=1)
    rows[:, degree + 1 + int(swings) :] = 0.0  # the place of a hit does not know of its drum
    errors = trend.errors(rows)
    whole = _Curve(
        smooth @ powers, slope, part_of, errors, trend.leverages, trend.t, trend, False,
        _parabola_tempo(middle, half, trend, degree),
    )  # fmt: skip
    if times[-1] - times[0] <= 1.5 * WINDOW_S or n < 4 * FEWEST_FOR_DRIFT:
        return whole, swing
    aim = nominal + moves @ moved
    local = _local(times, aim, part_of, trend)
    if moves.shape[1]:
        # What the local parabolas left over, once more on what moves the hits.
        again = _by_drum(
            np.concatenate([np.ones((n, 1)), -moves], axis=1), nominal - local.at, kinds
        )
        moved = again.coefficients[1:]
        local = _local(times, nominal + moves @ moved, moves[:, own] @ moved[own], trend)
        if swings and _cost(local, aim) < _cost(whole, aim):
            pick = np.zeros(len(again.coefficients))
            pick[1] = 1.0
            swing = again.estimate(pick, float(again.coefficients[1]))
            sure = math.sqrt(max(0.0, float(again.covariance[1, 1]))) * np.abs(moves[:, 0])
            local = replace(local, errors=np.hypot(local.errors, sure))
    return (local if _cost(local, aim) < _cost(whole, aim) else whole), swing


def _by_drum(design: Array, target: Array, kinds: NDArray[np.int64]) -> Fit:
    """Regress, each hit counting as much as its drum is steady.

    Parameters
    ----------
    design, target : ndarray of float64
        As in :func:`rtcluster.performance.statistics.regress`.
    kinds : ndarray of int64, shape (n,)
        The drum of each hit, from 0.
    """
    first = regress(design, target)
    counts = np.bincount(kinds)
    whole = robust_sd(first.residuals)
    if whole <= 0 or (counts >= _STEADY).sum() < 2:
        return first
    scale = np.ones(len(counts))
    for kind in np.flatnonzero(counts >= _STEADY):
        own = robust_sd(first.residuals[kinds == kind]) / whole
        n = float(counts[kind])
        scale[kind] = math.sqrt((n * own**2 + _STEADY) / (n + _STEADY))  # few hits: as all
    each = scale[kinds]
    fitted = regress(design / each[:, None], target / each)
    return replace(fitted, residuals=target - design @ fitted.coefficients)


def _tells(sway: Array, drums: Array) -> bool:
    """Whether some drum plays both notes of the pair, so that its swing is its own."""
    if not drums.shape[1]:
        return True
    centred = sway - sway.mean()
    fitted = drums @ np.linalg.lstsq(drums, centred, rcond=None)[0]
    return float(((centred - fitted) ** 2).sum()) > 0.1 * float((centred**2).sum())


def _cost(curve: _Curve, aim: Array) -> float:
    """Schwarz's criterion: the smaller the better."""
    n = len(aim)
    squares = np.sort((aim - curve.at) ** 2)[: max(1, int(0.95 * n))]
    taken = float(curve.leverages.sum())
    return n * math.log(float(squares.mean()) + 1e-12) + taken * math.log(n)


def _price(fitted: Fit) -> float:
    """Schwarz's criterion of a regression: the smaller the better."""
    n = len(fitted.residuals)
    squares = np.sort(fitted.residuals**2)[: max(1, int(0.95 * n))]
    return n * math.log(float(squares.mean()) + 1e-12) + len(fitted.coefficients) * math.log(n)


def _local(times: Array, aim: Array, drums: Array, trend: Fit) -> _Curve:
    """Parabolas over windows that overlap by half, blended with weights that add up to 1."""
    n = len(times)
    step = WINDOW_S / 2
    count = max(2, int(np.ceil((times[-1] - times[0]) / step)) + 1)
    centres = np.linspace(times[0], times[-1], count)
    step = float(centres[1] - centres[0])
    at, slope, variance, taken, total = (np.zeros(n) for _ in range(5))
    ts, tempo = [], []
    for centre in centres:
        first, last = np.searchsorted(times, (centre - step, centre + step))
        last = min(n, last + 1)
        if last - first < FEWEST_FOR_DRIFT:  # a pause: reach out until there is enough
            missing = FEWEST_FOR_DRIFT - (last - first)
            first, last = max(0, first - missing), min(n, last + missing)
        here = slice(int(first), int(last))
        x = (times[here] - centre) / step
        design = np.stack([np.ones(len(x)), x, x * x], axis=1)
        fitted = regress(design, aim[here])
        c = fitted.coefficients
        weight = np.clip(1 - np.abs(x), 0.0, 1.0)
        at[here] += weight * (design @ c)
        slope[here] += weight * (c[1] + 2 * c[2] * x) / step
        variance[here] += weight * fitted.errors(design) ** 2
        taken[here] += weight * fitted.leverages
        total[here] += weight
        ts.append(fitted.t)
        bpm = fitted.estimate(np.array([0.0, 60 / step, 0.0]), 60 * float(c[1]) / step)
        tempo.append((centre, bpm.value, bpm.uncertainty))
    bare = total <= 1e-9
    total = np.where(bare, 1.0, total)
    slope = np.where(bare, float(np.median(slope[~bare])), slope / total)
    return _Curve(
        np.where(bare, aim, at / total),
        np.maximum(slope, 0.2 * float(np.median(slope))),
        drums,
        np.sqrt(variance / total),
        np.clip(taken / total, 0.0, 0.99),
        float(np.median(ts)),
        trend,
        True,
        np.array(tempo),
    )


def _parabola_tempo(middle: float, half: float, trend: Fit, degree: int) -> Array:
    rows = []
    for x in np.linspace(-1, 1, 9):
        gradient = np.zeros(len(trend.coefficients))
        gradient[1] = 60 / half
        if degree == 2:
            gradient[2] = 120 * x / half
        bpm = trend.estimate(gradient, float(gradient @ trend.coefficients))
        rows.append((middle + x * half, bpm.value, bpm.uncertainty))
    return np.array(rows)


def _tempo(times: Array, trend: Fit) -> tuple[Estimate, Estimate | None, tuple[Estimate, Estimate]]:
    """Mean tempo, drift, and the tempo at both ends, of a parabola over [-1, 1]."""
    c, half = trend.coefficients, max((times[-1] - times[0]) / 2, 1e-9)
    degree = 2 if len(times) >= FEWEST_FOR_DRIFT else 1

    def at(x: float) -> Estimate:
        gradient = np.zeros(len(c))
        gradient[1] = 60 / half
        if degree == 2:
            gradient[2] = 120 * x / half
        return trend.estimate(gradient, float(gradient @ c))

    drift = None
    if degree == 2:
        gradient = np.zeros(len(c))
        gradient[2] = 2 * 3600 / half**2
        drift = trend.estimate(gradient, float(gradient @ c))
    return at(0.0), drift, (at(-1.0), at(1.0))
