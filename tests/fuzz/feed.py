"""Bytes of a fuzzer, taken as numbers, choices and texts; when they are used up, zeros."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, TypeVar

T = TypeVar("T")

NUMBERS: tuple[Any, ...] = (
    0, 1, -1, 2, 3, 8, 64, 255, 4096, 44100, 2**31 - 1, 2**31, 2**32, 2**53 + 1, 2**63, -(2**63),
    10**400, 0.0, -0.0, 0.5, 1e-300, 1e-45, 1e15, 1e16, 3.5e38, 1e308, -1e308, float("nan"),
    float("inf"), float("-inf"), True, False,
)  # fmt: skip

TEXTS = (
    "", " ", "\n", "a\nb", "\x00", "\x1b[31m", "\ud800", "\u2028", "kick", "auto", "unknown", "0",
    "-1", "1e999", "nan", "../../x", "/nowhere/x", "9" * 400, "9" * 5000, "9" * 400 + "ms", "1ms",
    "30ms", "0.03s", "1323", "\u0663ms", "%s%n", "{}", "é", "😀", "a" * 70, "x" * 5000,
)  # fmt: skip
"""Texts that have been trouble somewhere."""


class Feed:
    """What is left of some bytes.

    Parameters
    ----------
    data : bytes
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes that have not been used."""
        return len(self._data) - self._at

    def raw(self, count: int) -> bytes:
        """So many bytes, or what is left."""
        taken = self._data[self._at : self._at + max(0, count)]
        self._at += len(taken)
        return taken

    def rest(self) -> bytes:
        """All that is left."""
        return self.raw(self.left)

    def whole(self, low: int, high: int) -> int:
        """A whole number within a range, both ends included."""
        span = high - low + 1
        size = (span.bit_length() + 7) // 8
        return low + int.from_bytes(self.raw(size), "little") % span

    def yes(self) -> bool:
        """One of two."""
        return self.whole(0, 1) == 1

    def one_of(self, values: Sequence[T]) -> T:
        """One of some."""
        return values[self.whole(0, len(values) - 1)]

    def real(self) -> float:
        """Any float, NaN and Inf included."""
        return float(struct.unpack("<d", self.raw(8).ljust(8, b"\0"))[0])

    def text(self) -> str:
        """A text: one of those that are trouble, or any."""
        if self.yes():
            return self.one_of(TEXTS)
        return self.raw(self.whole(0, 24)).decode("utf-8", "replace")

    def value(self, depth: int = 2) -> Any:
        """Anything that JSON can hold, and some of what Python adds."""
        kind = self.whole(0, 9)
        if kind <= 3:
            return self.one_of(NUMBERS)
        if kind == 4:
            return self.real() if self.yes() else self.whole(-1000, 1000)
        if kind <= 6:
            return self.text()
        if kind == 7 or depth == 0:
            return None
        if kind == 8:
            return [self.value(depth - 1) for _ in range(self.whole(0, 4))]
        return {self.text(): self.value(depth - 1) for _ in range(self.whole(0, 4))}


def mutated(feed: Feed, tree: Any) -> Any:
    """A tree of JSON's types, with a few places changed; the tree itself stays as it is."""
    for _ in range(feed.whole(0, 3)):
        tree = _changed(feed, tree)
    return tree


def _changed(feed: Feed, tree: Any) -> Any:
    """The tree with one place replaced, left out, doubled or added to."""
    if isinstance(tree, dict) and tree and feed.whole(0, 7):
        key = feed.one_of(sorted(tree))
        out = {**tree, key: _changed(feed, tree[key])}
        what = feed.whole(0, 15)
        if what == 0:
            del out[key]
        elif what == 1:
            out[feed.text()] = feed.value()
        return out
    if isinstance(tree, list) and tree and feed.whole(0, 7):
        place = feed.whole(0, len(tree) - 1)
        what = feed.whole(0, 15)
        if what == 0:
            return tree[:place]
        if what == 1:
            return [*tree[:place], tree[place], *tree[place:]]
        return [*tree[:place], _changed(feed, tree[place]), *tree[place + 1 :]]
    return feed.value()
