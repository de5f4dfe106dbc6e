"""What each drum did: how early or late, how steadily, how loud."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtcluster.events import LEARNING, UNKNOWN, UNKNOWN_NAME
from rtcluster.performance import statistics
from rtcluster.performance.statistics import Array, Estimate, Z

EARLY, ON_TIME, LATE = "early", "on time", "late"

OFF_GRID = ""
"""Verdict on a hit that no grid was found for."""

ACCENT = 16
"""Steps of velocity over the drum's median from which a hit is an accent, of 127."""

FEWEST = 3
"""Hits of a drum that a steadiness takes."""


class Further(NamedTuple):
    """A drum that sounds in a hit besides the strongest.

    Attributes
    ----------
    hit : int
        Place of the hit.
    class_ : int
    velocity : float
        1 to 127; NaN if it is not known.
    name : str
    """

    hit: int
    class_: int
    velocity: float
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class DrumHits:
    """All hits, in order of time; arrays of shape (n,), times in s.

    A hit in which several drums sound comes once for each, at one time: which of them was struck
    first is not known.

    Attributes
    ----------
    deviations, uncertainties, dating : ndarray of float64
        From the grid; half-widths of their 95 % intervals, and of the detector's part of it.
    left : ndarray of float64
        Share of its variance that the pulse left a hit.
    stray : ndarray of bool
        Hits that belong to no slot of the grid.
    """

    times: Array
    classes: NDArray[np.int64]
    velocities: Array
    names: tuple[str, ...]
    deviations: Array
    uncertainties: Array
    left: Array
    dating: Array
    stray: NDArray[np.bool_]
    verdicts: tuple[str, ...]

    def with_further(self, further: Sequence[Further]) -> DrumHits:
        """The same with every drum of every hit, in order of time."""
        n = len(self.times)
        hit = np.concatenate([np.arange(n), [one.hit for one in further]]).astype(np.int64)
        order = np.argsort(hit, kind="stable")
        hit = hit[order]

        def both(first: NDArray[Any], rest: list[Any]) -> NDArray[Any]:
            return np.concatenate([first, np.array(rest, first.dtype)])[order]

        names = [*self.names, *(one.name for one in further)]
        return replace(
            self,
            times=self.times[hit],
            classes=both(self.classes, [one.class_ for one in further]),
            velocities=both(self.velocities, [one.velocity for one in further]),
            names=tuple(names[i] for i in order),
            deviations=self.deviations[hit],
            uncertainties=self.uncertainties[hit],
            left=self.left[hit],
            dating=self.dating[hit],
            stray=self.stray[hit],
            verdicts=tuple(self.verdicts[i] for i in hit),
        )


@dataclass(frozen=True, slots=True)
class Timing:
    """How hits stand to the grid; in ms, late is positive.

    Attributes
    ----------
    hits : int
        On the grid.
    stray : int
        Hits that belong to no slot, such as grace notes; they count in nothing else here.
    early, on_time, late : int
        Verdicts.
    mean_ms : Estimate
        The mean deviation.
    sd_ms : Estimate
        Steadiness: the standard deviation about that mean, as measured.
    jitter_ms : Estimate
        The same less the detector's own spread: what the player did.
    p5_ms, p50_ms, p95_ms : Estimate
        Percentiles of the deviations.
    verdict : str
        Early, on time or late on the whole.
    """

    hits: int
    stray: int
    early: int
    on_time: int
    late: int
    mean_ms: Estimate
    sd_ms: Estimate
    jitter_ms: Estimate
    p5_ms: Estimate
    p50_ms: Estimate
    p95_ms: Estimate
    verdict: str


@dataclass(frozen=True, slots=True)
class Dynamics:
    """How loud, as MIDI velocities.

    Attributes
    ----------
    p10, p50, p90 : Estimate
    accents : int
        Hits at least :data:`ACCENT` over the median.
    """

    p10: Estimate
    p50: Estimate
    p90: Estimate
    accents: int


@dataclass(frozen=True, slots=True)
class Drum:
    """The figures of a class.

    Attributes
    ----------
    class_ : int
    name : str
    hits : int
    spread_ms : float
        The detector's spread that was taken, the median over its hits: half-width of 95 %.
    timing : Timing or None
        None without a grid or with fewer than :data:`FEWEST` hits on it.
    dynamics : Dynamics or None
    """

    class_: int
    name: str
    hits: int
    spread_ms: float
    timing: Timing | None
    dynamics: Dynamics | None


def drums(hits: DrumHits) -> tuple[Drum, ...]:
    """The figures of each class, learning and unknown last."""
    out = []
    classes = np.unique(hits.classes).tolist()
    for class_ in sorted(classes, key=lambda one: (one < 0, abs(one))):
        mine = hits.classes == class_
        name = next((hits.names[i] for i in np.flatnonzero(mine)[::-1] if hits.names[i]), "")
        if class_ == LEARNING:
            name = "still learning"
        elif class_ == UNKNOWN:
            name = name or UNKNOWN_NAME
        out.append(
            Drum(
                int(class_), name or f"class {class_}", int(mine.sum()),
                1e3 * float(np.median(hits.dating[mine])), timing(hits, mine),
                dynamics(hits.velocities[mine]),
            )
        )  # fmt: skip
    return tuple(out)


def timing(hits: DrumHits, which: NDArray[np.bool_]) -> Timing | None:
    """How some of the hits stand to the grid."""
    here = which & ~np.isnan(hits.deviations)
    on = here & ~hits.stray
    n = int(on.sum())
    if n < FEWEST:
        return None
    ms = 1e3 * hits.deviations[on]
    middle = statistics.mean(ms)
    # Against a given tempo neighbours are off alike, and tell less than their number.
    alike = statistics.correlation_time(ms)
    middle = Estimate(middle.value, middle.uncertainty * math.sqrt(alike))
    # The pulse was fitted to these very hits: each kept only a part of its variance.
    kept = np.clip(hits.left[on], 0.05, 1 - 1 / n)
    squares = (ms - middle.value) ** 2 / kept
    power = float(squares.mean())
    kurtosis = float((squares**2).mean() / power**2) if power > 0 else 3.0
    dof = float(hits.left[on].sum()) / alike - 1
    sd = statistics.deviation(squares, dof, kurtosis)
    # A mean bears what all hits share too: where the grid lies, and how the drum is dated.
    grid = np.sqrt(np.maximum(hits.uncertainties[on] ** 2 - hits.dating[on] ** 2, 0.0))
    shared = math.hypot(1e3 * float(np.median(grid)), 1e3 * float(np.median(hits.dating[on])))
    mean_ms = Estimate(middle.value, math.hypot(middle.uncertainty, shared))
    counts = Counter(hits.verdicts[i] for i in np.flatnonzero(on))
    p5, p50, p95 = (statistics.quantile(ms, q) for q in (0.05, 0.5, 0.95))
    return Timing(
        n, int(here.sum()) - n, counts[EARLY], counts[ON_TIME], counts[LATE], mean_ms, sd,
        jitter(sd, 1e3 * hits.dating[on] / Z), p5, p50, p95,
        verdict(mean_ms.value, mean_ms.uncertainty),
    )  # fmt: skip


def verdict(deviation: float, half: float) -> str:
    """Whether a deviation is early or late, by more than its uncertainty, in the same unit."""
    if math.isnan(deviation):
        return OFF_GRID
    return ON_TIME if abs(deviation) <= half else EARLY if deviation < 0 else LATE


def jitter(sd: Estimate, spreads: Array) -> Estimate:
    """What is left of a spread without the detector's part, subtracted in quadrature.

    Parameters
    ----------
    sd : Estimate
        Measured.
    spreads : ndarray of float64, shape (n,)
        Standard deviations of the detector's dating, same unit. They hold for other drums than
        these: the truth is taken to lie between none of it and half as much again.
    """
    detector = math.sqrt(float((spreads**2).mean())) if len(spreads) else 0.0

    def less(total: float, part: float) -> float:
        return math.sqrt(max(0.0, total**2 - part**2))

    value = less(sd.value, detector)
    if not math.isfinite(sd.uncertainty):
        return Estimate(value, math.inf)
    low = less(max(0.0, sd.value - sd.uncertainty), 1.5 * detector)
    high = sd.value + sd.uncertainty
    return Estimate(value, max(high - value, value - low))


def dynamics(velocities: Array) -> Dynamics | None:
    """Velocities of a drum; None if there are none."""
    known = velocities[~np.isnan(velocities)]
    if not len(known):
        return None
    p10, p50, p90 = (statistics.quantile(known, q) for q in (0.1, 0.5, 0.9))
    return Dynamics(p10, p50, p90, int((known >= p50.value + ACCENT).sum()))
