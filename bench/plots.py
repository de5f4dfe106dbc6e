"""The plots of README and docs, redrawn from ``bench/results`` (``python -m bench.plots``).

Each is drawn for a light page and a dark one, as the report's pictures are. A plot whose results
are not there is told and left as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench import detector
from bench.callback import DRIVERS, NAMES
from bench.latency import STAGES
from bench.report import RESULTS
from bench.report import console as report_console
from rtcluster.pages.canvas import WIDE, Layout, Picture, Theme, place, render
from rtcluster.pages.palette import mark

DOCS = Path(__file__).parents[1] / "docs" / "pictures"
ROW_IN = 0.27
"""Height of a row, in inches."""

PROGRAM_NAMES = {
    "compiled": "compiled callback",
    "python": "Python callback",
    "aubio": "Python callback, aubio alone",
}
SINK_NAMES = {
    "function": "function",
    "jsonl": "JSON Lines, another process",
    "osc": "OSC, another process",
    "midi": "MIDI, another process",
}

DRUM_MEASURES = {
    "F": "F of (time, drum)",
    "lone": "one drum, told exactly",
    "both": "two at once, told exactly",
}
OTHERS_MS = ((5.8, "SP-Tools, 5.8 ms"), (10.0, "Jack et al., 10 ms"))
"""When a classifier for players answers (SP-Tools for Max, 256 samples), and how late an instrument
may answer before players mind (Jack, Stockman and McPherson, Audio Mostly 2016)."""

FINAL_AT = 38
"""Where the final stands, in ms; it is told after 90."""

Results = dict[str, Any]


def spread(axes: Axes, y: float, cuts: dict[str, float], look: int, label: str | None) -> None:
    """Draw a distribution: a line from p50 to p99, a mark at p50, a tick at the maximum."""
    colour, marker = mark(look).colour, mark(look).marker
    axes.plot([cuts["p50"], cuts["p99"]], [y, y], color=colour, linewidth=3.0, alpha=0.55)
    axes.plot([cuts["p50"]], [y], marker=marker, color=colour, linestyle="", label=label)
    axes.plot([cuts["max"]], [y], marker="|", color=colour, markersize=7)


def _rows(axes: Axes, names: list[str]) -> None:
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_yticks(range(len(names)), names)
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)


def callback(results: Results, theme: Theme, layout: Layout) -> Figure:
    """Work of the callbacks and blocks that they lost, load by load."""
    cases = results["cases"]
    loads = list(dict.fromkeys(case["load"] for case in cases))
    height = ROW_IN * 2 * len(loads)
    figure = Figure(figsize=(layout.width, height + 1.15))
    work = place(figure, 2.75, 0.5, 2.3, height)
    lost = place(figure, layout.width - 2.0, 0.5, 0.45, height)
    for case in cases:
        look = DRIVERS.index(case["driver"])
        y = loads.index(case["load"]) + (0.18 if look else -0.18)
        label = PROGRAM_NAMES[case["driver"]] if case["load"] == loads[0] else None
        if case["work_us"]:
            spread(work, y, case["work_us"], look, label)
        missing = case["blocks_expected"] - case["blocks_handled"]
        share = 100 * max(0, missing) / case["blocks_expected"]
        lost.barh(y, share, height=0.3, color=mark(look).colour)
        lost.text(share + 2, y, f"{share:.1f}", va="center", color=theme.soft, fontsize="small")
    block_us = 1e6 * results["blocksize"] / results["samplerate"]
    work.axvline(block_us, color=theme.ink, linewidth=0.9, linestyle=":")
    work.text(block_us, -0.65, " a block", color=theme.soft, va="bottom")
    _rows(work, [NAMES.get(load, load) for load in loads])
    _rows(lost, ["" for _ in loads])
    work.set_xscale("log")
    work.set_xlabel("work of a block (µs): mark at p50, line to p99, tick at the maximum")
    lost.set(xlim=(0, 115), xticks=(0, 50, 100))
    lost.set_xlabel("blocks lost (%)")
    figure.legend(loc="upper left", ncols=2, bbox_to_anchor=(0.0, 1.0))
    return figure


def latency(results: Results, theme: Theme, layout: Layout) -> Figure:
    """From a stroke's first sample to each sink, stage by stage."""
    rows: list[tuple[str, dict[str, dict[str, float]]]] = []
    begun = set()
    for case in results["cases"]:
        if case["load"] not in begun:
            begun.add(case["load"])
            rows.append((f"LOAD: {NAMES.get(case['load'], case['load'])}", {}))
        for sink, stages in sink_rows(case).items():
            rows.append((f"{PROGRAM_NAMES[case['program']]}: {SINK_NAMES[sink]}", stages))
    height = ROW_IN * len(rows)
    figure = Figure(figsize=(layout.width, height + 1.15))
    axes = place(figure, 3.9, 0.5, 0.3, height)
    labelled = set()
    for y, (_, stages) in enumerate(rows):
        for stage, cuts in stages.items():
            spread(axes, y, cuts, STAGES.index(stage), None if stage in labelled else stage)
            labelled.add(stage)
        if y and not stages:
            axes.axhline(y - 0.5, color=theme.soft, linewidth=0.8)
    _rows(axes, [name for name, _ in rows])
    axes.set_xscale("log")
    axes.set_xticks(ticks := (1, 2, 5, 10, 20, 50, 100, 200, 500), [str(n) for n in ticks])
    axes.minorticks_off()
    axes.set_xlim(1.0, max(150.0, *(cuts["max"] for _, s in rows for cuts in s.values())) * 1.1)
    axes.set_xlabel("latency (ms): mark at p50, line to p99, tick at the maximum")
    figure.legend(loc="upper left", ncols=3, bbox_to_anchor=(0.0, 1.0))
    return figure


def sink_rows(case: dict[str, Any]) -> dict[str, dict[str, dict[str, float]]]:
    """All sinks of the compiled callback; of the others the function, which is their best."""
    told: dict[str, dict[str, dict[str, float]]] = case["delay_ms"]
    wanted = [sink for sink in SINK_NAMES if case["program"] == "compiled" or sink == "function"]
    return {sink: told[sink] for sink in wanted if sink in told}


def scaling(results: Results, theme: Theme, layout: Layout) -> Figure:
    """CPU time and memory against length."""
    figure = Figure(figsize=(layout.width, 3.6))
    left = place(figure, 0.8, 0.3, layout.width / 2 + 0.35, 2.65)
    right = place(figure, layout.width / 2 + 0.75, 0.3, 0.3, 2.65)
    minutes = np.array([row["audio_s"] for row in results["stream"]]) / 60
    spent = np.array([row["cpu_s"] for row in results["stream"]])
    look = mark(0)
    left.plot(minutes, minutes * spent[-1] / minutes[-1], color=theme.grid, linewidth=3)
    left.plot(minutes, spent, color=look.colour, marker=look.marker, linestyle="")
    left.set_xlabel("length of the audio (min)")
    left.set_ylabel("CPU time (s)")
    left.text(
        0.03, 0.95, f"{60 * minutes[-1] / spent[-1]:.0f} s of audio a CPU second",
        transform=left.transAxes, va="top", color=theme.soft,
    )  # fmt: skip
    lengths = [row["minutes"] for row in results["files"]]
    for place_, name in enumerate(results["files"][0]["peak_mb"]):
        peaks = [row["peak_mb"][name] for row in results["files"]]
        one = mark(place_)
        right.plot(lengths, peaks, color=one.colour, marker=one.marker, label=name)
    right.set_ylim(bottom=0)
    right.set_xlabel("length of the file (min)")
    right.set_ylabel("peak memory (MB)")
    right.legend(loc="upper left")
    return figure


def drums(results: Results, theme: Theme, layout: Layout) -> Figure:
    """Which drums a taught kit hears, against the time of the guess; the final at its right."""
    figure = Figure(figsize=(layout.width, 3.6))
    axes = place(figure, 0.7, 0.5, 0.3, 2.75)
    means = results["means"]
    times = sorted(int(stage) for stage in means if stage != "final")
    for look, (measure, label) in enumerate(DRUM_MEASURES.items()):
        one = mark(look)
        values = [means[str(ms)][measure] for ms in times]
        axes.plot(times, values, color=one.colour, marker=one.marker, label=label)
        final = means["final"][measure]
        axes.plot([FINAL_AT], [final], color=one.colour, marker=one.marker, linestyle="")
        axes.plot(
            [times[-1], FINAL_AT], [values[-1], final], color=one.colour, linewidth=0.8,
            linestyle=":",
        )  # fmt: skip
    for row, (ms, name) in enumerate(OTHERS_MS):
        axes.axvline(ms, color=theme.soft, linewidth=0.9, linestyle=":")
        axes.text(ms + 0.3, 0.42 + 0.05 * row, name, color=theme.soft, fontsize="small")
    axes.set(xlim=(4.0, FINAL_AT + 2.0), ylim=(0.4, 1.0))
    axes.set_xticks([*times, FINAL_AT], [*map(str, times), "final: 90"])
    axes.set_xlabel("ms after the first sample of a hit")
    figure.legend(loc="upper left", ncols=3, bbox_to_anchor=(0.0, 1.0))
    return figure


PLOTS: dict[str, Callable[[Results, Theme, Layout], Figure]] = {
    "callback": callback,
    "latency": latency,
    "scaling": scaling,
    "drums": drums,
}
"""By the name of the results, which is that of the picture too."""


def picture(name: str, results: Results) -> Picture:
    """A plot, light and dark."""
    return render(name, "", "", (WIDE,), lambda theme, at: PLOTS[name](results, theme, at))


def draw_detector(results: Results, folder: Path) -> None:
    """The detectors' plot, which their benchmark draws too."""
    rows = [
        {**row, "figures": {k: np.nan if v is None else v for k, v in row["figures"].items()}}
        for row in results["rows"]
    ]
    detector.draw(rows, folder / detector.PICTURE.name)


def main(
    folder: Annotated[Path, typer.Option(help="Where the pictures go.")] = DOCS,
) -> None:
    """Redraw the plots."""
    console = report_console()
    folder.mkdir(exist_ok=True)
    for name in (*PLOTS, "detector"):
        path = RESULTS / f"{name}.json"
        if not path.is_file():
            console.print(f"{name}: not drawn, there is no bench/results/{path.name}.")
            continue
        results = json.loads(path.read_text(encoding="utf-8"))
        if name == "detector":
            draw_detector(results, folder)
        else:
            for (theme, _), png in picture(name, results).images.items():
                (folder / f"{name}{'' if theme == 'light' else '-dark'}.png").write_bytes(png)
        console.print(f"{name}: drawn.")


if __name__ == "__main__":
    typer.run(main)
