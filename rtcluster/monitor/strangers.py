"""Connections that have not shown the token: few, not for long, and none in a page's place.

Whoever reaches the port can open connections and say nothing, or no more than half a request. One
that has not been let in `ENTER_S` after it came is closed; and of more than `MOST` of them the
oldest goes, so there is room for the next, which may be the page. Runs on the server's loop.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

ENTER_S = 5.0
"""From the connection to the end of a request with the token, in seconds."""

MOST = 32
"""Fewer than a server takes connections in all."""

Client = tuple[str, int]
"""The other end: host and port."""


class Strangers:
    """Those who have come and were not let in yet."""

    def __init__(self) -> None:
        self._waiting: dict[Client, tuple[asyncio.Transport, asyncio.TimerHandle]] = {}

    def come(self, client: Client, transport: asyncio.Transport) -> None:
        """Take in a new connection, for a while."""
        if len(self._waiting) >= MOST:
            self._end(next(iter(self._waiting)))
        timer = asyncio.get_running_loop().call_later(ENTER_S, self._end, client)
        self._waiting[client] = transport, timer

    def forget(self, client: Client) -> None:
        """It was let in, or has gone."""
        _, timer = self._waiting.pop(client, (None, None))
        if timer is not None:
            timer.cancel()

    def _end(self, client: Client) -> None:
        transport, _ = self._waiting[client]
        self.forget(client)
        transport.abort()


def watched(strangers: Strangers) -> type[H11Protocol]:
    """Uvicorn's HTTP, whose connections begin as strangers."""

    class Watched(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
            super().connection_made(transport)
            if self.client is None:  # gone before it was here
                transport.abort()
            else:
                strangers.come(self.client, transport)

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            if self.client is not None:
                strangers.forget(self.client)

    return Watched
