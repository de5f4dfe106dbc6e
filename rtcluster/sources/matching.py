"""Which found onsets are which true ones: the one matcher of the notebook, the demo and teaching.

Onsets are paired one to one within a window, as many as possible, as
``mir_eval.util.match_events`` does; among the pairings that are as large, a nearer partner is
preferred, so that time differences mean something where hits are close (flams, rolls).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

WINDOW_S = 0.050
"""How far apart two onsets may be and still be the same hit, in s; as in MIREX and mir_eval."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairing:
    """Which hits of two lists are the same.

    Parameters
    ----------
    reference, other : ndarray of int64, shape (n_matched,)
        Positions of the matched hits in either list, in order of time.
    missed : ndarray of int64
        Positions in the reference that have no partner.
    extra : ndarray of int64
        Positions in the other list that have no partner.
    differences : ndarray of float64, shape (n_matched,)
        Time in the other list less time in the reference, in the unit of the times.
    """

    reference: NDArray[np.int64]
    other: NDArray[np.int64]
    missed: NDArray[np.int64]
    extra: NDArray[np.int64]
    differences: NDArray[np.float64]

    @property
    def precision(self) -> float:
        """Share of the other list that is matched; 0 where it is empty."""
        total = len(self.other) + len(self.extra)
        return len(self.other) / total if total else 0.0

    @property
    def recall(self) -> float:
        """Share of the reference that is matched; 0 where it is empty."""
        total = len(self.reference) + len(self.missed)
        return len(self.reference) / total if total else 0.0

    @property
    def f_measure(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def pair(reference: ArrayLike, other: ArrayLike, window: float = WINDOW_S) -> Pairing:
    """Pair the onsets of two lists.

    Parameters
    ----------
    reference, other : array_like of float, shapes (n_reference,), (n_other,)
        Onset times, rising: in s, or in samples with a window in samples.
    window : float
        Largest difference of a pair.

    Returns
    -------
    Pairing
        As large as any one-to-one pairing within the window.

    Raises
    ------
    ValueError
        If times do not rise.
    """
    a, b = np.asarray(reference, float), np.asarray(other, float)
    if (np.diff(a) < 0).any() or (np.diff(b) < 0).any():
        raise ValueError("Expected onset times in rising order.")
    # On a line, taking the earliest possible partner at each step gives a largest pairing.
    partner: dict[int, int] = {}
    i = j = 0
    while i < len(a) and j < len(b):
        if abs(a[i] - b[j]) <= window:
            partner[i] = j
            i, j = i + 1, j + 1
        elif a[i] < b[j]:
            i += 1
        else:
            j += 1
    _prefer_nearer(a, b, partner)
    inverse = {j: i for i, j in partner.items()}
    _prefer_nearer(b, a, inverse)
    pairs = sorted((i, j) for j, i in inverse.items())
    rows = np.array([i for i, _ in pairs], np.int64)
    columns = np.array([j for _, j in pairs], np.int64)
    return Pairing(
        rows,
        columns,
        np.setdiff1d(np.arange(len(a)), rows),
        np.setdiff1d(np.arange(len(b)), columns),
        b[columns] - a[rows],
    )


def _prefer_nearer(a: NDArray[np.float64], b: NDArray[np.float64], partner: dict[int, int]) -> None:
    """Let every matched event of `a` take a free neighbour of its partner that is nearer."""
    taken = set(partner.values())
    for i in sorted(partner, reverse=True):
        best = partner[i]
        for step in (-1, 1):
            j = partner[i] + step
            while 0 <= j < len(b) and j not in taken and abs(b[j] - a[i]) < abs(b[best] - a[i]):
                best, j = j, j + step
        if best != partner[i]:
            taken.remove(partner[i])
            taken.add(best)
            partner[i] = best
