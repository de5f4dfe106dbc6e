"""Affinity propagation: clusters round exemplars, their number found, not given.

Frey and Dueck, "Clustering by passing messages between data points", Science 315 (2007). Step by
step it is scikit-learn's ``AffinityPropagation(affinity="precomputed", damping=0.8, max_iter=300,
random_state=0)``, BSD-3-Clause, and gives its labels to the last one, which a test holds it to. It
is here because ``classes="auto"`` needs nothing else of scikit-learn, whose import takes longer
than all of a session's start.
"""

from __future__ import annotations

import numpy as np

from rtcluster.learning.scaling import Array, Labels

DAMPING = 0.8
"""Share of the messages of before in those of now."""

MAX_ITERATIONS = 300

CONVERGED = 15
"""Iterations over which the exemplars have to stay the same."""


def propagate(similarity: Array, preference: float) -> Labels | None:
    """Partition points by their similarities.

    Parameters
    ----------
    similarity : ndarray of float64, shape (n, n)
        Not all alike outside the diagonal, which does not count.
    preference : float
        Similarity of each point to itself: the higher, the more clusters.

    Returns
    -------
    ndarray of int64, shape (n,), or None
        Labels from 0 without gaps, by the order of the exemplars; None where there are none. Where
        the exemplars still change in the end, those of the end.
    """
    n = len(similarity)
    s = similarity.copy()
    np.fill_diagonal(s, preference)
    # Of two points that are as good as each other one has to win.
    noise = np.random.RandomState(0).standard_normal(size=(n, n))
    s += (np.finfo(np.float64).eps * s + np.finfo(np.float64).tiny * 100) * noise
    chosen = _exemplars(s)
    if not chosen.size:
        return None
    labels = _nearest(s, chosen)
    for k in range(chosen.size):  # the middle of each cluster is its exemplar
        own = np.flatnonzero(labels == k)
        chosen[k] = own[np.argmax(np.sum(s[own[:, None], own], axis=0))]
    found = chosen[_nearest(s, chosen)]
    return np.asarray(np.unique(found, return_inverse=True)[1], dtype=np.int64)


def _nearest(s: Array, exemplars: Labels) -> Labels:
    """The exemplar that each point is most like, by its place among them."""
    labels: Labels = np.argmax(s[:, exemplars], axis=1)
    labels[exemplars] = np.arange(exemplars.size)
    return labels


def _exemplars(s: Array) -> Labels:
    """Pass messages until the exemplars stay the same; their indices."""
    n = len(s)
    every, diagonal = np.arange(n), np.s_[:: n + 1]
    availability, responsibility, new = np.zeros((n, n)), np.zeros((n, n)), np.empty((n, n))
    history = np.zeros((n, CONVERGED), dtype=bool)
    exemplar = history[:, 0]
    for iteration in range(MAX_ITERATIONS):
        np.add(availability, s, new)
        first = np.argmax(new, axis=1)
        most = new[every, first]
        new[every, first] = -np.inf
        second = np.max(new, axis=1)
        np.subtract(s, most[:, None], new)
        new[every, first] = s[every, first] - second
        new *= 1 - DAMPING
        responsibility *= DAMPING
        responsibility += new

        np.maximum(responsibility, 0, out=new)
        new.flat[diagonal] = responsibility.flat[diagonal]
        new -= np.sum(new, axis=0)
        own = np.diag(new).copy()
        new.clip(0, np.inf, new)
        new.flat[diagonal] = own
        new *= 1 - DAMPING
        availability *= DAMPING
        availability -= new

        exemplar = (np.diag(availability) + np.diag(responsibility)) > 0
        history[:, iteration % CONVERGED] = exemplar
        steady = (history == history[:, :1]).all()
        if iteration >= CONVERGED and steady and exemplar.any():
            break
    return np.flatnonzero(exemplar)
