"""The monitor's server: ``python -m rtcluster.monitor.server``, started by the sink.

A process of its own and of low priority, without Numba and scikit-learn. The first line on its
standard input is an object: ``socket`` (the listening one, inherited), ``token``, ``ticket`` (which
opens the page once; empty for none), ``host``, ``port``, ``open`` (as
:class:`rtcluster.monitor.address.Address`) and ``page`` (the line that every page gets first). The
lines after it are the session's, for the pages. It writes ``{"ready": true}`` when pages can come,
and then what the pages ask for. It ends when its standard input does, and so also when its parent
is killed.

The main thread runs the loop; another reads standard input, and waits until the loop has taken
what it read.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any

import uvicorn

from rtcluster.monitor.address import Address
from rtcluster.monitor.app import build
from rtcluster.monitor.authentication import Keys
from rtcluster.monitor.pages import Pages
from rtcluster.monitor.playing import Playing
from rtcluster.monitor.recorded import Recorded
from rtcluster.monitor.strangers import Strangers, watched

NICE = 10
"""Behind everything that has to do with audio."""

MAX_MESSAGE = 4096
"""Bytes that a page may say at once."""

MAX_CONNECTIONS = 64
CHUNK = 1 << 16

Line = dict[str, Any]


def lines(descriptor: int) -> Iterator[list[tuple[Line, str]]]:
    """Lines as they come, parsed and as they are, until the end of the input."""
    rest = b""
    while chunk := os.read(descriptor, CHUNK):
        *whole, rest = (rest + chunk).split(b"\n")
        if any(whole):
            yield [(json.loads(text), text.decode()) for text in whole if text]


def say(line: dict[str, object]) -> None:
    """Tell the parent. If it is gone, so is the input, and the server ends of that."""
    with contextlib.suppress(OSError):
        os.write(sys.stdout.fileno(), json.dumps(line).encode() + b"\n")


async def serve(config: Line, waiting: list[tuple[Line, str]], more: Iterator[Any]) -> None:
    """Serve pages until the input ends."""
    address = Address(config["host"], config["port"], config["open"])
    pages, playing, strangers = Pages(config["page"], say), Playing(), Strangers()
    recorded = Recorded()
    server = uvicorn.Server(
        uvicorn.Config(
            build(pages, Keys(config["token"], config["ticket"]), address, strangers, recorded),
            loop="asyncio",
            http=watched(strangers),
            lifespan="on",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_graceful_shutdown=1,
            ws_max_size=MAX_MESSAGE,
            ws_per_message_deflate=False,
        )
    )
    loop = asyncio.get_running_loop()

    async def tell(batch: list[tuple[Line, str]]) -> None:
        for line, _ in batch:
            recorded.take(line)
        pages.tell(
            [
                (line, json.dumps(line, separators=(",", ":")) if playing.take(line) else text)
                for line, text in batch
            ]
        )

    def read() -> None:
        try:
            for batch in more:
                asyncio.run_coroutine_threadsafe(tell(batch), loop).result()
        finally:
            loop.call_soon_threadsafe(leave)

    def leave() -> None:
        pages.end()
        server.should_exit = True

    if waiting:
        await tell(waiting)
    threading.Thread(target=read, name="rtcluster-monitor-lines", daemon=True).start()
    say({"ready": True})
    await server.serve(sockets=[inherited(config["socket"])])


def inherited(given: int | str) -> socket.socket:
    """The parent's listening socket: its descriptor, or on Windows what stands for it."""
    if sys.platform == "win32":
        return socket.fromshare(base64.b64decode(str(given)))
    return socket.socket(fileno=int(given))


def main() -> None:
    """Run the server."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(NICE)
    source = lines(sys.stdin.fileno())
    first = next(source, None)
    if first is None:
        return
    (config, _), *waiting = first
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(config, waiting, source))


if __name__ == "__main__":
    main()
