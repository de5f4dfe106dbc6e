"""Learning which drums sound in a hit, one to three, from taught strokes.

Linear discriminant analysis (Fisher; Hastie, Tibshirani and Friedman, "The Elements of Statistical
Learning", 2009, section 4.3) over the sets of drums, on the examples of
:mod:`rtcluster.learning.examples`, measured by the kernel's own functions. One covariance for all
sets, shrunk towards a multiple of the identity. Deterministic for a kit and a rate. Belongs to the
main thread, before a stream begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.events import MOST_PARTS, NOBODY
from rtcluster.kernel import shape
from rtcluster.kernel.entry import measure_all
from rtcluster.kernel.sets import MAX_SETS
from rtcluster.kernel.shape import SHAPE
from rtcluster.kernel.state import State
from rtcluster.learning import examples
from rtcluster.learning.apart import Apart
from rtcluster.learning.apart import train as train_apart
from rtcluster.learning.bleed import Bleed, bleed_of
from rtcluster.learning.discriminant import means_of, shrunk
from rtcluster.learning.examples import DrumSet
from rtcluster.learning.strokes import Stroke
from rtcluster.learning.threads import one_thread
from rtcluster.settings import BANDS

Array = npt.NDArray[np.float64]

SHRINKAGE = 0.1
"""Share of the identity in the covariance."""

WARMTH = 0.5
"""What the scores are multiplied by: examples are more alike than what is played, and the
differences of their scores too large."""

ODDS = {1: 2.0, 2: 1.0, 3: 0.2}
"""How likely a set of so many drums is, to one pair, before anything is heard ..."""

HEARD = 10.0
"""... and how many hits that counts for, against those of the session."""

OF_THREE = range(3, 7)
"""Drums of a kit that are told three at once. With more, such sets are too many to learn."""

SEED = 0


@dataclass(frozen=True, slots=True)
class Judge:
    """The classifier for one number of stretches.

    Attributes
    ----------
    weights : ndarray of float32, shape (sets, values + 1)
        The last column is the constant.
    centre : ndarray of float32, shape (sets, values)
        Mean of each set's examples.
    precision : ndarray of float32, shape (values, values)
        Inverse of the covariance.
    spread : float
        Root mean square Mahalanobis distance of the examples from their sets' means.
    power : ndarray of float32, shape (drums, values / 2)
        Power of each drum in each band of each stretch, mean 1.
    """

    weights: npt.NDArray[np.float32]
    centre: npt.NDArray[np.float32]
    precision: npt.NDArray[np.float32]
    spread: float
    power: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DrumSets:
    """What the kernel needs to tell which drums sound.

    Attributes
    ----------
    drums : tuple of tuple of int
        The sets, as :func:`rtcluster.learning.examples.sets_of` gives them.
    judges : tuple of Judge
        By the number of stretches, from one.
    without : tuple of tuple of Judge
        The same without one of several microphones, by its place.
    edges : tuple of int
        Ends of the stretches in samples, after a first 0.
    top_hz : float
        Above this nothing is measured.
    bleed : Bleed
        Which microphones hear which drums.
    apart : Apart or None
        What tells how far apart two drums were struck, if anything does.
    """

    drums: tuple[DrumSet, ...]
    judges: tuple[Judge, ...] = field(compare=False)
    without: tuple[tuple[Judge, ...], ...] = field(compare=False)
    edges: tuple[int, ...]
    top_hz: float
    bleed: Bleed
    apart: Apart | None = None

    def fill(self, states: State, samplerate: int) -> None:
        """Hand it to the kernel; the arrays must outlive the stream.

        Parameters
        ----------
        states : STATE array
            The one state, or that of a kit with several microphones and theirs.
        samplerate : int
            Hz.
        """
        for record in states:
            shape.configure(record["shape"][0], samplerate, self.top_hz, list(self.edges))
        states["lag"][1:] = self.bleed.lag[: len(states) - 1]
        states["silences"][1:] = self.bleed.silences[: len(states) - 1]
        out = states[0]["sets"][0]
        out["bands"] = shape.bands_of(max(1, len(states) - 1))
        out["count"] = len(self.drums)
        out["drums"] = sum(size_of(one) == 1 for one in self.drums)
        out["members"][: len(self.drums)] = self.drums
        for place, judges in enumerate((self.judges, *self.without)):
            record = out["judges"][place]
            home = self.bleed.home_without(place - 1) if place else self.bleed.home
            record["home"][: len(home)] = 1 + home
            for stretches, judge in enumerate(judges):
                for name in ("weights", "centre", "precision", "power"):
                    record[name][stretches] = getattr(judge, name).ctypes.data
                record["spread"][stretches] = judge.spread
        if self.apart is not None:
            self.apart.fill(states[0]["apart"][0], samplerate)

    def place(self, classes: Sequence[int]) -> int:
        """Place of a set, given by its classes in any order."""
        return self.drums.index((*sorted(classes), *(NOBODY,) * (MOST_PARTS - len(classes))))


def size_of(drums: DrumSet) -> int:
    """Drums of a set."""
    return len(drums) - drums.count(NOBODY)


class Odds:
    """How often each set of drums is played, learned as the session goes on.

    Parameters
    ----------
    sets : DrumSets
    """

    def __init__(self, sets: DrumSets) -> None:
        self._sets = sets
        first = np.array([ODDS[size_of(one)] for one in sets.drums])
        self._counts = HEARD * first / first.sum()

    def learn(self, classes: Sequence[int]) -> None:
        """Count a hit in which these drums were told."""
        self._counts[self._sets.place(classes)] += 1.0

    def prior(self) -> npt.NDArray[np.float32]:
        """Logarithm of the share of each set, shape (MAX_SETS,)."""
        out = np.zeros(MAX_SETS, np.float32)
        out[: len(self._counts)] = np.log(self._counts / self._counts.sum())
        return out


def train(
    strokes: Sequence[Stroke],
    classes: int,
    samplerate: int,
    kept_rate: int,
    guess: int,
    window: int,
) -> DrumSets:
    """Train on strokes.

    Parameters
    ----------
    strokes : sequence of Stroke
        At ``samplerate``; at least one of each class.
    classes : int
    samplerate : int
        Hz, of the stream.
    kept_rate : int
        Hz, that the strokes were kept at: above half of it they have no sound.
    guess, window : int
        Spans in samples of the stream.
    """
    edges = shape.edges_of(samplerate, guess, window)
    top_hz = 0.45 * min(samplerate, kept_rate)
    own = np.zeros(1, SHAPE)
    shape.configure(own[0], samplerate, top_hz, edges)
    before = int(own["before"][0])
    made = examples.make(strokes, classes, samplerate, before, edges[-1], SEED)
    powers, sets, drums = powers_of(made, own), made.sets, made.drums
    if classes in OF_THREE:
        more = examples.make(strokes, classes, samplerate, before, edges[-1], SEED + 1, sizes=(3,))
        powers = np.concatenate([powers, powers_of(more, own)])
        sets, drums = np.concatenate([sets, len(drums) + more.sets]), drums + more.drums
    microphones = powers.shape[1]
    bands = shape.bands_of(microphones)

    def judges(powers: npt.NDArray[np.float32]) -> tuple[Judge, ...]:
        return tuple(
            _fit(powers, stretches, bands, sets, drums) for stretches in range(1, len(edges))
        )

    with one_thread():
        every = judges(powers)
        without = tuple(
            judges(np.delete(powers, place, axis=1))
            for place in range(microphones if microphones > 1 else 0)
        )
    bleed = bleed_of(strokes, classes, samplerate)
    apart = train_apart(strokes, classes, samplerate, top_hz)
    return DrumSets(tuple(drums), every, without, tuple(edges), top_hz, bleed, apart)


def powers_of(made: examples.Examples, record: Any) -> npt.NDArray[np.float32]:
    """Powers of examples in bands, shape (examples, microphones, 1 + stretches, BANDS).

    Parameters
    ----------
    made : Examples
    record : SHAPE array of one record
        Configured for the stretches.
    """
    blocks, at = [], 0
    for audio in made.audio:
        end = at + len(audio)
        powers = np.zeros((*audio.shape[:2], 1 + int(record["stretches"][0]), BANDS), np.float32)
        measure_all(record, audio, made.starts[at:end], powers)
        blocks.append(powers)
        at = end
    return np.concatenate(blocks)


def values_of(
    powers: npt.NDArray[np.float32], stretches: int, bands: int
) -> npt.NDArray[np.float32]:
    """What examples are judged by, from so many of their stretches and bands of each.

    Returns
    -------
    ndarray of float32, shape (examples, values)
    """
    microphones = powers.shape[1]
    own = np.zeros((len(powers), microphones * stretches * bands), np.float32)
    shape.own_of_all(powers, stretches, bands, own)
    values = np.zeros((len(own), 2 * own.shape[1]), np.float32)
    shape.represent_all(own, values)
    return values


def _fit(
    powers: npt.NDArray[np.float32],
    stretches: int,
    bands: int,
    sets: npt.NDArray[np.int64],
    drums: Sequence[DrumSet],
) -> Judge:
    microphones, count = powers.shape[1], len(drums)
    sizes = np.array([size_of(one) for one in drums])
    x = values_of(powers, stretches, bands).astype(np.float64)
    mean, size = means_of(x, sets, count)
    rest = x - mean[sets]
    # Every set counts alike, a lone drum twice as much; those of three would blur the others.
    weight = np.choose(sizes - 1, [2.0, 1.0, 0.0]) / size
    weight = weight[sets] / weight[sets].sum()
    scale = x[weight > 0.0].std(axis=0) + 1.0
    rest *= np.sqrt(weight)[:, None] / scale
    covariance = rest.T @ rest
    inverse = np.linalg.inv(shrunk(covariance, SHRINKAGE))
    precision = inverse / np.outer(scale, scale)
    slope = mean @ precision
    constant = -0.5 * (slope * mean).sum(axis=1)
    weights = WARMTH * np.hstack([slope, constant[:, None]])
    spread = np.sqrt((inverse * covariance).sum())
    heard = powers[:, :, 1 : 1 + stretches].astype(np.float64)
    heard = heard.reshape(len(powers), microphones, stretches, bands, -1).sum(axis=-1)
    heard = heard.reshape(len(powers), -1)
    power = np.zeros(((sizes == 1).sum(), heard.shape[1]))
    for c in range(len(power)):
        lone = heard[sets == c]
        power[c] = (lone / (lone.mean(axis=1, keepdims=True) + 1e-20)).mean(axis=0)
    return Judge(
        np.ascontiguousarray(weights, np.float32), np.ascontiguousarray(mean, np.float32),
        np.ascontiguousarray(precision, np.float32), float(spread),
        np.ascontiguousarray(power, np.float32),
    )  # fmt: skip
