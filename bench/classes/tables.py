"""The tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.classes.bars import at, bars
from bench.classes.figures import LESSONS, OTHERS, STAGES
from bench.classes.worth import MEASURES
from bench.recordings import mean

Pick = Callable[[dict[str, Any]], float]


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title)
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left", no_wrap=True)
    return table


def _figure(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else "-"


def _offline_table(figures: dict[str, dict[str, Any]]) -> Table:
    columns = [f"{stage}\n{m}" for stage in ("final", "guess") for m in MEASURES]
    title = "Live, offline, and with the truth known: means"
    table = _table(title, "features", "labels", *columns)
    for name, one in figures.items():
        live = one["live"]
        rows = [("live", live["final"], None)]
        rows += [("live, hits with a guess", live["final_of_guessed"], live["guess"])]
        rows += [("the same, as told", live["told_of_guessed"], live["guess"])]
        rows += [(method, one[method]["final"], one[method]["guess"]) for method in OTHERS]
        for label, final, guess in rows:
            both = [stage[m] if stage else np.nan for stage in (final, guess) for m in MEASURES]
            table.add_row(name, label, *map(_figure, both))
        table.add_section()
    return table


def _by_recording(rows: list[dict[str, Any]], title: str, columns: dict[str, Pick]) -> Table:
    """A row for each recording, a column for each figure of each set of features."""
    names = list(rows[0]["sets"])
    heads = [f"{name}\n{column}" for name in names for column in columns]
    table = _table(title, "recording", "drums", *heads)
    values = []
    for row in rows:
        values.append([pick(row["sets"][name]) for name in names for pick in columns.values()])
        mark = " *" if row["one_voice"] else ""
        table.add_row(row["name"] + mark, str(row["drums"]), *map(_figure, values[-1]))
    table.add_section()
    table.add_row("mean", "", *(_figure(mean(column)) for column in zip(*values, strict=True)))
    return table


def _margins_table(figures: dict[str, dict[str, Any]]) -> Table:
    table = _table(
        "Right by margin: means", "features", "stage", "upper half", "lower half", "all taught"
    )
    for name, one in figures.items():
        for stage in STAGES:
            halves_ = one["margins"][stage]
            values = (halves_["top"], halves_["bottom"], one["taught"][stage])
            table.add_row(name, stage, *map(_figure, values))
    return table


def show(console: Console, rows: list[dict[str, Any]], figures: dict[str, dict[str, Any]]) -> None:
    """One table for each question."""
    console.print(_offline_table(figures))
    console.print(
        _by_recording(
            rows,
            "Guess and final, and V of kmeans on the same hits",
            {
                "V": lambda s: at(s, "live", "final", "V"),
                "kmeans": lambda s: at(s, "kmeans", "final", "V"),
                "agree": lambda s: at(s, "agree"),
            },
        )
    )
    console.print(_margins_table(figures))
    console.print(
        _by_recording(
            rows,
            f"Taught with the first {LESSONS} hits of each drum: share of the others named right",
            {
                "guess": lambda s: at(s, "taught", "guess"),
                "final": lambda s: at(s, "taught", "final"),
            },
        )
    )
    console.print(
        _by_recording(
            rows,
            "How many drums: --classes auto (* one voice)",
            {
                "found": lambda s: at(s, "auto", "found"),
                "V auto": lambda s: at(s, "auto", "V"),
                "V true": lambda s: at(s, "live", "final", "V"),
            },
        )
    )
    table = _table("What is wanted, and what there is", "bar", "figure", "met")
    for wanted, there, met in bars(figures):
        table.add_row(wanted, there, "yes" if met else "no")
    console.print(table)
