"""One colour and one marker shape per class: in pictures, pages, the monitor and the terminal.

The colours are those of Okabe and Ito, "Color Universal Design" (2008), which colour-blind readers
tell apart; the shapes differ too, so a class is known without any colour. Ordered so that the
first ones stand out from a white page and from a dark one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#8C8C8C",
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*")
NONE_COLOUR, NONE_MARKER = "#8C8C8C", "x"


def _polygon(corners: int, turn: float = 0.0, inner: float | None = None) -> str:
    """A regular polygon, or a star, whose first corner points up and is turned, in rad."""
    steps = corners if inner is None else 2 * corners
    points = []
    for step in range(steps):
        radius = inner if inner is not None and step % 2 else 1.0
        angle = turn - math.pi / 2 + 2 * math.pi * step / steps
        points.append(f"{radius * math.cos(angle):.3f} {radius * math.sin(angle):.3f}")
    return f"M{'L'.join(points)}Z"


OUTLINES = {
    "o": "M1 0A1 1 0 1 1-1 0A1 1 0 1 1 1 0Z",
    "s": "M-.86-.86H.86V.86H-.86Z",
    "^": _polygon(3),
    "v": _polygon(3, math.pi),
    "<": _polygon(3, -math.pi / 2),
    ">": _polygon(3, math.pi / 2),
    "D": _polygon(4),
    "P": "M-.33-1H.33V-.33H1V.33H.33V1H-.33V.33H-1V-.33H-.33Z",
    "X": "M0-.42L.55-.97.97-.55.42 0 .97.55.55.97 0 .42-.55.97-.97.55-.42 0-.97-.55-.55-.97Z",
    "p": _polygon(5),
    "h": _polygon(6),
    "*": _polygon(5, 0.0, 0.45),
    "x": "M0-.21L.76-.97.97-.76.21 0 .97.76.76.97 0 .21-.76.97-.97.76-.21 0-.97-.76-.76-.97Z",
}
"""Shapes by matplotlib's letters: closed paths of SVG about the origin, some 1 in radius."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How a class looks: a colour (``#rrggbb``), a matplotlib marker, and its name."""

    colour: str
    marker: str
    name: str

    @property
    def outline(self) -> str:
        """The marker's shape, see :data:`OUTLINES`."""
        return OUTLINES[self.marker]


def mark(label: int) -> Mark:
    """Return how class `label` looks; -1 is the look of hits without a class."""
    if label < 0:
        return Mark(NONE_COLOUR, NONE_MARKER, "no class")
    return Mark(COLOURS[label % len(COLOURS)], MARKERS[label % len(MARKERS)], f"class {label}")
