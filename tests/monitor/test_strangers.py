"""Connections without the token keep nobody out."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from rtcluster.monitor.server import MAX_CONNECTIONS
from rtcluster.monitor.sink import Monitor
from rtcluster.monitor.strangers import ENTER_S, MOST

from .conftest import Visitor, hear, present, session_line

LATE_S = ENTER_S + 5.0
"""Until when a server on a busy machine has closed what it closes after a while."""


@contextmanager
def connections(visitor: Visitor, count: int, begins: bytes = b"") -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        opened = []
        for _ in range(count):
            one = socket.create_connection((visitor.host, visitor.port), timeout=LATE_S)
            opened.append(stack.enter_context(one))
            one.sendall(begins)
        yield opened


def closed(one: socket.socket) -> bool:
    """Whether it is, once all was read that had been sent, or within a while."""
    try:
        while one.recv(1 << 16):
            pass
    except (ConnectionResetError, TimeoutError) as error:
        return isinstance(error, ConnectionResetError)
    return True


@pytest.mark.parametrize("begins", [b"", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"])
def test_however_many_say_nothing_the_page_is_served(visitor: Visitor, begins: bytes) -> None:
    with connections(visitor, MAX_CONNECTIONS + 16, begins) as idle:
        asked = time.monotonic()
        assert visitor.status(f"/?token={visitor.token}") == 200
        with visitor.page() as page:
            assert present(page) == []
            assert time.monotonic() - asked < ENTER_S  # none of them had to be waited for
        assert all(closed(one) for one in idle[:-MOST])


def test_whoever_is_not_let_in_is_closed_after_a_while_and_a_page_is_not(
    monitor: Monitor, visitor: Visitor
) -> None:
    began = time.monotonic()
    with (
        visitor.page() as page,
        connections(visitor, 1) as [idle],
        connections(visitor, 1, b"GET / HTTP/1.1\r\n") as [slow],
    ):
        present(page)
        while time.monotonic() < began + LATE_S:  # a header a moment, for ever
            try:
                slow.sendall(b"X-A: b\r\n")
            except OSError:
                break
            time.sleep(0.2)
        assert ENTER_S - 1.0 < time.monotonic() - began < LATE_S
        assert closed(idle)
        monitor.begin(session_line())
        hear(page, "session")


def test_who_was_refused_is_not_let_sit_there(visitor: Visitor) -> None:
    asks = f"GET / HTTP/1.1\r\nHost: {visitor.place}\r\n\r\n".encode()
    with connections(visitor, 1, asks) as [refused]:
        assert b" 403 " in refused.recv(1 << 16)
        began = time.monotonic()
        assert closed(refused)
        assert time.monotonic() - began < LATE_S


OSC = b"/rtcluster/hit\x00\x00,ifs\x00\x00\x00\x00" + bytes(8) + b"snare\x00\x00\x00"
GARBAGE = [
    OSC,
    len(OSC).to_bytes(4, "big") + OSC,  # as OSC 1.0 has it over TCP
    b"\xc0" + OSC + b"\xc0",  # and OSC 1.1
    b"#bundle\x00" + bytes(8) + b"\xff" * 4,
    bytes(range(256)) * 64,
    b"\r\n" * 4096,
    b"GET /\xff HTTP/9.9\r\n" + b"\x00" * 70_000,
]


@pytest.mark.parametrize("sent", GARBAGE, ids=range(len(GARBAGE)))
def test_osc_and_other_garbage_does_the_monitor_no_harm(
    monitor: Monitor, visitor: Visitor, said: list[str], sent: bytes
) -> None:
    with visitor.page() as page, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        present(page)
        datagrams.sendto(sent[:1400], (visitor.host, visitor.port))
        with connections(visitor, 8) as strangers:
            for one in strangers:
                with suppress(BrokenPipeError, ConnectionResetError):  # it has seen enough
                    one.sendall(sent)
            monitor.begin(session_line())
            assert hear(page, "session")
            assert all(closed(one) for one in strangers)
        assert visitor.status(f"/?token={visitor.token}") == 200
    assert said == []
    assert monitor.figures()["monitor"]["restarts"] == 0
