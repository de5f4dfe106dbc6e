"""A session with every sink, on a clock that only counts samples: nothing is lost, or left over.

Longer ones are played by hand; ``docs/explanation/reliability.md`` says how long, and what came of
it.
"""

from __future__ import annotations

import io
import json
import socket

from rich.console import Console

from bench.drummer import Drummer
from bench.soak import settings_of
from rtcluster.events import Guess, Onset
from rtcluster.monitor import Monitor
from rtcluster.session.controls import Controls
from rtcluster.session.status import StatusReader
from rtcluster.sinks.console import HitLines
from rtcluster.sinks.jsonl import JsonLines
from rtcluster.sinks.midi import MidiOut
from rtcluster.sinks.osc import OscOut
from tests.recording.conftest import Live, same

RATE, SECONDS, TURN = 44100, 60, 441


class Port:
    """A MIDI port that counts."""

    name, virtual = "a test's", False

    def __init__(self):
        self.sent = 0

    def send(self, message):
        self.sent += 1

    def renew(self):
        pass

    def close(self):
        pass


def test_a_long_session_with_every_sink_loses_nothing(tmp_path):
    said, port, lines, shown = [], Port(), tmp_path / "events.jsonl", io.StringIO()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        also = [
            MidiOut(port),
            OscOut.open(f"127.0.0.1:{receiver.getsockname()[1]}"),
            JsonLines.open(str(lines), said.append),
            Monitor.open(Controls(), host="127.0.0.1", port=0, report=said.append),
            HitLines(Console(file=shown)),
        ]
        strokes = 0
        with Live(tmp_path / "take", settings_of("drums"), also=also) as live:
            status = StatusReader(live.session)
            for block, due in Drummer(RATE, 0).play(0, SECONDS * RATE):
                strokes += len(due)
                for at in range(0, len(block), 10 * TURN):
                    live.play(block[at : at + 10 * TURN], TURN)
                    live.session.watch(status.read())
        for sink in also:
            sink.close()
    assert (said, live.told) == ([], [])
    assert live.summary["hits"] == strokes > 50
    assert live.summary["recording"]["complete"]
    assert live.summary["monitor"]["events_dropped"] == live.summary["osc"]["lost"] == 0
    written = [json.loads(line) for line in lines.read_text().splitlines()]
    kinds = [line["event"] for line in written]
    assert [kinds.count(kind) for kind in ("onset", "guess", "final")] == [strokes] * 3
    ids = [line["id"] for line in written if line["event"] == "final"]
    assert ids == list(range(strokes))
    told = sum(type(e) is Guess and e.class_ >= 0 for e in live.kept.events)
    assert port.sent == 2 * told  # each note ends
    assert sum(isinstance(e, Onset) for e in live.kept.events) == strokes
    same(tmp_path / "take", at_least=3 * strokes)
