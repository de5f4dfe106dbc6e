"""How long until it runs: the program's start beside those of ``aubioonset`` and librosa.

``python -m bench.startup`` starts each program of a list anew, turn by turn, and takes the wall
time to its end and to its first hit on standard output. The file that is heard is the
synthesised groove of 8 s. Once, *the first use*: the same with an empty cache for Numba, where
the kernel is compiled. The disk's cache is warm in all of it. Ratios are medians over the turns,
to ``aubioonset`` on the same file. Writes ``bench/results/startup.json``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import soundfile
import typer
from rich.table import Table

from bench.report import console as report_console
from bench.report import percentiles, write
from rtcluster.sources.groove import render

SAMPLERATE = 44100
FILE_S = 8.0
PEER = "aubioonset"

LIBROSA = """
import sys
import librosa
x, rate = librosa.load(sys.argv[1], sr=None)
for time in librosa.onset.onset_detect(y=x, sr=rate, units="time"):
    print(time, flush=True)
"""
"""What a newcomer writes."""

AUBIO = """
import sys
import aubio
source = aubio.source(sys.argv[1], hop_size=64)
onset = aubio.onset("hfc", 512, 64, source.samplerate)
read = 64
while read == 64:
    block, read = source()
    if onset(block)[0]:
        print(onset.get_last_s(), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Program:
    """What is started.

    Attributes
    ----------
    name : str
    command : tuple of str
    is_hit : callable, optional
        Tells whether a line of its output is a hit.
    """

    name: str
    command: tuple[str, ...]
    is_hit: Callable[[str], bool] | None = None


def _is_onset(line: str) -> bool:
    return '"event": "onset"' in line


def _is_time(line: str) -> bool:
    with suppress(ValueError):
        return float(line) >= 0.0
    return False


def programs(path: Path) -> list[Program]:
    """All that can be started here; the last ones hear the file."""
    python, ours = sys.executable, (sys.executable, "-m", "rtcluster")
    file = str(path)
    found = [
        Program("python, nothing else", (python, "-c", "pass")),
        Program("import rtcluster", (python, "-c", "import rtcluster")),
        Program("rtcluster --help", (*ours, "--help")),
        Program("rtcluster devices", (*ours, "devices")),
        Program("rtcluster run", (*ours, "run", file, "-k", "3"), _is_onset),
    ]
    if shutil.which(PEER):
        found.append(Program(PEER, (PEER, "-i", file, "-B", "512", "-H", "64"), _is_time))
    found.append(Program("aubio in Python", (python, "-c", AUBIO, file), _is_time))
    if find_spec("librosa"):
        found.append(Program("import librosa", (python, "-c", "import librosa")))
        found.append(Program("librosa in Python", (python, "-c", LIBROSA, file), _is_time))
    return found


def start(program: Program, environment: Mapping[str, str] | None = None) -> dict[str, float]:
    """Start a program; seconds to its ``end`` and, if it tells hits, to the ``first_hit``.

    Raises
    ------
    RuntimeError
        If it fails, or tells no hit where it should.
    """
    found: dict[str, float] = {}
    began = time.perf_counter()
    with subprocess.Popen(
        program.command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None  # a pipe
        for line in process.stdout:
            if "first_hit" not in found and program.is_hit is not None and program.is_hit(line):
                found["first_hit"] = time.perf_counter() - began
    found["end"] = time.perf_counter() - began
    # `devices` fails in one line where there is no sound system at all; its start is the same.
    if process.returncode and program.is_hit is not None:
        raise RuntimeError(f"Expected {program.name} to run, got exit code {process.returncode}.")
    if program.is_hit is not None and "first_hit" not in found:
        raise RuntimeError(f"Expected hits from {program.name}, got none.")
    return found


def measure(chosen: list[Program], turns: int) -> dict[str, list[dict[str, float]]]:
    """Seconds of each program, turn by turn, after a turn that is not counted."""
    found: dict[str, list[dict[str, float]]] = {program.name: [] for program in chosen}
    for turn in range(turns + 1):
        for program in chosen[:: 1 if turn % 2 else -1]:
            seconds = start(program)
            if turn:
                found[program.name].append(seconds)
    return found


def first_use(program: Program) -> dict[str, float]:
    """Start a program with an empty cache for what Numba compiles."""
    with tempfile.TemporaryDirectory() as folder:
        return start(program, {**os.environ, "NUMBA_CACHE_DIR": folder})


def rows(found: dict[str, list[dict[str, float]]]) -> list[dict[str, Any]]:
    """Distributions in ms, and ratios to the peer where both hear the file."""
    out = []
    for name, turns in found.items():
        row: dict[str, Any] = {"program": name}
        for what in ("first_hit", "end"):
            if what not in turns[0]:
                continue
            row[f"{what}_ms"] = percentiles([1e3 * turn[what] for turn in turns], 0)
            if "first_hit" in turns[0] and PEER in found:
                pairs = zip(turns, found[PEER], strict=True)
                row[f"{what}_ratio"] = round(median(a[what] / b[what] for a, b in pairs), 1)
        out.append(row)
    return out


def _table(found: list[dict[str, Any]], cold: dict[str, float]) -> Table:
    table = Table(title="Start-up, in ms: p50 / max")
    table.add_column("program", no_wrap=True)
    for name in ("to the first hit", f"to {PEER}'s", "to the end", f"to {PEER}'s"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in found:
        cells = []
        for what in ("first_hit", "end"):
            cuts, ratio = row.get(f"{what}_ms"), row.get(f"{what}_ratio")
            cells.append(f"{cuts['p50']:.0f} / {cuts['max']:.0f}" if cuts else "")
            cells.append(f"{ratio:.1f}" if ratio else "")
        table.add_row(row["program"], *cells)
    if cold:
        cells = [f"{1e3 * cold['first_hit']:.0f}", "", f"{1e3 * cold['end']:.0f}"]
        table.add_row("rtcluster run, first use", *cells)
    return table


def main(
    turns: Annotated[int, typer.Option(min=1)] = 7,
    first: Annotated[bool, typer.Option(help="Also compile the kernel once.")] = True,
) -> None:
    """Measure how long programs take to start."""
    console = report_console()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "groove.wav")
        soundfile.write(path, render(FILE_S, SAMPLERATE).audio, SAMPLERATE)
        chosen = programs(path)
        console.print(f"{len(chosen)} programs, {turns} turns ...", style="dim")
        found = rows(measure(chosen, turns))
        cold: dict[str, float] = {}
        if first:
            console.print("the first use, which compiles ...", style="dim")
            cold = first_use(next(p for p in chosen if p.name == "rtcluster run"))
    console.print(_table(found, cold))
    if not shutil.which(PEER):
        console.print("aubioonset is not installed (Debian: aubio-tools).")
    console.print(f"A file of {FILE_S:g} s at {SAMPLERATE} Hz.")
    content = {
        "turns": turns,
        "rows": found,
        "first_use_s": {what: round(seconds, 2) for what, seconds in cold.items()},
    }
    console.print(f"Written: bench/results/{write('startup', content).name}")


if __name__ == "__main__":
    typer.run(main)
