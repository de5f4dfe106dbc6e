"""Which local optimum of KMeans is shown, and how many starts find it.

KMeans ends in one of several local optima, depending on where it starts. The notebook's printed
labels are such an optimum, and not the best one. `survey` runs many single starts and counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rtcluster.notebook.audio import Tick, silent
from rtcluster.notebook.clusters import kmeans

STARTS = 200
"""Single starts, seeds 0 to 199, that `survey` runs."""

WORK = 2_000_000
"""Hits times starts that `survey` runs at most: a few seconds."""

LISTED = 8
"""Optima that a table of them names, the best."""

LEAST_PLACES, MOST_PLACES = 3, 6
"""Decimal places of an inertia; of optima that differ by less than the most, none is the better."""


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """One result of KMeans and the starts that end in it.

    Parameters
    ----------
    inertia : float
        Sum of squared distances to the nearest centre, in scaled units.
    seeds : tuple of int
        The values of ``random_state`` that lead to it.
    labels : ndarray of int64, shape (n_hits,)
        Its classes, numbered by rising zcr.
    """

    inertia: float
    seeds: tuple[int, ...]
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """The optima that a number of single starts found, best first."""

    optima: tuple[Optimum, ...]
    starts: int

    @property
    def places(self) -> int:
        """Decimal places that tell the inertias of the best `LISTED` optima apart: 3 to 6."""
        inertias = [optimum.inertia for optimum in self.optima[:LISTED]]
        for places in range(LEAST_PLACES, MOST_PLACES):
            if len({f"{inertia:.{places}f}" for inertia in inertias}) == len(inertias):
                return places
        return MOST_PLACES

    def is_best(self, optimum: Optimum | None) -> bool:
        """Whether no start found an inertia that is written as a smaller number."""
        if optimum is None:
            return False
        return f"{optimum.inertia:.{MOST_PLACES}f}" == f"{self.optima[0].inertia:.{MOST_PLACES}f}"

    def find(self, labels: ArrayLike) -> Optimum | None:
        """Return the optimum with these classes, whatever their numbers, or None."""
        wanted = partition(labels)
        return next((o for o in self.optima if partition(o.labels) == wanted), None)


def survey(
    scaled: NDArray[np.float64], classes: int, starts: int = STARTS, *, tick: Tick = silent
) -> Survey:
    """Run KMeans from many single starts and group the results.

    Parameters
    ----------
    scaled : ndarray of float64, shape (n_hits, 2)
        Features in [-1, 1]; at least `classes` different rows.
    classes : int
        Number of classes.
    starts : int
        Starts, seeded 0, 1, 2 and so on. Fewer, but 10 at least, where hits are so many that
        it would take longer than a few seconds.
    tick : callable
        Told the starts run and all starts.

    Returns
    -------
    Survey
        Optima by rising inertia. Starts that end in the same classes, up to their numbers,
        are one optimum.
    """
    starts = max(min(starts, 10), min(starts, WORK // max(1, len(scaled))))
    found: dict[bytes, tuple[float, list[int], NDArray[np.int64]]] = {}
    for seed in range(starts):
        model = kmeans(scaled, classes, 1, seed)
        entry = found.setdefault(
            partition(model.labels_), (float(model.inertia_), [], model.labels_.astype(np.int64))
        )
        entry[1].append(seed)
        tick(seed + 1, starts)
    optima = sorted(
        (Optimum(inertia, tuple(seeds), labels) for inertia, seeds, labels in found.values()),
        key=lambda optimum: optimum.inertia,
    )
    return Survey(tuple(optima), starts)


def partition(labels: ArrayLike) -> bytes:
    """Return a key that two labellings share if they differ in the classes' numbers only."""
    _, first, inverse = np.unique(np.asarray(labels), return_index=True, return_inverse=True)
    return bytes(np.argsort(np.argsort(first))[inverse].astype(np.int64).tobytes())
