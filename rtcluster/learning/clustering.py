"""k-means that starts from a batch of hits and goes on hit by hit.

The start is scikit-learn's ``KMeans``; from there on ``MiniBatchKMeans.partial_fit`` with
``reassignment_ratio=0`` moves the nearest centre a little towards each hit, by the
inverse of the hits it has had (Sculley, "Web-scale k-means clustering", WWW 2010).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans, MiniBatchKMeans

from rtcluster.learning.scaling import Array, GrowingScaler


class OnlineKMeans:
    """Centres that learn, in a scale that grows.

    The centres belong to raw feature space: when a hit widens the range they are
    re-expressed in the new scale before they learn from it.

    Parameters
    ----------
    hits : ndarray of float64, shape (n_hits, n_features)
        What to start from, raw; at least ``classes`` different rows.
    classes : int
        Number of centres.
    random : numpy.random.RandomState
        A generator, not a seed: from a seed scikit-learn would build one at every call.
    order : int
        The feature by whose rising mean the classes are numbered.
    """

    def __init__(
        self, hits: Array, classes: int, random: np.random.RandomState, order: int
    ) -> None:
        self.scaler = GrowingScaler()
        self.scaler.learn(hits)
        scaled = self.scaler.scaled(hits)
        start = KMeans(n_clusters=classes, n_init=10, random_state=random).fit(scaled)
        centres = start.cluster_centers_
        centres = centres[np.argsort(self.scaler.raw(centres)[:, order], kind="stable")]
        self._model: Any = MiniBatchKMeans(
            n_clusters=classes,
            init=centres,
            n_init=1,
            reassignment_ratio=0.0,
            random_state=random,
            compute_labels=False,
        )
        # The first partial_fit wants at least as many hits as clusters: it gets them all.
        self._model.partial_fit(scaled)

    @property
    def centres(self) -> Array:
        """Centres in the present scale, shape (classes, n_features)."""
        return np.asarray(self._model.cluster_centers_)

    def learn(self, hit: Array) -> int:
        """Learn from one hit, raw, shape (n_features,); return the class it was in."""
        row = hit.reshape(1, -1)
        raw = self.scaler.raw(self.centres)
        if self.scaler.learn(row):
            self._model.cluster_centers_ = self.scaler.scaled(raw)
        class_ = int(self.classes_of(row)[0])
        self._model.partial_fit(self.scaler.scaled(row))
        return class_

    def classes_of(self, hits: Array) -> npt.NDArray[np.intp]:
        """Nearest centre of each raw hit, shape (n_hits,)."""
        centres = self.centres
        scores = (centres**2).sum(axis=1) - 2.0 * self.scaler.scaled(hits) @ centres.T
        return np.asarray(scores.argmin(axis=1))
