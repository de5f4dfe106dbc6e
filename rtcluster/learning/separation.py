"""How well features tell drums apart: what ``teach`` and ``kit show`` say about it.

Every hit is judged by all the others: does the nearest one belong to its drum (leave-one-out
nearest neighbour)? That is how taught kits judge, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtcluster.learning.scaling import Array, Labels

CLEAR, FAIR = 4.0, 2.0
"""Spreads between two drums from which they are clearly, or fairly, apart."""


@dataclass(frozen=True, slots=True)
class Separation:
    """What the features make of hits whose drums are known.

    Attributes
    ----------
    confusion : ndarray of int64, shape (n_classes, n_classes)
        Hits of a class (row) whose nearest other hit is of a class (column).
    margin : float
        Mean of ``(d2 - d1) / (d2 + d1)``, the distances to the nearest hit of another drum and
        of the own: 1 for drums far apart, below 0 for drums that are mixed.
    """

    confusion: Labels
    margin: float

    @property
    def hits(self) -> int:
        """Hits that were judged: those of drums with more than one."""
        return int(self.confusion.sum())

    @property
    def right(self) -> int:
        """Hits that are nearest to their own drum."""
        return int(np.trace(self.confusion))

    def pairs(self) -> list[tuple[int, int, int]]:
        """Pairs of classes that are confused, and how often either is taken for the other."""
        both = self.confusion + self.confusion.T
        n = len(both)
        found = [(a, b, int(both[a, b])) for a in range(n) for b in range(a + 1, n) if both[a, b]]
        return sorted(found, key=lambda pair: -pair[2])


def separation(scaled: Array, classes: Labels, count: int) -> Separation:
    """Judge every hit by the others.

    Parameters
    ----------
    scaled : ndarray of float64, shape (n_hits, n_features)
    classes : ndarray of int64, shape (n_hits,)
    count : int
        Number of classes.
    """
    confusion = np.zeros((count, count), dtype=np.int64)
    margins = []
    apart = distances(scaled, scaled)
    np.fill_diagonal(apart, np.inf)
    for hit, class_ in enumerate(classes):
        own = classes == class_
        if own.sum() < 2:
            continue
        confusion[class_, classes[int(apart[hit].argmin())]] += 1
        near = float(apart[hit][own].min())
        far = float(apart[hit][~own].min(initial=np.inf))
        margins.append(1.0 if far == np.inf else (far - near) / max(far + near, 1e-12))
    return Separation(confusion, float(np.mean(margins)) if margins else 0.0)


def distances(a: Array, b: Array) -> Array:
    """Euclidean distances, shape (len(a), len(b))."""
    return np.asarray(np.linalg.norm(a[:, None, :] - b[None, :, :], axis=2))


def spreads_apart(one: Array, other: Array) -> float:
    """Distance of two drums' means, in their pooled spread along the line between them.

    Parameters
    ----------
    one, other : ndarray of float64, shape (n_hits, n_features)
        Scaled.

    Returns
    -------
    float
        Infinite where neither drum has a spread.
    """
    line = one.mean(axis=0) - other.mean(axis=0)
    length = float(np.linalg.norm(line))
    if length == 0.0:
        return 0.0
    along = [hits @ (line / length) for hits in (one, other)]
    square = sum(float(((x - x.mean()) ** 2).sum()) for x in along)
    freedom = max(1, len(one) + len(other) - 2)
    return length / (square / freedom) ** 0.5 if square > 0.0 else np.inf


def verdict(spreads: float) -> str:
    """A word for :func:`spreads_apart`."""
    return "clearly apart" if spreads >= CLEAR else "apart" if spreads >= FAIR else "hardly apart"
