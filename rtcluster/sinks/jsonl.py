"""Events as JSON Lines, one object a line, each line written out at once.

A program that is killed leaves every line before the last whole.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import TextIO

from rtcluster.errors import RtclusterError
from rtcluster.events import Event
from rtcluster.sinks import Sink

STANDARD_OUTPUT = "-"


class JsonLines(Sink):
    """Writes the event schema to a text stream.

    Parameters
    ----------
    stream : file object
        Open for text.
    close : bool
        Close it when no more sessions follow.
    """

    def __init__(self, stream: TextIO, *, close: bool = False) -> None:
        self._stream = stream
        self._close = close

    @classmethod
    def open(cls, path: str) -> JsonLines:
        """Write to a file, or to standard output for ``-``.

        Raises
        ------
        RtclusterError
            If the file cannot be written.
        """
        if path == STANDARD_OUTPUT:
            return cls(sys.stdout)
        try:
            return cls(open(path, "w", encoding="utf-8"), close=True)  # noqa: PTH123
        except OSError as error:
            raise RtclusterError(
                f"Expected to write events to {path}, got: {error.strerror}."
            ) from error

    def write(self, line: dict[str, object]) -> None:
        """Write an object as a line.

        Raises
        ------
        RtclusterError
            If there is no room, or nobody reads.
        """
        try:
            self._stream.write(json.dumps(line, allow_nan=False) + "\n")
            self._stream.flush()
        except OSError as error:
            where = getattr(self._stream, "name", "the stream")
            raise RtclusterError(
                f"Expected to write events to {where}, got: {error.strerror or error}."
            ) from error

    def begin(self, session: dict[str, object]) -> None:
        """Write the ``session`` line."""
        self.write(session)

    def event(self, event: Event) -> None:
        """Write an event's line."""
        self.write(event.as_dict())

    def end(self, summary: dict[str, object]) -> None:
        """Write the ``summary`` line."""
        self.write(summary)

    def close(self) -> None:
        """Close the file, if this object opened it."""
        if self._close:
            with suppress(OSError):  # of a line that could not be written, and that was told
                self._stream.close()
