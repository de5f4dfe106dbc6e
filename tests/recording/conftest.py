"""A live session without real time, in which everything comes when the test says so.

The audio thread, the pump and the recorder each take a turn when they are told to, so that models
come as late, and events wait as long, as a test wants. The result is the same each time.
"""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest

from rtcluster import Processor, Settings
from rtcluster.kernel.ring import push_xrun
from rtcluster.learning.kit import Kit
from rtcluster.recording.recorder import Recorder
from rtcluster.recording.replay import Replay
from rtcluster.session.controls import Controls, Request
from rtcluster.session.pump import Pump
from rtcluster.session.session import Session
from rtcluster.sources import groove
from tests.conftest import Kept

SECONDS = 5.0


class Stepped(Recorder):
    """A recorder whose thread does nothing until the session ends."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._thread = threading.Thread(target=self._finish, daemon=True)

    def _finish(self):
        self._stop.wait()
        self.step()

    def step(self):
        """What the thread does ten times a second."""
        self._attempt(self._write_events, self._write_audio)


class Live:
    """A session that is recorded; a context manager."""

    def __init__(
        self, folder, settings=None, *, kit=None, kind="wav", rate=44100, driver=None, also=()
    ):
        self.folder, self.told, self.controls = folder, [], Controls()
        self.processor = Processor(settings or Settings(classes=3), kit=kit, driver=driver)
        self.processor.prepare(rate, 64)
        self.processor.record["synchronous"] = 0
        self.recorder = Stepped(folder, self.processor, self.told.append, kind)
        self.kept, self.summary = Kept(), None
        sinks = [self.kept, self.recorder, *also]
        self.session = Session(self.processor, "a test", sinks, self.told.append, self.controls)
        self._pump = Pump(self.session)
        self._pump._stop.set()  # its thread: here the test turns it

    def hear(self, audio, blocks=64):
        """The audio thread: so many frames at a time."""
        for at in range(0, len(audio), blocks):
            self.processor.advance(np.ascontiguousarray(audio[at : at + blocks, None]))

    def turn(self):
        """The pump, once."""
        self._pump._turn()

    def ask(self, what, value):
        self.controls.ask(Request(what, value))

    def xrun(self):
        self.processor.record["xruns"] += 1
        push_xrun(self.processor.record[0], self.processor.clock, 2)

    def play(self, audio, every=441):
        """Audio, and everybody in time."""
        for at in range(0, len(audio), every):
            self.hear(audio[at : at + every])
            self.turn()
            if at % (20 * every) == 0:
                self.recorder.step()

    def __enter__(self):
        self.session.begin()
        return self

    def __exit__(self, *_):
        self._pump._thread.start()  # it finds itself stopped
        self._pump.__exit__()
        self.summary = self.session.end()
        self.processor.close()

    @property
    def lines(self):
        return events_of(self.folder)


def events_of(folder):
    return [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]


def replayed(folder, *sinks):
    """The outcome of a replay."""
    with Replay(folder) as replay:
        for _ in replay.play(sinks):
            pass
    return replay.outcome()


def same(folder, at_least=1):
    """Replay; it has to be the same to the end."""
    found = replayed(folder)
    assert found.difference == ""
    assert found.notes == ()
    assert found.compared >= at_least
    return found


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "take"


@pytest.fixture
def live(folder):
    """Begin a live session."""

    def start(**options):
        return Live(folder, **options)

    return start


@pytest.fixture(scope="module")
def audio():
    return groove.render(SECONDS).audio


def edit(folder, change):
    """Rewrite the lines of a log."""
    lines = change(events_of(folder))
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "events.jsonl").write_text(text)


def kit_of(audio, **settings):
    processor = Processor(Settings(**settings))
    processor.prepare(44100, 64)
    processor.process(audio)
    processor.flush()
    kit = Kit.of(processor.learner, processor.settings, 44100)
    processor.close()
    return kit
