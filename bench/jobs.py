"""How much faster two workers are than one, and whether they write the same.

``python -m bench.jobs [--files 40] [--turns 3]`` renders a folder of grooves of 60 to 120 s, an
hour in all, and runs ``rtcluster run FOLDER --out DIR`` on it with one job and with two, as
programs of their own, start and imports included. They take turns, and the ratio is the median
over the turns, because a shared machine's speed changes from one second to the next; the load
before each turn is told. Then the same folder goes to a Dask cluster of two local workers, whose
start is not counted. All outputs are compared byte for byte. Writes ``bench/results/jobs.json``.
"""

from __future__ import annotations

import filecmp
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import soundfile
import typer
from rich.table import Table

from bench.report import console as report_console
from bench.report import write
from rtcluster.sources.groove import render

SAMPLERATE = 44100
WANTED = 1.7
"""Times as fast with two jobs on two cores."""

SHORTEST_S, LONGEST_S = 60.0, 120.0


def render_folder(folder: Path, files: int) -> float:
    """Write the recordings; return their length in seconds."""
    lengths = np.linspace(SHORTEST_S, LONGEST_S, files)
    for number, seconds in enumerate(lengths):
        audio = render(float(seconds), SAMPLERATE, seed=number).audio
        soundfile.write(folder / f"{number:02d}.wav", audio, SAMPLERATE)
    return float(lengths.sum())


def run(folder: Path, out: Path, *more: str) -> float:
    """The program on the folder; return the seconds it took."""
    command = [sys.executable, "-m", "rtcluster", "run", str(folder), "-k", "3", "--again"]
    began = time.perf_counter()
    subprocess.run([*command, "--out", str(out), *more], check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def differing(one: Path, other: Path) -> list[str]:
    """Names of the outputs that are not the same in both folders."""
    names = {path.name for folder in (one, other) for path in folder.glob("*.wav.jsonl")}
    same, _, _ = filecmp.cmpfiles(one, other, names, shallow=False)
    return sorted(names - set(same))


@contextmanager
def two_workers() -> Iterator[str]:
    """A Dask cluster on this machine; its address."""
    from distributed import LocalCluster

    options: dict[str, Any] = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    cluster: Any = LocalCluster
    with cluster(processes=True, silence_logs=50, **options) as started:
        yield started.scheduler_address


def main(
    files: Annotated[int, typer.Option(help="Recordings.")] = 40,
    turns: Annotated[int, typer.Option(help="Of one job and two jobs.")] = 3,
) -> None:
    """Measure, print a table, write the JSON."""
    console = report_console()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as made:
        base = Path(made)
        folder = base / "in"
        folder.mkdir()
        console.print(f"rendering {files} recordings ...", style="dim")
        seconds = render_folder(folder, files)
        for turn in range(turns):
            load = round(os.getloadavg()[0], 2)
            spent: dict[int, float] = {}
            for jobs in (1, 2) if turn % 2 == 0 else (2, 1):
                console.print(f"turn {turn + 1}: --jobs {jobs} ...", style="dim")
                spent[jobs] = run(folder, base / f"jobs{jobs}", "--jobs", str(jobs))
            rows.append(
                {
                    "load_before": load,
                    "one_s": round(spent[1], 2),
                    "two_s": round(spent[2], 2),
                    "ratio": round(spent[1] / spent[2], 3),
                }
            )
        console.print("Dask, two local workers ...", style="dim")
        with two_workers() as address:
            dask = run(folder, base / "dask", "--scheduler", address)
        unlike = {name: differing(base / "jobs1", base / name) for name in ("jobs2", "dask")}
    ratio = median(row["ratio"] for row in rows)
    table = Table("load before", "1 job, s", "2 jobs, s", "ratio")
    for row in rows:
        table.add_row(*(f"{value:.2f}" for value in row.values()))
    console.print(table)
    console.print(
        f"{seconds:.0f} s of audio in {files} files: two jobs are {ratio:.2f} times as fast, "
        f"{'' if ratio >= WANTED else 'not '}the wanted {WANTED}; Dask took {dask:.1f} s."
    )
    for name, names in unlike.items():
        console.print(f"{name}: {'outputs differ: ' + ', '.join(names) if names else 'identical'}")
    content = {
        "audio_s": round(seconds, 1), "files": files, "ratio": ratio, "turns": rows,
        "dask_s": round(dask, 2), "outputs_that_differ": unlike,
    }  # fmt: skip
    console.print(f"Written: bench/results/{write('jobs', content).name}")


if __name__ == "__main__":
    typer.run(main)
