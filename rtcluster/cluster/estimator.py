"""The learner of a session behind the interface that scikit-learn's clusterers have."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from rtcluster.errors import SettingsError
from rtcluster.events import LEARNING
from rtcluster.kernel.classify import classify
from rtcluster.kernel.state import State
from rtcluster.learning.learner import Learner
from rtcluster.learning.lesson import Lesson
from rtcluster.learning.scaling import Array, Labels
from rtcluster.settings import MAX_FEATURES, Settings
from rtcluster.text import counted

_FINAL = 1  # the stage of a model that has seen the whole hit


class OnlineDrumKMeans(ClusterMixin, BaseEstimator):  # type: ignore[misc]  # its bases are untyped
    """Online k-means that settles early, heals a bad start and keeps the numbers of its clusters.

    It is the learner of a session, fed with rows in place of hits: it collects the first
    ``warmup`` samples, starts k-means from them, starts again while that helps, and then moves the
    nearest centre a little towards each sample. A sample far outside the range of all others moves
    nothing. Samples are scaled here, so nothing has to scale them before. Their order counts, as
    it does in a session.

    Parameters
    ----------
    n_clusters : int or "auto"
        1 to 32, or as many as there seem to be.
    warmup : int, optional
        Samples that are collected before there are clusters; by default ``max(8, 2 *
        n_clusters)``, 12 for "auto".
    scaling : {"minmax", "robust"}
        The least and the greatest value of each feature to -1 and 1, or quantiles, which an outlier
        does not stretch.
    memory : int
        Samples after which old ones are forgotten, so that clusters follow a drift; 0: never.
    reject : float
        A sample further from every centre than this many times the cluster's own spread belongs
        to none; 0: never. 4 is a good value.
    random_state : int, RandomState instance or None
        Of the starts of k-means. An int is what a session has as ``seed``.

    Attributes
    ----------
    cluster_centers_ : ndarray of float64, shape (n_clusters, n_features)
        In the units of the samples. Once a cluster has a number, it keeps it. When first formed,
        clusters are numbered by their rising mean of the column ``zcr``, or of the first column
        where none has that name.
    labels_ : ndarray of int64, shape (n_samples,)
        Cluster of each sample of the last call, by the centres as they are after it; -1: none.
    n_features_in_ : int
        At most 32.
    feature_names_in_ : ndarray of str, shape (n_features_in_,)
        Columns of a DataFrame. Those named ``band1`` to ``band20`` share one factor, as a
        session's do.

    Examples
    --------
    >>> import numpy as np
    >>> from rtcluster.cluster import OnlineDrumKMeans
    >>> samples = np.array([[20, 12.0], [400, 5.0]] * 10)
    >>> OnlineDrumKMeans(2).fit(samples).predict([[390, 5.5], [25, 11.0]])
    array([1, 0])
    """

    def __init__(
        self,
        n_clusters: int | str = 2,
        *,
        warmup: int | None = None,
        scaling: str = "minmax",
        memory: int = 0,
        reject: float = 0.0,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.warmup = warmup
        self.scaling = scaling
        self.memory = memory
        self.reject = reject
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: object = None) -> OnlineDrumKMeans:
        """Learn from samples alone, in their order; what was learned before is forgotten.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
        y : ignored

        Raises
        ------
        ValueError
            If a parameter is outside its range, a value is not finite, or fewer samples differ
            than there are to be clusters.
        """
        samples = self._begin(X)
        self._learn(samples)
        self._take(self._learner.end().model)
        if not self._learner.ready:
            raise ValueError(
                f"Expected {counted(self._learner.fewest, 'sample')} or more that differ, "
                f"got n_samples = {len(samples)}; lower n_clusters, or give more."
            )
        return self._finish(samples)

    def partial_fit(self, X: npt.ArrayLike, y: object = None) -> OnlineDrumKMeans:
        """Learn from further samples, in their order.

        There are no clusters until ``warmup`` samples have come; ``labels_`` is -1 until then.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
        y : ignored

        Raises
        ------
        ValueError
            As :meth:`fit`, and if the features are not those of the samples before.
        """
        known = hasattr(self, "_learner")
        samples = self._samples(X, copy=True) if known else self._begin(X)
        self._learn(samples)
        return self._finish(samples)

    def predict(self, X: npt.ArrayLike) -> Labels:
        """Cluster of each sample, by the compiled code that decides in a session; -1: none.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)

        Returns
        -------
        ndarray of int64, shape (n_samples,)

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If there are no clusters yet.
        """
        heard = self._learner.heard if hasattr(self, "_learner") else 0
        check_is_fitted(
            self, msg=f"%(name)s has no clusters after {counted(heard, 'sample')}; fit more."
        )
        return self._clusters(self._samples(X))

    def __sklearn_is_fitted__(self) -> bool:
        """Whether there are clusters."""
        return getattr(self, "_model", None) is not None

    def _samples(self, X: npt.ArrayLike, *, reset: bool = False, copy: bool = False) -> Array:
        return np.asarray(validate_data(self, X, reset=reset, dtype=np.float64, copy=copy))

    def _begin(self, X: npt.ArrayLike) -> Array:
        """Forget all; the samples of X, checked."""
        samples = self._samples(X, reset=True, copy=True)
        if self.n_features_in_ > MAX_FEATURES:
            raise ValueError(f"Expected 1 to {MAX_FEATURES} features, got {self.n_features_in_}.")
        random, seed = check_random_state(self.random_state), self.random_state
        count = self.n_clusters
        try:
            settings = Settings(
                classes=int(count) if isinstance(count, np.integer) else count,
                warmup=self.warmup,
                scaling=self.scaling,
                memory=self.memory,
                reject=self.reject,
                seed=int(seed if isinstance(seed, int | np.integer) else random.randint(2**31)),
            )
        except SettingsError as error:
            raise ValueError(str(error).replace("classes", "n_clusters")) from None
        unnamed = [f"x{place}" for place in range(self.n_features_in_)]
        names = [str(name) for name in getattr(self, "feature_names_in_", unnamed)]
        self._numbered_by = names.index("zcr") if "zcr" in names else 0
        self._learner = Learner(settings, tuple(names))
        self._model: State | None = None
        return samples

    def _learn(self, samples: Array) -> None:
        for sample in samples:
            told = LEARNING if self._model is None else self._cluster(sample)
            number = float(sample[self._numbered_by])
            lesson = Lesson(self._learner.heard, sample, sample, number, whole=True, class_=told)
            self._take(self._learner.learn(lesson).model)

    def _take(self, model: State | None) -> None:
        """From here on a new model decides, if there is one."""
        self._model = self._model if model is None else model

    def _finish(self, samples: Array) -> OnlineDrumKMeans:
        if self._model is None:
            self.labels_ = np.full(len(samples), LEARNING, dtype=np.int64)
        else:
            self.cluster_centers_ = self._learner.centres()[0].copy()
            self.labels_ = self._clusters(samples)
        return self

    def _clusters(self, samples: Array) -> Labels:
        found = np.array([self._cluster(sample) for sample in samples], dtype=np.int64)
        return np.maximum(found, -1)  # scikit-learn has one number for all that is in no cluster

    def _cluster(self, sample: Array) -> int:
        assert self._model is not None
        raw = np.zeros(MAX_FEATURES)
        raw[: len(sample)] = sample
        return int(classify(self._model[0], _FINAL, raw, np.zeros(MAX_FEATURES))[0])
