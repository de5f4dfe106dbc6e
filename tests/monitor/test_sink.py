"""The sink never waits, and outlives its sessions and its server."""

from __future__ import annotations

import importlib.util
import os
import signal
import time
from contextlib import suppress
from typing import Any

import pytest

from rtcluster.errors import RtclusterError
from rtcluster.events import Onset
from rtcluster.monitor import sink
from rtcluster.monitor.sink import Monitor
from rtcluster.session.controls import Controls

from .conftest import (
    Visitor,
    hear,
    hit,
    present,
    session_line,
    status_line,
    summary_line,
    wait_until,
)


def restarts(monitor: Monitor) -> int:
    figures: Any = monitor.figures()["monitor"]
    return figures["restarts"]


def test_the_link_is_this_machines_own_and_its_token_is_long(monitor: Monitor) -> None:
    assert monitor.url.startswith("http://127.0.0.1:")
    assert len(Visitor(monitor.url).token) >= 32


def test_it_outlives_its_sessions(monitor: Monitor, visitor: Visitor) -> None:
    with visitor.page() as page:
        for source in ("first", "second"):
            monitor.begin(session_line(source=source))
            assert hear(page, "session")["source"] == source
            monitor.end(summary_line())
            hear(page, "summary")


def test_a_server_that_hangs_makes_nobody_wait_and_what_is_dropped_is_counted(
    monitor: Monitor, visitor: Visitor
) -> None:
    monitor.begin(session_line())
    os.kill(monitor.server, signal.SIGSTOP)
    longest = 0.0
    for number in range(3000):
        began = time.perf_counter()
        monitor.status(status_line(hits=number, filler="x" * 1000))
        monitor.event(hit(number, 44100 * (number + 1))[-1])
        longest = max(longest, time.perf_counter() - began)
    assert longest < 5.0  # a write to the server would have waited for ever
    figures: Any = monitor.figures()["monitor"]
    assert figures["statuses_dropped"] > 2000
    os.kill(monitor.server, signal.SIGCONT)
    with visitor.page() as page:
        monitor.notice("done")
        assert hear(page, "notice") == {"event": "notice", "text": "done"}


def test_closing_does_not_wait_for_a_server_that_hangs(monitor: Monitor) -> None:
    os.kill(monitor.server, signal.SIGSTOP)
    for number in range(3000):
        monitor.event(hit(number, 44100)[0])
    began = time.monotonic()
    monitor.close()
    assert time.monotonic() - began < 10.0


def test_a_server_that_hangs_for_long_is_replaced(
    monitor: Monitor, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sink, "STUCK_S", 0.2)
    monitor.begin(session_line())
    os.kill(monitor.server, signal.SIGSTOP)

    def replaced() -> bool:
        monitor.status(status_line(filler="x" * 10_000))
        return restarts(monitor) > 0

    wait_until(replaced, "another server")
    with visitor.page() as page:
        assert present(page)[0]["event"] in ("session", "status")


def test_a_server_that_dies_is_started_again_and_told_the_present_state(
    monitor: Monitor, visitor: Visitor, said: list[str]
) -> None:
    monitor.begin(session_line())
    for event in hit(0, 44100):
        monitor.event(event)
    monitor.status(status_line())
    with visitor.page() as page:
        hear(page, "status")
        os.kill(monitor.server, signal.SIGKILL)
        wait_until(lambda: restarts(monitor) == 1, "another server")
    with visitor.page() as page:  # on the same port, with the same token
        kinds = [line["event"] for line in present(page)]
        assert kinds == ["session", "onset", "guess", "final", "status"]
        monitor.end(summary_line())
        hear(page, "summary")
    assert said == ["The monitor page's server had ended and is started again."]


def test_a_server_that_keeps_dying_is_given_up_and_the_session_goes_on(
    monitor: Monitor, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sink, "RESTARTS", 1)

    def given_up() -> bool:
        with suppress(ProcessLookupError):  # it has ended, and there is no other yet
            os.kill(monitor.server, signal.SIGKILL)
        return any("goes on without" in line for line in said)

    wait_until(given_up, "the end of it")
    monitor.status(status_line())
    monitor.end(summary_line())
    assert len(said) == 2


def test_what_json_cannot_carry_is_dropped_and_counted(monitor: Monitor, visitor: Visitor) -> None:
    with visitor.page() as page:
        monitor.begin(session_line(bad=float("nan")))
        monitor.begin(session_line(source="good"))
        assert hear(page, "session")["source"] == "good"
    figures: Any = monitor.figures()["monitor"]
    assert figures["events_dropped"] == 1


class Odd(Onset):
    """An event of a plugin, with what JSON has no form for."""

    def as_dict(self) -> dict[str, object]:
        return {"event": "odd", "value": object()}


def test_an_event_that_has_no_form_in_json_costs_that_event(
    monitor: Monitor, visitor: Visitor
) -> None:
    with visitor.page() as page:
        monitor.event(Odd(0, 0, 0.0, 64, 90, 1.0))
        monitor.begin(session_line(source="good"))
        assert hear(page, "session")["source"] == "good"
    figures: Any = monitor.figures()["monitor"]
    assert figures["events_dropped"] == 1


def test_what_ends_the_writer_is_told_with_the_next_event(
    monitor: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(data: bytes) -> bool:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(monitor._child, "write", fail)

    def told() -> bool:
        try:
            monitor.status(status_line())
        except RuntimeError as error:
            return str(error) == "can't start new thread"
        return False

    wait_until(told, "the error")


def test_a_missing_package_is_said_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RtclusterError, match=r"pip install .*\[monitor\]'$"):
        Monitor.open(Controls(), report=print)


def test_more_than_the_loopback_is_reported(said: list[str]) -> None:
    with Monitor.open(Controls(), host="0.0.0.0", report=said.append) as monitor:
        visitor = Visitor(monitor.url)
        assert visitor.status("/", Cookie=visitor.cookie) == 200
        assert visitor.status("/") == 403
    assert len(said) == 1
    assert said[0].startswith("The monitor is open to every machine")
