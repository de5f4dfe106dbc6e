"""The outputs that live commands share: what the session is told, and what is refused."""

from __future__ import annotations

import json
import threading

import pytest

from rtcluster import Processor, Settings
from rtcluster.commands.opening import takes_of
from rtcluster.commands.outputs import STANDARD, Outputs
from rtcluster.session.controls import Controls
from rtcluster.sinks import Sink

pytestmark = pytest.mark.usefixtures("coarse_pictures")


class Page(Sink):
    """Keeps the notices."""

    def __init__(self):
        self.notices = []

    def notice(self, text):
        self.notices.append(text)


def test_the_tempo_that_is_played_to_is_in_the_session_and_its_report(rtcluster, tmp_path):
    events = tmp_path / "events.jsonl"
    code, _, _ = rtcluster("demo", "--seconds", "8", "--bpm", "52", "--jsonl", events)
    assert code == 0
    assert json.loads(events.read_text().splitlines()[0])["bpm"] == 52.0
    code, _, err = rtcluster("report", events)
    assert code == 0
    assert "52.00 bpm" in err or "52.0 bpm" in err or "52 bpm" in err, err


def test_a_tempo_that_nobody_plays_is_refused(rtcluster):
    assert rtcluster("demo", "--bpm", "5")[0] == 2


def test_what_fails_and_what_is_well_again_is_told_to_every_sink_too(capsys):
    page = Page()
    outputs = Outputs(**STANDARD | {"note": ()})
    processor = Processor(Settings(classes=2))
    takes = takes_of(processor, None, [page], outputs, Controls(), threading.Event())
    takes.report("The disk is full.")
    takes.say("The disk is back.")
    assert page.notices == ["The disk is full.", "The disk is back."]
    assert "The disk is full." in capsys.readouterr().err
