"""Pictures without a time axis: features, classes, optima, differences, latencies."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from rtcluster.notebook.optima import Survey
from rtcluster.pages.canvas import Layout, Theme, place
from rtcluster.pages.palette import mark

RAW = ("zero crossings in 90 ms (count)", "energy, L2 norm (full scale = 1)")
SCALED = ("zero crossings (scaled)", "energy (scaled)")

_LEGEND_ENTRIES = 12
_STROKES = {"onset": "-", "guess": "--", "final": ":"}


def features(
    points: NDArray[np.float64],
    labels: NDArray[np.int64] | None,
    centres: NDArray[np.float64] | None,
    names: tuple[str, str],
    theme: Theme,
    layout: Layout,
    centre_name: str = "centre",
    drums: Mapping[int, str] = MappingProxyType({}),
) -> Figure:
    """Draw hits in the plane of their two features.

    Parameters
    ----------
    points : ndarray of float64, shape (n_hits, 2)
        Features, scaled or not.
    labels : ndarray of int64, shape (n_hits,), or None
        Classes; None draws all alike, without a legend.
    centres : ndarray of float64, shape (n_classes, 2), or None
        Centres or exemplars, drawn as crosses.
    names : tuple of str
        Labels of the axes.
    theme, layout : Theme, Layout
        Colours and room.
    centre_name : str
        What a centre is called in the legend.
    drums : mapping of int to str
        Names of classes that have one.

    Returns
    -------
    Figure
        One set of axes with a legend above it.
    """
    used = () if labels is None else np.unique(labels)
    columns = 3
    entries = min(len(used), _LEGEND_ENTRIES) + (centres is not None)
    legend = 0.24 * -(-entries // columns) + (0.1 if entries else 0.0)
    height = 3.3
    figure = Figure(figsize=(layout.width, 0.12 + legend + height + 0.55))
    axes = place(figure, 0.72, 0.12 + legend, 0.12, height)
    _scatter(axes, points, labels, theme, 46)
    if centres is not None:
        for colour, width in ((theme.paper, 4.5), (theme.ink, 1.8)):
            axes.scatter(
                centres[:, 0],
                centres[:, 1],
                s=130,
                marker="+",
                color=colour,
                linewidths=width,
                zorder=4,
            )
    axes.set(xlabel=names[0], ylabel=names[1])
    axes.margins(0.07)
    if entries:
        handles = []
        for label in used[:_LEGEND_ENTRIES]:
            look = mark(int(label))
            handles.append(axes.scatter([], [], s=46, marker=look.marker, color=look.colour))
        texts = [
            f"{drums.get(int(c), mark(int(c)).name)} ({(labels == c).sum()})"
            for c in used[:_LEGEND_ENTRIES]
        ]
        if centres is not None:
            handles.append(axes.scatter([], [], s=110, marker="+", color=theme.ink))
            texts.append(centre_name)
        axes.legend(
            handles,
            texts,
            loc="lower left",
            bbox_to_anchor=(-0.02, 1.0),
            ncols=columns,
            borderaxespad=0.2,
        )
    return figure


def optima(
    points: NDArray[np.float64], survey: Survey, count: int, theme: Theme, layout: Layout
) -> Figure:
    """Draw the best `count` optima of a survey side by side, in scaled features."""
    columns = 3 if layout.name == "wide" else 2
    shown = survey.optima[:count]
    rows = -(-len(shown) // columns)
    cell = (layout.width - 0.66 - 0.12) / columns
    panel = cell - 0.2
    figure = Figure(figsize=(layout.width, rows * (panel + 0.5) + 0.5))
    for i, optimum in enumerate(shown):
        row, column = divmod(i, columns)
        left = 0.66 + column * cell
        right = layout.width - left - panel
        axes = place(figure, left, 0.42 + row * (panel + 0.5), right, panel)
        _scatter(axes, points, optimum.labels, theme, 34 if columns == 3 else 18)
        found = f"{len(optimum.seeds)} of {survey.starts}"
        inertia = f"{optimum.inertia:.{survey.places}f}"
        join = " · " if columns == 3 else "\n"
        axes.set_title(f"inertia {inertia}{join}{found} starts", loc="left", pad=4)
        axes.margins(0.08)
        axes.set_xticks((-1, 0, 1))
        axes.set_yticks((-1, 0, 1))
        axes.tick_params(labelleft=column == 0, labelbottom=i + columns >= len(shown))
        if column == 0:
            axes.set_ylabel(SCALED[1])
        if i + columns >= len(shown):
            axes.set_xlabel(SCALED[0] if columns == 3 else "zcr (scaled)")
    return figure


def differences(
    seconds: NDArray[np.float64], window_s: float, theme: Theme, layout: Layout
) -> Figure:
    """Draw how far matched onsets are apart, as a histogram in ms."""
    figure = Figure(figsize=(layout.width, 0.46 + 3.3 + 0.55))
    axes = place(figure, 0.72, 0.46, 0.12, 3.3)
    edges = np.linspace(-window_s, window_s, 51) * 1e3
    axes.hist(seconds * 1e3, list(edges), color=theme.wave, edgecolor=theme.paper, linewidth=0.6)
    axes.axvline(0.0, color=theme.soft, linewidth=0.8)
    if len(seconds):
        middle = float(np.median(seconds)) * 1e3
        axes.axvline(middle, color=theme.ink, linestyle="--", label=f"median {middle:+.1f} ms")
        axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), borderaxespad=0.2)
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set(xlabel="engine less librosa (ms)", ylabel="hits (count)")
    return figure


def latencies(
    samples: Mapping[str, NDArray[np.int64]], fs: int, theme: Theme, layout: Layout
) -> Figure:
    """Draw the share of hits known within a time, for each kind of event."""
    figure = Figure(figsize=(layout.width, 0.46 + 2.6 + 0.55))
    axes = place(figure, 0.72, 0.46, 0.12, 2.6)
    for kind, values in samples.items():
        if len(values):
            stroke = _STROKES.get(kind, "-.")
            axes.ecdf(values / fs * 1e3, color=theme.ink, linestyle=stroke, linewidth=2, label=kind)
    axes.set(xlabel="latency (ms)", ylabel="share of hits", xlim=(0, None))
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=3, borderaxespad=0.2)
    return figure


def _scatter(
    axes: Axes,
    points: NDArray[np.float64],
    labels: NDArray[np.int64] | None,
    theme: Theme,
    size: float,
) -> None:
    many = len(points) > 2000
    for label in (None,) if labels is None else np.unique(labels):
        look = mark(-1 if label is None else int(label))
        chosen = slice(None) if label is None else labels == label
        plain = label is None
        axes.scatter(
            points[chosen, 0],
            points[chosen, 1],
            s=size / 4 if many else size,
            marker="o" if plain else look.marker,
            color=theme.soft if plain else look.colour,
            edgecolors=None if look.marker == "x" and not plain else theme.paper,
            linewidths=0.0 if many else 0.7,
            alpha=0.5 if many else 0.95,
            zorder=3,
        )
