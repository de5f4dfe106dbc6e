"""How late MIDI and OSC go out after the event, and how late another program has them.

A groove plays in real time, through the virtual sound card and through JACK's dummy driver, into
a live session with both outputs before the console, and into one with the console alone.
``python -m bench.outputs`` prints the table and writes ``bench/results/outputs.json``.

*Sent* is the time from the arrival of the audio that completed an event to the return of the
send, as the session's own summary has it. *Received* is that to the moment at which a program in
another process has it: for MIDI through JACK up to a block more, because JACK hands over in
blocks. *Sinks* is the session's delay to the return of all its sinks. The limits hold where
nothing else runs.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from bench.report import console as report_console
from bench.report import percentiles, write
from rtcluster import Guess, Onset, Processor, Settings
from rtcluster.events import Classified, Event
from rtcluster.session.pump import Pump
from rtcluster.session.session import Session
from rtcluster.sinks import Sink
from rtcluster.sinks.console import HitLines
from rtcluster.sources.groove import render
from tests.support import jackd
from tests.support.listener import Listener

app = typer.Typer(add_completion=False)

SAMPLERATE, BLOCKSIZE = 44100, 64
LIMITS_MS = {"p50": 2.0, "p99": 6.0}
"""From the event to the return of the send, with nothing else running."""

SETTLE_S = 0.2
NOTE_ON = 0x90
HIT_ADDRESSES = {f"/rtcluster/{kind}" for kind in ("onset", "guess", "final")}


class Stamps(Sink):
    """Keeps when the audio of the events arrived, in order: of all, and of the notes."""

    def __init__(self) -> None:
        self.all: list[int] = []
        self.notes: list[int] = []

    def event(self, event: Event) -> None:
        """Keep its stamp."""
        if isinstance(event, Onset | Classified):
            self.all.append(event.stamp)
        if type(event) is Guess and event.class_ >= 0:
            self.notes.append(event.stamp)


def _card(card: str, processor: Processor, seconds: float) -> Any:
    """The source, which prepares the processor."""
    if card == "virtual":
        from rtcluster.sources.virtual import VirtualInput

        return VirtualInput(processor, render(seconds).audio, SAMPLERATE, BLOCKSIZE)
    from rtcluster.sources.live import LiveInput

    return LiveInput(processor, jackd.DEVICE, blocksize=BLOCKSIZE)


def _play(card: str, sinks: list[Sink], stamps: Stamps, seconds: float) -> dict[str, Any]:
    """Run a session for so long from its first hit; its summary."""
    processor = Processor(Settings(classes=3))
    source = _card(card, processor, seconds)
    session = Session(processor, source.name, [*sinks, stamps], _fail)
    with Pump(session), source:
        jackd.wait_until(lambda: stamps.all, "a hit")
        end = time.monotonic() + seconds
        while source.active and time.monotonic() < end:
            time.sleep(0.05)
    summary = session.end()
    for sink in sinks:
        sink.close()
    return summary


def _fail(complaint: str) -> None:
    raise RuntimeError(complaint)


@app.command(hidden=True)
def case(card: str, outputs: bool, seconds: float) -> None:
    """Run one session; its summary and what was received, as JSON, to standard output."""
    from rtcluster.sinks.midi import MidiOut
    from rtcluster.sinks.osc import OscOut

    stamps = Stamps()
    console: list[Sink] = [HitLines(Console(file=io.StringIO()))]
    received = {}
    if not outputs:
        summary = _play(card, console, stamps, seconds)
    else:
        with Listener("osc") as osc, Listener("midi", "synth") as synth:
            sinks = [MidiOut.open(synth.where), OscOut.open(f"127.0.0.1:{osc.where}")]
            summary = _play(card, [*sinks, *console], stamps, seconds)
            time.sleep(SETTLE_S)
            notes = [at for at, data in synth.came() if data[0] & 0xF0 == NOTE_ON]
            hits = [at for at, _, address, _ in osc.came() if address in HIT_ADDRESSES]
            received = {
                "midi": _received(notes, stamps.notes),
                "osc": _received(hits, stamps.all),
            }
    print(json.dumps({"summary": summary, "received": received}))


def _received(came_ns: list[int], stamps_ns: list[int]) -> dict[str, Any]:
    """Delays of what was received, in order; without them if something is missing."""
    found: dict[str, Any] = {"received": len(came_ns), "expected": len(stamps_ns)}
    if len(came_ns) == len(stamps_ns):
        delays = np.subtract(came_ns, stamps_ns) / 1e6
        found["received_ms"] = percentiles(delays, 3)
    return found


def _child(server: jackd.Server, card: str, outputs: bool, seconds: float) -> dict[str, Any]:
    """Run a case in a process of its own, while the player plays."""
    command = [sys.executable, "-m", "bench.outputs", "case", card, str(outputs), str(seconds)]
    with ExitStack() as stack:
        process = stack.enter_context(
            jackd.child(command, server.environment, stdout=subprocess.PIPE)
        )
        if card == "jack":
            audio = render(seconds + 1.0, SAMPLERATE).audio
            player = stack.enter_context(jackd.Player(server, audio, loop=True))
            player.connect()
            player.play()
        output, _ = process.communicate(timeout=90.0 + 2 * seconds)
    if process.returncode:
        raise RuntimeError(f"Expected the case to end well, got exit code {process.returncode}.")
    return dict(json.loads(output))


def _measure(server: jackd.Server, card: str, seconds: float) -> dict[str, Any]:
    """Both sessions on one sound card, and what their delays come to."""
    alone = _child(server, card, False, seconds)["summary"]
    both = _child(server, card, True, seconds)
    summary, received = both["summary"], both["received"]
    outputs = {
        kind: {**summary[kind], **received[kind], "of_console": _ratios(summary[kind], alone)}
        for kind in ("midi", "osc")
    }
    return {
        "card": card,
        "hits": summary["hits"],
        "xruns": summary["xruns"],
        "console_alone_ms": alone["sink_delay_ms"],
        "all_sinks_ms": summary["sink_delay_ms"],
        **outputs,
    }


def _ratios(sent: dict[str, Any], alone: dict[str, Any]) -> dict[str, float]:
    """Delays as a share of those of the console-only session."""
    return {
        cut: round(sent["delay_ms"][cut] / alone["sink_delay_ms"][cut], 2)
        for cut in ("p50", "p95", "p99")
    }


def _table(cases: list[dict[str, Any]]) -> Table:
    table = Table(title="From the event to the outputs, in ms")
    for heading in ("sound card", "what", "p50", "p95", "p99", "max", "of console", "received"):
        table.add_column(heading, justify="left" if heading in ("sound card", "what") else "right")
    for one in cases:
        rows = [("console alone", one["console_alone_ms"], "", "")]
        for kind in ("midi", "osc"):
            told = one[kind]
            ratios = " / ".join(f"{told['of_console'][cut]:.2f}" for cut in ("p50", "p99"))
            count = f"{told['received']} of {told['expected']}"
            rows.append((f"{kind}, sent", told["delay_ms"], ratios, ""))
            rows.append((f"{kind}, received", told.get("received_ms", {}), "", count))
        rows.append(("all sinks", one["all_sinks_ms"], "", ""))
        for i, (what, cuts, ratios, count) in enumerate(rows):
            shown = [f"{cuts[cut]:.2f}" if cuts else "-" for cut in ("p50", "p95", "p99", "max")]
            table.add_row(
                "" if i else one["card"],
                what,
                *shown,
                ratios,
                count,
                end_section=i == len(rows) - 1,
            )
    return table


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    seconds: Annotated[float, typer.Option(help="Of each session.", min=2.0, max=90.0)] = 30.0,
) -> None:
    """Measure the delay of MIDI and OSC after the event."""
    if context.invoked_subcommand is not None:
        return
    console = report_console()
    if reason := jackd.missing():
        raise SystemExit(f"bench.outputs: {reason}.")
    cases = []
    with jackd.Server(SAMPLERATE, BLOCKSIZE) as server:
        for card in ("virtual", "jack"):
            console.print(f"{card} sound card, two sessions of {seconds:g} s ...", style="dim")
            cases.append(_measure(server, card, seconds))
    console.print(_table(cases))
    worst = {
        cut: max(one[kind]["delay_ms"][cut] for one in cases for kind in ("midi", "osc"))
        for cut in LIMITS_MS
    }
    said = ", ".join(f"{cut} {worst[cut]:.2f} ms (under {LIMITS_MS[cut]:g})" for cut in worst)
    console.print(f"At worst: {said}. Of console: p50 / p99, by those of the console alone.")
    content = {"samplerate": SAMPLERATE, "blocksize": BLOCKSIZE, "seconds": seconds, "cases": cases}
    console.print(f"Written: bench/results/{write('outputs', content).name}")


if __name__ == "__main__":
    app()
