"""The benchmarks as one suite: what each answers, what it needs, and how they are run.

Each is a module with a ``main`` and runs in a process of its own, so that one that fails, or
hangs, takes no other with it. One whose need is missing is told, and told again at the end; a peer
that is not installed only leaves a column out. The results and the machine's description are in
``bench/results``; how long the suite took, and what came of each, in ``suite.json`` there.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.report import write
from tests.support import jackd

LIMIT_S = 900.0
"""A benchmark that takes longer hangs, in seconds."""

WANTED_S = 20 * 60.0
"""For all of them, on two cores, in seconds."""

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Bench:
    """One benchmark.

    Attributes
    ----------
    name : str
        Of its module in ``bench``.
    answers : str
        The question, in a few words.
    quick : tuple of str, or None
        Options with which all of them together stay under :data:`WANTED_S`. None: it takes
        much longer, and is run by name only.
    needs : tuple of str
        Out of :data:`NEEDS`. It cannot run without.
    peers : tuple of str
        Out of :data:`NEEDS`. It can, but compares with less.
    """

    name: str
    answers: str
    quick: tuple[str, ...] | None
    needs: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()


BENCHES = (
    Bench(
        "callback",
        "work and lateness of the callback under load, compiled and in Python",
        ("--seconds", "3"),
        needs=("jack",),
    ),
    Bench(
        "latency",
        "from the sample at the input to each sink",
        ("--seconds", "12"),
        needs=("jack", "midi", "osc"),
    ),
    Bench(
        "outputs",
        "how late MIDI and OSC go out after the event",
        ("--seconds", "10"),
        needs=("jack", "midi", "osc"),
    ),
    Bench(
        "monitor",
        "what an open monitor page does to the callback",
        ("--seconds", "10", "--turns", "1"),
        needs=("jack", "chromium"),
    ),
    Bench(
        "replay",
        "whether a session with everything that goes wrong replays the same",
        ("--minutes", "0.5"),
        needs=("jack",),
    ),
    Bench(
        "throughput",
        "audio heard per CPU second, beside aubioonset and librosa",
        ("--seconds", "60", "--repeats", "3"),
        needs=("report",),
        peers=("aubioonset",),
    ),
    Bench(
        "scaling",
        "throughput and memory against length",
        ("--hours", "0.5"),
        peers=("librosa",),
    ),
    Bench(
        "cost",
        "work against block size, rate, channels, classes, features, hits",
        ("--seconds", "3", "--turns", "3"),
    ),
    Bench(
        "learning",
        "learning a hit, beside scikit-learn's partial_fit and river",
        ("--seconds", "120", "--turns", "1"),
        needs=("report",),
        peers=("river", "recordings"),
    ),
    Bench(
        "startup",
        "how long until it runs, beside aubioonset and librosa",
        ("--turns", "3"),
        peers=("aubioonset", "librosa"),
    ),
    Bench(
        "plugin",
        "the plug-in's cost of a block beside the callback's, and its start",
        ("--turns", "3"),
        needs=("lv2",),
    ),
    Bench(
        "detector",
        "which hits are found, how exactly and how soon",
        (),
        needs=("report", "recordings"),
        peers=("madmom",),
    ),
    Bench(
        "classes",
        "which drums are told apart, beside offline clustering",
        (),
        needs=("report", "recordings"),
    ),
    Bench(
        "drums",
        "which drums taught kits hear, against the time of the guess",
        None,
        needs=("report", "recordings"),
    ),
    Bench("pictures", "redraws the pictures of README and docs", (), needs=("report",)),
    Bench("plots", "redraws the plots of README and docs from the results", (), needs=("report",)),
    Bench(
        "unlike",
        "whether teaching tells a stroke of another drum",
        None,
        needs=("report", "recordings"),
    ),
    Bench("rates", "whether a kit names the same drums at other sample rates", None),
    Bench("soak", "a day of audio, every event checked", None),
    Bench(
        "sweep",
        "one setting of the detector at a time",
        None,
        needs=("report", "recordings"),
    ),
    Bench("jobs", "how much sooner two processes are done than one", None),
)


def _installed(module: str, install: str) -> Callable[[], str]:
    def reason() -> str:
        found = importlib.util.find_spec(module)
        return "" if found else f"{module} is not installed ({install})"

    return reason


def _program(name: str, package: str) -> Callable[[], str]:
    def reason() -> str:
        return "" if shutil.which(name) else f"{name} is not installed (Debian: {package})"

    return reason


def _recordings() -> str:
    from bench.recordings import DATA

    if (DATA / "recordings.csv").is_file():
        return ""
    return "there are no annotated recordings (set RTCLUSTER_DATA to their folder)"


def _chromium() -> str:
    return (
        _program("chromium", "chromium")() or _installed("playwright", "pip install playwright")()
    )


NEEDS: dict[str, Callable[[], str]] = {
    "jack": jackd.missing,
    "midi": _installed("supriya_midi", "pip install 'rtcluster[midi]'"),
    "osc": _installed("pythonosc", "pip install 'rtcluster[osc]'"),
    "lv2": _program("cc", "gcc and lv2-dev"),
    "chromium": _chromium,
    "recordings": _recordings,
    "report": _installed("mir_eval", "pip install 'rtcluster[report]'"),
    "librosa": _installed("librosa", "pip install 'rtcluster[report]'"),
    "aubioonset": _program("aubioonset", "aubio-tools"),
    "river": _installed("river", "pip install 'rtcluster[bench]'"),
    "madmom": _installed("madmom", "pip install madmom"),
}
"""What says why something is missing; empty if it is there."""


def missing(names: Sequence[str]) -> list[str]:
    """Why each of some needs is not met, of those that are not."""
    return [reason for name in names if (reason := NEEDS[name]())]


def find(name: str) -> Bench | None:
    """A benchmark by its name."""
    return next((bench for bench in BENCHES if bench.name == name), None)


def run(name: str, options: Sequence[str], limit_s: float | None = None) -> int:
    """Run one in a process of its own; its exit code, or -1 if it was stopped after the limit."""
    command = [sys.executable, "-m", f"bench.{name}", *options]
    # Where it is stopped, what it has started is stopped with it.
    own_group = limit_s is not None and os.name == "posix"
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=own_group)
    try:
        return process.wait(limit_s)
    except subprocess.TimeoutExpired:
        return -1
    finally:
        if process.poll() is None:
            if own_group:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
            process.wait()


def run_all(
    console: Console, benches: Sequence[Bench] = BENCHES, limit_s: float = LIMIT_S
) -> list[dict[str, Any]]:
    """Run all that are not by name only, with their quick options.

    Returns
    -------
    list of dict
        Of each: ``name``, ``result`` (``done``, ``failed`` or ``missing``), ``why`` and
        ``seconds``.
    """
    began = time.monotonic()
    rows: list[dict[str, Any]] = []
    chosen = [bench for bench in benches if bench.quick is not None]
    for number, bench in enumerate(chosen, start=1):
        start = time.monotonic()
        console.rule(f"{number} of {len(chosen)}: {bench.name}, after {clock(start - began)}")
        console.print(f"{bench.answers[0].upper()}{bench.answers[1:]}.")
        result, why = "missing", "; ".join(missing(bench.needs))
        if why:
            console.print(f"Not run: {why}.")
        else:
            code = run(bench.name, bench.quick or (), limit_s)
            result, why = "done", "; ".join(missing(bench.peers))
            if code:
                result = "failed"
                why = f"exit code {code}" if code > 0 else f"stopped after {clock(limit_s)}"
                why = f"signal {-code}" if code < -1 else why
                console.print(f"{bench.name} failed: {why}.")
        seconds = round(time.monotonic() - start, 1)
        rows.append({"name": bench.name, "result": result, "why": why, "seconds": seconds})
    return rows


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def conclude(console: Console, rows: list[dict[str, Any]]) -> int:
    """Tell what came of the suite and write it; the exit code."""
    table = Table(title="The suite")
    for name in ("benchmark", "result", "time", "without, or why"):
        table.add_column(name, justify="right" if name == "time" else "left")
    for row in rows:
        table.add_row(row["name"], row["result"], clock(row["seconds"]), row["why"])
    console.print(table)
    total = sum(row["seconds"] for row in rows)
    by_name = ", ".join(bench.name for bench in BENCHES if bench.quick is None)
    console.print(
        f"{clock(total)} in all ({'under' if total < WANTED_S else 'over'} the wanted "
        f"{clock(WANTED_S)}). By name only, for they take longer: {by_name}."
    )
    write("suite", {"seconds": round(total, 1), "benches": rows})
    return int(any(row["result"] == "failed" for row in rows))


def listing() -> Table:
    """All of them, and what is missing for each."""
    table = Table(title="python -m bench [NAME [OPTIONS]]")
    for name in ("name", "what it answers", "in the suite with", "missing"):
        table.add_column(name)
    for bench in BENCHES:
        quick = "by name only" if bench.quick is None else " ".join(bench.quick)
        table.add_row(
            bench.name, bench.answers, quick, "; ".join(missing((*bench.needs, *bench.peers)))
        )
    return table
