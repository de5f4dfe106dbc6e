"""What every linear discriminant analysis here needs: means of the classes, and a covariance.

[any thread] Arithmetic on arrays.
"""

from __future__ import annotations

import numpy as np

from rtcluster.learning.scaling import Array, Labels


def means_of(values: Array, classes: Labels, count: int) -> tuple[Array, Labels]:
    """Mean of each class, and how many values it has.

    Parameters
    ----------
    values : ndarray of float64, shape (n, n_values)
    classes : ndarray of int64, shape (n,)
        From 0, each at least once.
    count : int
        Classes.

    Returns
    -------
    means : ndarray of float64, shape (count, n_values)
    sizes : ndarray of int64, shape (count,)
    """
    sizes = np.bincount(classes, minlength=count)
    means = np.zeros((count, values.shape[1]))
    np.add.at(means, classes, values)
    return means / sizes[:, None], sizes


def shrunk(covariance: Array, share: float) -> Array:
    """A covariance drawn by a share, 0 to 1, towards a multiple of the identity of its trace."""
    n = len(covariance)
    out = (1.0 - share) * covariance
    out[np.diag_indices(n)] += share * np.trace(covariance) / n
    return out
