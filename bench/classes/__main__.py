"""Compare live classes with offline ones and with the truth: ``python -m bench.classes``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from threadpoolctl import threadpool_limits

from bench.classes import left_out
from bench.classes.bars import bars, means
from bench.classes.figures import measure
from bench.classes.heard import hear
from bench.classes.tables import show
from bench.classes.truth import annotated, truth_of
from bench.recordings import DATA, load
from bench.report import console as report_console
from bench.report import write
from rtcluster import Settings
from rtcluster.settings import FEATURE_SETS


def rounded(value: Any) -> Any:
    """Figures to four digits, and null for those that do not apply, as JSON has no NaN."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    if isinstance(value, float):
        return round(value, 4) if np.isfinite(value) else None
    return value


def main(
    data: Annotated[Path, typer.Option(help="Folder of the recordings.", exists=True)] = DATA,
    split: Annotated[str, typer.Option(help="Part of the recordings.")] = "dev",
    features: Annotated[
        list[str] | None, typer.Option(help="Set or list of features; may be repeated.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Part of a recording's name; may be repeated.")
    ] = None,
) -> None:
    """Compare live classes with offline ones and with the truth."""
    console = report_console()
    began = time.perf_counter()
    sets = features or list(FEATURE_SETS)
    labels = annotated(data)
    rows: list[dict[str, Any]] = []
    choices: dict[str, dict[str, Any]] = {}
    complete = {*left_out.FEATURES} <= {*sets} and not only
    with threadpool_limits(1):  # on few hits, threads cost more than they give
        for recording in load(data, only, split):
            console.print(f"{recording.name} ...", style="dim")
            truth = truth_of(recording, labels[recording.name])
            heard = {
                name: hear(recording, Settings(classes=truth.classes, features=name))
                for name in sets
            }
            rows.append(
                {
                    "name": recording.name,
                    "kind": recording.kind,
                    "drums": len(truth.drums),
                    "one_voice": truth.one_voice,
                    "sets": {name: measure(recording, truth, name, heard[name]) for name in sets},
                }
            )
            if complete:
                choices[recording.name] = left_out.measure(recording, truth, heard)
    figures = {name: means(rows, name) for name in sets}
    show(console, rows, figures)
    left = left_out.figures(choices, left_out.groups(data)) if complete else {}
    if left:
        left_out.show(console, left)
    console.print(f"{len(rows)} recordings in {time.perf_counter() - began:.0f} s.")
    if data != DATA or split != "dev" or features or only:
        console.print("Nothing is written: this is part of the comparison.")
        return
    content = {
        "features": {name: list(FEATURE_SETS[name]) for name in sets},
        "means": figures,
        "left_out": left,
        "bars": [{"bar": b, "figure": f, "met": met} for b, f, met in bars(figures)],
        "recordings": rows,
    }
    console.print(f"Written: bench/results/{write('classes', rounded(content)).name}")


if __name__ == "__main__":
    typer.run(main)
