"""How late each answer is, from the sample at the input to each sink.

A JACK client plays a groove whose strokes are known to the sample, and notes when it played each
block. A stroke *sounds* when a sound card would have taken its first sample: a block is handed
over when its last sample has been taken, so up to a block before. From there on, everything
counts: the rest of the block, the detector, the callback, the pump and the sink, until the event is

- in a function in the same process (``function``);
- read by another process, as a line from a pipe (``jsonl``), from the network (``osc``), or from a
  MIDI port of JACK (``midi``, which sends at the guess).

Three programs hear it, one after the other, in processes of their own: the engine with the
compiled callback and all of these sinks at once; the same engine with a Python callback; and a
Python callback of sounddevice with aubio's Python binding in it (``aubio``), which has onsets only
and calls a function. Each with nothing else to do, and with a busy thread in its process.

An onset belongs to the stroke that sounded last before it was seen, and the first of a stroke
counts; a guess and a final are those of their onset. *Missed* are strokes that no onset came for
before the next one. ``python -m bench.latency`` prints the table and writes
``bench/results/latency.json``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from typing import Annotated, Any, TextIO, cast

import numpy as np
import numpy.typing as npt
import typer
from rich.table import Table

from bench.report import console as report_console
from bench.report import percentiles, write
from rtcluster import Processor, Settings
from rtcluster.events import Classified, Event, Onset
from rtcluster.session.pump import Pump
from rtcluster.session.session import Session
from rtcluster.sinks import Sink
from rtcluster.sources.groove import Stroke, render
from tests.support import jackd
from tests.support.listener import Listener
from tests.support.loads import LOADS, load

app = typer.Typer(add_completion=False)

SAMPLERATE, BLOCKSIZE = 44100, 64
PROGRAMS = ("compiled", "python", "aubio")
STAGES = ("onset", "guess", "final")
UNDER = ("idle", "busy")
AUBIO_METHOD, AUBIO_BUFFER = "hfc", 512
NOTE_ON = 0x90
_END_S = 0.5
"""After the last block, for what is still on its way."""

Seen = dict[str, list[tuple[int, int]]]
"""By stage, when an event was seen in ns, and the number of its hit."""


class Function(Sink):
    """A function in the same process: notes when each event came."""

    def __init__(self) -> None:
        self.seen: Seen = {stage: [] for stage in STAGES}

    def event(self, event: Event) -> None:
        """Note it."""
        if isinstance(event, Onset | Classified):
            self.seen[type(event).__name__.lower()].append((time.monotonic_ns(), event.id))


class Pipe:
    """Another process at the end of a pipe; a context manager. It stamps each line."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "bench.latency", "read"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdin is not None  # a pipe
        self.stream = cast(TextIO, self._process.stdin)
        self.lines: list[tuple[int, dict[str, Any]]] = []

    def __enter__(self) -> Pipe:
        """Wait until it reads."""
        assert self._process.stdout is not None  # a pipe
        self._process.stdout.readline()
        return self

    def __exit__(self, *_: object) -> None:
        """Take what it has read."""
        output = self._process.communicate(timeout=30.0)[0]
        self.lines = [(int(at), json.loads(line)) for at, line in json.loads(output)]


@app.command(hidden=True)
def read() -> None:
    """Stamp each line of standard input; tell them all at its end."""
    print("ready", flush=True)
    lines = []
    for line in iter(sys.stdin.readline, ""):
        lines.append([time.monotonic_ns(), line])
    print(json.dumps(lines))


@app.command(hidden=True)
def case(program: str, under: str, seconds: float) -> None:
    """Hear until so long after the first hit; when events were seen, by sink, as JSON."""
    found = hear_aubio(under, seconds) if program == "aubio" else hear(program, under, seconds)
    print(json.dumps(found))


def hear(driver: str, under: str, seconds: float) -> tuple[dict[str, Seen], dict[str, int]]:
    """Run the engine with all sinks; also how many MIDI notes were sent and came."""
    from rtcluster.sinks.jsonl import JsonLines
    from rtcluster.sinks.midi import MidiOut
    from rtcluster.sinks.osc import OscOut
    from rtcluster.sources.live import LiveInput

    # Every guess is a note, so the n-th note is the n-th guess.
    notes = {"learning": 40, "unknown": 41}
    processor, function = Processor(Settings(classes=3), driver=driver), Function()
    with Pipe() as pipe, Listener("osc") as osc, Listener("midi", "synth") as synth:
        live = LiveInput(processor, jackd.DEVICE, blocksize=BLOCKSIZE)
        sinks = [
            function,
            JsonLines(pipe.stream),
            MidiOut.open(synth.where, notes=notes),
            OscOut.open(f"127.0.0.1:{osc.where}"),
        ]
        session = Session(processor, live.name, sinks, _fail)
        with Pump(session), live:
            jackd.wait_until(lambda: function.seen["onset"], "a hit")
            with load(under):
                time.sleep(seconds + _END_S)
        session.end()
    seen: dict[str, Seen] = {"function": function.seen}
    seen["jsonl"] = {stage: [] for stage in STAGES}
    for at, line in pipe.lines:
        if line["event"] in STAGES:
            seen["jsonl"][line["event"]].append((at, line["id"]))
    seen["osc"] = {stage: [] for stage in STAGES}
    for at, _, address, arguments in osc.came():
        stage = address.rpartition("/")[2]
        if stage in STAGES:
            seen["osc"][stage].append((at, arguments[0]))
    on = [at for at, data in synth.came() if data[0] & 0xF0 == NOTE_ON]
    guesses = [number for _, number in function.seen["guess"]]
    # Where a note is missing, it is not known which is which.
    seen["midi"] = {"guess": list(zip(on, guesses, strict=True)) if len(on) == len(guesses) else []}
    return seen, {"sent": len(guesses), "came": len(on)}


def _fail(complaint: str) -> None:
    raise RuntimeError(complaint)


def hear_aubio(under: str, seconds: float) -> tuple[dict[str, Seen], dict[str, int]]:
    """Run aubio's binding in a Python callback, as its documentation has it."""
    import aubio
    import sounddevice as sd

    onset = aubio.onset(AUBIO_METHOD, AUBIO_BUFFER, BLOCKSIZE, SAMPLERATE)
    seen: list[tuple[int, int]] = []
    first = threading.Event()

    def callback(block: npt.NDArray[np.float32], _n: int, _t: Any, _s: Any) -> None:
        if onset(block[:, 0])[0]:
            seen.append((time.monotonic_ns(), len(seen)))
            first.set()

    options: dict[str, Any] = {"device": jackd.DEVICE, "channels": 1, "dtype": "float32"}
    stream = sd.InputStream(
        samplerate=SAMPLERATE, blocksize=BLOCKSIZE, latency="low", callback=callback, **options
    )
    with stream:
        if not first.wait(60.0):
            raise TimeoutError("Expected a hit within 60 s.")
        with load(under):
            time.sleep(seconds + _END_S)
    return {"function": {"onset": seen}}, {}


# What it comes to.


def sounded_ns(
    strokes: npt.NDArray[np.int64], played_ns: npt.NDArray[np.int64], blocksize: int, rate: int
) -> npt.NDArray[np.int64]:
    """When a sound card would have taken the first sample of each stroke.

    Parameters
    ----------
    strokes : ndarray of int64, shape (n,)
        Samples since the first block.
    played_ns : ndarray of int64, shape (m,)
        When each block was handed over, from the first on.
    blocksize, rate : int
        Frames and Hz.

    Returns
    -------
    ndarray of int64, shape (<= n,)
        Of the strokes within the blocks.
    """
    inside = strokes[strokes // blocksize < len(played_ns)]
    left = blocksize - inside % blocksize
    return np.asarray(played_ns[inside // blocksize] - (left * 1e9 / rate).astype(np.int64))


def by_hit(sounded: npt.NDArray[np.int64], onsets: list[tuple[int, int]]) -> dict[int, int]:
    """The stroke of each hit, by its number: the last that had sounded; its first onset counts."""
    found: dict[int, int] = {}
    taken = set()
    for at, number in sorted(onsets):
        stroke = int(np.searchsorted(sounded, at, side="right")) - 1
        if stroke >= 0 and stroke not in taken:
            taken.add(stroke)
            found[number] = stroke
    return found


def delays(
    sounded: npt.NDArray[np.int64], seen: dict[str, Seen], counted: npt.NDArray[np.bool_]
) -> dict[str, dict[str, dict[str, float]]]:
    """Percentiles in ms by sink and stage, of the strokes that are counted."""
    of = by_hit(sounded, seen["function"]["onset"])
    found: dict[str, dict[str, dict[str, float]]] = {}
    for sink, stages in seen.items():
        for stage, events in stages.items():
            late = [
                (at - sounded[of[number]]) / 1e6
                for at, number in events
                if number in of and counted[of[number]]
            ]
            if late:
                found.setdefault(sink, {})[stage] = percentiles(late, 2)
    return found


def played(player: jackd.Player) -> npt.NDArray[np.int64]:
    """When the player handed over its blocks, from the first of the audio on."""
    state: Any = player._state[0]

    def now() -> tuple[int, int]:
        return int(state["n_cycles"]), int(state["position"])

    before, after = now(), None
    while before != after:  # else it was in the middle of a block
        before = now()
        time.sleep(0.0002)
        after = now()
    cycles, position = before
    times = player.cycles
    first = cycles - position // BLOCKSIZE
    kept = cycles - (jackd.CYCLES - 1)
    if first < kept:
        raise RuntimeError("Expected a shorter run: the player has forgotten its first blocks.")
    return np.asarray(times[first - max(0, kept) :])


def measure(
    server: jackd.Server,
    audio: npt.NDArray[np.float32],
    strokes: tuple[Stroke, ...],
    program: str,
    under: str,
    seconds: float,
) -> dict[str, Any]:
    """Run one program while the groove plays."""
    command = [sys.executable, "-m", "bench.latency", "case", program, under, str(seconds)]
    with ExitStack() as stack:
        player = stack.enter_context(jackd.Player(server, audio))
        process = stack.enter_context(
            jackd.child(command, server.environment, stdout=subprocess.PIPE)
        )
        player.connect()
        player.play()
        output, _ = process.communicate(timeout=120.0 + 2 * seconds)
        blocks = played(player)
    if process.returncode:
        raise RuntimeError(f"Expected the case to end well, got exit code {process.returncode}.")
    seen: dict[str, Seen]
    seen, notes = json.loads(output)
    samples = np.array([stroke.sample for stroke in strokes], dtype=np.int64)
    sounded = sounded_ns(samples, blocks, server.period, server.samplerate)
    # The load came up with the first hit; what is later than the end is not counted as missed.
    start = seen["function"]["onset"][0][0]
    end = start + int(1e9 * seconds)
    counted = (sounded > start) & (sounded < end)
    of = by_hit(sounded, seen["function"]["onset"])
    heard = {stroke for stroke in of.values() if counted[stroke]}
    return {
        "program": program,
        "load": under,
        "strokes": int(counted.sum()),
        "missed": int(counted.sum()) - len(heard),
        "notes": notes,
        "delay_ms": delays(sounded, seen, counted),
    }


def _table(cases: list[dict[str, Any]]) -> Table:
    table = Table(title="From the first sample of a stroke to each sink, in ms")
    for name in ("load", "program", "stage", "sink", "p50", "p95", "p99", "max", "missed"):
        left = name in ("load", "program", "stage", "sink")
        table.add_column(name, justify="left" if left else "right", no_wrap=True)
    for one in cases:
        rows = [
            (stage, sink, one["delay_ms"][sink][stage])
            for stage in STAGES
            for sink in one["delay_ms"]
            if stage in one["delay_ms"][sink]
        ]
        for i, (stage, sink, cuts) in enumerate(rows):
            table.add_row(
                "" if i else one["load"],
                "" if i else one["program"],
                stage if not i or rows[i - 1][0] != stage else "",
                sink,
                *(f"{cuts[cut]:.1f}" for cut in ("p50", "p95", "p99", "max")),
                "" if i else f"{one['missed']} of {one['strokes']}",
                end_section=i == len(rows) - 1,
            )
    return table


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    seconds: Annotated[float, typer.Option(help="Of each case.", min=2.0, max=60.0)] = 30.0,
    under: Annotated[
        list[str] | None, typer.Option("--load", help=f"Of {', '.join(LOADS)}; may be repeated.")
    ] = None,
) -> None:
    """Measure the delay from the sample at the input to each sink."""
    if context.invoked_subcommand is not None:
        return
    console = report_console()
    if unknown := {*(under or ())} - {*LOADS}:
        raise typer.BadParameter(f"Expected loads of {', '.join(LOADS)}, got {', '.join(unknown)}.")
    if reason := jackd.missing():
        raise SystemExit(f"bench.latency: {reason}.")
    cases = []
    groove = render(seconds + 20.0, SAMPLERATE)
    whole = len(groove.audio) // BLOCKSIZE * BLOCKSIZE
    audio, strokes = groove.audio[:whole], groove.strokes
    Processor().prepare(SAMPLERATE, BLOCKSIZE)  # compiles, so that no case has to
    with jackd.Server(SAMPLERATE, BLOCKSIZE) as server:
        mode = f"at priority {jackd.PRIORITY}" if server.realtime else "without real-time priority"
        for load_name in under or UNDER:
            for program in PROGRAMS:
                console.print(f"{load_name}, {program}, {seconds:g} s ...", style="dim")
                cases.append(measure(server, audio, strokes, program, load_name, seconds))
    console.print(_table(cases))
    block_ms = 1e3 * BLOCKSIZE / SAMPLERATE
    console.print(
        f"JACK's dummy driver {mode}, {SAMPLERATE} Hz, {BLOCKSIZE}-frame blocks of {block_ms:.2f} "
        "ms, which a sound card needs too; its converters are not in it."
    )
    for one in cases:
        sent, came = one["notes"].get("sent", 0), one["notes"].get("came", 0)
        if came != sent:
            console.print(
                f"{one['load']}, {one['program']}: {came} of {sent} MIDI notes came, so it is not "
                "known which is which, and they are not in the table."
            )
    if under:
        console.print("Nothing is written: this is part of the comparison.")
        return
    content = {
        "samplerate": SAMPLERATE,
        "blocksize": BLOCKSIZE,
        "seconds": seconds,
        "realtime": server.realtime,
        "cases": cases,
    }
    console.print(f"Written: bench/results/{write('latency', content).name}")


if __name__ == "__main__":
    app()
