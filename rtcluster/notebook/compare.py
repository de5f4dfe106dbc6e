"""Hold two lists of hits against each other: their classes and their features."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import adjusted_rand_score, v_measure_score

from rtcluster.notebook.reference import measure_at
from rtcluster.sources.annotations import Annotations
from rtcluster.sources.matching import pair


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """How well two classifications of the same hits agree, whatever the classes' names.

    Parameters
    ----------
    rows, columns : tuple of str
        Names of the classes in either, in order; those without a hit among them.
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


def agree(
    rows: ArrayLike,
    columns: ArrayLike,
    row_names: Sequence[str] | None = None,
    column_names: Sequence[str] | None = None,
) -> Agreement:
    """Cross two classifications of the same hits.

    Parameters
    ----------
    rows, columns : array_like, shape (n_hits,)
        The class of each hit in either; numbers or names.
    row_names, column_names : sequence of str, optional
        All classes of either, in order; by default those of these hits.

    Returns
    -------
    Agreement
        Counts and scores; with no hits, empty counts and scores of NaN.
    """
    row_names, row_of = _numbered(rows, row_names)
    column_names, column_of = _numbered(columns, column_names)
    counts = np.zeros((len(row_names), len(column_names)), np.int64)
    np.add.at(counts, (row_of, column_of), 1)
    rand = vm = float("nan")
    if len(row_of):
        rand = float(adjusted_rand_score(row_of, column_of))
        vm = float(v_measure_score(row_of, column_of))
    return Agreement(tuple(row_names), tuple(column_names), counts, rand, vm)


def drums_of(
    truth: Annotations | None, times: NDArray[np.float64], labels: NDArray[np.int64]
) -> dict[int, str]:
    """Name each class by the drum that most of its hits are annotated as.

    Parameters
    ----------
    truth : Annotations or None
    times : ndarray of float64, shape (n_hits,)
        In s, rising.
    labels : ndarray of int64, shape (n_hits,)
        Classes.

    Returns
    -------
    dict of int to str
        Of two classes of one drum, each keeps its number before the name; a class without an
        annotated hit has none.
    """
    if truth is None:
        return {}
    found = pair(truth.times, times)
    heard: dict[int, Counter[str]] = {}
    for i, j in zip(found.reference, found.other, strict=True):
        heard.setdefault(int(labels[j]), Counter())[truth.labels[i]] += 1
    most = {c: heard[c].most_common(1)[0][0] for c in sorted(heard) if c >= 0}
    shared = Counter(most.values())
    return {c: drum if shared[drum] == 1 else f"{c}: {drum}" for c, drum in most.items()}


def _numbered(
    labels: ArrayLike, names: Sequence[str] | None
) -> tuple[Sequence[str], NDArray[np.int64]]:
    """Return the names of the classes, and the place among them of each label."""
    if names is None:
        found, places = np.unique(np.asarray(labels), return_inverse=True)
        return [str(name) for name in found], places
    place = {name: i for i, name in enumerate(names)}
    return names, np.array([place[str(label)] for label in np.asarray(labels)], np.int64)


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
