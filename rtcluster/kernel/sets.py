"""Which drums sound in a hit: a linear classifier over the sets of a kit's drums.

[audio thread] A set is one drum, two or three. Its score is linear in the hit's values
(:func:`rtcluster.kernel.shape.represent`), as linear discriminant analysis has it, plus what the
session so far says of how often the set is played. What decides lies in arrays that
:mod:`rtcluster.learning.drum_sets` makes before the stream begins; there is a classifier for each
number of stretches, so that a hit that the next one cuts short is judged by what there is of it.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import carray

from rtcluster.events import MOST_PARTS, NOBODY, UNKNOWN
from rtcluster.kernel.click import as_pointer
from rtcluster.kernel.jit import compiled
from rtcluster.kernel.shape import MAX_STRETCHES, MAX_VALUES, represent
from rtcluster.settings import MAX_CLASSES, MAX_MICROPHONES

MAX_SETS = MAX_CLASSES * (MAX_CLASSES + 1) // 2
"""Single drums and pairs of drums; with few drums the sets of three find room, too."""

SOFT = np.float64(0.02)
"""Share of the mean power of a hit's bands below which a band counts for little in the shares."""

LEAST_SHARE = 0.01
"""Of the power of a hit that the weaker of its drums has at least: 20 dB under it."""

WHOLE = (1.0, 0.0, 0.0)
"""The shares of a hit in which one drum sounds."""

Drums: TypeAlias = tuple[int, int, int]
Shares: TypeAlias = tuple[float, float, float]

JUDGE = np.dtype(
    [
        # By the number of stretches, less one: addresses of float32 arrays.
        ("weights", "u8", (MAX_STRETCHES,)),  # (count, values + 1), the last is the constant
        ("centre", "u8", (MAX_STRETCHES,)),  # (sets, values)
        ("precision", "u8", (MAX_STRETCHES,)),  # (values, values)
        ("spread", "f8", (MAX_STRETCHES,)),  # root mean square distance of the examples
        ("power", "u8", (MAX_STRETCHES,)),  # (drums, values / 2): each drum's own, mean 1
        ("home", "i4", (MAX_CLASSES,)),  # place of the microphone that hears a drum best
    ],
    align=True,
)
"""A classifier for each number of stretches, over the same microphones."""

SETS = np.dtype(
    [
        ("count", "i4"),  # sets; 0: there is no classifier
        ("drums", "i4"),
        ("bands", "i4"),  # of a stretch of each microphone
        ("members", "i4", (MAX_SETS, MOST_PARTS)),  # classes, then NOBODY
        ("judges", JUDGE, (1 + MAX_MICROPHONES,)),  # 0: of all; else without that microphone
        ("own", "f4", (MAX_VALUES // 2,)),
        ("values", "f4", (MAX_VALUES,)),
        ("score", "f8", (MAX_SETS,)),
    ],
    align=True,
)


@compiled
def judge_sets(
    sets: Any,
    judge: Any,
    n: int,
    stretches: int,
    prior: npt.NDArray[np.float32],
    reject: float,
) -> tuple[Drums, float, Shares]:
    """The drums of a hit.

    Parameters
    ----------
    sets : SETS record
        ``own`` has the hit's powers (:func:`rtcluster.kernel.shape.own_powers`) ...
    judge : JUDGE record
        Of the microphones that they are of.
    n : int
        ... so many of them, ...
    stretches : int
        ... of so many stretches.
    prior : ndarray of float32, shape (MAX_SETS,)
        Logarithm of how likely each set is before the hit is heard.
    reject : float
        Spreads from the nearest set beyond which the hit is of no known drum; 0: never.

    Returns
    -------
    drums : tuple of int
        Three classes, the strongest first; ``NOBODY`` where fewer sound. ``UNKNOWN`` and
        ``NOBODY`` where the hit is rejected.
    margin : float
        ``(p1 - p2) / (p1 + p2)`` of the probabilities of the likeliest set and of the next.
    shares : tuple of float
        Of the power of the hit, each drum's; 0 of nobody.
    """
    place = stretches - 1
    count = represent(sets.own[:n], sets.values)
    x, score = sets.values[:count], sets.score
    weights = carray(as_pointer(judge.weights[place]), (sets.count, count + 1), dtype=np.float32)
    best, next_best = -1, -np.inf
    for k in range(sets.count):
        score[k] = dot(weights[k], x) + weights[k, count] + prior[k]
        if best < 0 or score[k] > score[best]:
            if best >= 0:
                next_best = score[best]
            best = k
        elif score[k] > next_best:
            next_best = score[k]
    margin = math.tanh(0.5 * min(score[best] - next_best, 100.0))
    if reject > 0.0 and distance(sets, judge, place, x, best) > reject * judge.spread[place]:
        return (UNKNOWN, NOBODY, NOBODY), margin, WHOLE
    own = sets.members[best]
    a, b, c = int(own[0]), int(own[1]), int(own[2])
    if b == NOBODY:
        return (a, NOBODY, NOBODY), margin, WHOLE
    if c == NOBODY:
        share = share_of(sets, judge, sets.own[:n], place, a, b)
        if share < 0.5:
            return (b, a, NOBODY), margin, (1.0 - share, share, 0.0)
        return (a, b, NOBODY), margin, (share, 1.0 - share, 0.0)
    p, q, r = shares_of(sets, judge, sets.own[:n], place, (a, b, c))
    if p < q:
        a, b, p, q = b, a, q, p
    if q < r:
        b, c, q, r = c, b, r, q
    if p < q:
        a, b, p, q = b, a, q, p
    return (a, b, c), margin, (p, q, r)


@compiled
def dot(weights: npt.NDArray[np.float32], x: npt.NDArray[np.float32]) -> Any:
    """Sum of the products with the first ``x.size`` weights."""
    # Four sums: one alone would wait for each addition before the next. There are even bands.
    s0 = s1 = s2 = s3 = np.float32(0.0)
    for k in range(0, x.size, 4):
        s0 += weights[k] * x[k]
        s1 += weights[k + 1] * x[k + 1]
        s2 += weights[k + 2] * x[k + 2]
        s3 += weights[k + 3] * x[k + 3]
    return (s0 + s1) + (s2 + s3)


@compiled
def distance(sets: Any, judge: Any, place: int, x: npt.NDArray[np.float32], best: int) -> float:
    """Mahalanobis distance of a hit from the mean of a set.

    ``centre`` has the means of the sets, shape (count, values).
    """
    n = x.size
    centre = carray(as_pointer(judge.centre[place]), (sets.count, n), dtype=np.float32)
    precision = carray(as_pointer(judge.precision[place]), (n, n), dtype=np.float32)
    total = 0.0
    for i in range(n):
        row = np.float32(0.0)
        for j in range(n):
            row += precision[i, j] * (x[j] - centre[best, j])
        total += float(row) * (x[i] - centre[best, i])
    return math.sqrt(max(0.0, total))


@compiled
def share_of(
    sets: Any, judge: Any, powers: npt.NDArray[np.float32], place: int, first: int, second: int
) -> float:
    """Share of a hit's power that is the first of two drums'.

    Powers add: the two drums' own spectra are fitted to the hit's by least squares, relative to
    what there is in each band, so that a hat counts beside a kick.
    """
    n = powers.size
    own = carray(as_pointer(judge.power[place]), (sets.drums, n), dtype=np.float32)
    mean = mean_of(powers)
    aa = bb = ab = ay = by = 0.0
    for i in range(n):
        y = float(powers[i]) / mean
        weight = 1.0 / ((y + SOFT) * (y + SOFT))
        a, b = float(own[first, i]), float(own[second, i])
        aa += weight * a * a
        bb += weight * b * b
        ab += weight * a * b
        ay += weight * a * y
        by += weight * b * y
    below = aa * bb - ab * ab
    if below <= 1e-9 * aa * bb:
        return 0.5
    one, other = max(0.0, ay * bb - by * ab), max(0.0, by * aa - ay * ab)
    if one + other <= 0.0:
        return 0.5
    return min(1.0 - LEAST_SHARE, max(LEAST_SHARE, one / (one + other)))


@compiled
def shares_of(
    sets: Any, judge: Any, powers: npt.NDArray[np.float32], place: int, drums: Drums
) -> Shares:
    """Shares of a hit's power that are each of three drums'; see :func:`share_of`."""
    n = powers.size
    own = carray(as_pointer(judge.power[place]), (sets.drums, n), dtype=np.float32)
    mean = mean_of(powers)
    aa = bb = cc = ab = ac = bc = ay = by = cy = 0.0
    for i in range(n):
        y = float(powers[i]) / mean
        weight = 1.0 / ((y + SOFT) * (y + SOFT))
        a, b, c = float(own[drums[0], i]), float(own[drums[1], i]), float(own[drums[2], i])
        aa += weight * a * a
        bb += weight * b * b
        cc += weight * c * c
        ab += weight * a * b
        ac += weight * a * c
        bc += weight * b * c
        ay += weight * a * y
        by += weight * b * y
        cy += weight * c * y
    below = determinant(aa, ab, ac, ab, bb, bc, ac, bc, cc)
    if below <= 1e-9 * aa * bb * cc:
        return 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0
    # Cramer's rule; what would be less than nothing is as good as nothing.
    p = max(0.0, determinant(ay, ab, ac, by, bb, bc, cy, bc, cc))
    q = max(0.0, determinant(aa, ay, ac, ab, by, bc, ac, cy, cc))
    r = max(0.0, determinant(aa, ab, ay, ab, bb, by, ac, bc, cy))
    total = p + q + r
    if total <= 0.0:
        return 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0
    p, q, r = max(LEAST_SHARE, p / total), max(LEAST_SHARE, q / total), max(LEAST_SHARE, r / total)
    total = p + q + r
    return p / total, q / total, r / total


@compiled
def determinant(
    a: float, b: float, c: float, d: float, e: float, f: float, g: float, h: float, i: float
) -> float:
    """Of a matrix of three rows."""
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)


@compiled
def mean_of(powers: npt.NDArray[np.float32]) -> float:
    """Of the bands of a hit."""
    total = 0.0
    for i in range(powers.size):
        total += powers[i]
    return total / powers.size
