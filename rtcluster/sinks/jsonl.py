"""Events as JSON Lines, one object a line, each line written out at once.

A program that is killed leaves every line before the last whole.

Offline the line is written in the calling thread: who reads slowly slows the run down, and gets
every line. Live nobody may wait for a reader, so the lines are written by a thread of the sink's
own. What a file is too slow for waits in memory, and nothing is lost; of what a pipe or a terminal
does not take, the oldest lines are dropped, counted and reported.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, TextIO

from rtcluster.errors import RtclusterError, expecting
from rtcluster.events import Event
from rtcluster.sinks import Sink
from rtcluster.sinks.outbox import EVENTS, Outbox, Writer

STANDARD_OUTPUT = "-"

READER_S, FILE_S = 2.0, 30.0
"""How long a reader, and a disk, may stand still in the end until the rest is given up."""


class JsonLines(Sink):
    """Writes the event schema to a text stream.

    Parameters
    ----------
    stream : file object
        Open for text.
    close : bool
        Close it when no more sessions follow.
    report : callable, optional
        Live, and then needed: called with a line when the first one had to be dropped, and with
        their number in the end.
    """

    label = "JSON Lines output"

    def __init__(
        self,
        stream: TextIO,
        *,
        close: bool = False,
        report: Callable[[str], None] | None = None,
    ) -> None:
        self._stream = stream
        self._close = close
        self._report = report
        self._writer: Writer | None = None
        self._told = False  # what the writer failed of, or that something was dropped
        self._in_hand = 0  # lines that the writer has taken and not written
        if report is not None:
            self._is_file = _is_file(stream)
            self._outbox = Outbox(events=None if self._is_file else EVENTS)
            self._writer = Writer("rtcluster-json-lines", self._outbox, self._write_all)

    @classmethod
    def open(
        cls,
        path: str,
        report: Callable[[str], None] | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> JsonLines:
        """Write to a file, or to standard output for ``-``.

        A named pipe is waited for until somebody reads it, which ``say`` is told in a line.

        Raises
        ------
        RtclusterError
            If the file cannot be written.
        """
        if path == STANDARD_OUTPUT:
            return cls(sys.stdout, report=report)
        with expecting(f"to write events to {path}"):
            # The sink closes it. Path.open() takes no opener.
            stream = open(path, "w", encoding="utf-8", opener=partial(_opened, say))  # noqa: SIM115
        return cls(stream, close=True, report=report)

    @property
    def _where(self) -> str:
        return str(getattr(self._stream, "name", "the stream"))

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
            raise RtclusterError(
                f"Expected to write events to {self._where}, got: {error.strerror or error}."
            ) from error

    def begin(self, session: dict[str, object]) -> None:
        """Write the ``session`` line."""
        self._put(session)

    def event(self, event: Event) -> None:
        """Write an event's line."""
        self._put(event)

    def figures(self) -> Mapping[str, object]:
        """Lines that a reader was too slow for."""
        if self._writer is None or self._is_file:
            return {}
        return {"jsonl": {"lines_dropped": self._outbox.dropped_events}}

    def end(self, summary: dict[str, object]) -> None:
        """Write the ``summary`` line."""
        self._put(summary)

    def close(self) -> None:
        """Write what waits, as long as it is taken, and close the file if this object opened it."""
        if self._writer is not None and not self._writer.close(
            FILE_S if self._is_file else READER_S
        ):
            lost = self._outbox.dropped_events + len(self._outbox) + self._in_hand
            self._tell(f"Nobody reads {self._where}: {lost} lines of events were not written.")
            return  # the thread has the stream
        if self._writer is not None and self._outbox.dropped_events:
            lost = self._outbox.dropped_events
            self._tell(f"{self._where} was read too slowly: {lost} lines of events were dropped.")
        if self._close:
            with suppress(OSError):  # of a line that could not be written, and that was told
                self._stream.close()
        self._raise_what_failed()

    # Live.

    def _put(self, item: Event | dict[str, object]) -> None:
        if self._writer is None:
            self.write(_object(item))
            return
        self._raise_what_failed()
        self._outbox.event(item)
        if self._outbox.dropped_events and not self._told:
            self._told = True
            self._tell(f"{self._where} is not read; the oldest lines of events are dropped.")

    def _raise_what_failed(self) -> None:
        """Raise what ended the writer, once."""
        if self._writer is not None and self._writer.error is not None:
            error, self._writer.error = self._writer.error, None
            raise error

    def _tell(self, text: str) -> None:
        if self._report is not None:
            self._report(text)

    def _write_all(self, batch: list[Any]) -> None:
        """Write some lines; the writer's thread."""
        assert self._writer is not None
        self._in_hand = len(batch)
        for item in batch:
            self.write(_object(item))
            self._in_hand -= 1
            self._writer.moved()


def _opened(say: Callable[[str], None], path: str, flags: int) -> int:
    """Open a file to write to; say so where that has to wait."""
    try:
        descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)
    except OSError as error:
        if error.errno != errno.ENXIO:  # which is a pipe's that nobody reads
            raise
        say(f"Waiting for somebody to read {path}; Ctrl-C ends it.")
        return os.open(path, flags, 0o666)
    if hasattr(os, "O_NONBLOCK"):
        os.set_blocking(descriptor, True)
    return descriptor


def _object(item: Event | dict[str, object]) -> dict[str, object]:
    return item if isinstance(item, dict) else item.as_dict()


def _is_file(stream: TextIO) -> bool:
    """Whether a stream is a regular file, for which nobody has to read."""
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):  # no file of the system's at all
        return False
