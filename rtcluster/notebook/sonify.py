"""Clicks on hits, to hear what was found, as arrays and as encoded players.

Each class has a pitch of its own (:mod:`rtcluster.playback.tones`), so ears tell classes apart as
colours do for eyes. The clicks of ``rtcluster export`` are these too.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import soundfile
from numpy.typing import ArrayLike, NDArray

from rtcluster.playback.tones import add_clicks, level

EXCERPT_S = 120.0
"""Players and WAVs hold at most this much of a file, in s."""

LOSSLESS_S = 30.0
"""Players up to this length are FLAC, longer ones MP3, in s; both play in every browser."""

_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


@dataclass(frozen=True, slots=True)
class EncodedAudio:
    """Encoded sound for an HTML audio element.

    Parameters
    ----------
    mime : str
        Media type.
    data : bytes
        The encoded file.
    seconds : float
        Length in s.
    """

    mime: str
    data: bytes
    seconds: float


def excerpt(x: NDArray[np.float32], fs: int) -> NDArray[np.float32]:
    """Return the first `EXCERPT_S` of a signal, shape (n,), in memory."""
    return np.array(x[: int(EXCERPT_S * fs)], np.float32)


def with_clicks(
    x: NDArray[np.float32], fs: int, times: ArrayLike, labels: ArrayLike | None = None
) -> NDArray[np.float32]:
    """Add a click at each of the given times.

    Parameters
    ----------
    x : ndarray of float32, shape (n_samples,)
        Mono signal.
    fs : int
        Sampling rate in Hz.
    times : array_like of float, shape (n_hits,)
        Times in s; those outside the signal are left out.
    labels : array_like of int, shape (n_hits,), optional
        Class of each hit, which sets the pitch.

    Returns
    -------
    ndarray of float32, shape (n_samples,)
        Signal and clicks, turned down where they would clip.
    """
    at = np.asarray(times, float)
    classes = np.zeros(len(at), int) if labels is None else np.asarray(labels)
    inside = (at >= 0) & (at < len(x) / fs)
    mixed = x.astype(np.float64)
    starts = np.round(at[inside] * fs).astype(np.int64)
    add_clicks(mixed, fs, starts, classes[inside], level(float(np.abs(x).max(initial=0.0))))
    peak = float(np.abs(mixed).max(initial=0.0))
    return (mixed / max(1.0, peak / 0.98)).astype(np.float32)


def wav(x: NDArray[np.float32], fs: int) -> bytes:
    """Return a signal as a WAV file of 16 bits."""
    return _encoded(x, fs, "WAV", "PCM_16")


def player(x: NDArray[np.float32], fs: int) -> EncodedAudio:
    """Encode a signal for a data URI: FLAC while short, MP3 where it is long.

    Parameters
    ----------
    x : ndarray of float32, shape (n_samples,)
        Mono signal, clipped to full scale.
    fs : int
        Sampling rate in Hz.

    Returns
    -------
    Player
        The encoded sound. FLAC too where libsndfile writes no MP3, or not at this rate.
    """
    seconds = len(x) / fs
    if seconds > LOSSLESS_S and fs in _MP3_RATES and "MP3" in soundfile.available_formats():
        return EncodedAudio("audio/mpeg", _encoded(x, fs, "MP3", "MPEG_LAYER_III"), seconds)
    return EncodedAudio("audio/flac", _encoded(x, fs, "FLAC", "PCM_16"), seconds)


def _encoded(x: NDArray[np.float32], fs: int, form: str, subtype: str) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(x, -1.0, 1.0), fs, format=form, subtype=subtype)
    return buffer.getvalue()
