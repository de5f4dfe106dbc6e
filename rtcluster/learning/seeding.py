"""How many drums there are, and which class a new centre takes over."""

from __future__ import annotations

import threading
import warnings

import numpy as np

from rtcluster.learning.kmeans import Labels
from rtcluster.learning.scaling import Array

PREFERENCE = 0.5
"""Preference of affinity propagation, in least similarities. 1 (few clusters) misses drums in the
first 60 hits; the median, the notebook's and the library's default, splits drums by loudness
from 30 hits on."""

_quiet = threading.Lock()
"""Warnings are silenced for the whole process: two threads at it would restore each other's
filters."""


def match(found: Labels, standing: Labels, found_centres: Array, standing_centres: Array) -> Labels:
    """The standing class that each found centre takes over: most hits in common, then nearness.

    Parameters
    ----------
    found, standing : ndarray of int64, shape (n_hits,)
        New and present classes of the same hits; a negative class counts for none.
    found_centres, standing_centres : ndarray of float64, shapes (k, n_features), (m, n_features)

    Returns
    -------
    ndarray of int64, shape (k,)
        All different (Hungarian method). Where more are found than stand, those left over get m,
        m + 1, and so on.
    """
    from scipy.optimize import linear_sum_assignment

    common = np.zeros((len(found_centres), len(standing_centres)))
    held = standing >= 0
    np.add.at(common, (found[held], standing[held]), 1.0)
    apart = np.linalg.norm(found_centres[:, None, :] - standing_centres[None, :, :], axis=2)
    # Distance only breaks ties: all of it together weighs less than one hit.
    taken, classes = linear_sum_assignment(-common + apart / (1.0 + apart.sum()))
    takes_over = np.full(len(found_centres), -1, dtype=np.int64)
    takes_over[taken] = classes
    left = takes_over < 0
    takes_over[left] = len(standing_centres) + np.arange(left.sum())
    return takes_over


def count(hits: Array) -> Labels:
    """Partition hits into as many drums as they seem to be, by affinity propagation.

    Parameters
    ----------
    hits : ndarray of float64, shape (n_hits, n_features)
        Scaled.

    Returns
    -------
    ndarray of int64, shape (n_hits,)
        Labels from 0 without gaps; all 0 where it does not converge.
    """
    from sklearn.cluster import AffinityPropagation
    from sklearn.exceptions import ConvergenceWarning

    similarity = -np.sum((hits[:, None, :] - hits[None, :, :]) ** 2, axis=2)
    pairs = similarity[np.triu_indices(len(hits), 1)]
    one = np.zeros(len(hits), dtype=np.int64)
    if pairs.size == 0 or pairs.min() == 0.0:
        return one
    with _quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        # Two hits, or all equally far apart: which of them is the centre does not matter.
        warnings.filterwarnings("ignore", "All samples have mutually equal similarities")
        found = AffinityPropagation(
            preference=PREFERENCE * float(pairs.min()),
            damping=0.8,
            max_iter=300,
            affinity="precomputed",
            random_state=0,
        ).fit(similarity)
    if found.labels_.min() < 0:
        return one
    return np.asarray(np.unique(found.labels_, return_inverse=True)[1], dtype=np.int64)
