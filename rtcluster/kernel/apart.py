"""How far apart two drums of one hit were struck.

:func:`configure` runs on a Python thread. The rest runs on the audio thread, for the final of a hit
of two taught drums, and while a kit is trained: no allocation, no exceptions, no locks.

The sound around the hit is measured in a few mel bands every 2 ms, over windows so short that a
second attack shows where it begins, as what the bands are under the loudest and as what they rise
by. A linear classifier over distances, one for each two drums, gives the probability of each, and
so their mean. What decides lies in an array that :mod:`rtcluster.learning.apart` makes before the
stream begins.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import carray

from rtcluster.events import NOBODY, NOT_TOLD
from rtcluster.kernel import fft
from rtcluster.kernel.click import as_pointer
from rtcluster.kernel.fft import clear, put
from rtcluster.kernel.jit import compiled
from rtcluster.kernel.shape import SILENT, Audio, fill_bands, finish_bands

BANDS = 8

HOP_S, LENGTH_S = 0.002, 0.004
"""From one frame to the next, and of a frame, in seconds."""

EARLY, FRAMES = 2, 20
"""Frames that begin before the hit, and all of them: to 38 ms after it."""

VALUES = (2 * FRAMES - 1) * BANDS

RANGE_DB, FALL_DB = np.float32(60.0), np.float32(6.0)
"""Under the loudest band of all frames, and from one frame to the next; what is lower counts as
this."""

LEVEL_STEP, RISE_STEP = np.float32(10.0), np.float32(6.0)
"""dB that count as one."""

BIN_S, BINS = 0.003, 21
"""Distances that are told apart, in seconds: the middle one is 0, the last 30 ms."""

LEAST_S = 0.006
"""Under this distance the drums are together."""

MAX_FRAME = 1024  # 4 ms at 192 kHz, to a power of two

Offsets: TypeAlias = tuple[int, int, int]

APART = np.dtype(
    [
        ("drums", "i4"),  # of the kit; 0: distances are not told
        ("samplerate", "f8"),
        ("hop", "i8"),  # samples
        ("length", "i8"),
        ("before", "i8"),  # samples from the first of all frames to the hit's first
        ("window", "f4", (MAX_FRAME,)),
        ("total", "f4"),  # sum of its squares
        ("first_bin", "i4", (BANDS,)),
        ("end_bin", "i4", (BANDS,)),
        ("first_weight", "i4", (BANDS,)),
        ("bin_weight", "f4", (MAX_FRAME,)),
        *fft.fields(MAX_FRAME),
        ("power", "f4", (MAX_FRAME // 2,)),
        ("decibels", "f4", (FRAMES, BANDS)),
        ("values", "f4", (VALUES,)),
        ("score", "f8", (BINS,)),
        ("weights", "u8"),  # address of float32 (pairs, BINS, VALUES + 1), the last the constant
    ],
    align=True,
)


def configure(record: Any, samplerate: float, top_hz: float) -> None:
    """Fill a record, but for what a kit has learned.

    Parameters
    ----------
    record : element of an APART array
    samplerate : float
        Hz.
    top_hz : float
        Bands that reach beyond this measure nothing.
    """
    hop, length = int(HOP_S * samplerate), int(LENGTH_S * samplerate)
    record["samplerate"], record["hop"], record["length"] = samplerate, hop, length
    record["before"] = EARLY * hop + length // 2
    window = np.hanning(length)
    record["window"][:length], record["total"] = window, (window**2).sum()
    frame = 1 << math.ceil(math.log2(length))
    fft.fill(record, frame)
    fill_bands(record, samplerate, frame, top_hz)


@compiled
def span_of_frames(record: Any) -> int:
    """Samples of all frames."""
    return (FRAMES - 1) * record.hop + record.length


@compiled
def measure_frames(record: Any, x: Audio, out: Audio) -> None:
    """What a distance is judged by.

    Parameters
    ----------
    record : APART record
    x : ndarray of float32, shape (span_of_frames(record),)
        From ``record.before`` samples before the hit on.
    out : ndarray of float32, shape (VALUES,)
        The bands of each frame, and then what they rise by to the next one.
    """
    decibels, loudest = record.decibels, SILENT
    for k in range(FRAMES):
        part = x[k * record.hop : k * record.hop + record.length]
        clear(record)
        for i in range(part.size):
            put(record, i, part[i] * record.window[i])
        finish_bands(record, record.total, decibels[k])
        for b in range(BANDS):
            loudest = max(loudest, decibels[k, b])
    for k in range(FRAMES):
        for b in range(BANDS):
            level = np.float32(10.0) * np.log10((decibels[k, b] + SILENT) / loudest)
            decibels[k, b] = max(level, -RANGE_DB)
            out[k * BANDS + b] = decibels[k, b] / LEVEL_STEP
            if k > 0:
                rise = max(decibels[k, b] - decibels[k - 1, b], -FALL_DB)
                out[(FRAMES + k - 1) * BANDS + b] = rise / RISE_STEP


@compiled
def distance(record: Any, pair: int) -> float:
    """Mean distance in seconds of the second drum of a pair after the first, by ``values``."""
    weights = carray(as_pointer(record.weights), ((pair + 1) * BINS, VALUES + 1), dtype=np.float32)[
        pair * BINS :
    ]
    top = -np.inf
    for k in range(BINS):
        score = np.float64(weights[k, VALUES])
        for v in range(VALUES):
            score += weights[k, v] * record.values[v]
        record.score[k] = score
        top = max(top, score)
    total = mean = 0.0
    for k in range(BINS):
        likely = math.exp(record.score[k] - top)
        total += likely
        mean += likely * BIN_S * (k - BINS // 2)
    return mean / total


@compiled
def pair_of(drums: int, first: int, second: int) -> int:
    """Place of two classes, ``first < second``, among all pairs of a kit's drums."""
    return first * (2 * drums - first - 1) // 2 + second - first - 1


@compiled
def offsets_of(record: Any, drums: tuple[int, int, int], x: Audio) -> Offsets:
    """Samples from the first of a hit's two drums to each, in the order of ``drums``.

    Parameters
    ----------
    record : APART record
        Of a kit.
    drums : tuple of int
        Classes, ``NOBODY`` where fewer sound.
    x : ndarray of float32
        As :func:`measure_frames` takes it.

    Returns
    -------
    tuple of int
        ``NOT_TOLD`` where one drum sounds or three do, or the two are together.
    """
    first, second = min(drums[0], drums[1]), max(drums[0], drums[1])
    if first < 0 or second >= record.drums or drums[2] != NOBODY:
        return NOT_TOLD, NOT_TOLD, NOT_TOLD
    measure_frames(record, x, record.values)
    apart = distance(record, pair_of(record.drums, first, second))
    if abs(apart) < LEAST_S:
        return NOT_TOLD, NOT_TOLD, NOT_TOLD
    samples = round(abs(apart) * record.samplerate)
    later = second if apart > 0.0 else first
    if drums[0] == later:
        return samples, 0, NOT_TOLD
    return 0, samples, NOT_TOLD


@compiled
def measure_pairs(record: Any, audio: npt.NDArray[np.float32], start: int, out: Audio) -> None:
    """:func:`measure_frames` of many hits, for training.

    Parameters
    ----------
    record : APART record
    audio : ndarray of float32, shape (n, length)
    start : int
        The first sample of each hit.
    out : ndarray of float32, shape (n, VALUES)
    """
    begin = start - record.before
    for n in range(audio.shape[0]):
        measure_frames(record, audio[n, begin : begin + span_of_frames(record)], out[n])
