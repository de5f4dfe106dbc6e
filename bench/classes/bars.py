"""Means over the recordings, and what they are to reach."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.classes.figures import OTHERS, STAGES
from bench.classes.worth import MEASURES
from bench.recordings import mean

OFFLINE_SLACK, GUESS_SLACK, AUTO_SLACK = 0.02, 0.0, 0.05
BEST_GAIN, TAUGHT_RIGHT, AGREE, WITHIN = 0.10, 0.90, 0.90, 1
"""What the classes are to reach."""


def _averages(rows: list[dict[str, Any]], features: str, *path: str) -> float:
    return mean(at(row["sets"][features], *path) for row in rows)


def at(row: dict[str, Any], *path: str) -> float:
    """A figure of a recording, by its place."""
    value: Any = row
    for key in path:
        value = value[key]
    return float(value)


def means(rows: list[dict[str, Any]], features: str) -> dict[str, Any]:
    """Means over the recordings of a set of features."""

    def average(*path: str) -> float:
        return _averages(rows, features, *path)

    exact = [row for row in rows if row["kind"] == "exact"]
    one_voice = [row for row in rows if row["one_voice"]]
    sets = [row["sets"][features]["auto"]["found"] - row["drums"] for row in one_voice]
    stages = ("final", "guess", "final_of_guessed", "told_of_guessed")
    return {
        "live": {stage: {m: average("live", stage, m) for m in MEASURES} for stage in stages},
        **{
            method: {stage: {m: average(method, stage, m) for m in MEASURES} for stage in STAGES}
            for method in OTHERS
        },
        "affinity_found": average("affinity_found"),
        "agree": average("agree"),
        "agree_told": average("agree_told"),
        "margins": {
            stage: {half: average("margins", stage, half) for half in ("top", "bottom")}
            for stage in STAGES
        },
        "taught": {stage: average("taught", stage) for stage in STAGES},
        "taught_exact": {stage: _averages(exact, features, "taught", stage) for stage in STAGES},
        "taught_exact_least": {
            stage: min((at(r["sets"][features], "taught", stage) for r in exact), default=np.nan)
            for stage in STAGES
        },
        "auto": {m: average("auto", m) for m in "VA"},
        "auto_off_one_voice": max((abs(off) for off in sets), default=0),
    }


def bars(figures: dict[str, dict[str, Any]]) -> list[tuple[str, str, bool]]:
    """What is wanted, what there is, and whether that will do; of the sets there are."""
    out: list[tuple[str, str, bool]] = []

    def bar(wanted: str, there: float, least: float) -> None:
        out.append((wanted, f"{there:.3f}, wanted {least:.3f}", bool(there >= least)))

    for name, one in figures.items():
        live, offline = one["live"], one["kmeans"]["final"]
        if name == "notebook":
            for m in "VA":
                bar(f"{name}: {m} of finals", live["final"][m], offline[m] - OFFLINE_SLACK)
            for m in "VA":
                wanted = live["final_of_guessed"][m] - GUESS_SLACK
                bar(f"{name}: {m} of guesses, to finals", live["guess"][m], wanted)
                wanted = live["told_of_guessed"][m] - GUESS_SLACK
                bar(f"{name}: {m} of guesses, to finals as told", live["guess"][m], wanted)
        if name == "best" and "notebook" in figures:
            least = figures["notebook"]["live"]["final"]["V"] + BEST_GAIN
            bar("best: V of finals, to the notebook's", live["final"]["V"], least)
        bar(f"{name}: guess agrees with final", one["agree"], AGREE)
        bar(f"{name}: guess agrees with final as told", one["agree_told"], AGREE)
        for stage in STAGES:
            top, bottom = one["margins"][stage]["top"], one["margins"][stage]["bottom"]
            out.append(
                (f"{name}: {stage}, margins", f"{top:.3f}, lower half {bottom:.3f}", top > bottom)
            )
        if name == "taught":
            for stage in STAGES:
                bar(f"{name}: {stage} right, exact", one["taught_exact"][stage], TAUGHT_RIGHT)
        off = one["auto_off_one_voice"]
        out.append((f"{name}: auto, off by (one voice)", f"{off}, wanted {WITHIN}", off <= WITHIN))
        bar(f"{name}: auto, V", one["auto"]["V"], live["final"]["V"] - AUTO_SLACK)
    return out
