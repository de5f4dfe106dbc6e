"""The open pages, and what each has still to be sent. On the server's loop.

Every page has a bounded queue of its own. One that is slow is skipped ahead: what waits for it is
thrown away, and it gets the present state. One that takes nothing for :data:`PATIENCE_S` is cut
off.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable

from starlette.websockets import WebSocket, WebSocketDisconnect

from rtcluster.monitor.history import PageHistory

WAITING = 200
"""Messages that may wait for a page: some 2 s of a busy session."""

PATIENCE_S = 10.0

MAX_PAGES = 16

NOTICE = "notice"
"""The one kind of line that is no part of the state."""

GOING_AWAY, TOO_MANY = 1001, 1013
"""Codes of RFC 6455 and its registry."""


class Page:
    """One open page.

    Parameters
    ----------
    present : callable
        Gives the message that makes the present state of a page, whatever it showed before.
    """

    def __init__(self, present: Callable[[], str]) -> None:
        self._present = present
        self._queue: deque[str] = deque()
        self._behind = True
        self._over = False
        self._changed = asyncio.Event()
        self._changed.set()

    def put(self, message: str, *, state: bool = True) -> None:
        """Have a message sent. Never waits.

        Parameters
        ----------
        message : str
        state : bool
            Whether the present state holds it too, so that a page that gets that needs not this.
        """
        if self._behind and state:
            return
        if len(self._queue) >= WAITING:
            self._queue.clear()
            self._behind = True
        else:
            self._queue.append(message)
        self._changed.set()

    def end(self) -> None:
        """Send what there is, and no more."""
        self._over = True
        self._changed.set()

    async def serve(self, socket: WebSocket) -> None:
        """Send until the end, or until the page is gone or too slow.

        Raises
        ------
        TimeoutError
            If it took nothing for too long.
        WebSocketDisconnect
            If it is gone.
        """
        while True:
            await self._changed.wait()
            self._changed.clear()
            while self._behind or self._queue:
                if self._behind:
                    self._behind = False
                    message = self._present()
                else:
                    message = self._queue.popleft()
                await asyncio.wait_for(socket.send_text(message), PATIENCE_S)
            if self._over:
                await socket.close(GOING_AWAY)
                return


class Pages:
    """All open pages, and the state that a new one gets.

    Parameters
    ----------
    first : dict
        The line that every page gets first.
    ask : callable
        Called with what a page asks for, an object.
    """

    def __init__(self, first: dict[str, object], ask: Callable[[dict[str, object]], None]) -> None:
        self._first = json.dumps(first)
        self._ask = ask
        self._history = PageHistory()
        self._open: set[Page] = set()

    def tell(self, lines: list[tuple[dict[str, object], str]]) -> None:
        """Tell all pages; each line comes parsed and as it is."""
        for line, text in lines:
            self._history.take(line, text)
        for state in (True, False):
            texts = [text for line, text in lines if (line["event"] != NOTICE) is state]
            if texts:
                message = f"[{','.join(texts)}]"
                for page in self._open:
                    page.put(message, state=state)

    def present(self) -> str:
        """The message that makes the present state."""
        return f"[{','.join([self._first, *self._history.texts()])}]"

    def end(self) -> None:
        """Let all pages go."""
        for page in self._open:
            page.end()

    async def welcome(self, socket: WebSocket) -> None:
        """Serve a page from its first message to its last."""
        await socket.accept()
        if len(self._open) >= MAX_PAGES:
            await socket.close(TOO_MANY)
            return
        page = Page(self.present)
        self._open.add(page)
        hearing = asyncio.create_task(self._hear(socket, page))
        try:
            await page.serve(socket)
        except (TimeoutError, WebSocketDisconnect):
            pass  # closing in order would wait for it as well; the connection is dropped
        finally:
            self._open.discard(page)
            hearing.cancel()

    async def _hear(self, socket: WebSocket, page: Page) -> None:
        try:
            while True:
                message = await socket.receive()
                if message["type"] == "websocket.disconnect":
                    page.end()
                    return
                self._take(message.get("text"), page)
        except (RuntimeError, WebSocketDisconnect):  # it was closed from this side
            page.end()

    def _take(self, text: str | None, page: Page) -> None:
        """Hand on what a page asks for; what is no such thing is told to that page alone."""
        try:
            asked = json.loads(text or "", parse_constant=_refuse)
        except (ValueError, RecursionError):
            asked = None
        if isinstance(asked, dict) and asked.keys() == {"what", "value"}:
            self._ask(asked)
        else:
            refusal = "Expected an object with what and value, got something else."
            page.put(json.dumps([{"event": NOTICE, "text": refusal}]), state=False)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON.")
