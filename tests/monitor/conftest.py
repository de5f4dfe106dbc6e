"""A monitor, somebody who visits it, and the lines of a session without a session."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from socket import create_connection
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

from rtcluster.events import Final, Guess, Onset
from rtcluster.monitor.sink import Monitor
from rtcluster.session.controls import Controls, Request

WAIT_S = 30.0


def wait_until(condition: Callable[[], Any], what: str, timeout: float = WAIT_S) -> Any:
    end = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < end, f"Expected {what} within {timeout:g} s, got {value!r}."
        time.sleep(0.01)
    return value


def session_line(**more: object) -> dict[str, object]:
    return {
        "event": "session", "version": 1, "samplerate": 44100, "source": "test",
        "settings": {"classes": 2, "freeze": False}, "warmup": 8, **more,
    }  # fmt: skip


def status_line(**more: object) -> dict[str, object]:
    return {
        "samples": 44100, "seconds": 1.0, "peak_db": -12.0, "rms_db": -30.0, "clipped": False,
        "hits": 1, "xruns": 0, "late_models": 0, "events_dropped": 0, "frozen": False,
        "threshold": 0.08, "warmup": [8, 8], "ready": True, "names": ["kick", "snare"],
        "counts": {0: 1}, "features": ["zcr", "energy"], "centres": [[10.0, 5.0], [400.0, 3.0]],
        "owner": [0, 1], "onset_latency_ms": {}, "sink_delay_ms": {}, "callback_load": {}, **more,
    }  # fmt: skip


def summary_line(**more: object) -> dict[str, object]:
    return {
        "event": "summary", "hits": 3, "xruns": 0, "seconds": 2.0, "samples": 88200,
        "classes": {"kick": 2, "snare": 1}, "unclassified": 0, **more,
    }  # fmt: skip


def hit(number: int, sample: int, class_: int = 0, guessed: int | None = None) -> list[Any]:
    """The three events of a hit of the classes kick and snare."""
    names = ["kick", "snare"]
    first = class_ if guessed is None else guessed
    measured = (10.0 + 390.0 * class_, 5.0 - class_)
    return [
        Onset(number, sample, sample / 44100, sample + 100, 90, 1.5),
        Guess(number, sample, sample + 1400, first, names[first], 0.6, 20, 4.0, 1323, 90, measured),
        Final(
            number, sample, sample + 4000, class_, names[class_], 0.8, 20, 5.0, 3969, 90, measured,
            revised=first != class_,
        ),
    ]  # fmt: skip


class Answer(NamedTuple):
    """What the server answers."""

    status: int
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")


class Visitor:
    """Somebody on this machine, with the link or without."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname and parts.port
        self.host, self.port = parts.hostname, parts.port
        self.token = parse_qs(parts.query)["token"][0]

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def cookie(self) -> str:
        return f"rtcluster-{self.port}={self.token}"

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """The answer to a request."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=WAIT_S)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.putrequest(method, path, skip_host="Host" in named)
        for name, value in named.items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        connection.close()
        return answer

    def status(self, path: str, **headers: str) -> int:
        return self.get(path, **headers).status

    @contextmanager
    def page(self, **headers: str) -> Iterator[Any]:
        """A socket such as the page opens; what is given takes the place of what a page says."""
        from websockets.sync.client import connect

        said = {"Origin": f"http://{self.place}", "Cookie": self.cookie, **headers}
        uri = f"ws://{said.pop('Host', self.place)}/live"
        with connect(
            uri, sock=create_connection((self.host, self.port)), open_timeout=WAIT_S, proxy=None,
            additional_headers={name: value for name, value in said.items() if value},
        ) as socket:  # fmt: skip
            yield socket


def hear(socket: Any, kind: str, timeout: float = WAIT_S) -> dict[str, Any]:
    """The next line of a kind that a page gets."""
    end = time.monotonic() + timeout
    while True:
        for line in json.loads(socket.recv(timeout=max(0.0, end - time.monotonic()))):
            if line["event"] == kind:
                return line


def present(socket: Any) -> list[dict[str, Any]]:
    """The present state: the first message that a page gets."""
    lines = json.loads(socket.recv(timeout=WAIT_S))
    assert lines[0]["event"] == "page"
    return lines[1:]


@pytest.fixture
def controls() -> Controls:
    return Controls()


@pytest.fixture
def said() -> list[str]:
    """What the monitor reports to the terminal."""
    return []


@pytest.fixture
def monitor(controls: Controls, said: list[str]) -> Iterator[Monitor]:
    with Monitor.open(controls, report=said.append) as opened:
        yield opened


@pytest.fixture
def visitor(monitor: Monitor) -> Visitor:
    return Visitor(monitor.url)


def asked(controls: Controls) -> Request:
    """The next thing that is asked for."""
    return wait_until(
        lambda: next(iter([*controls.pumped(), *controls.taken()]), None), "a request"
    )
