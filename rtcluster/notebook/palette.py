"""One colour and one marker shape per class, in every picture, table and legend.

The colours are those of Okabe and Ito, "Color Universal Design" (2008), which colour-blind readers
tell apart; the shapes differ too, so a class is known without any colour. Ordered so that the
first ones stand out from a white page and from a dark one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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


@dataclass(frozen=True, slots=True)
class Mark:
    """How a class looks: a colour (``#rrggbb``), a matplotlib marker, and its name."""

    colour: str
    marker: str
    name: str


def mark(label: int) -> Mark:
    """Return how class `label` looks; -1 is the look of hits without a class."""
    if label < 0:
        return Mark(NONE_COLOUR, NONE_MARKER, "no class")
    return Mark(COLOURS[label % len(COLOURS)], MARKERS[label % len(MARKERS)], f"class {label}")


def outline(marker: str, size: float = 12.0) -> str:
    """Return a marker's shape as the path data of an SVG that is `size` wide and high."""
    from matplotlib.markers import MarkerStyle

    style = MarkerStyle(marker)
    path = style.get_path().transformed(style.get_transform())
    polygons = [np.asarray(p, float) for p in path.to_polygons(closed_only=False)]
    reach = max(float(np.abs(polygon).max()) for polygon in polygons)
    scale = (size / 2 - 1) / reach
    parts = []
    for polygon in polygons:
        points = " ".join(
            f"{size / 2 + px * scale:.1f},{size / 2 - py * scale:.1f}" for px, py in polygon
        )
        parts.append(f"M{points}" + ("" if marker == NONE_MARKER else "Z"))
    return " ".join(parts)
