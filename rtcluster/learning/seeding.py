"""How many drums there are, and which class a new centre takes over."""

from __future__ import annotations

import numpy as np

from rtcluster.learning.affinity import propagate
from rtcluster.learning.assignment import assign
from rtcluster.learning.scaling import Array, Labels

PREFERENCE = 0.5
"""Preference of affinity propagation, in least similarities. 1 (few clusters) misses drums in the
first 60 hits; the median, the notebook's and the library's default, splits drums by loudness
from 30 hits on."""


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
        All different. Where more are found than stand, those left over get m,
        m + 1, and so on.
    """
    common = np.zeros((len(found_centres), len(standing_centres)))
    held = standing >= 0
    np.add.at(common, (found[held], standing[held]), 1.0)
    apart = np.linalg.norm(found_centres[:, None, :] - standing_centres[None, :, :], axis=2)
    # Distance only breaks ties: all of it together weighs less than one hit.
    taken, classes = assign(-common + apart / (1.0 + apart.sum()))
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
    similarity = -np.sum((hits[:, None, :] - hits[None, :, :]) ** 2, axis=2)
    pairs = similarity[np.triu_indices(len(hits), 1)]
    one = np.zeros(len(hits), dtype=np.int64)
    if pairs.size == 0 or pairs.min() == 0.0:
        return one
    if pairs.min() == pairs.max():  # two hits, or all equally far apart
        return np.arange(len(hits))
    found = propagate(similarity, PREFERENCE * float(pairs.min()))
    return one if found is None else found
