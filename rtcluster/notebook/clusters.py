"""KMeans and AffinityPropagation over the scaled features: the notebook's second half.

KMeans classes are numbered by rising zcr, as the streaming engine numbers its own; scikit-learn's
numbering changes with the seed and means nothing. The model's centres are put in the same order, so
``model.predict`` agrees with `Analysis.labels`. AffinityPropagation keeps scikit-learn's numbers,
which follow the order of the exemplars in time.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.cluster import AffinityPropagation, KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import pairwise_distances_argmin

from rtcluster.notebook.reference import Hits, measure
from rtcluster.text import counted

Algorithm = Literal["kmeans", "affinity"]

STARTS = 10
"""Starts of KMeans where no seed is given: its best optimum is kept."""

AFFINITY_LIMIT = 1000
"""Hits that AffinityPropagation is given: its memory grows with their square (8 MB a matrix)."""

UNCLASSIFIED = -1


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """Hits of a signal, sorted into classes.

    Parameters
    ----------
    hits : Hits
        What was measured.
    algorithm : {"kmeans", "affinity"}
        What sorted them.
    labels : ndarray of int64, shape (n_hits,)
        Class of each hit from 0; -1 for all where clustering was not possible.
    model : KMeans or AffinityPropagation or None
        The fitted model, in scaled feature space; None where clustering was not possible.
    note : str
        One sentence on what was not as asked; empty where all was.
    """

    hits: Hits
    algorithm: Algorithm
    labels: NDArray[np.int64]
    model: KMeans | AffinityPropagation | None
    note: str = ""

    def __repr__(self) -> str:
        """What sorted how many hits into what, on a line."""
        sizes = ", ".join(str(size) for size in np.bincount(self.labels[self.labels >= 0]))
        note = f"; {self.note}" if self.note else ""
        hits = counted(len(self.labels), "hit")
        return f"<Analysis by {self.algorithm}: {hits}, classes of {sizes}{note}>"

    @property
    def onset_frames(self) -> NDArray[np.int64]:
        """Onsets as frames of 512 samples, shape (n_hits,)."""
        return self.hits.onset_frames

    @property
    def onset_samples(self) -> NDArray[np.int64]:
        """Onsets as sample indices, shape (n_hits,)."""
        return self.hits.onset_samples

    @property
    def onset_times(self) -> NDArray[np.float64]:
        """Onsets in s, shape (n_hits,)."""
        return self.hits.onset_times

    @property
    def features(self) -> NDArray[np.float64]:
        """Zero crossings and energy, shape (n_hits, 2)."""
        return self.hits.features

    @property
    def scaled(self) -> NDArray[np.float64]:
        """Features scaled to [-1, 1], shape (n_hits, 2)."""
        return self.hits.scaled

    @property
    def classes(self) -> tuple[int, ...]:
        """The classes in use, in order."""
        return tuple(int(c) for c in np.unique(self.labels) if c != UNCLASSIFIED)


def analyze(
    x: ArrayLike,
    fs: int,
    algorithm: Algorithm = "kmeans",
    classes: int = 2,
    *,
    delta: float = 0.04,
    wait: int = 4,
    seed: int | None = None,
) -> Analysis:
    """Do the notebook's whole analysis: onsets, features, scaling, classes.

    Parameters
    ----------
    x : array_like of float, shape (n_samples,)
        Mono signal, full scale at 1.
    fs : int
        Sampling rate in Hz; the notebook works at 22050.
    algorithm : {"kmeans", "affinity"}
        How hits are sorted. AffinityPropagation finds the number of classes itself.
    classes : int
        Classes that KMeans makes.
    delta, wait : float, int
        Threshold (0 to 1) and least distance (frames) of `librosa.onset.onset_detect`.
    seed : int, optional
        Run KMeans once, as ``KMeans(classes, n_init=1, random_state=seed)``. By default the best
        of ten starts from seed 0 is kept.

    Returns
    -------
    Analysis
        Onsets, features, labels and model. Where there are too few hits, `labels` are -1,
        `model` is None and `note` says why.

    Raises
    ------
    ValueError
        If the signal or a parameter is not usable.

    Examples
    --------
    >>> import numpy as np
    >>> analyze(np.zeros(22050), 22050).note
    'No onset was found.'
    """
    check(algorithm, classes, seed)
    return cluster(measure(x, fs, delta=delta, wait=wait), algorithm, classes, seed=seed)


def check(algorithm: str, classes: int, seed: int | None) -> None:
    """Raise ValueError where a parameter of `analyze` is out of range."""
    if algorithm not in get_args(Algorithm):
        raise ValueError(f"Expected an algorithm of kmeans or affinity, got {algorithm!r}.")
    if classes < 1:
        raise ValueError(f"Expected 1 class or more, got {classes}.")
    if seed is not None and not 0 <= seed < 2**32:
        raise ValueError(f"Expected a seed from 0 to 4294967295, got {seed}.")


def cluster(
    hits: Hits, algorithm: Algorithm = "kmeans", classes: int = 2, *, seed: int | None = None
) -> Analysis:
    """Sort measured hits into classes; see `analyze` for the parameters and the errors."""
    check(algorithm, classes, seed)
    labels = np.full(len(hits), UNCLASSIFIED, np.int64)
    distinct = len(np.unique(hits.scaled, axis=0))
    needed = classes if algorithm == "kmeans" else 2
    if not len(hits):
        return Analysis(hits, algorithm, labels, None, "No onset was found.")
    if distinct < needed:
        found = counted(len(hits), "onset")
        if distinct < len(hits):
            found += f" ({distinct} with different features)"
        asked = (
            f"too few for {counted(classes, 'class')}"
            if algorithm == "kmeans"
            else "too few for AffinityPropagation, which compares hits that differ"
        )
        return Analysis(hits, algorithm, labels, None, f"Only {found} found: {asked}.")
    if algorithm == "kmeans":
        model = kmeans(hits.scaled, classes, STARTS if seed is None else 1, seed or 0)
        return Analysis(hits, algorithm, model.labels_.astype(np.int64), model)
    return _affinity(hits, seed or 0)


def kmeans(scaled: NDArray[np.float64], classes: int, starts: int, seed: int) -> KMeans:
    """Fit KMeans and number its classes by rising zcr.

    Parameters
    ----------
    scaled : ndarray of float64, shape (n_hits, 2)
        Features in [-1, 1].
    classes : int
        Number of classes.
    starts : int
        Random starts, of which the one of least inertia is kept (``n_init``).
    seed : int
        ``random_state``.

    Returns
    -------
    KMeans
        Fitted, its `cluster_centers_` and `labels_` renumbered.
    """
    model = KMeans(n_clusters=classes, n_init=starts, random_state=seed).fit(scaled)
    order = np.lexsort(model.cluster_centers_.T[::-1])
    model.cluster_centers_ = np.ascontiguousarray(model.cluster_centers_[order])
    model.labels_ = np.argsort(order)[model.labels_].astype(np.int32)
    return model


def _affinity(hits: Hits, seed: int) -> Analysis:
    """Fit AffinityPropagation, on an even choice of the hits where there are many."""
    notes = []
    scaled = hits.scaled
    chosen = scaled
    if len(hits) > AFFINITY_LIMIT:
        chosen = scaled[np.linspace(0, len(hits) - 1, AFFINITY_LIMIT).astype(int)]
        notes.append(
            f"AffinityPropagation was given {AFFINITY_LIMIT} of the {len(hits)} hits, evenly "
            "chosen; the others took the class of the nearest exemplar."
        )
    model = _converged(chosen, damping=0.5, max_iter=200, seed=seed)
    if model is None:
        model = _converged(chosen, damping=0.9, max_iter=2000, seed=seed)
        notes.append("AffinityPropagation settled only with a damping of 0.9 (0.5 is usual).")
    if model is None:
        labels = np.full(len(hits), UNCLASSIFIED, np.int64)
        return Analysis(hits, "affinity", labels, None, "AffinityPropagation did not settle.")
    labels = model.labels_
    if chosen is not scaled:
        labels = pairwise_distances_argmin(scaled, model.cluster_centers_)
    return Analysis(hits, "affinity", labels.astype(np.int64), model, " ".join(notes))


def _converged(
    scaled: NDArray[np.float64], damping: float, max_iter: int, seed: int
) -> AffinityPropagation | None:
    """Return a fitted model, or None where the messages did not settle."""
    model = AffinityPropagation(damping=damping, max_iter=max_iter, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            return model.fit(scaled)
        except ConvergenceWarning:
            return None
