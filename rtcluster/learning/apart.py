"""Learning how far apart two drums of a hit were struck, from pairs made of taught strokes.

For each two drums of a kit, pairs at known distances are made as those of
:mod:`rtcluster.learning.examples` are, and measured by the kernel's own functions. Linear
discriminant analysis over bins of the distance: one covariance for all bins, shrunk towards a
multiple of the identity. Deterministic for a kit and a rate. Belongs to the main thread, before a
stream begins.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.kernel import apart as kernel
from rtcluster.kernel.apart import APART, BIN_S, BINS, VALUES
from rtcluster.kernel.entry import measure_pairs
from rtcluster.learning.discriminant import means_of, shrunk
from rtcluster.learning.examples import (
    GAIN_DB,
    JITTER_S,
    NOISE,
    TAIL_AFTER_S,
    TAIL_DB,
    TAIL_ODDS,
    add,
)
from rtcluster.learning.strokes import LEAD_S, Audio, Stroke
from rtcluster.learning.threads import one_thread

DRUMS = range(2, 10)
"""Drums of a kit whose distances are told. With more, there are too many pairs to learn."""

EXAMPLES, MOST = 600, 3600
"""Of each two drums, and of all of them at most."""

TOGETHER = 0.3
"""Share of the examples that lie in the middle bin; in the others there are as many in each."""

SHRINKAGE = 0.5
"""Share of the identity in the covariance."""

SEED = 0


@dataclass(frozen=True, slots=True)
class Apart:
    """What the kernel needs to tell distances.

    Attributes
    ----------
    drums : int
    weights : ndarray of float32, shape (pairs, BINS, VALUES + 1)
        Of each two classes, in the order of :func:`itertools.combinations`. The last column is the
        constant.
    top_hz : float
        Above this nothing is measured.
    """

    drums: int
    weights: npt.NDArray[np.float32] = field(compare=False)
    top_hz: float

    def fill(self, record: Any, samplerate: int) -> None:
        """Hand it to the kernel, an element of an APART array; ``weights`` must outlive the stream.

        ``samplerate`` is that of the stream in Hz.
        """
        kernel.configure(record, samplerate, self.top_hz)
        record["drums"], record["weights"] = self.drums, self.weights.ctypes.data


def train(strokes: Sequence[Stroke], classes: int, samplerate: int, top_hz: float) -> Apart | None:
    """Train on strokes.

    Parameters
    ----------
    strokes : sequence of Stroke
        At ``samplerate``; at least one of each class.
    classes : int
    samplerate : int
        Hz, of the stream.
    top_hz : float
        Above this the strokes have no sound.

    Returns
    -------
    Apart or None
        None for several microphones, and for a kit of one drum or of many.
    """
    if classes not in DRUMS or strokes[0].audio.ndim > 1:
        return None
    own = np.zeros(1, APART)
    kernel.configure(own[0], samplerate, top_hz)
    by_class = [[one.audio for one in strokes if one.class_ == c] for c in range(classes)]
    random = np.random.default_rng(SEED)
    count = min(EXAMPLES, MOST // math.comb(classes, 2))
    with one_thread():
        weights = [
            _fit(*_examples(by_class, pair, count, samplerate, own, random))
            for pair in itertools.combinations(range(classes), 2)
        ]
    return Apart(classes, np.ascontiguousarray(weights, np.float32), top_hz)


def _examples(
    by_class: Sequence[Sequence[Audio]],
    pair: tuple[int, int],
    count: int,
    samplerate: int,
    own: npt.NDArray[Any],
    random: np.random.Generator,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """What pairs are judged by, shape (count, VALUES), and the bin of each distance."""
    lead, before = int(LEAD_S * samplerate), int(own["before"][0])
    span = (kernel.FRAMES - 1) * int(own["hop"][0]) + int(own["length"][0])
    bins = np.arange(count) % BINS
    bins[: int(TOGETHER * count)] = BINS // 2
    distances = BIN_S * (bins - BINS // 2 + random.uniform(-0.5, 0.5, count))
    start = before + int(JITTER_S * samplerate) + 1
    audio = random.standard_normal((count, start + span), np.float32)
    audio *= np.float32(NOISE)
    ringing = [one for own_strokes in by_class for one in own_strokes]
    for row, distance in zip(audio, distances, strict=True):
        early = random.uniform(-JITTER_S, JITTER_S)
        for drum, after in zip(pair, (max(0.0, -distance), max(0.0, distance)), strict=True):
            stroke = by_class[drum][int(random.integers(len(by_class[drum])))]
            place = start - lead + round((early + after) * samplerate)
            add(row[max(0, place) :], stroke[max(0, -place) :], random.uniform(*GAIN_DB))
        if random.random() < TAIL_ODDS:
            tail = ringing[int(random.integers(len(ringing)))]
            after = lead + int(random.uniform(*TAIL_AFTER_S) * samplerate)
            add(row, tail[after:], random.uniform(*TAIL_DB))
    values = np.zeros((count, VALUES), np.float32)
    measure_pairs(own, audio, start, values)
    return values, bins


def _fit(values: npt.NDArray[np.float32], bins: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The weights of one pair, shape (BINS, VALUES + 1)."""
    x = values.astype(np.float64)
    middle, scale = x.mean(axis=0), x.std(axis=0) + 1e-6
    x = (x - middle) / scale
    mean, size = means_of(x, bins, BINS)
    rest = x - mean[bins]
    slope = np.linalg.solve(shrunk(rest.T @ rest / len(x), SHRINKAGE), mean.T).T
    constant = np.log(size / size.sum()) - 0.5 * (slope * mean).sum(axis=1)
    slope /= scale
    return np.hstack([slope, (constant - slope @ middle)[:, None]])
