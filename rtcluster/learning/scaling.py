"""Features in the range [-1, 1], as in the notebook, while that range still grows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import MinMaxScaler

Array = npt.NDArray[np.float64]


class GrowingScaler:
    """scikit-learn's ``MinMaxScaler(feature_range=(-1, 1))``, fitted hit by hit."""

    def __init__(self) -> None:
        self._scaler: Any = MinMaxScaler(feature_range=(-1, 1))

    def learn(self, x: Array) -> bool:
        """Widen the range by hits of shape (n_hits, n_features); tell whether it changed.

        Hits inside the range change nothing, so scikit-learn, whose checks take longer than
        all else that a hit costs, is not asked about them.
        """
        if self.fitted and bool(
            (x >= self._scaler.data_min_).all() and (x <= self._scaler.data_max_).all()
        ):
            return False
        self._scaler.partial_fit(x)
        return True

    @property
    def fitted(self) -> bool:
        """Whether it has had a hit."""
        return hasattr(self._scaler, "scale_")

    @property
    def scale(self) -> Array:
        """Factor per feature, shape (n_features,)."""
        return np.asarray(self._scaler.scale_)

    @property
    def offset(self) -> Array:
        """Summand per feature, shape (n_features,)."""
        return np.asarray(self._scaler.min_)

    def scaled(self, x: Array) -> Array:
        """Raw features in the present scale, as ``MinMaxScaler.transform``."""
        return x * self.scale + self.offset

    def raw(self, x: Array) -> Array:
        """Scaled features in their own units, as ``MinMaxScaler.inverse_transform``."""
        return (x - self.offset) / self.scale
