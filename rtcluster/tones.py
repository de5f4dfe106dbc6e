"""What a class sounds like: a short tone with a pitch of its own, or a sample from a file.

The report's players and the live click take it from here, so a class sounds the same in both.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rtcluster.errors import SourceError

LONGEST_S = 10.0
"""Longest sample of a drum, in seconds."""

_BASE_HZ = 1000.0  # the pitch of mir_eval's own click
_SEMITONES = (0, 7, 12, 3, 10, 17, -5, 5)

PITCHES = len(_SEMITONES)
"""Classes with a pitch of their own; the next one has the first one's."""


def click(fs: int, label: int = 0) -> NDArray[np.float64]:
    """Return the click of a class: a sine of 100 ms that dies with 10 ms, peak under 1.

    Parameters
    ----------
    fs : int
        Sampling rate in Hz.
    label : int
        The class; 0, and -1 for no class, sound at 1000 Hz.

    Returns
    -------
    ndarray of float64, shape (n,)
        The click.
    """
    steps = _SEMITONES[label % PITCHES] if label > 0 else 0
    pitch = min(_BASE_HZ * 2 ** (steps / 12), 0.4 * fs)
    t = np.arange(int(0.1 * fs)) / fs
    return np.asarray(np.sin(2 * np.pi * pitch * t) * np.exp(-t / 0.010), np.float64)


def read(path: str) -> tuple[NDArray[np.float32], int]:
    """Read the sample of a drum: an audio file, its channels averaged.

    Returns
    -------
    ndarray of float32, shape (n,)
    int
        Its rate in Hz.

    Raises
    ------
    SourceError
        If it cannot be read, holds a NaN or an Inf, or is longer than `LONGEST_S`.
    """
    from rtcluster.sources.file import FileSource

    with FileSource(path) as source:
        rate = source.samplerate
        if source.frames is None or source.frames > LONGEST_S * rate:
            raise SourceError(f"Expected a sound of at most {LONGEST_S:g} s in {path}, got more.")
        x = np.concatenate([block.mean(axis=1) for block in source.blocks()])
    if not np.isfinite(x).all():
        raise SourceError(f"Expected a sound in {path}, got NaN or Inf.")
    return np.asarray(x, np.float32), rate


def resampled(x: NDArray[np.float32], rate: int, fs: int) -> NDArray[np.float32]:
    """Return a sound of one rate at another, both in Hz."""
    if rate == fs:
        return x
    from scipy.signal import resample_poly  # brought by scikit-learn; slow to import

    common = math.gcd(rate, fs)
    return np.asarray(resample_poly(x, fs // common, rate // common), np.float32)
