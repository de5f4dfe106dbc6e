"""The hits that are held: what starting anew, mending and the guess's centres are computed from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rtcluster.learning.scaling import Array

EARLIER_SESSION = -1
"""Id of a hit that came with a kit."""

FEWEST = 3
"""Hits that make a drum; fewer may be an accident."""

STRAY_TIMES = 4.0
"""So many times the size of the other hits away from them, a hit is stray. Not so many ranges:
where all strokes so far are of one level, a soft one is many ranges away, and more may come."""

STRAY_FROM = 32
"""Hits that tell what their range is."""


@dataclass(slots=True)
class StoredHit:
    """One hit, as the learner knows it.

    Attributes
    ----------
    id : int
    guess, final : ndarray of float64, shape (n_features,)
        Raw, of the first 30 ms and of the window (or what the next hit left of it).
    zcr : float
        Zero crossings of the final's window; classes are numbered by it.
    whole : bool
        No other hit cut the window short.
    class_ : int
        The class it has now, by event or by relabel.
    taught : bool
        A person said which drum it was; such a hit is never relabelled.
    stray : bool
        It lies far outside the range of the others, and teaches nothing.
    """

    id: int
    guess: Array
    final: Array
    zcr: float
    whole: bool
    class_: int
    taught: bool = False
    stray: bool = False


class History:
    """The newest hits, at most ``capacity``.

    When it is full, the oldest hit of the class with the most hits makes room, so that a drum
    that is struck once a minute is not forgotten under a thousand hats. Taught hits stay.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._hits: list[StoredHit] = []

    def __len__(self) -> int:
        """Number of hits held."""
        return len(self._hits)

    def __iter__(self) -> Iterator[StoredHit]:
        """Oldest first."""
        return iter(self._hits)

    def add(self, hit: StoredHit) -> None:
        """Hold a hit; let one go if there is no room."""
        self._hits.append(hit)
        if len(self._hits) <= self.capacity:
            return
        sizes = Counter(held.class_ for held in self._hits if not held.taught)
        if sizes:
            largest = max(sizes, key=lambda class_: (sizes[class_], -class_))
            for place, held in enumerate(self._hits):
                if held.class_ == largest and not held.taught:
                    del self._hits[place]
                    return

    def prototypes(self, room: int) -> list[StoredHit]:
        """Hits that stand for their classes: taught ones, then the newest, whole before cut.

        Parameters
        ----------
        room : int
            How many there may be, shared evenly among the classes.
        """
        own: dict[int, list[StoredHit]] = {}
        for hit in self._hits:
            if hit.class_ >= 0:
                own.setdefault(hit.class_, []).append(hit)
        out: list[StoredHit] = []
        each = room // max(1, len(own))
        for class_ in sorted(own):
            hits = [hit for hit in own[class_] if hit.whole] or own[class_]
            taught = [hit for hit in hits if hit.taught][-each:]
            others = [hit for hit in hits if not hit.taught]
            out += taught + others[max(0, len(others) - (each - len(taught))) :]
        return out


def rows(hits: list[StoredHit], stage: str) -> Array:
    """Raw features of the ``"guess"`` or the ``"final"``, shape (n_hits, n_features)."""
    return np.array([getattr(hit, stage) for hit in hits], dtype=np.float64)


def strays(hits: Array) -> npt.NDArray[np.bool_]:
    """Which hits lie far outside the range of all others, by its size, in any feature.

    The range leaves out as many hits at either end as do not make a drum, so that of a drum that
    was struck :data:`FEWEST` times no hit is stray.

    Parameters
    ----------
    hits : ndarray of float64, shape (n_hits, n_features)
        Raw.

    Returns
    -------
    ndarray of bool, shape (n_hits,)
    """
    if len(hits) < STRAY_FROM:
        return np.zeros(len(hits), dtype=np.bool_)
    ordered = np.sort(hits, axis=0)
    low, high = ordered[FEWEST - 1], ordered[-FEWEST]
    far = STRAY_TIMES * np.maximum(np.abs(low), np.abs(high))
    outside = (hits < low - far) | (hits > high + far)
    return np.asarray(outside.any(axis=1))
