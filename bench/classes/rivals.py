"""The rivals: offline and incremental clustering, and nearest neighbours with the truth known.

All take hits of shape (n_hits, n_features) and give labels of shape (n_hits,).
"""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.cluster import AffinityPropagation, KMeans, MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import MinMaxScaler

from bench.classes.truth import Array, Labels

NEIGHBOURS = 3


def scaled(hits: Array) -> Array:
    """The notebook's ``MinMaxScaler(-1, 1)`` over all hits."""
    return np.asarray(MinMaxScaler(feature_range=(-1, 1)).fit_transform(hits))


def kmeans(hits: Array, k: int) -> Labels:
    """The notebook's, offline."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer hits differ than k
        model = KMeans(min(k, len(hits)), n_init=10, random_state=0)
        return np.asarray(model.fit_predict(scaled(hits)), dtype=np.int64)


def stream(hits: Array, k: int) -> Labels:
    """scikit-learn's incremental loop as a tutorial has it, after a warm-up of k hits."""
    if len(hits) < k:
        return np.zeros(len(hits), dtype=np.int64)
    scaler = MinMaxScaler(feature_range=(-1, 1)).partial_fit(hits[:k])
    first = scaler.transform(hits[:k])
    model = MiniBatchKMeans(k, n_init=10, random_state=0, reassignment_ratio=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        labels = list(model.partial_fit(first).predict(first))
        for hit in hits[k:, None]:
            row = scaler.partial_fit(hit).transform(hit)
            labels.append(model.partial_fit(row).predict(row)[0])
    return np.array(labels, dtype=np.int64)


def affinity(hits: Array) -> Labels:
    """The notebook's second algorithm; every hit in one class where it does not converge."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = AffinityPropagation(random_state=0).fit_predict(scaled(hits))
    return np.asarray(found, dtype=np.int64)


def nearest_mean(hits: Array, known: Array, labels: Labels, own: Labels) -> Labels:
    """Label of the nearest mean.

    Parameters
    ----------
    hits : ndarray of float64, shape (n_hits, n_features)
    known : ndarray of float64, shape (n_known, n_features)
    labels : ndarray of int64, shape (n_known,)
    own : ndarray of int64, shape (n_hits,)
        Which of the known each hit is, and is not to be judged by; -1: none.
    """
    k = int(labels.max()) + 1
    sums = np.array([known[labels == c].sum(axis=0) for c in range(k)])
    counts = np.bincount(labels, minlength=k).astype(np.float64)
    out = np.empty(len(hits), dtype=np.int64)
    for n, hit in enumerate(hits):
        total, count = sums.copy(), counts.copy()
        if own[n] >= 0:
            total[labels[own[n]]] -= known[own[n]]
            count[labels[own[n]]] -= 1.0
        square = ((total / np.maximum(count, 1.0)[:, None] - hit) ** 2).sum(axis=1)
        out[n] = np.where(count > 0.0, square, np.inf).argmin()
    return out


def nearest_hits(hits: Array, known: Array, labels: Labels, own: Labels) -> Labels:
    """Majority of the three nearest, the nearest one's where all differ; as the nearest mean."""
    square = ((hits[:, None, :] - known[None, :, :]) ** 2).sum(axis=2)
    itself = np.flatnonzero(own >= 0)
    square[itself, own[itself]] = np.inf
    near = labels[np.argsort(square, axis=1, kind="stable")[:, :NEIGHBOURS]]
    votes = (near[:, :, None] == near[:, None, :]).sum(axis=2)
    return np.asarray(near[np.arange(len(near)), votes.argmax(axis=1)])
