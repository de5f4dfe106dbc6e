"""Only who has the token comes in, by this machine's own name and from the page itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress

import pytest
from websockets.exceptions import InvalidStatus

from rtcluster.monitor.authentication import Keys
from rtcluster.monitor.sink import Monitor
from rtcluster.session.controls import Controls

from .conftest import Visitor, present, wait_until

FILES = ("/", "/index.html", "/main.js", "/monitor.css", "/favicon.svg")


@pytest.fixture(scope="module")
def visitor() -> Iterator[Visitor]:
    with Monitor.open(Controls(), report=print) as monitor:
        yield Visitor(monitor.url)


def test_the_link_opens_the_page_and_its_cookie_the_rest(visitor: Visitor) -> None:
    response = visitor.get(f"/?token={visitor.token}")
    assert response.status == 200
    assert "<!doctype html>" in response.text
    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith(visitor.cookie + ";")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    for path in FILES:
        assert visitor.status(path, Cookie=visitor.cookie) == 200, path


def test_a_ticket_opens_the_page_once_and_its_cookie_the_rest() -> None:
    with Monitor.open(Controls(), report=print) as monitor:
        ticket = monitor.ticket_url.partition("=")[2]
        visitor = Visitor(monitor.url)
        assert ticket not in (visitor.token, "")
        assert visitor.status(f"/?token={ticket[:-1]}") == 403
        assert visitor.status(f"/?token={ticket}", Host="evil.example") == 403
        response = visitor.get(f"/?token={ticket}")
        assert response.status == 200
        assert response.headers["Set-Cookie"].startswith(visitor.cookie + ";")
        assert visitor.status("/main.js", Cookie=visitor.cookie) == 200
        assert visitor.status(f"/?token={ticket}") == 403
        os.kill(monitor.server, signal.SIGKILL)

        def again() -> int | None:
            with suppress(OSError):
                return visitor.status("/", Cookie=visitor.cookie)
            return None

        wait_until(lambda: again() == 200, "another server")
        assert visitor.status(f"/?token={ticket}") == 403, "a server that follows takes none"


def test_no_ticket_is_no_key() -> None:
    assert not Keys("token").open("")
    assert Keys("token").open("token")


@pytest.mark.parametrize("path", [*FILES, "/nothing"])
def test_nothing_is_served_without_the_token(visitor: Visitor, path: str) -> None:
    assert visitor.status(path) == 403
    assert visitor.status(f"{path}?token={visitor.token[:-1]}") == 403
    assert visitor.status(f"{path}?token=") == 403
    assert visitor.status(path, Cookie=f"rtcluster-{visitor.port}=wrong") == 403
    assert visitor.status(path, Cookie=f"rtcluster={visitor.token}") == 403


@pytest.mark.parametrize(
    "host",
    ["evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "[::1]:1", "[::1%x; img-src *]:{port}"],
)
def test_a_foreign_host_is_refused_even_with_the_token(visitor: Visitor, host: str) -> None:
    named = host.format(port=visitor.port)
    assert visitor.status("/", Cookie=visitor.cookie, Host=named) == 403
    with (
        pytest.raises(InvalidStatus, match="403"),
        visitor.page(Host=named, Origin=f"http://{named}"),
    ):
        pass


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1:{port}",
     "http://localhost:{port}", "http://127.0.0.1:{port}.evil.example"],
)  # fmt: skip
def test_another_origin_is_refused_even_with_the_token(visitor: Visitor, origin: str) -> None:
    said = origin.format(port=visitor.port)
    assert visitor.status("/", Cookie=visitor.cookie, Origin=said) == 403
    with pytest.raises(InvalidStatus, match="403"), visitor.page(Origin=said):
        pass


def test_a_socket_needs_the_token_and_an_origin(visitor: Visitor) -> None:
    for headers in ({"Cookie": ""}, {"Cookie": "rtcluster=wrong"}, {"Origin": ""}):
        with pytest.raises(InvalidStatus, match="403"), visitor.page(**headers):
            pass
    with visitor.page() as socket:
        assert present(socket) == []


def test_localhost_is_this_machine_as_well(visitor: Visitor) -> None:
    place = f"localhost:{visitor.port}"
    with visitor.page(Host=place, Origin=f"http://{place}") as socket:
        assert present(socket) == []


def test_every_answer_forbids_what_the_page_does_not_need(visitor: Visitor) -> None:
    for path in ("/", "/main.js", "/nothing"):
        headers = visitor.get(path, Cookie=visitor.cookie).headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none';")
        assert "unsafe" not in policy
        assert f"connect-src 'self' ws://{visitor.place};" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert not [name for name in headers if name.lower().startswith("access-control")]


def test_only_reading_is_served_and_only_the_files_of_the_page(visitor: Visitor) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert visitor.get("/", method, Cookie=visitor.cookie).status == 405
    for path in ("/nothing.js", "/../server.py", "/%2e%2e/server.py", "/..%2fserver.py", "//etc"):
        assert visitor.status(path, Cookie=visitor.cookie) == 404, path
