"""Hold two lists of hits against each other: onsets, classes, features.

Onsets are paired one to one within `WINDOW_S`, as many as possible, like
``mir_eval.onset.f_measure`` does; among the pairings that are as large, a nearer partner is
preferred, so that time differences mean something where hits are close (flams, rolls).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import adjusted_rand_score, v_measure_score

from rtcluster.notebook.reference import measure_at

WINDOW_S = 0.050
"""How far apart two onsets may be and still be the same hit, in s; mir_eval's default."""


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
        Time in the other list less time in the reference, in s.
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


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """How well two classifications of the same hits agree, whatever the classes' names.

    Parameters
    ----------
    rows, columns : tuple of str
        Names of the classes in either, in order.
    counts : ndarray of int64, shape (n_rows, n_columns)
        Hits that have the row's class in the one and the column's in the other.
    adjusted_rand : float
        Adjusted Rand index: 1 the same, 0 as by chance.
    v_measure : float
        Harmonic mean of homogeneity and completeness, 0 to 1.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: NDArray[np.int64]
    adjusted_rand: float
    v_measure: float


@dataclass(frozen=True, slots=True)
class FeatureCheck:
    """The engine's features against librosa and SciPy over the same samples.

    Parameters
    ----------
    hits : int
        Hits compared.
    equal_zcr : int
        Hits whose zero crossings are equal.
    energy_error : float
        Largest relative difference of the energies.
    """

    hits: int
    equal_zcr: int
    energy_error: float


def pair(reference_s: ArrayLike, other_s: ArrayLike, window_s: float = WINDOW_S) -> Pairing:
    """Pair the onsets of two lists.

    Parameters
    ----------
    reference_s, other_s : array_like of float, shapes (n_reference,), (n_other,)
        Onset times in s, rising.
    window_s : float
        Largest difference of a pair, in s.

    Returns
    -------
    Pairing
        As large as any one-to-one pairing within the window.

    Raises
    ------
    ValueError
        If times do not rise.
    """
    a, b = np.asarray(reference_s, float), np.asarray(other_s, float)
    if (np.diff(a) < 0).any() or (np.diff(b) < 0).any():
        raise ValueError("Expected onset times in rising order.")
    # On a line, taking the earliest possible partner at each step gives a largest pairing.
    partner: dict[int, int] = {}
    i = j = 0
    while i < len(a) and j < len(b):
        if abs(a[i] - b[j]) <= window_s:
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


def agree(rows: ArrayLike, columns: ArrayLike) -> Agreement:
    """Cross two classifications of the same hits.

    Parameters
    ----------
    rows, columns : array_like, shape (n_hits,)
        The class of each hit in either; numbers or names.

    Returns
    -------
    Agreement
        Counts and scores; with no hits, empty counts and scores of NaN.
    """
    left, right = np.asarray(rows), np.asarray(columns)
    row_names, row_of = np.unique(left, return_inverse=True)
    column_names, column_of = np.unique(right, return_inverse=True)
    counts = np.zeros((len(row_names), len(column_names)), np.int64)
    np.add.at(counts, (row_of, column_of), 1)
    rand = vm = float("nan")
    if len(left):
        rand = float(adjusted_rand_score(row_of, column_of))
        vm = float(v_measure_score(row_of, column_of))
    return Agreement(
        tuple(str(n) for n in row_names), tuple(str(n) for n in column_names), counts, rand, vm
    )


def check_features(
    x: NDArray[np.float32],
    fs: int,
    onset_samples: NDArray[np.int64],
    spans: NDArray[np.int64],
    features: NDArray[np.float64],
) -> FeatureCheck:
    """Measure the engine's windows again with librosa and SciPy.

    Parameters
    ----------
    x : ndarray of float32, shape (n_samples,)
        The signal that the engine was given.
    fs : int
        Sampling rate in Hz.
    onset_samples, spans : ndarray of int64, shape (n_hits,)
        Windows; those with a span of 0 are left out.
    features : ndarray of float64, shape (n_hits, 2)
        The engine's zero crossings and energies.

    Returns
    -------
    FeatureCheck
        Counts and the largest difference.
    """
    known = spans > 0
    expected = measure_at(x, fs, onset_samples[known], spans[known])
    got = features[known]
    scale = np.maximum(expected[:, 1], np.finfo(np.float32).tiny)
    error = np.abs(got[:, 1] - expected[:, 1]) / scale
    return FeatureCheck(
        int(known.sum()),
        int((got[:, 0] == expected[:, 0]).sum()),
        float(error.max()) if len(error) else 0.0,
    )
