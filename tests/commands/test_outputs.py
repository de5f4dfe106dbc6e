"""The outputs that live commands share: what the session is told, and what is refused."""

from __future__ import annotations

import json
import sys
import threading
from types import SimpleNamespace

import pytest

from rtcluster import Processor, Settings
from rtcluster.commands import outputs
from rtcluster.commands.opening import takes_of
from rtcluster.commands.outputs import Outputs
from rtcluster.monitor.link import qr_code
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
    options = Outputs()
    processor = Processor(Settings(classes=2))
    takes = takes_of(processor, None, [page], options, Controls(), threading.Event())
    takes.report("The disk is full.")
    takes.say("The disk is back.")
    assert page.notices == ["The disk is full.", "The disk is back."]
    assert "The disk is full." in capsys.readouterr().err


@pytest.fixture
def monitor():
    return SimpleNamespace(
        url="http://192.168.1.20:8000/?token=secret",
        ticket_url="http://192.168.1.20:8000/?token=once",
        open_=True,
    )


def test_a_phone_gets_the_link_as_a_code_where_it_reaches_the_page_and_people_look(
    monitor, monkeypatch, capsys
):
    code = qr_code(monitor.url)
    outputs._say_link(monitor, browse=False)
    assert capsys.readouterr().err == f"Monitor: {monitor.url}\n", "no terminal"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "100")
    outputs._say_link(monitor, browse=False)
    assert capsys.readouterr().err.splitlines() == [f"Monitor: {monitor.url}", *code]
    for change in ("narrow", "this machine's own"):
        monkeypatch.setenv("COLUMNS", "30" if change == "narrow" else "100")
        monitor.open_ = change == "narrow"
        outputs._say_link(monitor, browse=False)
        assert capsys.readouterr().err == f"Monitor: {monitor.url}\n", change


def test_a_browser_gets_a_link_that_opens_once(monitor, monkeypatch, capsys):
    given = []
    monkeypatch.setattr("rtcluster.monitor.link.browse", lambda url: given.append(url) or True)
    outputs._say_link(monitor, browse=True)
    assert given == [monitor.ticket_url]
    assert capsys.readouterr().err == f"Monitor: {monitor.url}\n"
    monkeypatch.setattr("rtcluster.monitor.link.browse", lambda _: False)
    outputs._say_link(monitor, browse=True)
    assert "There is no browser with a window here" in capsys.readouterr().err


def test_opening_the_page_is_showing_it(rtcluster, monkeypatch):
    given = []
    monkeypatch.setattr("rtcluster.monitor.link.browse", lambda url: given.append(url) or True)
    code, _, err = rtcluster("demo", "--seconds", "1", "--open")
    assert code == 0
    assert "Monitor: http://127.0.0.1:" in err
    assert len(given) == 1
