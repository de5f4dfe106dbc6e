"""Pictures along time: the waveform, what was found on it, and by whom.

A waveform is drawn as the lowest and highest sample of each column of pixels, so its cost does not
grow with the file. Rows follow each other like the staves of a score.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, MultipleLocator
from numpy.typing import NDArray

from rtcluster.pages.canvas import Layout, Theme, place
from rtcluster.pages.palette import mark

CLOSE_UP_S = 16.0
"""Seconds that a detailed picture shows at most."""

# Heights and gaps in inches.
_LANE, _WAVE, _CURVE, _GAP, _BETWEEN, _FOOT = 0.24, 1.05, 0.85, 0.12, 0.32, 0.46
_LEGEND = 0.28
_LEFT = 0.86


@dataclass(frozen=True, slots=True, eq=False)
class Lane:
    """A row of marks above the waveform.

    Parameters
    ----------
    name : str
        Stands left of the row; short.
    times : ndarray of float64, shape (n_hits,)
        In s.
    labels : ndarray of int64, shape (n_hits,), or None
        Classes, which set colour and shape; None draws strokes in the ink of the page.
    hollow : ndarray of bool, shape (n_hits,), optional
        Marks drawn as outlines only.
    lines : bool
        Whether each mark has a line down through the waveform.
    """

    name: str
    times: NDArray[np.float64]
    labels: NDArray[np.int64] | None = None
    hollow: NDArray[np.bool_] | None = None
    lines: bool = True

    def groups(
        self, part: tuple[float, float], theme: Theme
    ) -> Iterator[tuple[NDArray[np.float64], str, str, bool]]:
        """Yield times, colour, marker and hollowness of the marks in a stretch, look by look."""
        inside = (self.times >= part[0]) & (self.times < part[1])
        if self.labels is None:
            yield self.times[inside], theme.ink, "|", False
            return
        hollow = np.zeros(len(self.times), bool) if self.hollow is None else self.hollow
        for label in np.unique(self.labels[inside]):
            look = mark(int(label))
            for outline in (False, True):
                chosen = inside & (self.labels == label) & (hollow == outline)
                yield self.times[chosen], look.colour, look.marker, outline


def envelope(
    x: NDArray[np.float32], start: int, stop: int, columns: int
) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.float32]]:
    """Reduce a stretch of a signal to its extremes, column by column.

    Parameters
    ----------
    x : ndarray of float32, shape (n_samples,)
        Mono signal; read in stretches, so it may be a memmap.
    start, stop : int
        The stretch, in samples.
    columns : int
        Number of columns; fewer where the stretch is shorter.

    Returns
    -------
    centres : ndarray of float64, shape (n_columns,)
        Centres of the columns, in samples.
    low, high : ndarray of float32, shape (n_columns,)
        Extremes.
    """
    start, stop = max(0, start), min(stop, len(x))
    edges = np.unique(np.linspace(start, stop, max(2, columns + 1)).astype(np.int64))
    low = np.zeros(len(edges) - 1, np.float32)
    high = np.zeros(len(edges) - 1, np.float32)
    for i, (a, b) in enumerate(pairwise(edges)):
        low[i], high[i] = x[a:b].min(), x[a:b].max()
    return (edges[:-1] + edges[1:]) / 2, low, high


def close_up(duration: float, onset_times: NDArray[np.float64]) -> tuple[float, float]:
    """Choose the stretch for detailed pictures: all, or `CLOSE_UP_S` from the first onset on."""
    if duration <= CLOSE_UP_S:
        return 0.0, duration
    first = float(onset_times[0]) if len(onset_times) else 0.0
    start = max(0.0, min(np.floor(first), duration - CLOSE_UP_S))
    return start, start + CLOSE_UP_S


def overview(
    x: NDArray[np.float32], fs: int, span: tuple[float, float], theme: Theme, layout: Layout
) -> Figure:
    """Draw the whole waveform in one row; a band marks the close-up, if it is a part only."""
    figure = Figure(figsize=(layout.width, 0.1 + 1.5 + _FOOT))
    axes = place(figure, _LEFT, 0.1, 0.12, 1.5)
    duration = len(x) / fs
    _draw_wave(axes, x, fs, (0.0, duration), theme, layout)
    if span != (0.0, duration):
        widest = max(span[1], span[0] + 0.004 * duration)  # to be seen in a long file too
        axes.axvspan(span[0], widest, color=theme.ink, alpha=0.3, linewidth=0)
    axes.set_xlabel("time (s)")
    if duration > 600:
        axes.xaxis.set_major_locator(MultipleLocator(600 if duration < 7800 else 1800))
        axes.xaxis.set_major_formatter(lambda seconds, _: f"{seconds / 60:.0f}")
        axes.set_xlabel("time (min)")
    return figure


def timeline(
    x: NDArray[np.float32],
    fs: int,
    span: tuple[float, float],
    lanes: Sequence[Lane],
    theme: Theme,
    layout: Layout,
    curve: tuple[NDArray[np.float64], NDArray[np.float64], str] | None = None,
    drums: Mapping[int, str] = MappingProxyType({}),
) -> Figure:
    """Draw marks in lanes over the waveform, row by row.

    Parameters
    ----------
    x : ndarray of float32, shape (n_samples,)
        Mono signal.
    fs : int
        Sampling rate in Hz.
    span : tuple of float
        From when to when, in s.
    lanes : sequence of Lane
        From top to bottom.
    theme, layout : Theme, Layout
        Colours and room.
    curve : tuple of (times, values, name), optional
        A curve below the waveform; times in s.
    drums : mapping of int to str
        Names of classes, for a legend above all rows.

    Returns
    -------
    Figure
        As many rows as the span needs.
    """
    start, stop = span
    rows = max(1, int(np.ceil((stop - start) / layout.row_s - 1e-6)))
    length = (stop - start) / rows
    row_height = len(lanes) * _LANE + _WAVE + (_CURVE + _GAP if curve else 0.0) + _BETWEEN
    head = 0.08 + (_LEGEND if drums else 0.0)
    figure = Figure(figsize=(layout.width, head + rows * row_height + _FOOT - _BETWEEN))
    for row in range(rows):
        part = (start + row * length, start + (row + 1) * length)
        top = head + row * row_height
        above = place(figure, _LEFT, top, 0.12, len(lanes) * _LANE)
        wave = place(figure, _LEFT, top + len(lanes) * _LANE, 0.12, _WAVE, sharex=above)
        bottom = wave
        _draw_lanes(above, lanes, part, theme, layout)
        _draw_wave(wave, x, fs, part, theme, layout)
        _draw_lines(wave, lanes, part, theme)
        if curve:
            at, values, name = curve
            y = top + len(lanes) * _LANE + _WAVE + _GAP
            bottom = place(figure, _LEFT, y, 0.12, _CURVE, sharex=above)
            wave.tick_params(labelbottom=False)
            bottom.fill_between(at, values, color=theme.wave, linewidth=0.8)
            bottom.set_ylim(-0.03, 1.08)
            bottom.set_yticks((0.0, 0.5, 1.0))
            bottom.set_ylabel(name)
            _draw_lines(bottom, lanes, part, theme, behind=True)
        above.set_xlim(part)
        bottom.xaxis.set_major_locator(MaxNLocator(8 if layout.name == "wide" else 4))
        if row == rows - 1:
            bottom.set_xlabel("time (s)")
    if drums:
        looks = [mark(label) for label in drums]
        handles = [
            Line2D([], [], linestyle="", marker=look.marker, color=look.colour) for look in looks
        ]
        figure.legend(
            handles, list(drums.values()), loc="upper left", ncols=len(drums), borderaxespad=0.2
        )
    return figure


def _draw_wave(
    axes: Axes,
    x: NDArray[np.float32],
    fs: int,
    span: tuple[float, float],
    theme: Theme,
    layout: Layout,
) -> None:
    columns = int(layout.width * layout.dpi)
    at, low, high = envelope(x, int(span[0] * fs), int(np.ceil(span[1] * fs)), columns)
    axes.fill_between(at / fs, low, high, color=theme.wave, linewidth=0.5)
    reach = max(0.01, 1.08 * float(max(-low.min(initial=0), high.max(initial=0))))
    axes.set(xlim=span, ylim=(-reach, reach), ylabel="amplitude (FS)")
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))


def _draw_lanes(
    axes: Axes, lanes: Sequence[Lane], part: tuple[float, float], theme: Theme, layout: Layout
) -> None:
    size = 34 if layout.name == "wide" else 22
    for y, lane in enumerate(lanes):
        for times, colour, marker, hollow in lane.groups(part, theme):
            stroke = marker in ("|", "x")
            axes.scatter(
                times,
                np.full(len(times), y),
                s=1.6 * size if marker == "|" else size,
                marker=marker,
                facecolors=colour if stroke or not hollow else "none",
                edgecolors=None if stroke else colour if hollow else theme.paper,
                linewidths=1.4 if hollow or stroke else 0.4,
                clip_on=False,
            )
    axes.set_ylim(len(lanes) - 0.4, -0.6)
    axes.set_yticks(range(len(lanes)), [lane.name for lane in lanes])
    axes.tick_params(axis="both", length=0, labelbottom=False)
    axes.grid(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)


def _draw_lines(
    axes: Axes,
    lanes: Sequence[Lane],
    part: tuple[float, float],
    theme: Theme,
    behind: bool = False,
) -> None:
    low, high = axes.get_ylim()
    for lane in lanes:
        for times, colour, _, _ in lane.groups(part, theme) if lane.lines else ():
            axes.vlines(times, low, high, colour, linewidth=1.0, zorder=0.9 if behind else 2)
    axes.set_ylim(low, high)
