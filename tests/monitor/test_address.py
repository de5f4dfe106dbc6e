"""Where the monitor listens, and by which names it may be called."""

from __future__ import annotations

import pytest

from rtcluster.errors import RtclusterError
from rtcluster.monitor.address import Address, listen

HERE = Address("127.0.0.1", 8765, False)
EVERYWHERE = Address("0.0.0.0", 8765, True)


@pytest.mark.parametrize("header", ["127.0.0.1:8765", "localhost:8765", "LOCALHOST:8765"])
def test_a_loopback_name_with_the_right_port_is_ours(header: str) -> None:
    assert HERE.is_ours(header)


@pytest.mark.parametrize(
    "header",
    [
        "evil.example:8765",
        "127.0.0.1.evil.example:8765",
        "localhost.evil.example:8765",
        "127.0.0.1:80",
        "127.0.0.1",
        "192.168.1.7:8765",
        "",
        ":8765",
        "127.0.0.1:8765:8765",
        "127.0.0.1:８７６５",
        "[::1%lo]:8765",
        "[::1%lo; script-src *]:8765",
    ],
)
def test_any_other_name_or_port_is_not(header: str) -> None:
    assert not HERE.is_ours(header)


def test_an_open_one_goes_by_its_numbers_but_by_no_foreign_name() -> None:
    assert EVERYWHERE.is_ours("192.168.1.7:8765")
    assert EVERYWHERE.is_ours("[fe80::1]:8765")
    assert not EVERYWHERE.is_ours("evil.example:8765")
    assert Address("studio.local", 8765, True).is_ours("studio.local:8765")


def test_port_80_need_not_be_said() -> None:
    assert Address("127.0.0.1", 80, False).is_ours("127.0.0.1")
    assert Address("::1", 80, False).is_ours("[::1]")


def test_a_socket_on_the_loopback_opens_nothing() -> None:
    opened, address = listen("127.0.0.1", 0)
    with opened:
        assert opened.getsockname() == ("127.0.0.1", address.port)
        assert not address.open_
        assert address.warning() == ""
        assert address.shown == "127.0.0.1"


def test_any_other_host_says_in_a_line_what_it_opens() -> None:
    opened, address = listen("0.0.0.0", 0)
    with opened:
        warning = address.warning()
    assert "\n" not in warning
    for part in ("every machine", str(address.port), "token", "not encrypted"):
        assert part in warning
    assert address.shown != "0.0.0.0"


def test_a_port_that_is_taken_is_refused_in_a_line() -> None:
    first, address = listen("127.0.0.1", 0)
    with first, pytest.raises(RtclusterError, match=r"^Expected a free port on 127\.0\.0\.1, got"):
        listen("127.0.0.1", address.port)


@pytest.mark.parametrize(
    ("host", "port"), [("no.such.host.invalid", 0), ("127.0.0.1", 1 << 20), ("::1%lo", 0)]
)
def test_a_host_or_port_that_is_none_is_refused(host: str, port: int) -> None:
    with pytest.raises(RtclusterError, match=r"^Expected a"):
        listen(host, port)
