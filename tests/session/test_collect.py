"""Live work without sinks goes on where the audio broke off."""

from __future__ import annotations

import numpy as np
import pytest

from rtcluster import Processor, Settings
from rtcluster.errors import SourceError
from rtcluster.events import Onset
from rtcluster.session import collect, takes
from rtcluster.session.collect import collected
from rtcluster.sources import groove
from rtcluster.timing import Stop

STEP = 4096


class Card:
    """A source that plays a step of a groove at each look, and is lost at some of them."""

    name = "a card"

    def __init__(self, processor, lost, answers, stop):
        self._processor, self._lost, self._answers, self._stop = processor, lost, answers, stop
        self._audio, self._step = groove.render(3.0).audio, 0
        processor.record["synchronous"] = 0

    @property
    def active(self):
        if self._step == self._lost:
            return False
        at = self._step * STEP
        if at < len(self._audio):
            self._processor.advance(np.ascontiguousarray(self._audio[at : at + STEP, None]))
        elif at > len(self._audio) + 10 * STEP:
            self._stop.set()
        self._step += 1
        return True

    def reopen(self):
        if not self._answers:
            self._stop.set()
            return False
        answer = self._answers.pop(0)
        if isinstance(answer, SourceError):
            raise answer
        if answer:
            self._lost = -1
        return answer


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(collect, "PERIOD_S", 0.0001)
    monkeypatch.setattr(takes, "RETRY_S", 0.001)


def onsets(lost=-1, answers=()):
    processor, stop, said, reported = Processor(Settings()), Stop(), [], []
    processor.prepare(44100)
    card = Card(processor, lost, [*answers], stop)
    batches = [*collected(card, processor, stop, reported.append, said.append)]
    found = [e.sample for batch in batches for e in batch if isinstance(e, Onset)]
    processor.close()
    return found, said, reported


def test_a_lost_device_is_waited_for_and_nothing_else_is_another_hit():
    plain, said, reported = onsets()
    assert len(plain) > 10
    assert (said, reported) == ([], [])
    busy = SourceError("Expected it, got busy.")
    found, said, reported = onsets(10, [False, busy, busy, True])
    assert found == plain
    assert said == ["a card is back; hits and classes go on."]
    assert reported == [
        "a card is gone; waiting for it. Ctrl-C ends the session.",
        "Expected it, got busy. Still waiting.",
    ]


def test_the_waiting_ends_when_it_is_stopped():
    found, said, reported = onsets(10)
    assert 0 < len(found) < len(onsets()[0])
    assert said == []
    assert len(reported) == 1
