"""Scaling: what one step of a feature is worth beside one step of another.

A scaling learns from raw features and is at any moment an affine map per feature, ``scaled = raw
* scale + offset``: the form that ``MinMaxScaler.transform`` has, and that the kernel applies.
Centres are kept in raw feature space and pass through the map of the moment, so they move with it
when the range grows.

Values that are parts of one thing, the bands of a spectrum or the levels on several microphones,
have one factor between them: that of the widest. Scaled each by itself, a band in which little
happens would count as much as any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from rtcluster.settings import BAND_FEATURES, MICROPHONE_FEATURES

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

TAIL = 0.10
"""Share of the hits at either end that :class:`RobustScaling` leaves outside its range."""

HELD = 256
"""Newest hits that the learner holds, and that :class:`RobustScaling` takes its quantiles from."""

_NO_WIDTH = 10 * np.finfo(np.float64).eps  # scikit-learn's measure of a constant feature
_CONSTANT = 1e-9  # a feature that varies less than this is left in the middle of the range


class Scaling:
    """An affine map per feature, learned hit by hit.

    Parameters
    ----------
    together : sequence of sequence of int
        Places of the features that have one factor between them, group by group.

    Attributes
    ----------
    scale, offset : ndarray of float64, shape (n_features,)
        Factor and summand per feature.
    """

    name: ClassVar[str]

    def __init__(self, together: Sequence[Sequence[int]] = ()) -> None:
        self._together = [list(group) for group in together]
        self.scale: Array = np.empty(0)
        self.offset: Array = np.empty(0)

    def learn(self, hits: Array) -> None:
        """Learn from raw hits, shape (n_hits, n_features)."""
        raise NotImplementedError("a subclass learns")

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Learn what :meth:`as_dict` described, to the bit."""
        raise NotImplementedError("a subclass learns")

    def as_dict(self) -> dict[str, Any]:
        """All that it has learned, in JSON's types."""
        raise NotImplementedError("a subclass knows")

    def scaled(self, hits: Array) -> Array:
        """Raw features as they are compared, shape (n_hits, n_features)."""
        return hits * self.scale + self.offset

    def _share(self, width: Array) -> None:
        """Give the features of a group the width of the widest."""
        for group in self._together:
            width[group] = width[group].max()


class MinMaxScaling(Scaling):
    """The notebook's: scikit-learn's ``MinMaxScaler(feature_range=(-1, 1))``.

    The least and the greatest value so far go to -1 and 1; one outlier sets the range for good.
    """

    name = "minmax"

    def __init__(self, together: Sequence[Sequence[int]] = ()) -> None:
        super().__init__(together)
        self._low: Array = np.empty(0)
        self._high: Array = np.empty(0)

    def learn(self, hits: Array) -> None:
        """Widen the range, as ``MinMaxScaler.partial_fit`` does."""
        low, high = hits.min(axis=0), hits.max(axis=0)
        if self._low.size:
            low, high = np.minimum(self._low, low), np.maximum(self._high, high)
        self._low, self._high = low, high
        width = high - low
        self._share(width)
        self.scale = 2.0 / np.where(width < _NO_WIDTH, 1.0, width)
        self.offset = -1.0 - low * self.scale

    def as_dict(self) -> dict[str, Any]:
        """The least and the greatest value of each feature."""
        return {"name": self.name, "low": self._low.tolist(), "high": self._high.tolist()}

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Learn them, to the bit."""
        self.learn(np.array([stored["low"], stored["high"]], dtype=np.float64))


class RobustScaling(Scaling):
    """Quantiles at 10 and 90 % of the newest hits go to -1 and 1: an outlier moves nothing."""

    name = "robust"

    def __init__(self, together: Sequence[Sequence[int]] = ()) -> None:
        super().__init__(together)
        self._hits: Array = np.empty((0, 0))

    def learn(self, hits: Array) -> None:
        """Take in hits and let the oldest go."""
        held = hits if self._hits.size == 0 else np.concatenate([self._hits, hits])
        self._hits = held[-HELD:]
        low, high = np.quantile(self._hits, (TAIL, 1.0 - TAIL), axis=0)
        # With few hits a drum may lie wholly outside the quantiles: the range is never less than
        # a third of the extent.
        width = np.maximum(high - low, np.ptp(self._hits, axis=0) / 3.0)
        self._share(width)
        varies = width > _CONSTANT
        self.scale = np.where(varies, 2.0 / np.where(varies, width, 1.0), 1.0)
        self.offset = -(low + high) / 2.0 * self.scale

    def as_dict(self) -> dict[str, Any]:
        """The hits that it holds."""
        return {"name": self.name, "hits": self._hits.tolist()}

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Learn them, to the bit."""
        self.learn(np.array(stored["hits"], dtype=np.float64))


SCALINGS: dict[str, type[Scaling]] = {"minmax": MinMaxScaling, "robust": RobustScaling}
"""By the name that ``--scaling`` takes."""


def scaling_for(name: str, features: Sequence[str]) -> Scaling:
    """A scaling by name, that has heard nothing, for hits of these features."""
    return SCALINGS[name](
        [
            [place for place, feature in enumerate(features) if feature in group]
            for group in (BAND_FEATURES, MICROPHONE_FEATURES)
            if not {*group}.isdisjoint(features)
        ]
    )


def scaling_from(stored: Mapping[str, Any], features: Sequence[str]) -> Scaling:
    """A scaling as a kit has it."""
    out = scaling_for(stored["name"], features)
    out.restore(stored)
    return out
