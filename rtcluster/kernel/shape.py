"""The shape of a hit's spectrum: the power in mel bands of one stretch after the other.

:func:`configure` runs on a Python thread. The rest runs on the audio thread, for a guess and for a
final, and while a kit is trained: no allocation, no exceptions, no locks.

A stretch is weighed by a window that is flat and fades over its second half, so that the attack
counts in full. What sounded just before the hit is measured under a Hann window and taken away,
band by band: a cymbal that still rings is no part of the next stroke. What is left is told relative
to its loudest band, so the gain does not count, and in bands of Hz, so the rate does not.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.kernel import fft
from rtcluster.kernel.fft import clear, put, transform, unpack
from rtcluster.kernel.jit import compiled
from rtcluster.kernel.spectrum import LOUDEST
from rtcluster.settings import BANDS

Audio = npt.NDArray[np.float32]

LOWEST_HZ, HIGHEST_HZ = 40.0, 16000.0

EDGES_S = (0.010, 0.030, 0.060, 0.090)
"""Ends of the stretches after a hit's first sample, in seconds; the guess's end is one more."""

LONGEST_S = 0.030
"""Of a stretch between two of these; the FFT holds it at every rate."""

WHOLE_S = 0.060
"""Of the one stretch that untaught classes are told apart by, in seconds."""

BEFORE_S = 0.023
"""Of what sounds before a hit."""

MAX_STRETCHES = 8
MAX_FRAME = 16384  # 60 ms at 192 kHz, to a power of two

MAX_BANDS = 80
"""Bands of a stretch over all microphones."""

MAX_VALUES = 2 * MAX_STRETCHES * MAX_BANDS

FADE = 1024
"""Points of the table that a window's fade is read from."""

FLOOR_SHARE = np.float32(0.02)
"""What is left of a band at least when what sounded before is taken away."""

SILENT = np.float32(1e-12)
"""Mean square of a band that is as good as nothing: -120 dBFS."""

RANGE_DB = np.float32(50.0)
"""Under the loudest band; what is softer counts as this."""

ROOT_LENGTH = np.float32(30.0)
"""Length of the vector of cube roots, so that it weighs about as much as the decibels."""

LEAST = 32
"""Samples of a stretch that the next hit cut short; with fewer it is taken for silence."""

SHAPE = np.dtype(
    [
        ("before", "i8"),  # samples
        ("stretches", "i8"),
        ("edges", "i8", (MAX_STRETCHES + 1,)),  # samples after the hit's first; the first is 0
        ("first_bin", "i4", (BANDS,)),
        ("end_bin", "i4", (BANDS,)),  # no bins: a band over what can be heard
        ("first_weight", "i4", (BANDS,)),
        ("bin_weight", "f4", (MAX_FRAME,)),
        ("fade", "f4", (FADE,)),  # half a Hann window, falling
        *fft.fields(MAX_FRAME),
        ("power", "f4", (MAX_FRAME // 2,)),
    ],
    align=True,
)


def mel(hertz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Slaney's mel scale, as librosa has it: linear to 1 kHz, then 27 steps for a factor of 6.4."""
    f = np.asarray(hertz, np.float64)
    return np.where(
        f < 1000.0, f * 3.0 / 200.0, 15.0 + 27.0 * np.log(np.maximum(f, 1.0) / 1000.0) / np.log(6.4)
    )


def hertz(mels: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The inverse of :func:`mel`."""
    m = np.asarray(mels, np.float64)
    return np.where(m < 15.0, m * 200.0 / 3.0, 1000.0 * 6.4 ** ((m - 15.0) / 27.0))


def edges_of(samplerate: float, guess: int, window: int) -> list[int]:
    """Ends of the stretches in samples, after a first 0.

    Parameters
    ----------
    samplerate : float
        Hz.
    guess, window : int
        Spans in samples: each is an end, as far as it lies within the last of :data:`EDGES_S`.
    """
    last = min(window, int(EDGES_S[-1] * samplerate))
    inner = {int(end * samplerate) for end in EDGES_S} | {guess}
    ends = sorted({end for end in inner if 0 < end < last} | {last})
    return [0, *ends]


def configure(record: Any, samplerate: float, top_hz: float, edges: list[int]) -> None:
    """Fill a record.

    Parameters
    ----------
    record : element of a SHAPE array
    samplerate : float
        Hz.
    top_hz : float
        Bands that reach beyond this measure nothing: above it one of the rates has no sound.
    edges : list of int
        As :func:`edges_of` gives them.
    """
    longest = max(LONGEST_S * samplerate, *np.diff(edges))
    frame = 1 << math.ceil(math.log2(longest + 1))
    record["before"] = int(BEFORE_S * samplerate)
    record["stretches"] = len(edges) - 1
    record["edges"][: len(edges)] = edges
    fft.fill(record, frame)
    record["fade"] = 0.5 + 0.5 * np.cos(np.pi * np.arange(FADE) / (FADE - 1))
    fill_bands(record, samplerate, frame, top_hz)


def fill_bands(record: Any, samplerate: float, frame: int, top_hz: float) -> None:
    """Fill the mel bands of a record, as many as it has, for frames of so many samples.

    Parameters
    ----------
    record : element of an array with the fields of SHAPE for its bands
    samplerate : float
        Hz.
    frame : int
        Samples.
    top_hz : float
        Bands that reach beyond this measure nothing.
    """
    bands = record["first_bin"].size
    corners = hertz(np.linspace(mel(LOWEST_HZ), mel(HIGHEST_HZ), bands + 2))
    frequency = np.arange(frame // 2) * samplerate / frame
    used = 0
    for band, (low, centre, high) in enumerate(
        zip(corners[:-2], corners[1:-1], corners[2:], strict=True)
    ):
        weight = np.minimum(
            (frequency - low) / (centre - low), (high - frequency) / (high - centre)
        ).clip(0.0)
        bins = np.flatnonzero(weight)
        if high > top_hz or not bins.size:
            record["first_bin"][band] = record["end_bin"][band] = 0
            continue
        record["first_bin"][band], record["end_bin"][band] = bins[0], bins[-1] + 1
        record["first_weight"][band] = used
        record["bin_weight"][used : used + bins[-1] + 1 - bins[0]] = weight[bins[0] : bins[-1] + 1]
        used += int(bins[-1] + 1 - bins[0])


@compiled
def offset_of(x: Audio) -> Any:
    """Mean of what sounds before a hit: an input's constant offset; 0 of nothing.

    It would leak into every band of a stretch, whose window begins at once.
    """
    total = np.float32(0.0)
    for i in range(x.size):
        total += min(max(x[i], -LOUDEST), LOUDEST)
    return total / np.float32(max(1, x.size))


@compiled
def measure_before(record: Any, x: Audio, offset: Any, out: Audio) -> None:
    """Power in the bands of what sounds before a hit, under a Hann window.

    Parameters
    ----------
    record : SHAPE record
    x : ndarray of float32, shape (n,)
    offset : float32
        Taken off every sample, see :func:`offset_of`.
    out : ndarray of float32, shape (BANDS,)
    """
    half, total = x.size // 2, np.float32(0.0)
    clear(record)
    if half > 1:
        for i in range(x.size):
            edge = i if i < half else x.size - 1 - i
            weight = np.float32(1.0) - record.fade[min(edge, half - 1) * (FADE - 1) // (half - 1)]
            total += weight * weight
            put(record, i, (x[i] - offset) * weight)
    finish_bands(record, total, out)


@compiled
def measure_stretch(record: Any, x: Audio, offset: Any, out: Audio) -> None:
    """Power in the bands of a stretch of a hit, which fades over its second half.

    Parameters
    ----------
    record : SHAPE record
    x : ndarray of float32, shape (n,)
    offset : float32
        Taken off every sample, see :func:`offset_of`.
    out : ndarray of float32, shape (BANDS,)
    """
    flat, total = x.size // 2, np.float32(0.0)
    rest = max(1, x.size - flat - 1)
    clear(record)
    if x.size >= LEAST:
        for i in range(x.size):
            weight = np.float32(1.0)
            if i >= flat:
                weight = record.fade[(i - flat) * (FADE - 1) // rest]
            total += weight * weight
            put(record, i, (x[i] - offset) * weight)
    finish_bands(record, total, out)


@compiled
def finish_bands(record: Any, total: Any, out: Audio) -> None:
    """Transform what was placed, and sum its powers in the bands, over ``total``."""
    out[:] = np.float32(0.0)
    if total <= np.float32(0.0):
        return
    transform(record)
    unpack(record)
    for band in range(out.size):
        first, count = record.first_bin[band], record.end_bin[band] - record.first_bin[band]
        at, power = record.first_weight[band], np.float32(0.0)
        for k in range(count):
            power += record.bin_weight[at + k] * record.power[first + k]
        out[band] = power / total


def bands_of(microphones: int) -> int:
    """Bands of a stretch that each of so many microphones is judged by: neighbours are summed."""
    return next(BANDS // width for width in (1, 2, 5) if BANDS // width * microphones <= MAX_BANDS)


@compiled
def own_powers(powers: npt.NDArray[np.float32], stretches: int, bands: int, out: Audio) -> int:
    """A hit's own powers, without what sounded before it, in neighbouring bands together.

    Parameters
    ----------
    powers : ndarray of float32, shape (1 + stretches, BANDS) or more
        Row 0 is what sounded before.
    stretches, bands : int
        ``bands`` divides :data:`BANDS`.
    out : ndarray of float32, shape (stretches * bands,) or more

    Returns
    -------
    int
        Values written.
    """
    width = BANDS // bands
    for s in range(stretches):
        for b in range(bands):
            own = own_power(powers, s, b * width)
            for k in range(1, width):
                own += own_power(powers, s, b * width + k)
            out[s * bands + b] = own
    return stretches * bands


@compiled
def represent(own: Audio, out: Audio) -> int:
    """What a hit is judged by, from its own powers.

    Parameters
    ----------
    own : ndarray of float32, shape (n,)
        As :func:`own_powers` gives them, of one microphone after the other.
    out : ndarray of float32, shape (2 * n,) or more
        dB under the loudest band, then the cube roots of the powers, normed.

    Returns
    -------
    int
        Values written.
    """
    count = own.size
    loudest = SILENT
    for i in range(count):
        loudest = max(loudest, own[i])
    total = np.float32(0.0)
    for i in range(count):
        decibels = np.float32(10.0) * np.log10(own[i] / loudest)
        decibels = max(decibels, -RANGE_DB)
        root = np.exp(np.float32(math.log(10.0) / 30.0) * decibels)
        out[i], out[count + i] = decibels, root
        total += root * root
    scale = ROOT_LENGTH / np.sqrt(total)
    for i in range(count, 2 * count):
        out[i] *= scale
    return 2 * count


@compiled
def represent_whole(powers: npt.NDArray[np.float32], out: npt.NDArray[np.float64]) -> None:
    """What an untaught hit is told apart by: the fourth roots of its powers, of length 1.

    The gain does not count, and the weak bands do nearly as much as the strong ones.

    Parameters
    ----------
    powers : ndarray of float32, shape (2, BANDS) or more
        Row 0 is what sounded before, row 1 the hit's one stretch.
    out : ndarray of float64, shape (BANDS,)
    """
    total = 0.0
    for b in range(BANDS):
        out[b] = math.sqrt(math.sqrt(np.float64(own_power(powers, 0, b))))
        total += out[b] * out[b]
    scale = 1.0 / math.sqrt(total)
    for b in range(BANDS):
        out[b] *= scale


@compiled
def own_power(powers: npt.NDArray[np.float32], stretch: int, band: int) -> Any:
    """A hit's own power in a band of a stretch: without what sounded before it."""
    now = powers[1 + stretch, band]
    return max(now - powers[0, band], FLOOR_SHARE * now) + SILENT


@compiled
def measure_all(
    record: Any,
    audio: npt.NDArray[np.float32],
    starts: npt.NDArray[np.int64],
    out: npt.NDArray[np.float32],
) -> None:
    """Powers of many hits, for training.

    Parameters
    ----------
    record : SHAPE record
    audio : ndarray of float32, shape (n, microphones, length)
    starts : ndarray of int64, shape (n,)
        The first sample of each hit, at least ``record.before``.
    out : ndarray of float32, shape (n, microphones, 1 + stretches, BANDS)
    """
    for n in range(audio.shape[0]):
        for m in range(audio.shape[1]):
            row, start = audio[n, m], starts[n]
            before = row[start - record.before : start]
            offset = offset_of(before)
            measure_before(record, before, offset, out[n, m, 0])
            for s in range(record.stretches):
                part = row[start + record.edges[s] : start + record.edges[s + 1]]
                measure_stretch(record, part, offset, out[n, m, 1 + s])


@compiled
def represent_all(own: Audio, out: Audio) -> None:
    """:func:`represent` of many hits, shapes (n, values / 2) and (n, values)."""
    for n in range(own.shape[0]):
        represent(own[n], out[n])


@compiled
def own_of_all(powers: npt.NDArray[np.float32], stretches: int, bands: int, out: Audio) -> None:
    """:func:`own_powers` of many hits, microphone by microphone.

    Shapes (n, microphones, 1 + stretches, BANDS) and (n, microphones * stretches * bands).
    """
    each = stretches * bands
    for n in range(powers.shape[0]):
        for m in range(powers.shape[1]):
            own_powers(powers[n, m], stretches, bands, out[n, m * each : (m + 1) * each])
