"""What a page that comes late has to be told: the latest lines, in bounded memory.

Kept at both ends: by the server for the pages, and by the parent for a server that is started
again. A page makes its whole picture from the lines alone, so the history is nothing but lines.
Used by one thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

RECORDED = "recorded"
"""The line that tells the folder of the latest recording that is whole; it outlives its session."""

EVENTS = 1500
"""Events kept: some 400 hits."""


class PageHistory:
    """The lines that a session's present state is made of."""

    def __init__(self) -> None:
        self._recorded = ""
        self._begin()

    def _begin(self) -> None:
        self._session = self._summary = self._status = ""
        self._muted: dict[int, str] = {}
        self._events: deque[str] = deque(maxlen=EVENTS)

    def take(self, line: Mapping[str, Any], text: str) -> None:
        """Take a line in.

        Parameters
        ----------
        line : mapping
            Of the event schema, or a ``status``. A ``notice`` is for those who are there.
        text : str
            The same as JSON.
        """
        kind = line["event"]
        if kind == "session":
            self._begin()
            self._session = text
        elif kind == "summary":
            self._summary = text
        elif kind == "status":
            self._status = text
        elif kind == RECORDED:
            self._recorded = text
        elif kind == "control" and line["what"] == "mute":
            self._muted[line["value"]["class"]] = text  # holds, however long ago it was
        elif kind != "notice":
            self._events.append(text)

    def texts(self) -> list[str]:
        """The lines, in the order in which they make the present state."""
        state = [*self._muted.values(), *self._events, self._status, self._summary]
        parts = [self._session, *state, self._recorded]
        return [text for text in parts if text]
