"""The pictures of the performance page, drawn with the canvas of the notebook's report."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from rtcluster.pages.canvas import NARROW, SQUARE, WIDE, Layout, Picture, Theme, place, render
from rtcluster.pages.palette import mark
from rtcluster.performance.figures import Performance
from rtcluster.text import counted

_BOTH = (WIDE, NARROW)
_MOST = 20_000  # marks in a picture; more are thinned out
_LEGEND_ROW = 0.24
_SEED = 0


def draw_all(found: Performance) -> dict[str, Picture]:
    """Draw every picture that a performance gives ground for.

    Returns
    -------
    dict of str to Picture
        By name: deviations, tempo, steadiness, beat, dynamics, intervals.
    """
    done: list[Picture] = []
    if found.timing is not None:
        done += [_deviations(found), _tempo(found), _steadiness(found), _beat(found)]
    if any(drum.dynamics for drum in found.drums):
        done.append(_dynamics(found))
    if found.hits > 2:
        done.append(_intervals(found))
    return {picture.name: picture for picture in done}


def _columns(found: Performance, layout: Layout) -> int:
    longest = max((len(drum.name) for drum in found.drums), default=1)
    return max(1, int((layout.width - 0.8) / (0.4 + 0.09 * min(longest, 18))))


def _legend_height(found: Performance, layout: Layout) -> float:
    return 0.12 + _LEGEND_ROW * -(-len(found.drums) // _columns(found, layout))


def _legend(axes: Axes, found: Performance, layout: Layout) -> None:
    handles = [
        axes.scatter([], [], s=40, marker=mark(d.class_).marker, color=mark(d.class_).colour)
        for d in found.drums
    ]
    axes.legend(
        handles, [_short(drum.name) for drum in found.drums], loc="lower left",
        bbox_to_anchor=(-0.01, 1.0), ncols=_columns(found, layout), borderaxespad=0.2,
    )  # fmt: skip


def _short(name: str) -> str:
    return name if len(name) <= 18 else name[:17] + "…"


def _thin(which: NDArray[np.bool_]) -> NDArray[np.int64]:
    chosen = np.flatnonzero(which)
    if len(chosen) > _MOST:
        chosen = np.sort(np.random.default_rng(_SEED).choice(chosen, _MOST, replace=False))
    return chosen


def _axes_in_time(
    found: Performance, height: float, theme: Theme, layout: Layout, legend: bool
) -> tuple[Figure, Axes]:
    top = _legend_height(found, layout) if legend else 0.12
    figure = Figure(figsize=(layout.width, top + height + 0.5))
    axes = place(figure, 0.72, top, 0.12, height)
    long = found.seconds > 600
    axes.set_xlabel("time (min)" if long else "time (s)")
    if long:
        axes.xaxis.set_major_formatter(lambda seconds, _: f"{seconds / 60:.0f}")
    axes.xaxis.set_major_locator(MaxNLocator(8 if layout.name == "wide" else 4))
    return figure, axes


def _reach(found: Performance) -> float:
    """Half the height of the deviation axis in ms: nearly all hits, and room for the zero."""
    late = 1e3 * np.abs(found.deviations[~np.isnan(found.deviations)])
    return max(5.0, 1.25 * float(np.quantile(late, 0.985))) if len(late) else 5.0


def _deviations(found: Performance) -> Picture:
    reach = _reach(found)
    shown = ~np.isnan(found.deviations)
    beyond = int((1e3 * np.abs(found.deviations[shown]) > reach).sum())
    timing = found.timing
    assert timing is not None

    def draw(theme: Theme, layout: Layout) -> Figure:
        figure, axes = _axes_in_time(found, 2.5, theme, layout, legend=True)
        half = 1e3 * float(np.median(found.uncertainties[shown]))
        axes.axhspan(-half, half, color=theme.wave, alpha=0.25, linewidth=0)
        axes.axhline(0, color=theme.soft, linewidth=0.8)
        for drum in found.drums:
            look, chosen = mark(drum.class_), _thin(shown & (found.classes == drum.class_))
            size = 22 if len(found.times) < 400 else 9
            axes.scatter(
                found.times[chosen], np.clip(1e3 * found.deviations[chosen], -reach, reach),
                s=size, marker=look.marker, color=look.colour, linewidths=0.6, alpha=0.85,
                edgecolors=None if look.marker == "x" else theme.paper, zorder=3,
            )  # fmt: skip
        axes.set_ylim(-1.06 * reach, 1.06 * reach)
        axes.set_ylabel("early ← ms → late")
        _legend(axes, found, layout)
        return figure

    stand = "stands" if beyond == 1 else "stand"
    note = f" {counted(beyond, 'hit')} beyond the axis {stand} at its edge." if beyond else ""
    return render(
        "deviations",
        "Each hit against the grid: above zero is late. The band is what cannot be told from "
        f"on time.{note}",
        f"Scatter of {counted(timing.hits, 'hit')} along time: {timing.early} early, "
        f"{timing.on_time} on time, {timing.late} late.",
        _BOTH,
        draw,
    )


def _tempo(found: Performance) -> Picture:
    at, bpm, half = found.curve.T

    def draw(theme: Theme, layout: Layout) -> Figure:
        figure, axes = _axes_in_time(found, 1.7, theme, layout, legend=False)
        axes.fill_between(at, bpm - half, bpm + half, color=theme.wave, alpha=0.5, linewidth=0)
        axes.plot(at, bpm, color=theme.ink, linewidth=1.6)
        if found.given_bpm is not None:
            axes.axhline(found.given_bpm, color=theme.soft, linestyle="--", linewidth=1)
        low, high = float(np.nanmin(bpm)), float(np.nanmax(bpm))
        room = max(1.0, 0.3 * (high - low), 1.5 * float(np.nanmedian(half)))
        axes.set_ylim(low - room, high + room)
        axes.ticklabel_format(axis="y", useOffset=False)
        axes.set_ylabel("tempo (bpm)")
        return figure

    given = " The dashed line is the given tempo." if found.given_bpm is not None else ""
    return render(
        "tempo",
        f"The tempo as it was played, with its 95 % interval.{given}",
        f"Curve of the tempo from {float(np.nanmin(bpm)):.1f} to {float(np.nanmax(bpm)):.1f} bpm.",
        _BOTH,
        draw,
    )


def _rows(
    found: Performance, theme: Theme, layout: Layout, values: Callable[[int], NDArray[np.float64]]
) -> tuple[Figure, Axes]:
    """One row a drum: every hit as a faint mark, the percentiles 10, 50 and 90 over them."""
    drums = found.drums[:12]
    figure = Figure(figsize=(layout.width, 0.15 + 0.44 * len(drums) + 0.55))
    widest = max(len(_short(drum.name)) for drum in drums)
    left = min(1.7, 0.3 + 0.085 * widest)
    axes = place(figure, left, 0.15, 0.15, 0.44 * len(drums))
    rng = np.random.default_rng(_SEED)
    for row, drum in enumerate(drums):
        look, all_ = mark(drum.class_), values(drum.class_)
        if not len(all_):
            continue
        some = all_ if len(all_) <= 2000 else rng.choice(all_, 2000, replace=False)
        axes.scatter(
            some, row + rng.uniform(-0.24, 0.24, len(some)), s=7, marker=look.marker,
            color=look.colour, alpha=0.35, linewidths=0.3, zorder=2,
        )  # fmt: skip
        p10, p50, p90 = np.quantile(all_, (0.1, 0.5, 0.9))
        axes.plot([p10, p90], [row, row], color=theme.ink, linewidth=1.6, zorder=3)
        axes.plot([p50], [row], "|", color=theme.ink, markersize=13, markeredgewidth=2, zorder=4)
    axes.set_ylim(len(drums) - 0.5, -0.5)
    axes.set_yticks(range(len(drums)), [_short(drum.name) for drum in drums])
    axes.grid(visible=False, axis="y")
    return figure, axes


def _steadiness(found: Performance) -> Picture:
    reach = _reach(found)

    def values(class_: int) -> NDArray[np.float64]:
        late = 1e3 * found.deviations[found.classes == class_]
        return np.asarray(np.clip(late[~np.isnan(late)], -reach, reach))

    def draw(theme: Theme, layout: Layout) -> Figure:
        figure, axes = _rows(found, theme, layout, values)
        axes.axvline(0, color=theme.soft, linewidth=0.8)
        axes.set_xlim(-1.05 * reach, 1.05 * reach)
        axes.set_xlabel("early ← ms → late")
        return figure

    told = "; ".join(
        f"{drum.name} {drum.timing.mean_ms.value:+.1f} ms, standard deviation "
        f"{drum.timing.sd_ms.value:.1f} ms"
        for drum in found.drums
        if drum.timing
    )
    return render(
        "steadiness",
        "Early and late by drum: every hit, and the percentiles 10, 50 and 90.",
        f"Rows of marks by drum: {told}.",
        (SQUARE,),
        draw,
    )


def _beat(found: Performance) -> Picture:
    known = ~np.isnan(found.positions)
    tempo = found.tempo
    bpm = tempo.bpm.value if tempo is not None else (found.given_bpm or 100.0)
    swung = np.nan_to_num(found.sways)
    where = np.mod(found.positions + found.deviations * bpm / 60 + swung, 1.0)

    def draw(theme: Theme, layout: Layout) -> Figure:
        top = _legend_height(found, layout)
        figure = Figure(figsize=(layout.width, top + 2.4 + 0.55))
        axes = place(figure, 0.72, top, 0.12, 2.4)
        edges = np.linspace(-0.125, 0.875, 97)
        folded = np.where(where >= 0.875, where - 1, where)
        base = np.zeros(96)
        for drum in found.drums:
            counts, _ = np.histogram(folded[known & (found.classes == drum.class_)], edges)
            axes.bar(
                edges[:-1], counts, 1 / 96, base, align="edge", color=mark(drum.class_).colour,
                linewidth=0,
            )  # fmt: skip
            base += counts
        axes.set_xlim(-0.125, 0.875)
        axes.set_xticks((0, 0.25, 0.5, 0.75), ("beat", "¼", "½", "¾"))
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.set(xlabel="where in the beat", ylabel="hits (count)")
        _legend(axes, found, layout)
        return figure

    return render(
        "beat",
        "Where in the beat the hits fell, all beats laid over each other. Straight eighths stand "
        "at ½, swung ones after it.",
        f"Histogram of {counted(int(known.sum()), 'hit')} within the beat, "
        f"on a grid of {found.grid}.",
        (SQUARE,),
        draw,
    )


def _dynamics(found: Performance) -> Picture:
    def values(class_: int) -> NDArray[np.float64]:
        loud = found.velocities[found.classes == class_]
        return np.asarray(loud[~np.isnan(loud)])

    def draw(theme: Theme, layout: Layout) -> Figure:
        figure, axes = _rows(found, theme, layout, values)
        axes.set_xlim(0, 128)
        axes.set_xlabel("velocity (1 to 127)")
        return figure

    told = "; ".join(
        f"{drum.name} {drum.dynamics.p50.value:.0f}" for drum in found.drums if drum.dynamics
    )
    return render(
        "dynamics",
        "How loud, by drum: every hit, and the percentiles 10, 50 and 90.",
        f"Rows of marks by drum; median velocities: {told}.",
        (SQUARE,),
        draw,
    )


def _intervals(found: Performance) -> Picture:
    apart = 1e3 * np.diff(found.times)
    far = max(50.0, 1.2 * float(np.quantile(apart, 0.97)))

    def draw(theme: Theme, layout: Layout) -> Figure:
        figure = Figure(figsize=(layout.width, 0.15 + 2.4 + 0.55))
        axes = place(figure, 0.72, 0.15, 0.12, 2.4)
        edges = list(np.linspace(0, far, 81))
        axes.hist(apart[apart <= far], edges, color=theme.wave, linewidth=0)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.set(xlabel="time between hits (ms)", ylabel="intervals (count)", xlim=(0, far))
        return figure

    return render(
        "intervals",
        "Times between consecutive hits, whatever the drum.",
        f"Histogram of {len(apart)} intervals, median {float(np.median(apart)):.0f} ms.",
        (SQUARE,),
        draw,
    )
