"""Twenty hits a second with the monitor page open in a browser, against no page.

``python -m bench.monitor`` plays into live sessions on JACK's dummy driver, whose clock is real and
whose blocks are lost if they are not taken in time. The sessions take turns: one without a monitor,
one with the monitor but no page, and one with its page open in Chromium, whose drawing takes as
much of this machine as it likes. Prints the table and writes ``bench/results/monitor.json``.

*Blocks* are those handled of those that the clock made due. *Late* are callbacks that began later
than a block after theirs was ready. *Delay* is from the arrival of the audio that made an onset or
a guess to the last sink, behind the monitor's. Each session is a process of its own, which runs
this module with ``--case``; the browser is another.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from rich.table import Table

from bench.callback import lateness_us
from bench.report import console as report_console
from bench.report import percentiles, write
from rtcluster.events import Classified, Event, Onset
from rtcluster.sinks import Sink
from rtcluster.sources.groove import hat, kick, snare
from tests.support import jackd

SAMPLERATE = 44100
BLOCKSIZE = 64
HITS_PER_S = 20
NONE, SERVER, PAGE = "no monitor", "no page", "page"
CASES = (NONE, SERVER, PAGE)
SETTLE_S = 3.0
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def strokes(seconds: float) -> npt.NDArray[np.float32]:
    """A stroke every 50 ms, damped when the next one comes, by three drums in turn, shape (n,)."""
    rng = np.random.default_rng(0)
    step = SAMPLERATE // HITS_PER_S
    audio = np.zeros(round(seconds * HITS_PER_S) * step, np.float32)
    voices = ((kick, 0.6), (hat, 0.5), (snare, 0.6), (hat, 0.5))
    for number in range(len(audio) // step):
        voice, level = voices[number % len(voices)]
        sound = level * rng.uniform(0.7, 1.0) * voice(SAMPLERATE, rng)[:step]
        audio[number * step :][: len(sound)] = sound * np.linspace(1, 0, len(sound)) ** 2
    return audio


class Delays(Sink):
    """A sink that notes how old the audio of an event is when it comes here."""

    def __init__(self) -> None:
        self.onsets = 0
        self.ms: list[float] = []

    def event(self, event: Event) -> None:
        """Note it."""
        self.onsets += isinstance(event, Onset)
        if isinstance(event, Onset | Classified) and event.stamp:
            self.ms.append((time.monotonic_ns() - event.stamp) / 1e6)


def listen(seconds: float, *, monitored: bool) -> dict[str, Any]:
    """Run one session: tell the page's link, wait to be told to begin, and measure."""
    from rtcluster import Processor, Settings
    from rtcluster.monitor import Monitor
    from rtcluster.session.controls import Controls
    from rtcluster.session.pump import Pump
    from rtcluster.session.session import Session
    from rtcluster.sources.live import LiveInput

    delays, controls = Delays(), Controls()
    faults: list[str] = []
    with ExitStack() as stack:
        sinks: list[Sink] = [delays]
        link = ""
        if monitored:
            monitor = stack.enter_context(Monitor.open(controls, report=faults.append))
            sinks.insert(0, monitor)
            link = monitor.url
        processor = Processor(Settings(classes=3))
        live = LiveInput(processor, jackd.DEVICE, blocksize=BLOCKSIZE)
        record: Any = processor.record[0]
        session = Session(processor, live.name, sinks, faults.append, controls)
        with Pump(session), live:
            print(link, flush=True)
            sys.stdin.readline()
            began, counts = time.monotonic_ns(), _counts(record)
            delays.onsets, delays.ms = 0, []
            time.sleep(seconds)
            ended, after = time.monotonic_ns(), _counts(record)
            onsets, ms = delays.onsets, delays.ms.copy()
        summary: Any = session.end()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    kept = min(int(record["callbacks"]), len(record["began"]))
    starts = np.sort(record["began"][:kept])
    return {
        "seconds": (ended - began) / 1e9,
        "callbacks": after[0] - counts[0],
        "xruns": after[1] - counts[1],
        "hits": onsets,
        "delay_ms": percentiles(ms, 3),
        "began_ns": starts[(starts >= began) & (starts < ended)].tolist(),
        "late_models": summary["late_models"],
        "events_dropped": summary["events_dropped"],
        "monitor": summary.get("monitor"),
        "server_cpu_s": round(used.ru_utime + used.ru_stime, 2) if monitored else None,
        "faults": faults,
    }


def _counts(record: Any) -> tuple[int, int]:
    return int(record["callbacks"]), int(record["xruns"])


@contextmanager
def browser(link: str) -> Iterator[Any]:
    """The page, open and drawing, as large as on a projector."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), headless=True, args=FLAGS
        )
        page = chromium.new_page(viewport={"width": 1920, "height": 1080})
        page.goto(link)
        yield page
        chromium.close()


def run_case(
    server: jackd.Server, audio: npt.NDArray[np.float32], case: str, seconds: float
) -> dict[str, Any]:
    """Run one session in a child process, with strokes played into it."""
    command = [sys.executable, "-m", "bench.monitor", "--case", case, "--seconds", str(seconds)]
    before = {words: server.count(words) for words in (jackd.LOST_BY_SERVER, jackd.LOST_BY_CLIENT)}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with (
        jackd.Player(server, audio, loop=True) as player,
        jackd.child(command, server.environment, **pipes) as process,
        ExitStack() as stack,
    ):
        assert process.stdin is not None and process.stdout is not None
        player.connect()
        player.play()
        link = process.stdout.readline().strip()
        page = stack.enter_context(browser(link)) if case == PAGE else None
        time.sleep(SETTLE_S)
        process.stdin.write("begin\n")
        process.stdin.flush()
        shown = []
        end = time.monotonic() + seconds
        while page is not None and time.monotonic() < end - 1.0:
            page.wait_for_timeout(min(5000.0, 1000 * max(0.0, end - 1.0 - time.monotonic())))
            shown.append(page.evaluate("+document.querySelector('#hits').textContent"))
        output, _ = process.communicate(timeout=60.0 + 2 * seconds)
        cycles = player.cycles
    if process.returncode:
        raise RuntimeError(f"Expected the case to end well, got exit code {process.returncode}.")
    found: dict[str, Any] = json.loads(output)
    block_us = 1e6 * BLOCKSIZE / SAMPLERATE
    late = lateness_us(np.array(found.pop("began_ns")), cycles)
    return {
        "case": case,
        **found,
        "blocks_expected": round(1e6 * found["seconds"] / block_us),
        "jackd_lost_by_client": server.count(jackd.LOST_BY_CLIENT) - before[jackd.LOST_BY_CLIENT],
        "jackd_lost_by_server": server.count(jackd.LOST_BY_SERVER) - before[jackd.LOST_BY_SERVER],
        "lateness_us": percentiles(late),
        "late_callbacks": int((late > block_us).sum()),
        "callbacks_timed": len(late),
        "hits_shown": shown,
    }


def _table(cases: list[dict[str, Any]]) -> Table:
    table = Table(title="With the monitor page open, and without")
    for name in ("session", "hits", "blocks", "lost", "xruns", "late", "lateness, us", "delay, ms"):
        table.add_column(name, justify="left" if name == "session" else "right")
    for case in cases:
        table.add_row(
            case["case"],
            str(case["hits"]),
            f"{case['callbacks']} of {case['blocks_expected']}",
            str(case["jackd_lost_by_client"]),
            str(case["xruns"]),
            f"{case['late_callbacks']} of {case['callbacks_timed']}",
            " / ".join(f"{case['lateness_us'][cut]:.0f}" for cut in ("p50", "p99", "max")),
            " / ".join(f"{case['delay_ms'][cut]:.2f}" for cut in ("p50", "p95", "p99")),
        )
    return table


def main(
    seconds: Annotated[float, typer.Option(help="Of each session.", min=2.0)] = 60.0,
    turns: Annotated[int, typer.Option(help="Of each case.", min=1)] = 2,
    case: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure what an open page does to the callback and to the sinks."""
    if case is not None:
        print(json.dumps(listen(seconds, monitored=case != NONE)))
        return
    console = report_console()
    if reason := jackd.missing():
        raise SystemExit(f"bench.monitor: {reason}.")
    cases = []
    audio = strokes(30.0)
    with jackd.Server(SAMPLERATE, BLOCKSIZE) as server:
        mode = f"at priority {jackd.PRIORITY}" if server.realtime else "without real-time priority"
        for _ in range(turns):
            for name in CASES:
                console.print(f"{name}, {seconds:g} s ...", style="dim")
                cases.append(run_case(server, audio, name, seconds))
    console.print(_table(cases))
    console.print(
        f"JACK's dummy driver {mode}, {SAMPLERATE} Hz, {BLOCKSIZE}-frame blocks, {HITS_PER_S} hits "
        "a second; lateness as p50 / p99 / max, delay as p50 / p95 / p99."
    )
    medians = {
        name: {
            cut: round(median(c["delay_ms"][cut] for c in cases if c["case"] == name), 3)
            for cut in ("p50", "p95", "p99")
        }
        for name in CASES
    }
    told = "; ".join(f"{name} {cuts}" for name, cuts in medians.items())
    console.print(f"Delay in ms, medians of {turns} turns: {told}.")
    content = {
        "samplerate": SAMPLERATE,
        "blocksize": BLOCKSIZE,
        "hits_per_s": HITS_PER_S,
        "seconds": seconds,
        "realtime": server.realtime,
        "delay_ms": medians,
        "cases": cases,
    }
    console.print(f"Written: bench/results/{write('monitor', content).name}")


if __name__ == "__main__":
    typer.run(main)
