"""What is measured of a hit: the features of a window, in compiled loops.

Runs on the audio thread. The functions agree with the libraries of the notebook, which
is what ``tests/parity`` holds them to.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from rtcluster.kernel.jit import compiled

ZERO = np.float32(1e-10)
"""Magnitude up to which a sample counts as zero: librosa's default threshold."""


@compiled
def zero_crossings(x: npt.NDArray[np.float32]) -> int:
    """Count zero crossings as ``librosa.zero_crossings(x).sum()`` does.

    Parameters
    ----------
    x : ndarray of float32, shape (n,)
        The window.

    Returns
    -------
    int
        Number of samples whose sign differs from the one before; the first sample counts
        (librosa's ``pad=True``), zero is positive, and so is anything within 1e-10 of it.
    """
    if x.size == 0:
        return 0
    count = 1
    below = x[0] < -ZERO
    for i in range(1, x.size):
        now = x[i] < -ZERO
        count += now != below
        below = now
    return count


@compiled
def energy(x: npt.NDArray[np.float32]) -> float:
    """L2 norm of the window, as ``scipy.linalg.norm(x)``.

    Summed in float64, so that no float32 sample can overflow or vanish.

    Parameters
    ----------
    x : ndarray of float32, shape (n,)

    Returns
    -------
    float
    """
    total = 0.0
    for i in range(x.size):
        sample = np.float64(x[i])
        total += sample * sample
    return math.sqrt(total)


@compiled
def measure(x: npt.NDArray[np.float32], out: npt.NDArray[np.float64]) -> None:
    """Write the features of a window, in the order of :data:`FEATURES`, into ``out``."""
    out[0] = zero_crossings(x)
    out[1] = energy(x)


FEATURES = ("zcr", "energy")
"""Names of what :func:`measure` writes."""
