"""What a class sounds like: a short tone with a pitch of its own, or a sample from a file.

The report's players and the live click take it from here, so a class sounds the same in both.
"""

from __future__ import annotations

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


def level(peak: float) -> float:
    """Return the peak of clicks over a sound of this peak, 1.0 being full scale."""
    return 0.6 * max(0.1, peak)


def add_clicks(
    mixed: NDArray[np.float64],
    fs: int,
    starts: NDArray[np.int64],
    labels: NDArray[np.int64],
    peak: float,
) -> None:
    """Add clicks to a signal, or to a block of one, where it is.

    Parameters
    ----------
    mixed : ndarray of float64, shape (n_samples,)
        What they are added to.
    fs : int
        Sampling rate in Hz.
    starts : ndarray of int, shape (n_hits,)
        Where each begins, in samples from the start of `mixed`. Of one that begins before it or
        ends after it, the part inside is added.
    labels : ndarray of int, shape (n_hits,)
        Class of each, which sets the pitch.
    peak : float
        Peak of each.
    """
    clicks = {label: peak * click(fs, label) for label in np.unique(labels).tolist()}
    for start, label in zip(starts.tolist(), labels.tolist(), strict=True):
        sound = clicks[label]
        begin, end = max(0, start), min(len(mixed), start + len(sound))
        if begin < end:
            mixed[begin:end] += sound[begin - start : end - start]


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
    import soxr

    return np.asarray(soxr.resample(x, rate, fs, quality="HQ"), np.float32)
