"""A long live session with everything that goes wrong, and whether its replay is the same.

A groove plays through JACK's dummy driver, whose clock is real, into an engine beside two busy
Python threads. A sink holds the pump up now and then, so that models come late or not at all. The
process is stopped for a moment now and then, so that the sound card loses audio. Thresholds, masks
and names change, and learning is frozen and thawed, at times of chance. The session is recorded and
then replayed. ``python -m bench.replay --minutes 10`` prints the table and writes
``bench/results/replay.json``.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from bench.report import console as report_console
from bench.report import write
from rtcluster.sources.groove import render
from tests.support import jackd

SAMPLERATE = 44100
GROOVE_S = 90.0
STOPPED_S = 0.06
"""So long the process is stopped: audio is lost, and the server does not yet give the client up."""

EVERY_S = 2.0
"""Something goes wrong about so often, in seconds."""


def record(folder: str, seconds: float) -> None:
    """The session, in a process of its own; prints its summary."""
    from rtcluster import Processor, Settings
    from rtcluster.events import Event, Final
    from rtcluster.recording.recorder import Recorder
    from rtcluster.session.controls import Controls, Request
    from rtcluster.session.pump import Pump
    from rtcluster.session.session import Session
    from rtcluster.sinks import Sink
    from rtcluster.sources.live import LiveInput

    chance, over = random.Random(1), threading.Event()

    class Slow(Sink):
        """Holds the pump up at a hit now and then, for longer than a model has time."""

        def event(self, event: Event) -> None:
            """Wait, or do not."""
            if isinstance(event, Final) and chance.random() < 0.05:
                time.sleep(chance.choice((0.03, 0.2, 1.0)))

    def busy() -> None:
        while not over.is_set():
            sum(range(1000))

    def ask() -> None:
        turns = random.Random(2)
        while not over.wait(turns.uniform(0.5, 1.5) * EVERY_S):
            what = turns.choice(("threshold", "mask", "freeze", "rename"))
            if what == "threshold":
                controls.ask(Request(what, turns.uniform(0.5, 2.0) * usual))
            elif what == "mask":
                processor.mask = turns.randrange(400, 3000)
            elif what == "freeze":
                controls.ask(Request(what, turns.random() < 0.4))
            else:
                named = {"class": turns.randrange(3), "name": f"drum {turns.randrange(1000)}"}
                controls.ask(Request(what, named))

    def report(line: str) -> None:
        print(line, file=sys.stderr)

    controls, processor = Controls(), Processor(Settings(classes=3))
    live = LiveInput(processor, jackd.DEVICE)
    usual = processor.threshold
    sinks = [Slow(), Recorder(folder, processor, report)]
    session = Session(processor, live.name, sinks, report, controls)
    threads = [threading.Thread(target=job, daemon=True) for job in (busy, busy, ask)]
    with Pump(session), live:
        print("begun", flush=True)
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        over.set()
        for thread in threads:
            thread.join()
    live.close()
    print(json.dumps(session.end()), flush=True)


def live_session(folder: Path, seconds: float) -> Any:
    """Play to a session that is recorded, and disturb it; its summary."""
    audio, chance = render(GROOVE_S, SAMPLERATE).audio, random.Random(3)
    command = [sys.executable, "-m", "bench.replay", "--into", str(folder)]
    command += ["--minutes", str(seconds / 60.0)]
    with (
        jackd.Server(SAMPLERATE) as server,
        jackd.Player(server, audio, loop=True) as player,
        jackd.child(command, server.environment, stdout=subprocess.PIPE) as process,
    ):
        assert process.stdout is not None
        process.stdout.readline()
        player.connect()
        player.play()
        end = time.monotonic() + seconds
        while (pause := chance.uniform(0.5, 1.5) * EVERY_S) < end - time.monotonic():
            time.sleep(pause)
            process.send_signal(signal.SIGSTOP)
            time.sleep(STOPPED_S)
            process.send_signal(signal.SIGCONT)
        output, _ = process.communicate(timeout=60.0 + seconds)
    if process.returncode:
        raise RuntimeError(f"Expected the session to end well, got code {process.returncode}.")
    return json.loads(output)


def replayed(folder: Path) -> dict[str, Any]:
    """What a replay of it came to."""
    from rtcluster.recording.log import read
    from rtcluster.recording.replay import Replay

    began = time.monotonic()
    with Replay(folder) as replay:
        for _ in replay.play():
            pass
    found, lines = replay.outcome(), read(folder).lines
    seconds = found.samples / found.samplerate
    return {
        "seconds": round(seconds, 3),
        "events": len(lines),
        "compared": found.compared,
        "the_same": not found.difference,
        "difference": found.difference,
        "notes": list(found.notes),
        "controls": sum(line["event"] == "control" for line in lines),
        "models": sum(line["event"] == "model" for line in lines),
        "times_real_time": round(seconds / (time.monotonic() - began), 1),
    }


def measure(folder: Path, seconds: float) -> dict[str, Any]:
    """A session and its replay, in figures."""
    summary = live_session(folder, seconds)
    taken = ("hits", "xruns", "late_models", "events_dropped")
    figures = {name: summary[name] for name in taken}
    return figures | {"audio_lost": summary["recording"]["lost"]} | replayed(folder)


def main(
    minutes: Annotated[float, typer.Option(help="Of the session.", min=0.05, max=600.0)] = 1.0,
    into: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Record a session with everything that goes wrong, and replay it."""
    if into is not None:
        record(into, 60.0 * minutes)
        return
    console = report_console()
    if reason := jackd.missing():
        raise SystemExit(f"bench.replay: {reason}.")
    with tempfile.TemporaryDirectory() as place:
        found = measure(Path(place) / "take", 60.0 * minutes)
    table = Table("what", "count", title=f"A live session of {found['seconds']:.1f} s, replayed")
    for name, value in found.items():
        table.add_row(name.replace("_", " "), str(value))
    console.print(table)
    console.print(f"Written: bench/results/{write('replay', found).name}")
    if not found["the_same"]:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
