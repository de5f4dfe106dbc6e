"""Onsets and features by librosa and SciPy: the notebook's first half.

The numbers are those of the notebook's own calls, defaults included; parity tests stand on them.
Only the memory differs: the onset strength of a signal longer than `WHOLE` samples is computed in
blocks of frames (`strength_in_blocks`), which gives the same curve up to float32 rounding.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import librosa
import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray
from sklearn.preprocessing import MinMaxScaler

from rtcluster.durations import WINDOW_S
from rtcluster.engine.samples import as_float32
from rtcluster.notebook.audio import Tick, silent

HOP = 512
"""Samples from one frame to the next; librosa's default."""

FRAME = 2048
"""Samples in a frame of the mel spectrogram; librosa's default."""

WHOLE = 10 * 60 * 22050
"""Samples up to which librosa is given the whole signal at once."""

_FRAMES_PER_BLOCK = 4096
_AMIN, _TOP_DB = 1e-10, 80.0  # defaults of librosa.power_to_db, which onset_strength uses


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """What was measured at each onset, before any clustering.

    Parameters
    ----------
    samplerate : int
        Sampling rate in Hz.
    strength : ndarray of float32, shape (n_frames,)
        Onset strength, one value every `HOP` samples.
    onset_frames : ndarray of int64, shape (n_hits,)
        Frames at which onsets were picked.
    onset_samples : ndarray of int64, shape (n_hits,)
        The same as sample indices.
    features : ndarray of float64, shape (n_hits, 2)
        Zero crossings (count) and energy (L2 norm of the window, full scale at 1).
    scaled : ndarray of float64, shape (n_hits, 2)
        `features`, each column scaled to [-1, 1].
    scaler : MinMaxScaler or None
        The fitted scaler; None where there was no hit.
    """

    samplerate: int
    strength: NDArray[np.float32]
    onset_frames: NDArray[np.int64]
    onset_samples: NDArray[np.int64]
    features: NDArray[np.float64]
    scaled: NDArray[np.float64]
    scaler: MinMaxScaler | None

    @property
    def onset_times(self) -> NDArray[np.float64]:
        """Onsets in s, shape (n_hits,)."""
        return self.onset_samples / float(self.samplerate)

    def __len__(self) -> int:
        """Return the number of hits."""
        return len(self.onset_samples)


def measure(
    x: ArrayLike, fs: int, *, delta: float = 0.04, wait: int = 4, tick: Tick = silent
) -> Hits:
    """Find the onsets of a signal and measure the 90 ms after each.

    Parameters
    ----------
    x : array_like of float, shape (n_samples,)
        Mono signal, full scale at 1; integers are scaled by their type. Used as float32.
    fs : int
        Sampling rate in Hz.
    delta : float
        How far the normalised onset strength must stand above its local mean, 0 to 1.
    wait : int
        Least distance between onsets, in frames of 512 samples.
    tick : callable
        Told the work done and the whole work, for long signals.

    Returns
    -------
    Hits
        Onsets, features and scaled features.

    Raises
    ------
    ValueError
        If the signal is not one row of finite numbers, or a parameter is out of range.
    """
    signal = as_float32(x)
    if signal.ndim != 1:
        raise ValueError(f"Expected a mono signal of shape (n_samples,), got {signal.shape}.")
    if fs <= 0:
        raise ValueError(f"Expected a sampling rate above 0 Hz, got {fs}.")
    check(delta, wait)
    if not all(np.isfinite(part).all() for part in _blocks(signal)):
        raise ValueError("Expected finite samples, got NaN or infinity.")

    strength = onset_strength(signal, fs, tick)
    frames = np.zeros(0, np.int64)
    if len(strength):
        frames = librosa.onset.onset_detect(
            onset_envelope=strength, sr=fs, hop_length=HOP, delta=delta, wait=wait
        ).astype(np.int64)
    samples = librosa.frames_to_samples(frames, hop_length=HOP).astype(np.int64)
    inside = samples < len(signal)  # the last, centred frame may start past the end
    frames, samples = frames[inside], samples[inside]

    features = measure_at(signal, fs, samples)
    scaler = MinMaxScaler(feature_range=(-1, 1)) if len(features) else None
    scaled = scaler.fit_transform(features) if scaler is not None else features.copy()
    return Hits(int(fs), strength, frames, samples, features, scaled, scaler)


LONGEST_WAIT = 1_000_000
"""Frames, well over an hour at any rate: one hit."""


def check(delta: float, wait: int) -> None:
    """Raise ValueError where a parameter of librosa's peak picking is out of range."""
    if not 0.0 <= delta <= 1.0:
        raise ValueError(f"Expected a delta from 0 to 1, got {delta:g}.")
    if not 0 <= wait <= LONGEST_WAIT:
        raise ValueError(f"Expected a wait of 0 to {LONGEST_WAIT} frames, got {wait}.")


def measure_at(
    x: NDArray[np.float32], fs: int, onset_samples: ArrayLike, spans: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Count zero crossings and take the energy after each of the given onsets.

    Parameters
    ----------
    x : ndarray of float32, shape (n_samples,)
        Mono signal.
    fs : int
        Sampling rate in Hz.
    onset_samples : array_like of int, shape (n_hits,)
        First sample of each window.
    spans : array_like of int, shape (n_hits,), optional
        Length of each window in samples; by default ``x[i : int(i + fs * 0.090)]``.

    Returns
    -------
    ndarray of float64, shape (n_hits, 2)
        ``librosa.zero_crossings(window).sum()`` and ``scipy.linalg.norm(window)``; zeros for
        an empty window.
    """
    starts = [int(i) for i in np.asarray(onset_samples)]
    stops = (
        [int(i + fs * WINDOW_S) for i in starts]
        if spans is None
        else [i + int(n) for i, n in zip(starts, np.asarray(spans), strict=True)]
    )
    features = np.zeros((len(starts), 2))
    for row, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        window = np.asarray(x[start:stop])
        if len(window):
            features[row] = librosa.zero_crossings(window).sum(), scipy.linalg.norm(window)
    return features


def onset_strength(x: NDArray[np.float32], fs: int, tick: Tick = silent) -> NDArray[np.float32]:
    """Return librosa's onset strength, shape (n_frames,), of a signal of any length."""
    if len(x) == 0:
        return np.zeros(0, np.float32)
    with warnings.catch_warnings():
        # Both are about signals too short, or rates too low, to fill every band.
        warnings.filterwarnings("ignore", "n_fft=.* is too large", UserWarning)
        warnings.filterwarnings("ignore", "Empty filters detected", UserWarning)
        if len(x) <= WHOLE:
            whole = librosa.onset.onset_strength(y=np.asarray(x), sr=fs, hop_length=HOP)
            return np.asarray(whole, np.float32)
        return strength_in_blocks(x, fs, tick)


def strength_in_blocks(x: NDArray[np.float32], fs: int, tick: Tick = silent) -> NDArray[np.float32]:
    """Compute librosa's default onset strength a block of frames at a time.

    The mean over 128 mel bands of the rise in dB from frame to frame, rises only. Librosa cuts
    the levels 80 dB below the loudest one of the whole signal, so a first pass finds that.

    Parameters
    ----------
    x : ndarray of float32, shape (n_samples,)
        Mono signal.
    fs : int
        Sampling rate in Hz.
    tick : callable
        Told the frames done and all frames of both passes.

    Returns
    -------
    ndarray of float32, shape (1 + n_samples // 512,)
        Equal to ``librosa.onset.onset_strength(y=x, sr=fs)`` up to float32 rounding.
    """
    n_frames = 1 + len(x) // HOP
    firsts = range(0, n_frames, _FRAMES_PER_BLOCK)
    peak = _AMIN
    for first in firsts:
        peak = max(peak, float(_mel(x, fs, first, n_frames).max()))
        tick(first, 2 * n_frames)
    floor = 10.0 * np.log10(peak) - _TOP_DB

    rises: list[NDArray[np.float32]] = []
    last: NDArray[np.float32] | None = None
    for first in firsts:
        power = _mel(x, fs, first, n_frames)
        level = np.maximum(10.0 * np.log10(np.maximum(_AMIN, power)), floor).astype(np.float32)
        if last is not None:
            level = np.concatenate((last, level), axis=1)
        rises.append(np.maximum(0.0, np.diff(level, axis=1)).mean(axis=0))
        last = level[:, -1:]
        tick(n_frames + first, 2 * n_frames)
    # One frame for the difference, and half a frame so that a rise is told where it begins.
    shift = 1 + FRAME // (2 * HOP)
    return np.concatenate((np.zeros(shift, np.float32), *rises))[:n_frames]


def _mel(x: NDArray[np.float32], fs: int, first: int, n_frames: int) -> NDArray[np.float32]:
    """Return mel power, shape (128, up to `_FRAMES_PER_BLOCK`), of the frames from `first` on."""
    last = min(first + _FRAMES_PER_BLOCK, n_frames) - 1
    start, stop = first * HOP - FRAME // 2, last * HOP + FRAME // 2
    part = np.asarray(x[max(0, start) : stop])
    part = np.pad(part, (max(0, -start), max(0, stop - len(x))))
    mel = librosa.feature.melspectrogram(y=part, sr=fs, n_fft=FRAME, hop_length=HOP, center=False)
    return np.asarray(mel, np.float32)


def _blocks(x: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    return [x[i : i + (1 << 20)] for i in range(0, len(x), 1 << 20)]
