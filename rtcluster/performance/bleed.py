"""The picture of a kit's bleed: how loud each microphone hears each drum."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from rtcluster.learning.bleed import Bleed
from rtcluster.pages.canvas import NARROW, WIDE, Layout, Picture, Theme, place, render

SOFTEST_DB = -50.0
"""What is softer is as pale as this."""

_FULL = {"light": "#0072B2", "dark": "#56B4E9"}
_ROW = 0.34  # inches


def picture_of(bleed: Bleed, names: Sequence[str], microphones: Sequence[int]) -> Picture:
    """Draw it: a row a drum, a column a microphone, the darker the louder.

    Parameters
    ----------
    bleed : Bleed
    names : sequence of str
        The drums.
    microphones : sequence of int
        Their channels, from 1.
    """
    levels = np.asarray(bleed.relative_db)

    def draw(theme: Theme, layout: Layout) -> Figure:
        left, top, height = 0.35 + 0.085 * min(18, max(map(len, names))), 0.45, _ROW * len(names)
        figure = Figure(figsize=(layout.width, top + height + 0.15))
        axes = place(figure, left, top, 0.12, height)
        colours = LinearSegmentedColormap.from_list("bleed", [theme.paper, _FULL[theme.name]])
        axes.imshow(levels, cmap=colours, vmin=SOFTEST_DB, vmax=0.0, aspect="auto")
        for row, home in enumerate(bleed.home):
            for column, level in enumerate(levels[row]):
                # On the full colour the paper is read best, on the pale one the ink.
                full = theme.paper if level > SOFTEST_DB / 3 else theme.ink
                text = "own" if column == home else f"{level:.0f}"
                axes.text(
                    column,
                    row,
                    text,
                    color=full,
                    ha="center",
                    va="center",
                    fontsize=layout.font - 1,
                )
        axes.set_xticks(range(len(microphones)), [str(n) for n in microphones])
        axes.set_yticks(range(len(names)), [name[:18] for name in names])
        axes.xaxis.tick_top()
        axes.xaxis.set_label_position("top")
        axes.set_xlabel("channel")
        axes.grid(visible=False)
        axes.tick_params(length=0)
        return figure

    told = "; ".join(
        f"{name} on channel {microphones[home]}"
        for name, home in zip(names, bleed.home, strict=True)
    )
    return render(
        "bleed",
        "How loud each microphone hears each drum, in dB against the drum's own microphone, as the "
        "kit was taught.",
        f"Table of {len(names)} drums by {len(microphones)} microphones, shaded by level. "
        f"Heard best: {told}.",
        (WIDE, NARROW),
        draw,
    )
