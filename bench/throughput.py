"""Seconds of audio per second of CPU: rtcluster, Debian's ``aubioonset``, and the notebook.

``python -m bench.throughput [FILE...]`` runs, at 44.1 kHz with the method hfc and at three frames
and hops of the detector:

- *frozen*: the engine in process, onsets, features and classes included, learning no more once
  the warm-up is over. This is what the audio thread does;
- *learning*: the same with scikit-learn's ``partial_fit`` for every hit, which live is the pump
  thread's work;
- ``aubioonset``: aubio's own program for onsets alone, without features or classes;
- *notebook*: librosa's ``onset_detect`` at its own frame and hop, then its zero crossings and
  scipy's norm of each hit.

CPU time is that of user and system, of all threads; for ``aubioonset`` less what it needs for a
very short file, which is its start. The programs take turns, and ratios are medians over the turns,
because a shared machine's speed changes from one second to the next. Writes
``bench/results/throughput.json``.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import soundfile
import typer
from rich.table import Table

from bench.report import console as report_console
from bench.report import write
from rtcluster import Processor, Settings
from rtcluster.durations import WINDOW_S
from rtcluster.sources.file import FileSource
from rtcluster.sources.groove import render

SAMPLERATE = 44100
FRAMES = ((512, 64), (512, 128), (1024, 512))
"""Frame and hop of the detector, in samples."""

WANTED = 0.9
"""Of ``aubioonset``'s throughput."""

Run = Callable[[Path], float]
"""Takes a file, returns CPU seconds."""


def engine(buffer: int, hop: int, *, freeze: bool) -> Run:
    """The engine in this process; what it needs once for a stream is not counted."""

    def run(path: Path) -> float:
        processor = Processor(
            Settings(classes=3, method="hfc", freeze=freeze, buffer=buffer, hop=hop)
        )
        with FileSource(str(path)) as source:
            processor.prepare(source.samplerate, channels=source.channels)
            began = time.process_time()
            for block in source.blocks():
                processor.process(block)
            processor.flush()
            return time.process_time() - began

    return run


def aubioonset(buffer: int, hop: int, start: Path) -> Run:
    """Debian's program in a process of its own, less its start: what it takes for ``start``."""

    def child(path: Path) -> float:
        command = ["aubioonset", "-O", "hfc", "-B", str(buffer), "-H", str(hop), "-i", str(path)]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

    return lambda path: child(path) - child(start)


def notebook() -> Run:
    """The notebook's pipeline in this process, with librosa's defaults."""
    import librosa
    from scipy.linalg import norm

    def run(path: Path) -> float:
        began = time.process_time()
        x, rate = soundfile.read(path, dtype="float32", always_2d=True)
        x = x.mean(axis=1)
        onsets = librosa.onset.onset_detect(y=x, sr=rate, units="samples")
        for onset in onsets:
            window = x[onset : int(onset + rate * WINDOW_S)]
            librosa.zero_crossings(window).sum()
            norm(window)
        return time.process_time() - began

    return run


def measure(programs: dict[str, Run], files: list[Path], repeats: int) -> dict[str, list[float]]:
    """CPU seconds of each program for all the files, turn by turn, after one that is not counted.

    The order is reversed from turn to turn, so that none always comes first.
    """
    times: dict[str, list[float]] = {name: [] for name in programs}
    for turn in range(repeats + 1):
        for name in list(programs)[:: 1 if turn % 2 else -1]:
            spent = sum(programs[name](file) for file in files)
            if turn:
                times[name].append(spent)
    return times


def _hits(file: Path) -> int:
    processor = Processor(Settings(classes=3))
    with FileSource(str(file)) as source:
        processor.prepare(source.samplerate, channels=source.channels)
        for block in source.blocks():
            processor.process(block)
    return processor.counts.hits


def row(buffer: int, hop: int, times: dict[str, list[float]], seconds: float) -> dict[str, Any]:
    """Throughputs, and the ratios to aubioonset, of one frame and hop."""
    row: dict[str, Any] = {"buffer": buffer, "hop": hop}
    row["audio_s_per_cpu_s"] = {
        name: round(seconds / median(spent), 1) for name, spent in times.items()
    }
    row["us_per_hop"] = {
        name: round(1e6 * median(spent) * hop / (seconds * SAMPLERATE), 2)
        for name, spent in times.items()
        if name != "notebook"
    }
    if "aubioonset" in times:
        row["ratio_to_aubioonset"] = {
            name: round(median(a / b for a, b in zip(times["aubioonset"], spent, strict=True)), 3)
            for name, spent in times.items()
            if name != "aubioonset"
        }
    row["cpu_s"] = {name: [round(t, 4) for t in spent] for name, spent in times.items()}
    return row


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="Seconds of audio per second of CPU (and its ratio to aubioonset's)")
    names = list(rows[0]["audio_s_per_cpu_s"])
    for name in ("buffer/hop", *names):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        ratios = row.get("ratio_to_aubioonset", {})
        table.add_row(
            f"{row['buffer']}/{row['hop']}",
            *(
                f"{row['audio_s_per_cpu_s'][name]:.0f}"
                + (f" ({ratios[name]:.2f})" if name in ratios else "")
                for name in names
            ),
        )
    return table


def main(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Recordings beside the groove.", exists=True)
    ] = None,
    seconds: Annotated[float, typer.Option(help="Of the groove.", min=10.0)] = 240.0,
    repeats: Annotated[int, typer.Option(help="Turns.", min=1)] = 5,
) -> None:
    """Measure the throughput of the engine and of two others."""
    console = report_console()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        groove, start = Path(folder, "groove.wav"), Path(folder, "start.wav")
        soundfile.write(groove, render(seconds, SAMPLERATE).audio, SAMPLERATE)
        soundfile.write(start, np.zeros(2048, np.float32), SAMPLERATE)
        inputs = [groove, *(files or [])]
        length = sum(soundfile.info(file).duration for file in inputs)
        hits = sum(_hits(file) for file in inputs)
        for buffer, hop in FRAMES:
            console.print(f"{buffer}/{hop} ...", style="dim")
            programs = {
                "frozen": engine(buffer, hop, freeze=True),
                "learning": engine(buffer, hop, freeze=False),
                "notebook": notebook(),
            }
            if shutil.which("aubioonset"):
                programs["aubioonset"] = aubioonset(buffer, hop, start)
            rows.append(row(buffer, hop, measure(programs, inputs, repeats), length))
    console.print(_table(rows))
    console.print(
        f"{length:.0f} s of audio at {SAMPLERATE} Hz, {hits} hits, medians of {repeats} turns."
    )
    if "ratio_to_aubioonset" in rows[0]:
        worst = min(row["ratio_to_aubioonset"]["frozen"] for row in rows)
        console.print(
            f"Engine to aubioonset: {worst:.2f} at worst, {'' if worst >= WANTED else 'not '}"
            f"the wanted {WANTED}."
        )
    else:
        console.print("aubioonset is not installed (Debian: aubio-tools).")
    content = {"audio_s": round(length, 1), "hits": hits, "turns": repeats, "rows": rows}
    console.print(f"Written: bench/results/{write('throughput', content).name}")


if __name__ == "__main__":
    typer.run(main)
