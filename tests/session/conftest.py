"""A performance on a card whose time the test moves, and what the session says of it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

from rtcluster import Processor, Settings
from rtcluster.recording import recorder as recorders
from rtcluster.recording.recorder import Recorder
from rtcluster.session import takes
from rtcluster.session.controls import Controls, Request
from rtcluster.session.takes import Takes
from rtcluster.sinks.jsonl import JsonLines
from rtcluster.sources import groove
from rtcluster.timing import Stop

STEP = 2205


class Card:
    """A sound card whose time goes on when it is looked at; things happen at set seconds."""

    name = "a card"

    def __init__(self, stage, audio):
        self._stage, self._audio, self._heard = stage, audio, 0
        self.happen, self.lost, self.answers, self.starts = [], False, [], 0
        self.still = 0  # looks without audio

    @property
    def active(self):
        if self.lost:
            return False
        if self.still:
            self.still -= 1
            return True
        if self._heard >= len(self._audio):
            return False
        if all(r._written > self._stage.processor.clock - 90_000 for r in self._stage.recorders):
            block = self._audio[self._heard : self._heard + STEP]
            self._stage.processor.advance(np.ascontiguousarray(block[:, None]))
            self._heard += len(block)
            for second, act in [*self.happen]:
                if self._heard >= second * 44100:
                    self.happen.remove((second, act))
                    act()
        return True

    def reopen(self):
        answer = self.answers.pop(0) if self.answers else False
        if isinstance(answer, Exception):
            raise answer
        self.lost = not answer
        return answer

    def __enter__(self):
        self.starts += 1

    def __exit__(self, *_):
        self._stage.recorders = []


class Stage:
    """A performance on a card, and what it said."""

    def __init__(self, tmp_path, audio, **settings):
        self.processor = Processor(Settings(**{"classes": 3, **settings}))
        self.processor.prepare(44100, 64)
        self.processor.record["synchronous"] = 0
        self.card, self.recorders = Card(self, audio), []
        self.said, self.reported, self.text = [], [], io.StringIO()
        self.tmp_path, self.kits = tmp_path, []
        self.takes = Takes(
            engine=self.processor,
            source=self.card,
            sinks=[JsonLines(self.text)],
            recorder=self.recorder,
            report=self.reported.append,
            say=self.said.append,
            controls=Controls(),
            stop=Stop(),
            keep_kit=self.keep_kit,
        )

    def keep_kit(self, kit):
        self.kits.append(kit)
        return Path("kept.kit")

    def recorder(self, folder):
        made = Recorder(folder, self.processor, self.reported.append)
        self.recorders = [made]
        return made

    def at(self, second, what, value):
        """Ask for something when so much has been heard."""
        ask = self.takes.controls.ask
        self.card.happen.append((second, lambda: ask(Request(what, value))))

    def play(self):
        summary = self.takes.play()
        self.processor.close()
        return summary

    @property
    def sessions(self):
        """The lines of each take."""
        out = []
        for line in map(json.loads, self.text.getvalue().splitlines()):
            if line["event"] == "session":
                out.append([])
            out[-1].append(line)
        return out

    @property
    def folders(self):
        told = [line for line in self.said if line.startswith("Recorded in ")]
        return [Path(line.removeprefix("Recorded in ").split("; ")[0]) for line in told]


@pytest.fixture(scope="module")
def audio():
    return groove.render(6.0).audio


@pytest.fixture
def stage(tmp_path, audio, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(takes, "POLL_S", 0.001)
    monkeypatch.setattr(takes, "RETRY_S", 0.01)
    monkeypatch.setattr(recorders, "PERIOD_S", 0.01)
    return Stage(tmp_path, audio)


def lose(stage, second, *answers):
    def happen():
        stage.card.lost = True
        stage.card.answers = list(answers)

    stage.takes.waits = True
    stage.card.happen.append((second, happen))
    stage.card.happen.append((5.9, stage.takes.stop.set))
