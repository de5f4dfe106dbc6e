"""The server process: what pages get and ask for, and when it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys

import pytest
from websockets.exceptions import ConnectionClosed

from rtcluster.monitor.server import MAX_MESSAGE
from rtcluster.monitor.sink import Monitor
from rtcluster.session.controls import Controls, Request

from .conftest import (
    Visitor,
    asked,
    hear,
    hit,
    present,
    session_line,
    status_line,
    summary_line,
    wait_until,
)


def test_it_starts_without_numba_and_scikit_learn() -> None:
    program = (
        "import sys, rtcluster.monitor.server; "
        "print([m for m in ('numba', 'sklearn', 'scipy', 'aubio') if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


def test_a_page_that_comes_late_gets_the_whole_present_state(
    monitor: Monitor, visitor: Visitor
) -> None:
    with visitor.page() as first:
        monitor.begin(session_line())
        for event in hit(0, 44100):
            monitor.event(event)
        monitor.status(status_line(hits=1))
        hear(first, "status")
        with visitor.page() as second:
            kinds = [line["event"] for line in present(second)]
            assert kinds == ["session", "onset", "guess", "final", "status"]
        monitor.end(summary_line())
        assert hear(first, "summary")["classes"] == {"kick": 2, "snare": 1}


def test_a_final_tells_where_it_lies_among_the_features(monitor: Monitor, visitor: Visitor) -> None:
    with visitor.page() as page:
        monitor.begin(session_line())
        for event in hit(0, 44100, class_=1):
            monitor.event(event)
        assert hear(page, "final")["at"] == [400.0, 4.0]


def test_what_a_page_asks_for_reaches_the_session(
    monitor: Monitor, visitor: Visitor, controls: Controls
) -> None:
    requests = [
        Request("rename", {"class": 1, "name": "snare"}),
        Request("freeze", True),
        Request("mute", {"class": 0, "muted": True}),
        Request("threshold", 0.2),
        Request("merge", {"class": 1, "into": 0}),
        Request("undo", True),
        Request("save", True),
        Request("record", True),
        Request("reset", True),
    ]
    with visitor.page() as page:
        for request in requests:
            page.send(json.dumps({"what": request.what, "value": request.value}))
            assert asked(controls) == request


def test_an_unknown_request_is_refused_in_a_line_and_the_page_stays(
    monitor: Monitor, visitor: Visitor, controls: Controls, said: list[str]
) -> None:
    wrong = [
        ("explode", True), ("freeze", "yes"), ("rename", {"class": "1", "name": "x"}),
        (["a"], 1), ("threshold", None), (None, None),
    ]  # fmt: skip
    with visitor.page() as page:
        for what, value in wrong:
            page.send(json.dumps({"what": what, "value": value}))
            assert hear(page, "notice")["text"].startswith("Expected")
        page.send("no JSON at all")
        assert hear(page, "notice")["text"].startswith("Expected an object")
        page.send(json.dumps({"what": "freeze", "value": True}))
        assert asked(controls) == Request("freeze", True)
    assert len(said) == len(wrong)
    assert not any("\n" in line for line in said)


def test_a_message_that_is_too_long_ends_that_page_alone(
    monitor: Monitor, visitor: Visitor, controls: Controls
) -> None:
    with visitor.page() as other, visitor.page() as page:
        page.send("x" * (MAX_MESSAGE + 1))
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                page.recv(timeout=10.0)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009
        other.send(json.dumps({"what": "freeze", "value": True}))
        assert asked(controls) == Request("freeze", True)


def test_ctrl_c_is_not_for_it(monitor: Monitor, visitor: Visitor) -> None:
    os.kill(monitor.server, signal.SIGINT)
    with visitor.page() as page:
        monitor.begin(session_line())
        hear(page, "session")
    assert os.getpgid(monitor.server) != os.getpgid(0)


@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="priorities are POSIX's")
def test_it_runs_behind_everything_else(monitor: Monitor) -> None:
    assert os.getpriority(os.PRIO_PROCESS, monitor.server) > 0


def test_closing_lets_the_pages_go_after_all_they_had_to_be_told(
    monitor: Monitor, visitor: Visitor
) -> None:
    with visitor.page() as page:
        monitor.begin(session_line())
        monitor.end(summary_line())
        monitor.close()
        hear(page, "summary")
        with pytest.raises(ConnectionClosed) as closed:
            page.recv(timeout=10.0)
    assert closed.value.rcvd is not None and closed.value.rcvd.code in (1001, 1012)
    assert refused(visitor)


def test_it_ends_when_the_program_is_killed() -> None:
    program = (
        "import sys, time\n"
        "from rtcluster.session.controls import Controls\n"
        "from rtcluster.monitor.sink import Monitor\n"
        "print(Monitor.open(Controls(), report=print).url, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        visitor = Visitor(run.stdout.readline().strip())
        assert visitor.status("/", Cookie=visitor.cookie) == 200
        run.send_signal(signal.SIGKILL)
    wait_until(lambda: refused(visitor), "the port to be free")


def refused(visitor: Visitor) -> bool:
    try:
        socket.create_connection((visitor.host, visitor.port), 1.0).close()
    except OSError:
        return True
    return False
