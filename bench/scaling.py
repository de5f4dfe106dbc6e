"""Throughput and memory against length: the first linear, the second flat.

``python -m bench.scaling`` prints two tables and writes ``bench/results/scaling.json``:

- *one stream*: the groove, heard for ``--hours`` with all of the learning, and at lengths that
  about double the CPU time, the throughput since the last one, and the memory of this process.
  ``--hours 24`` is a day of audio; what else a day does is :mod:`bench.soak`'s;
- *peak memory* of a process of its own that hears a file of some minutes: ours block by block,
  beside librosa's ``onset_detect``, which needs the whole file.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import soundfile
import typer
from rich.table import Table

from bench.report import console as report_console
from bench.report import write
from bench.soak import resident_mb
from rtcluster import Processor, Settings
from rtcluster.sources.groove import Audio, render

app = typer.Typer(add_completion=False)

SAMPLERATE = 44100
PIECE_S = 60
"""The groove is made once, of this length, and heard again and again."""

LENGTHS_S = (60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 43200, 57600, 86400)
MEMORY_MINUTES = (1, 4, 16)
FLAT_MB = 1.0
"""Over the lengths but the first, how much more memory is still flat."""

LINEAR = 0.10
"""How far the throughput of a whole stream may lie from that of its first half."""


def along(seconds: float, audio: Audio) -> Iterator[dict[str, float]]:
    """Hear a stream that repeats a piece; how things stand at :data:`LENGTHS_S` and at its end."""
    processor = Processor(Settings(classes=3))
    processor.prepare(SAMPLERATE)
    seen = last = 0
    spent = since = 0.0
    for end in (*(n for n in LENGTHS_S if n < seconds), seconds):
        while seen < round(end * SAMPLERATE):
            piece = audio[: round(end * SAMPLERATE) - seen]
            began = time.process_time()
            processor.process(piece)
            since += time.process_time() - began
            seen += len(piece)
        spent += since
        yield {
            "audio_s": round(seen / SAMPLERATE, 1),
            "cpu_s": round(spent, 3),
            "audio_s_per_cpu_s": round(seen / SAMPLERATE / spent, 1),
            "since_last": round((seen - last) / SAMPLERATE / since, 1),
            "resident_mb": round(resident_mb(), 1),
            "hits": processor.counts.hits,
        }
        last, since = seen, 0.0
    processor.close()


def verdict(rows: list[dict[str, float]]) -> dict[str, float]:
    """How linear and how flat a stream was.

    Returns
    -------
    dict
        ``throughput_ratio``: of the whole stream to its first half or what is nearest;
        ``growth_mb``: from the second length to the end.
    """
    whole = rows[-1]
    half = min(rows, key=lambda row: abs(row["audio_s"] - whole["audio_s"] / 2))
    settled = rows[min(1, len(rows) - 1)]
    return {
        "throughput_ratio": round(whole["audio_s_per_cpu_s"] / half["audio_s_per_cpu_s"], 3),
        "growth_mb": round(whole["resident_mb"] - settled["resident_mb"], 1),
    }


def peak_mb() -> float | None:
    """The most memory this process has held so far, in MB; None where that cannot be read.

    Not ``ru_maxrss``, which begins with what the parent held.
    """
    try:
        text = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return None
    held = [line.split()[1] for line in text.splitlines() if line.startswith("VmHWM:")]
    return int(held[0]) / 1024 if held else None


@app.command(hidden=True)
def child(who: str, path: Path) -> None:
    """Hear a file; write the peak of the memory and the number of hits as JSON."""
    hits = 0
    if who == "rtcluster":
        from rtcluster.sources.file import FileSource

        processor = Processor(Settings(classes=3))
        with FileSource(str(path)) as source:
            processor.prepare(source.samplerate, channels=source.channels)
            for block in source.blocks():
                processor.process(block)
        hits = processor.counts.hits
    else:
        import librosa

        audio, rate = soundfile.read(path, dtype="float32")
        hits = len(librosa.onset.onset_detect(y=audio, sr=rate))
    print(json.dumps({"peak_mb": peak_mb(), "hits": hits}))


def memory(minutes: int, piece: Audio) -> dict[str, Any]:
    """Peak memory of the programs for a file of so many minutes."""
    row: dict[str, Any] = {"minutes": minutes, "peak_mb": {}}
    programs = ["rtcluster", *["librosa"] * bool(find_spec("librosa"))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "long.wav")
        with soundfile.SoundFile(path, "w", SAMPLERATE, 1, subtype="PCM_16") as file:
            for _ in range(minutes * 60 // PIECE_S):
                file.write(piece)
        row["file_mb"] = round(minutes * 60 * SAMPLERATE * 4 / 2**20, 1)
        for who in programs:
            command = [sys.executable, "-m", "bench.scaling", "child", who, str(path)]
            found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            row["peak_mb"][who] = found["peak_mb"] and round(found["peak_mb"], 1)
    return row


def _stream_table(rows: list[dict[str, float]]) -> Table:
    table = Table(title="One stream: throughput and memory against length")
    for name in ("audio", "hits", "CPU s", "audio s a CPU s", "since the last", "memory, MB"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            _length(row["audio_s"]),
            f"{row['hits']:.0f}",
            f"{row['cpu_s']:.1f}",
            f"{row['audio_s_per_cpu_s']:.1f}",
            f"{row['since_last']:.1f}",
            f"{row['resident_mb']:.1f}",
        )
    return table


def _length(seconds: float) -> str:
    if seconds >= 3600:
        return f"{seconds / 3600:g} h"
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"


def _memory_table(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="Peak memory of a process that hears a file, MB")
    names = list(rows[0]["peak_mb"])
    for name in ("file", "its samples", *names):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        peaks = [row["peak_mb"][name] for name in names]
        table.add_row(
            f"{row['minutes']} min",
            f"{row['file_mb']:.0f}",
            *(f"{peak:.0f}" if peak else "-" for peak in peaks),
        )
    return table


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    hours: Annotated[float, typer.Option(help="Of the one stream.", min=0.001)] = 1.0,
    minutes: Annotated[
        list[int] | None, typer.Option(help="Of a file; may be repeated.", min=1)
    ] = None,
) -> None:
    """Measure throughput and memory against length."""
    if context.invoked_subcommand is not None:
        return
    console = report_console()
    piece = render(float(PIECE_S), SAMPLERATE).audio
    rows = []
    for row in along(3600 * hours, piece):
        console.print(f"{_length(row['audio_s'])} ...", style="dim")
        rows.append(row)
    files = [memory(length, piece) for length in minutes or MEMORY_MINUTES]
    console.print(_stream_table(rows))
    found = verdict(rows)
    near = abs(found["throughput_ratio"] - 1.0) <= LINEAR
    flat = found["growth_mb"] <= FLAT_MB
    console.print(
        f"The whole stream's throughput is {found['throughput_ratio']:.2f} of its first half's "
        f"({'' if near else 'not '}linear); memory grew by {found['growth_mb']:.1f} MB after the "
        f"second length ({'' if flat else 'not '}flat)."
    )
    console.print(_memory_table(files))
    if not find_spec("librosa"):
        console.print("librosa is not installed (pip install 'rtcluster[report]').")
    content = {"stream": rows, **found, "files": files}
    console.print(f"Written: bench/results/{write('scaling', content).name}")


if __name__ == "__main__":
    app()
