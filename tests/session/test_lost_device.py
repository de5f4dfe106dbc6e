"""A device that is lost while takes are made, or that gives nothing."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from rtcluster import Processor, Settings
from rtcluster.engine.channels import Channels
from rtcluster.errors import SourceError
from rtcluster.session import takes
from rtcluster.session.controls import Request
from tests.recording.conftest import same
from tests.session.conftest import STEP, lose


def test_a_lost_device_is_waited_for_and_hits_and_classes_go_on(stage, tmp_path):
    stage.takes.record = tmp_path / "take"
    lose(stage, 3.0, False, False, True)
    stage.play()
    assert stage.reported == ["a card is gone; waiting for it. Ctrl-C ends the session."]
    assert stage.said[0] == "a card is back; hits and classes go on."
    [lines] = stage.sessions
    onsets = [line["id"] for line in lines if line["event"] == "onset"]
    assert onsets == list(range(len(onsets)))
    assert len(onsets) > 18
    [xrun] = [line for line in lines if line["event"] == "xrun"]
    assert xrun["kind"] == "device_lost"
    assert abs(xrun["sample"] - 3 * 44100) <= STEP + 64
    same(tmp_path / "take")


def test_why_it_is_still_waited_for_is_told_once_for_each_reason(stage):
    rate, busy = SourceError("Expected 44100 Hz, got 48000."), SourceError("Expected it, got busy.")
    lose(stage, 2.0, False, rate, rate, rate, busy, busy, rate, True)
    stage.play()
    assert stage.reported[1:] == [
        "Expected 44100 Hz, got 48000. Still waiting.",
        "Expected it, got busy. Still waiting.",
        "Expected 44100 Hz, got 48000. Still waiting.",
    ]


def test_the_end_comes_at_once_while_it_is_waited_for(stage):
    lose(stage, 2.0)
    stage.takes.report = lambda _: threading.Timer(0.1, stage.takes.stop.set).start()
    summary = stage.play()
    assert summary["samples"] == pytest.approx(2 * 44100, abs=STEP)
    assert stage.sessions[0][-1] == summary


def test_what_the_pump_is_asked_for_is_done_while_it_waits(stage):
    lose(stage, 4.0)

    def told(_):
        stage.takes.controls.ask(Request("rename", {"class": 0, "name": "bass"}))
        threading.Timer(0.2, stage.takes.stop.set).start()

    stage.takes.report = told
    stage.play()
    assert stage.processor.learner.names[0] == "bass"


def test_a_source_that_is_not_waited_for_ends_the_session(stage):
    lose(stage, 2.0)
    stage.takes.waits = False
    assert stage.play()["samples"] < 3 * 44100


@pytest.mark.parametrize("more", [-1, 0, 60])
def test_a_source_that_stands_still_is_told_of_once_and_that_it_goes_on(stage, more):
    stage.takes.waits = True
    stage.card.happen.append((2.0, lambda: setattr(stage.card, "still", takes.STILL_POLLS + more)))
    stage.card.happen.append((5.9, stage.takes.stop.set))
    stage.play()
    told = more >= 0
    assert stage.reported == ["a card gives no audio; waiting. Ctrl-C ends the session."] * told
    assert stage.said == ["a card gives audio again."] * told


def test_an_input_without_sound_is_told_of_and_that_sound_comes(stage, audio):
    stage.card._audio = np.concatenate([np.zeros(6 * 44100, np.float32), audio])
    stage.takes.waits = True
    stage.card.happen.append((8.0, stage.takes.stop.set))
    stage.play()
    assert [line.split(" comes")[0] for line in stage.reported] == [
        "a card: nothing louder than -120 dBFS"
    ]
    assert [line.rsplit(",")[0] for line in stage.said] == ["a card: sound comes in"]


def test_channels_go_on_when_a_lost_device_is_back_and_nothing_is_asked_of_them(stage):
    channels = Channels(lambda: Processor(Settings(classes=3)))
    channels.prepare(44100, channels=2)
    channels.record["synchronous"] = 0

    def advance(block):
        channels.advance(np.repeat(block, 2, axis=1))

    stage.processor = SimpleNamespace(advance=advance, close=channels.close)
    stage.takes.engine = channels
    stage.at(1.0, "record", True)
    stage.at(1.5, "reset", True)
    stage.at(2.0, "freeze", True)
    lose(stage, 3.0, False, True)
    stage.play()
    assert stage.said == ["a card is back; hits and classes go on."]
    [lines] = stage.sessions
    assert not [line for line in lines if line["event"] == "control"]
    [xrun] = [line for line in lines if line["event"] == "xrun"]
    assert xrun["kind"] == "device_lost"
    assert "channel" not in xrun
    onsets = [line for line in lines if line["event"] == "onset"]
    first, second = ([o for o in onsets if o["channel"] == n] for n in (1, 2))
    assert second == [onset | {"channel": 2} for onset in first]
    assert [onset["id"] for onset in first] == list(range(len(first)))
    assert first[-1]["sample"] > 4 * 44100
