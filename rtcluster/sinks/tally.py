"""How many hits each class has, when a hit may get another class later."""

from __future__ import annotations

from collections import Counter

from rtcluster.events import LEARNING

REMEMBERED = 1024
"""Latest hits whose classes are remembered, so that a relabelled one is not counted twice."""


class Tally:
    """Counts hits by class."""

    def __init__(self) -> None:
        self._by_class: Counter[int] = Counter()
        self._class_of: dict[int, int] = {}  # of the latest hits

    def count(self, number: int, class_: int) -> None:
        """Count a hit in its class, and no longer in the one it had before."""
        before = self._class_of.pop(number, None)
        if before is not None:
            self._by_class[before] -= 1
        self._by_class[class_] += 1
        self._class_of[number] = class_
        if len(self._class_of) > REMEMBERED:
            del self._class_of[next(iter(self._class_of))]

    @property
    def unclassified(self) -> int:
        """Hits without a class."""
        return self._by_class[LEARNING]

    def by_class(self) -> dict[int, int]:
        """Hits that have a class, by its number; those with 0 are left out."""
        return {c: n for c, n in sorted(self._by_class.items()) if n and c != LEARNING}
