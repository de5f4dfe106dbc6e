"""Which taught drums are hard to tell apart, and which would gain by one more stroke.

Each stroke is judged by the others: linear discriminant analysis (as in
:mod:`rtcluster.learning.drum_sets`, of lone drums) is trained without it, and its examples
(:mod:`rtcluster.learning.examples`) go to the drum with the nearest mean. The same with one stroke
of its drum fewer says what that one was worth, and so about what another would be. Measured when a
kit is taught and kept in it, so that showing a kit needs no kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.kernel import shape
from rtcluster.kernel.shape import SHAPE
from rtcluster.learning import examples
from rtcluster.learning.discriminant import shrunk
from rtcluster.learning.drum_sets import SEED, SHRINKAGE, powers_of, values_of
from rtcluster.learning.strokes import Stroke
from rtcluster.learning.threads import one_thread

Array = npt.NDArray[np.float64]

SPANS_S = (0.030, 0.090)
"""The usual guess and window, in seconds."""


def held_out(strokes: Sequence[Stroke], classes: int, samplerate: int) -> dict[str, Any]:
    """Judge every stroke by the others.

    Parameters
    ----------
    strokes : sequence of Stroke
        At ``samplerate``; at least one of each class.
    classes : int
    samplerate : int
        Hz.

    Returns
    -------
    dict
        ``taken``: examples of a class (row) that were taken for each class, none where a class has
        one stroke; ``fewer``: share of a class's examples that are mistaken with one stroke fewer,
        None with fewer than three strokes. JSON's types.
    """
    with one_thread():
        return _judged(strokes, classes, samplerate)


def _judged(strokes: Sequence[Stroke], classes: int, samplerate: int) -> dict[str, Any]:
    class_of = np.sort([one.class_ for one in strokes])
    values = _measured(strokes, classes, samplerate).astype(np.float64)
    values /= values.std(axis=(0, 1)) + 1.0
    middle = values.mean(axis=1)
    rest = values - middle[:, None]
    within = rest.transpose(0, 2, 1) @ rest / values.shape[1]
    own = [np.flatnonzero(class_of == class_) for class_ in range(classes)]
    sums = [within[places].sum(axis=0) for places in own]
    spreads = [_spread(total, middle[places]) for total, places in zip(sums, own, strict=True)]
    means = np.array([middle[places].mean(axis=0) for places in own])
    covariance = sum(spreads) / classes  # every drum counts alike, however many strokes it has
    taken = np.zeros((classes, classes), np.int64)
    fewer: list[list[float]] = [[] for _ in range(classes)]
    for n, class_ in enumerate(class_of.tolist()):
        kept, total = list(own[class_]), sums[class_]
        for out in (n, next((int(m) for m in kept if m > n), int(kept[0]))):
            kept.remove(out)
            if not kept:
                break
            total = total - within[out]
            change = _spread(total, middle[kept]) - spreads[class_]
            means_now = means.copy()
            means_now[class_] = middle[kept].mean(axis=0)
            given = _classes(values[n], means_now, covariance + change / classes)
            if out == n:
                taken[class_] += np.bincount(given, minlength=classes)
            else:
                fewer[class_].append(float((given != class_).mean()))
    shares = [round(float(np.mean(one)), 4) if one else None for one in fewer]
    return {"taken": taken.tolist(), "fewer": shares}


def _measured(strokes: Sequence[Stroke], classes: int, samplerate: int) -> npt.NDArray[np.float32]:
    """Values of the examples of each stroke, class by class, shape (strokes, examples, values)."""
    edges = shape.edges_of(samplerate, *(int(span * samplerate) for span in SPANS_S))
    own = np.zeros(1, SHAPE)
    shape.configure(own[0], samplerate, 0.45 * samplerate, edges)
    before = int(own["before"][0])
    made = examples.make(strokes, classes, samplerate, before, edges[-1], SEED, sizes=(1,))
    powers = powers_of(made, own)
    values = values_of(powers, len(edges) - 1, shape.bands_of(powers.shape[1]))
    return values.reshape(len(strokes), -1, values.shape[1])


def _spread(within: Array, middle: Array) -> Array:
    """Covariance of a drum's examples, by the sum of its strokes' own and by their means."""
    apart = middle - middle.mean(axis=0)
    return np.asarray((within + apart.T @ apart) / len(middle))


def _classes(hits: Array, means: Array, covariance: Array) -> npt.NDArray[np.int64]:
    """Classes of hits, by the means of the classes and the covariance of all."""
    slope = np.linalg.solve(shrunk(covariance, SHRINKAGE), means.T)
    scores = hits @ slope - 0.5 * (means.T * slope).sum(axis=0)
    return np.asarray(scores.argmax(axis=1), np.int64)
