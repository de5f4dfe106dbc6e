"""How a picture is made: two themes, two layouts, one caption.

Each picture is drawn for a light page and a dark one. Those with a time axis are drawn twice more
for a phone, the axis broken into shorter rows so that the type stays readable. matplotlib is used
without pyplot: no global figure, no display.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of a page, as ``#rrggbb``: paper, ink, ink of lesser things, grid, waveform."""

    name: str
    paper: str
    ink: str
    soft: str
    grid: str
    wave: str


@dataclass(frozen=True, slots=True)
class Layout:
    """Room for a picture.

    Parameters
    ----------
    name : str
        "wide", "narrow" or "square".
    width : float
        Width in inches.
    font : float
        Size of the type in points.
    dpi : int
        Pixels an inch.
    row_s : float
        Seconds in a row of a time axis.
    """

    name: str
    width: float
    font: float
    dpi: int
    row_s: float


LIGHT = Theme("light", "#ffffff", "#1d2126", "#5b6470", "#e3e6ea", "#9aa4af")
DARK = Theme("dark", "#171a1f", "#e8eaed", "#a3acb8", "#2d333b", "#6b7684")
THEMES = (LIGHT, DARK)

WIDE = Layout("wide", 10.0, 10.0, 150, 8.0)
NARROW = Layout("narrow", 3.75, 8.5, 200, 4.0)
SQUARE = Layout("square", 4.5, 9.5, 180, 8.0)

Draw = Callable[[Theme, Layout], Figure]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in all its renderings.

    Parameters
    ----------
    name : str
        Stem of its file.
    caption : str
        What it shows, for everyone.
    alt : str
        What is to be seen in it, for those who cannot.
    images : dict of (str, str) to bytes
        PNG files by theme and layout.
    width, height : int
        Size in pixels of the first rendering, which gives the shape.
    """

    name: str
    caption: str
    alt: str
    images: Mapping[tuple[str, str], bytes]
    width: int
    height: int

    @property
    def layout(self) -> str:
        """Layout of the main rendering, "wide" or "square"."""
        return "wide" if ("light", "wide") in self.images else "square"


def render(name: str, caption: str, alt: str, layouts: tuple[Layout, ...], draw: Draw) -> Picture:
    """Draw a picture in every theme and layout.

    Parameters
    ----------
    name, caption, alt : str
        As in `Picture`.
    layouts : tuple of Layout
        The main one first.
    draw : callable
        Makes the figure for a theme and a layout.

    Returns
    -------
    Picture
        With one PNG for each pair.
    """
    images: dict[tuple[str, str], bytes] = {}
    size = (0, 0)
    for layout in layouts:
        for theme in THEMES:
            with mpl.rc_context(_rc(theme, layout)):
                figure = draw(theme, layout)
                buffer = io.BytesIO()
                figure.savefig(buffer, format="png", dpi=layout.dpi)
            images[theme.name, layout.name] = buffer.getvalue()
            if size == (0, 0):
                width, height = figure.get_size_inches()
                size = (round(width * layout.dpi), round(height * layout.dpi))
    return Picture(name, caption, alt, images, *size)


def place(
    figure: Figure, left: float, top: float, right: float, height: float, **options: Any
) -> Axes:
    """Add axes by inches: margins from the left, top and right edges, and a height."""
    width, whole = (float(v) for v in figure.get_size_inches())
    box = (
        left / width,
        1 - (top + height) / whole,
        (width - left - right) / width,
        height / whole,
    )
    axes: Axes = figure.add_axes(box, **options)
    return axes


def _rc(theme: Theme, layout: Layout) -> dict[Any, Any]:
    return {
        "font.size": layout.font,
        "font.family": ["DejaVu Sans"],
        "figure.facecolor": theme.paper,
        "savefig.facecolor": theme.paper,
        "axes.facecolor": theme.paper,
        "axes.edgecolor": theme.soft,
        "axes.labelcolor": theme.ink,
        "axes.labelsize": layout.font,
        "axes.titlesize": layout.font,
        "axes.titlecolor": theme.ink,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": theme.grid,
        "grid.linewidth": 0.7,
        "text.color": theme.ink,
        "xtick.color": theme.soft,
        "ytick.color": theme.soft,
        "xtick.labelcolor": theme.ink,
        "ytick.labelcolor": theme.ink,
        "xtick.labelsize": layout.font - 1,
        "ytick.labelsize": layout.font - 1,
        "legend.frameon": False,
        "legend.fontsize": layout.font - 0.5,
        "legend.handletextpad": 0.4,
        "legend.columnspacing": 1.2,
    }
