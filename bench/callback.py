"""The compiled callback against a Python callback that does the same work.

Both run in PortAudio streams on JACK's dummy driver, whose clock is real and whose blocks are
lost if they are not taken in time. Beside them, in the same process and on the same machine, runs
one load of :mod:`tests.support.loads` after the other: threads that want the GIL, the garbage
collector, imports, the disk, and other processes on every core. ``python -m bench.callback`` prints
the table and writes ``bench/results/callback.json``.

*Work* is the time from the start of a callback to its end. *Lateness* is the time from when the
block was ready, the client that plays it being done with it, to the start of the callback. What
comes later than a whole block finds the next one's audio, and shows as a lost block. *Blocks* are
those handled of those that the clock made due; where jackd itself woke too late, which is the
machine's doing, the results count it as ``jackd_lost_by_server``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from rich.table import Table

from bench.case import MAX_SECONDS
from bench.report import console as report_console
from bench.report import percentiles, write
from rtcluster import Processor
from rtcluster.sources.groove import render
from tests.support import jackd
from tests.support.loads import LOADS

NAMES = {
    "idle": "none",
    "busy": "one busy Python thread",
    "busy2": "two busy Python threads",
    "partial_fit": "a thread looping partial_fit",
    "garbage": "a thread collecting garbage",
    "import": "a thread importing scipy, matplotlib",
    "disk": "two threads writing to disk",
    "cpu": "busy processes on all cores",
}
DRIVERS = ("compiled", "python")
SAMPLERATE = 44100
GROOVE_S = 30.0
WORK_LIMIT = 0.05
"""Share of a block that the compiled callback may take at its 99th percentile."""


def lateness_us(
    began_ns: npt.NDArray[np.int64], ready_ns: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Time from when a block was ready to when a callback took it.

    Parameters
    ----------
    began_ns : ndarray, shape (n,)
        Starts of the callbacks.
    ready_ns : ndarray, shape (m,)
        When each of JACK's blocks was ready, rising. A callback takes the latest.

    Returns
    -------
    ndarray, shape (<= n,)
        In us.
    """
    began = began_ns[(began_ns >= ready_ns[0]) & (began_ns <= ready_ns[-1])]
    latest = ready_ns[np.searchsorted(ready_ns, began, side="right") - 1]
    return np.asarray((began - latest) / 1e3)


def run_case(
    server: jackd.Server,
    audio: npt.NDArray[np.float32],
    driver: str,
    under: str,
    seconds: float,
) -> dict[str, Any]:
    """Run one case in a child process, while a groove plays into it."""
    command = [sys.executable, "-m", "bench.case", "--driver", driver, "--load", under]
    command += ["--seconds", str(seconds), "--blocksize", str(server.period)]
    before = {words: server.count(words) for words in (jackd.LOST_BY_SERVER, jackd.LOST_BY_CLIENT)}
    with (
        jackd.Player(server, audio, loop=True) as player,
        jackd.child(command, server.environment, stdout=subprocess.PIPE) as process,
    ):
        player.connect()
        player.play()
        output, _ = process.communicate(timeout=60.0 + 2 * seconds)
        cycles = player.cycles
    if process.returncode:
        raise RuntimeError(f"Expected the case to end well, got exit code {process.returncode}.")
    case = json.loads(output)
    work = np.array(case["work_ns"]) / 1e3
    block_us = 1e6 * server.period / SAMPLERATE
    late = lateness_us(np.array(case["began_ns"]), cycles)
    work_us = percentiles(work)
    return {
        "driver": driver,
        "blocks_handled": len(work),
        "blocks_expected": round((case["to_ns"] - case["from_ns"]) / 1e3 / block_us),
        "work_us": work_us,
        "work_p99_share_of_block": round(work_us["p99"] / block_us, 4) if work_us else None,
        "lateness_us": percentiles(late),
        "xruns": case["xruns"],
        "jackd_lost_by_client": server.count(jackd.LOST_BY_CLIENT) - before[jackd.LOST_BY_CLIENT],
        "jackd_lost_by_server": server.count(jackd.LOST_BY_SERVER) - before[jackd.LOST_BY_SERVER],
        "events": case["events"],
        "late_models": case["late_models"],
    }


def _table(cases: list[dict[str, Any]]) -> Table:
    table = Table(title="The callback, in us: p50 / p99 / max")
    for name in ("load", "callback"):
        table.add_column(name)
    for name in ("work", "lateness", "blocks", "lost", "xruns"):
        table.add_column(name, justify="right")
    for i, case in enumerate(cases):
        handled, expected = case["blocks_handled"], case["blocks_expected"]
        table.add_row(
            "" if i % len(DRIVERS) else NAMES[case["load"]],
            case["driver"],
            _cuts(case["work_us"]),
            _cuts(case["lateness_us"]),
            f"{handled} of {expected}",
            f"{100 * max(0, expected - handled) / expected:.1f} %",
            str(case["xruns"]),
            end_section=i % len(DRIVERS) == len(DRIVERS) - 1,
        )
    return table


def _cuts(values: dict[str, float]) -> str:
    return " / ".join(f"{values[name]:.0f}" for name in ("p50", "p99", "max")) if values else "-"


def main(
    seconds: Annotated[float, typer.Option(help="Of each case.", min=0.5, max=MAX_SECONDS)] = 6.0,
    blocksize: Annotated[int, typer.Option(help="Frames.", min=16, max=4096)] = 64,
    only: Annotated[
        list[str] | None, typer.Option("--load", help="May be repeated; by default all.")
    ] = None,
) -> None:
    """Measure the compiled and the Python callback under load."""
    console = report_console()
    if unknown := {*(only or ())} - {*LOADS}:
        raise typer.BadParameter(f"Expected loads of {', '.join(LOADS)}, got {', '.join(unknown)}.")
    if reason := jackd.missing():
        raise SystemExit(f"bench.callback: {reason}.")
    cases = []
    audio = render(GROOVE_S, SAMPLERATE).audio
    Processor().prepare(SAMPLERATE, blocksize)  # compiles, so that no case has to
    with jackd.Server(SAMPLERATE, blocksize) as server:
        mode = f"at priority {jackd.PRIORITY}" if server.realtime else "without real-time priority"
        for load in only or LOADS:
            for driver in DRIVERS:
                console.print(f"{load}, {driver} callback, {seconds:g} s ...", style="dim")
                cases.append({"load": load, **run_case(server, audio, driver, load, seconds)})
    console.print(_table(cases))
    block_us = 1e6 * blocksize / SAMPLERATE
    console.print(
        f"JACK's dummy driver {mode}, {SAMPLERATE} Hz, "
        f"{blocksize}-frame blocks of {block_us:.0f} us."
    )
    shares = [c["work_p99_share_of_block"] or 0.0 for c in cases if c["driver"] == "compiled"]
    console.print(
        "The compiled callback's work at its 99th percentile: "
        f"{100 * max(shares):.1f} % of a block at "
        f"worst (wanted: under {100 * WORK_LIMIT:.0f} %)."
    )
    if only:
        console.print("Nothing is written: this is part of the comparison.")
        return
    content = {
        "samplerate": SAMPLERATE,
        "blocksize": blocksize,
        "seconds": seconds,
        "realtime": server.realtime,
        "cases": cases,
    }
    console.print(f"Written: bench/results/{write('callback', content).name}")


if __name__ == "__main__":
    typer.run(main)
