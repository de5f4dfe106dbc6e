"""Where the classes are: centres in raw feature space, moved hit by hit.

The nearest centre goes a little towards each hit, by the inverse of the hits it stands for
(Sculley, "Web-scale k-means clustering", WWW 2010): the steps, to the last bit, of scikit-learn's
``MiniBatchKMeans.partial_fit`` with ``reassignment_ratio=0``, which a test holds them to. They are
done here because that library takes longer to import than a session to start.

A step works in scaled space, where drums are compared; the truth about a centre is raw. Before each
step the centres are re-expressed in the scale of the moment, after it the one that moved is taken
back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rtcluster.learning.scaling import Array, Labels, Scaling

PRIOR = 4.0
"""Hits that the spread of all centres weighs in that of one: one hit alone has no spread."""

SLACK = 1.25
"""Counts may exceed ``memory`` by this factor before they are cut back, not at every hit."""

Clusterer = Callable[[Array, np.random.RandomState], Any]
"""Makes an estimator for centres, scaled: ``partial_fit(X, sample_weight=...)`` and
``cluster_centers_`` are what is used of it."""


class MiniBatch:
    """The clusterer that is used by default.

    Parameters
    ----------
    centres : ndarray of float64, shape (n_centres, n_features)
        Scaled.
    random : numpy.random.RandomState, optional
        Not used: nothing here is left to chance.
    """

    def __init__(self, centres: Array, random: np.random.RandomState | None = None) -> None:
        self.cluster_centers_ = centres
        self._counts = np.zeros(len(centres))

    def partial_fit(self, x: Array, sample_weight: Array | None = None) -> MiniBatch:
        """Move each centre to the mean of the samples it was nearest to, these among them."""
        weights = np.ones(len(x)) if sample_weight is None else sample_weight
        centres = self.cluster_centers_.copy()
        nearest = ((x[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2).argmin(axis=1)
        for centre in np.unique(nearest):
            total = centres[centre] * self._counts[centre]
            own = nearest == centre
            for sample, weight in zip(x[own], weights[own], strict=True):
                total += sample * weight
            self._counts[centre] += weights[own].sum()
            centres[centre] = total * (1.0 / self._counts[centre])
        self.cluster_centers_ = centres
        return self


class Centres:
    """Centres that learn.

    Parameters
    ----------
    raw : ndarray of float64, shape (n_centres, n_features)
    counts : ndarray of float64, shape (n_centres,)
        Hits that each centre stands for. The next one moves it by 1 / (count + 1) of the way.
    owner : ndarray of int64, shape (n_centres,)
        The class of each centre.
    variance : ndarray of float64, shape (n_centres, n_features)
        Of a centre's own hits around it, raw.
    memory : int
        Most hits that a count may stand for, so that the centre follows a drift; 0: no limit.
    random : numpy.random.RandomState
    clusterer : callable
        Makes the estimator.
    """

    def __init__(
        self,
        raw: Array,
        counts: Array,
        owner: Labels,
        variance: Array,
        memory: int,
        random: np.random.RandomState,
        clusterer: Clusterer = MiniBatch,
    ) -> None:
        self.raw = np.array(raw, dtype=np.float64)
        self.counts = np.maximum(counts, 1.0)
        self.owner = np.array(owner, dtype=np.int64)
        self.variance = np.array(variance, dtype=np.float64)
        self._memory = memory
        self._random = random
        self._clusterer = clusterer
        self._estimator: Any = None

    def __len__(self) -> int:
        """Number of centres."""
        return len(self.raw)

    def scaled(self, scaling: Scaling) -> Array:
        """Centres in the scale of the moment, shape (n_centres, n_features)."""
        return scaling.scaled(self.raw)

    def spread(self, scaling: Scaling) -> Array:
        """Root mean square distance of each centre's own hits, scaled, shape (n_centres,).

        Drawn towards that of all centres by :data:`PRIOR` hits.
        """
        square = (self.variance * scaling.scale**2).sum(axis=1)
        pooled = float(np.average(square, weights=self.counts))
        return np.asarray(np.sqrt((self.counts * square + PRIOR * pooled) / (self.counts + PRIOR)))

    def learn(self, hit: Array, scaling: Scaling) -> None:
        """Move the nearest centre towards a hit, raw, shape (n_features,)."""
        scaled = np.ascontiguousarray(self.scaled(scaling))
        row = scaling.scaled(hit[None, :])
        nearest = int(((scaled - row) ** 2).sum(axis=1).argmin())
        estimator = self._prepared(scaled)
        estimator.partial_fit(row)
        self.counts[nearest] += 1.0
        step = (hit - self.raw[nearest]) ** 2 - self.variance[nearest]
        self.variance[nearest] += step / self.counts[nearest]
        # Only the centre that moved is taken back: the others stay the same to the last bit.
        moved = estimator.cluster_centers_[nearest]
        self.raw[nearest] = (moved - scaling.offset) / scaling.scale

    def _prepared(self, scaled: Array) -> Any:
        """The estimator with these centres and counts.

        Its first ``partial_fit`` refuses fewer samples than clusters even with ``init`` given, and
        counts can be set by no public name. So the centres themselves are its first samples, with
        the counts as their weights: that leaves every centre where it is.
        """
        capped = self._memory and bool((self.counts > self._memory * SLACK).any())
        if capped:
            self.counts = np.minimum(self.counts, float(self._memory))
        if self._estimator is None or capped:
            self._estimator = self._clusterer(scaled, self._random)
            self._estimator.partial_fit(scaled, sample_weight=self.counts)
        self._estimator.cluster_centers_ = scaled
        return self._estimator

    def as_dict(self) -> dict[str, Any]:
        """All of it, in JSON's types."""
        return {
            "raw": self.raw.tolist(),
            "counts": self.counts.tolist(),
            "owner": self.owner.tolist(),
            "variance": self.variance.tolist(),
        }

    @classmethod
    def from_dict(
        cls,
        stored: Mapping[str, Any],
        memory: int,
        random: np.random.RandomState,
        clusterer: Clusterer = MiniBatch,
    ) -> Centres:
        """The centres that :meth:`as_dict` described."""
        return cls(**stored, memory=memory, random=random, clusterer=clusterer)
