"""Nearest centre: which class a hit belongs to.

[audio thread] The scores are computed as scikit-learn's k-means does,
``|c|^2 - 2 x.c`` with the lowest index winning a tie, so that the class equals
``MiniBatchKMeans.predict`` of the model that was published.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.events import LEARNING, UNKNOWN
from rtcluster.kernel.jit import compiled

NO_SPREAD = 1e-9
"""Spread, scaled, of hits that do not differ at all."""


@compiled
def nearest_centre(
    x: npt.NDArray[np.float64], n: int, centres: npt.NDArray[np.float64], count: int
) -> int:
    """Index of the centre nearest to a point.

    Parameters
    ----------
    x : ndarray of float64, shape (>= n,)
        The point, scaled.
    n : int
        Number of features.
    centres : ndarray of float64, shape (>= count, >= n)
    count : int
        Number of centres.

    Returns
    -------
    int
        -1 if there is none.
    """
    best, best_score = -1, np.inf
    for c in range(count):
        square, dot = 0.0, 0.0
        for f in range(n):
            square += centres[c, f] * centres[c, f]
            dot += x[f] * centres[c, f]
        score = square - 2.0 * dot
        if score < best_score:
            best, best_score = c, score
    return best


@compiled
def distance(x: npt.NDArray[np.float64], n: int, centre: npt.NDArray[np.float64]) -> float:
    """Euclidean distance over the first ``n`` features."""
    total = 0.0
    for f in range(n):
        total += (x[f] - centre[f]) * (x[f] - centre[f])
    return math.sqrt(total)


@compiled
def classify(
    model: Any, stage: int, raw: npt.NDArray[np.float64], scaled: npt.NDArray[np.float64]
) -> tuple[int, float]:
    """Class and margin of a hit by a model record.

    Parameters
    ----------
    model : record of :data:`rtcluster.kernel.state.MODEL`
    stage : int
        Which features: 0 the guess's, 1 the final's.
    raw : ndarray of float64, shape (MAX_FEATURES,)
        The features as measured.
    scaled : ndarray of float64, shape (MAX_FEATURES,)
        Work space; holds the scaled features afterwards.

    Returns
    -------
    class_ : int
        -1 where the model is empty, -2 where the hit is too far from every centre.
    margin : float
        ``(d2 - d1) / (d2 + d1)`` of the distances to the nearest centre and to the nearest
        one of another class: 0 between two classes, 1 on a centre or where there is but one.
    """
    n, count = model.n_features, model.n_centres[stage]
    if count == 0:
        return LEARNING, 0.0
    for f in range(n):
        scaled[f] = raw[f] * model.scale[stage, f] + model.offset[stage, f]
    centres = model.centres[stage]
    first = nearest_centre(scaled, n, centres, count)
    if first < 0:
        return LEARNING, 0.0
    owner = model.owner[stage]
    class_ = owner[first]
    near, far = distance(scaled, n, centres[first]), np.inf
    for c in range(count):
        if owner[c] != class_:
            far = min(far, distance(scaled, n, centres[c]))
    if model.reject > 0.0 and near > model.reject * max(model.spread[stage, first], NO_SPREAD):
        class_ = UNKNOWN
    if far == np.inf:
        return class_, 1.0
    if near + far == 0.0:
        return class_, 0.0
    return class_, max(0.0, (far - near) / (far + near))
