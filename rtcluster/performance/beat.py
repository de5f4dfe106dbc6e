"""The beat that a short stretch of hits goes by, with no knowledge of it before.

First the distance between beats: lags at which hits have a partner, and at which they have one of
the same class (a bar repeats its drums), weighted by what tempi people play. Then the grid inside
the beat: each way of dividing it (:data:`GRIDS`) is laid over the hits at every phase, and the one
that explains them best, less what its freedom is worth (Schwarz 1978), is taken.

Sources: the comb over lags is that of Scheirer (1998) on hits in place of energy; the prior, a
normal distribution over the logarithm of the tempo, is that of Ellis (2007).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rtcluster.performance.statistics import Array, middle

SLOWEST, FASTEST = 40.0, 240.0
"""Beats a minute that are looked for, where none are given."""

_USUAL_BPM, _OCTAVES = 108.0, 0.85
_GIVEN_OCTAVES = 0.06
_KERNEL_S = 0.020  # how far apart two hits of one beat may be: timing of people
_BIN_S = 0.002
_CANDIDATES = 4
_USUAL = {1: 0.9, 2: 1.0, 3: 0.75, 4: 1.0, 6: 0.7, 8: 0.7}  # eighths and sixteenths are
_PHASES = 96
_NOISE = 3.0  # of two swings of as many slots the later has to be better by this
_ROOT = math.sqrt(2 * math.pi)
_STRAY = 0.05  # share of hits that no grid explains
_LEAST_SD = 0.006  # in beats; hits are never so exact that finer tells anything


@dataclass(frozen=True, slots=True)
class Grid:
    """A way of dividing the beat.

    Attributes
    ----------
    name : str
        What musicians call its slots.
    slots : tuple of float
        Places of the slots in a beat, 0 to 1, when played straight.
    sway : tuple of float
        How far each slot moves, in beats, for a swing of 1 beat; all 0 if it cannot swing.
    swings : str
        The notes that swing, "" if none do.
    most : float
        The largest swing, in beats.
    """

    name: str
    slots: tuple[float, ...]
    sway: tuple[float, ...]
    swings: str = ""
    most: float = 0.0


def _straight(name: str, count: int) -> Grid:
    return Grid(name, tuple(i / count for i in range(count)), (0.0,) * count)


GRIDS = (
    _straight("quarter notes", 1),
    Grid("eighth notes", (0.0, 0.5), (0.0, 1.0), "eighth notes", 0.21),
    Grid("sixteenth notes", (0.0, 0.25, 0.5, 0.75), (0.0, 1.0, 0.0, 1.0), "sixteenth notes", 0.105),
    Grid("sixteenth notes", (0.0, 0.25, 0.5, 0.75), (0.0, 0.5, 1.0, 0.5), "eighth notes", 0.18),
    Grid("sixteenth notes", (0.0, 0.25, 0.5, 0.75), (0.0, 0.0, 1.0, 0.0), "eighth notes", 0.12),
    _straight("triplets", 3),
    _straight("sextuplets", 6),
    _straight("32nd notes", 8),
)
"""In order of preference where two explain the hits alike."""

_METRE = {
    1: np.array([12.0]),
    2: np.array([7.2, 4.8]),
    3: np.array([6.0, 2.4, 3.6]),
    4: np.array([4.8, 1.8, 3.6, 1.8]),
    6: np.array([3.6, 1.2, 1.8, 2.4, 1.8, 1.2]),
    8: np.array([4.0, 0.7, 1.5, 0.7, 2.6, 0.7, 1.5, 0.7]),
}
"""Where in the beat hits tend to be, by the number of slots; weighs as much as twelve hits."""


@dataclass(frozen=True, slots=True, eq=False)
class Beat:
    """A beat, and how well it explains the hits it was found in.

    Attributes
    ----------
    period : float
        Seconds.
    start : float
        Time in seconds of one beat.
    grid : Grid
    swing : float
        In beats.
    score : float
        To compare candidates by.
    others : tuple of (float, float)
        Further periods in seconds, and their score as a share of the score of this one.
    """

    period: float
    start: float
    grid: Grid
    swing: float
    score: float
    others: tuple[tuple[float, float], ...] = ()


def find(
    times: Array,
    classes: NDArray[np.int64],
    bpm: float | None = None,
    octaves: float = _GIVEN_OCTAVES,
) -> Beat | None:
    """Find the beat of a stretch of some ten seconds.

    Parameters
    ----------
    times : ndarray of float64, shape (n,)
        Of the hits in seconds, rising.
    classes : ndarray of int64, shape (n,)
    bpm : float, optional
        The tempo it is about.
    octaves : float
        Standard deviation of the prior about that tempo.

    Returns
    -------
    Beat or None
        None of fewer than 3 hits.
    """
    steps = search(times, classes, bpm, octaves)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # what a generator returns is Any


def search(
    times: Array,
    classes: NDArray[np.int64],
    bpm: float | None = None,
    octaves: float = _GIVEN_OCTAVES,
) -> Generator[None, None, Beat | None]:
    """Do what :func:`find` does, in steps of about a millisecond each."""
    if len(times) < 3 or times[-1] - times[0] <= 0:
        return None
    periods, strength = _periods(times, classes, bpm, octaves)
    yield
    found = []
    for i in _peaks(strength)[:_CANDIDATES]:
        period = _refined(times, float(periods[i]))
        yield
        beat = yield from _place(times, period)
        found.append((float(strength[i]) * beat.score * _USUAL[len(beat.grid.slots)], beat))
    if not found:
        return None
    found.sort(key=lambda one: -one[0])
    best, beat = found[0]
    others = [(b.period, s / best) for s, b in found[1:]] if best > 0 else []
    return Beat(beat.period, beat.start, beat.grid, beat.swing, best, tuple(others))


def _periods(
    times: Array, classes: NDArray[np.int64], bpm: float | None, octaves: float
) -> tuple[Array, Array]:
    """Periods from the slowest to the fastest, and how strongly the hits repeat at each."""
    slowest, fastest = SLOWEST, FASTEST
    if bpm is not None:
        slowest, fastest = bpm * 2 ** (-3 * octaves), bpm * 2 ** (3 * octaves)
    steps = max(32, int(math.log(fastest / slowest) / 0.004))
    periods = 60.0 / np.geomspace(fastest, slowest, steps)
    span = float(times[-1] - times[0])
    reach = min(span, 4 * float(periods[-1])) + 0.1
    every, alike = [], []
    for step in range(1, len(times)):
        apart = times[step:] - times[:-step]
        near = apart < reach
        if not near.any():
            break
        every.append(apart[near])
        alike.append(apart[near & (classes[step:] == classes[:-step])])
    repeats = _repeats(np.concatenate(every), times, reach)
    same = _repeats(np.concatenate(alike), times, reach)
    total = np.zeros(steps)
    weight = np.zeros(steps)
    for curve, multiple, share in (
        (repeats, 1, 1.0), (repeats, 2, 0.5), (same, 2, 0.75), (same, 4, 0.75), (same, 1, 0.25),
    ):  # fmt: skip
        lag = periods * multiple
        inside = lag <= 0.75 * span
        total += np.where(inside, share * curve(lag), 0.0)
        weight += np.where(inside, share, 0.0)
    strength = np.maximum(total, 0.0) / np.maximum(weight, 1.0)
    middle, width = (_USUAL_BPM, _OCTAVES) if bpm is None else (bpm, octaves)
    return periods, strength * np.exp(-0.5 * (np.log2(60 / periods / middle) / width) ** 2)


def _repeats(lags: Array, times: Array, reach: float) -> Callable[[Array], Array]:
    """Share of the hits that have a partner at a lag, over what chance would give."""
    bins = int(reach / _BIN_S) + 64
    counts = np.bincount((lags / _BIN_S).astype(np.int64), minlength=bins)[:bins]
    width = int(3 * _KERNEL_S / _BIN_S)
    kernel = np.exp(-0.5 * (np.arange(-width, width + 1) * _BIN_S / _KERNEL_S) ** 2)
    partners = np.convolve(counts, kernel, mode="same")
    at = (np.arange(bins) + 0.5) * _BIN_S
    able = np.searchsorted(times, times[-1] - at + _KERNEL_S, side="right")
    share = np.minimum(1.0, partners / np.maximum(able, 1))
    chance = min(0.9, float(share[at < reach].mean()))
    curve = (share - chance) / (1 - chance)
    return lambda lag: np.asarray(np.interp(lag, at, curve))


def _peaks(strength: Array) -> list[int]:
    """Local maxima, the highest first."""
    padded = np.concatenate([[-1.0], strength, [-1.0]])
    tops = np.flatnonzero((padded[1:-1] >= padded[:-2]) & (padded[1:-1] > padded[2:]))
    tops = tops[strength[tops] > 0]
    return [int(i) for i in tops[np.argsort(-strength[tops], kind="stable")]]


_HARMONICS = np.array([1, 2, 3, 4, 6, 8])


def _refined(times: Array, period: float) -> float:
    """The period near a rough one at which the hits fall most regularly within the beat."""
    periods = period * np.linspace(0.96, 1.04, 97)
    centred = times - times.mean()
    turns = np.exp(2j * np.pi * centred[None, :] / periods[:, None])
    power = np.zeros(len(periods))
    turn = np.ones_like(turns)
    for harmonic in range(1, int(_HARMONICS[-1]) + 1):
        turn = turn * turns
        if harmonic in _HARMONICS:
            power += np.abs(turn.mean(axis=1)) ** 2
    return float(periods[np.argmax(power)])


def place(times: Array, period: float) -> Beat:
    """Lay the grids over hits of a known period.

    Parameters
    ----------
    times : ndarray of float64, shape (n,)
        In seconds; or in beats, with a period of 1.
    period : float
        Of the beat.

    Returns
    -------
    Beat
        Of the grid, phase and swing that explain them best; its score is how well the hits
        keep to the slots: 1 exactly, 0 not at all.
    """
    steps = _place(times, period)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # what a generator returns is Any


def _place(times: Array, period: float) -> Generator[None, None, Beat]:
    where = np.mod(times / period, 1.0)
    bins = np.bincount((where * _PHASES).astype(np.int64) % _PHASES, minlength=_PHASES)
    smooth = np.real(np.fft.ifft(np.fft.fft(bins) * _BLUR))
    best, taken = -math.inf, Beat(period, 0.0, GRIDS[0], 0.0, 0.0)
    for grid, moved, slots_at in _LAID:
        count = len(grid.slots)
        if len(times) < 2 * count and count > 2:
            continue
        # A beat turned by a slot covers as much; the more usual place of the hits goes first.
        covered = smooth[slots_at] @ (1 + 0.3 * _METRE[count] / _METRE[count].max())
        for swing, phase in _tops(covered):
            gain, start, sway, keeps = _fit(where, grid, moved[swing], phase / _PHASES)
            least = _NOISE if count == len(taken.grid.slots) and grid is not taken.grid else 1e-9
            if gain > best + least:
                best = gain
                taken = Beat(period, (start % 1.0) * period, grid, sway, keeps)
        yield
    return taken


def _laid() -> list[tuple[Grid, Array, NDArray[np.int64]]]:
    """For each grid its swings, and the bins of its slots by swing, phase and slot."""
    out = []
    for grid in GRIDS:
        swings = np.linspace(0.0, grid.most, 8) if grid.swings else np.zeros(1)
        places = np.array(grid.slots) + swings[:, None] * np.array(grid.sway)
        at = np.arange(_PHASES)[None, :, None] + places[:, None, :] * _PHASES
        out.append((grid, swings, np.round(at).astype(np.int64) % _PHASES))
    return out


def _blur() -> NDArray[np.complex128]:
    """The spectrum of a circular kernel of about 15 ms."""
    far = np.minimum(np.arange(_PHASES), _PHASES - np.arange(_PHASES)) / _PHASES
    return np.asarray(np.fft.fft(np.exp(-0.5 * (far / 0.02) ** 2)))


_LAID, _BLUR = _laid(), _blur()


def _tops(covered: Array) -> list[tuple[int, int]]:
    """The phases that cover the hits best, each with its best swing."""
    swing = covered.argmax(axis=0)
    most = covered.max(axis=0)
    tops = np.flatnonzero((most >= np.roll(most, 1)) & (most > np.roll(most, -1)))
    if not len(tops):
        tops = np.array([int(most.argmax())])
    tops = tops[most[tops] >= 0.8 * most.max()]
    tops = tops[np.argsort(-most[tops], kind="stable")][:3]
    return [(int(swing[i]), int(i)) for i in tops]


def _fit(where: Array, grid: Grid, swing: float, phase: float) -> tuple[float, float, float, float]:
    """Logarithm of the likelihood less the price of freedom; phase, swing and regularity."""
    n, count = len(where), len(grid.slots)
    slots, sway = np.array(grid.slots), np.array(grid.sway)
    for _ in range(2):
        off = where[:, None] - (phase + slots + swing * sway)[None, :]
        off -= np.round(off)
        nearest = np.abs(off).argmin(axis=1)
        left = off[np.arange(n), nearest]
        near = np.abs(left) < 0.5 / count
        near &= np.abs(left) <= 3 * middle(np.abs(left)) + _LEAST_SD
        moves = sway[nearest]
        columns = moves[near] - moves[near].mean() if near.any() else moves[near]
        if grid.swings and columns @ columns > 0.5:
            change = float(columns @ left[near] / (columns @ columns))
            change = min(max(swing + change, 0.0), grid.most) - swing
            swing += change
            left = left - change * moves
        change = middle(left[near]) if near.any() else 0.0
        phase += change
        left = left - change
    ordered = np.sort(left**2)[: max(2, math.ceil(0.9 * n))]
    sd = math.sqrt(float(ordered.mean()) * 1.25 + _LEAST_SD**2)
    prior = _METRE[count]
    share = (np.bincount(nearest, minlength=count) + prior) / (n + prior.sum())
    density = (1 - _STRAY) * share[nearest] * np.exp(-0.5 * (left / sd) ** 2) / (sd * _ROOT)
    free = (count - 1) + (1 if grid.swings else 0) + 2
    gain = float(np.log(density + _STRAY).sum() + prior @ np.log(share * count))
    keeps = abs(np.exp(2j * np.pi * count * left).mean())
    return gain - 0.5 * free * math.log(n), phase, swing, float(keeps)
