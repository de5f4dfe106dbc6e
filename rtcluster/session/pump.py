"""The pump: the thread between the event ring and everything in Python."""

from __future__ import annotations

import queue
import threading
import time

from rtcluster.errors import RtclusterError
from rtcluster.events import Event
from rtcluster.session.controls import taken_from
from rtcluster.session.gil import short_switch_interval
from rtcluster.session.session import Session
from rtcluster.session.status import PERIOD_S, StatusReader
from rtcluster.timing import joined

PUMP_PERIOD_S = 0.001
"""How long the pump sleeps when there is nothing to do, in seconds."""

PATIENCE_S = 3.0
"""How long the pump may stand still in the end until it is left to itself, in seconds."""


class Pump:
    """The thread between the event ring and everything in Python; a context manager.

    Leaving the context takes out what is left. The audio thread must have stopped by then, so
    that the hits still open can be settled. What went wrong on the thread is raised then. If a
    sink does not return, the session has ended where it stands, and that is raised.

    While one runs, the whole program has the
    :data:`~rtcluster.session.gil.short_switch_interval`.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._notes: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="rtcluster-pump", daemon=True)

    @property
    def failed(self) -> bool:
        """[any thread] Whether the thread has ended with an error: no more events will come."""
        return self._error is not None

    def _run(self) -> None:
        try:
            with short_switch_interval:
                self._turn_until_stopped()
        except Exception as error:
            self._error = error

    def _turn_until_stopped(self) -> None:
        status, due = StatusReader(self._session), 0.0
        while not self._stop.is_set():
            if not self._turn():
                if self._session.watched and time.monotonic() >= due:
                    due = time.monotonic() + PERIOD_S
                    self._session.watch(status.read())
                time.sleep(PUMP_PERIOD_S)

    def _turn(self) -> bool:
        """What became known, then what was asked for; tell whether there was anything."""
        there = self._session.turn()
        self._session.obey()
        for event in taken_from(self._notes):
            self._session.handle([event])
            there = True
        return there

    def note(self, event: Event) -> None:
        """[any thread] Have the sinks told of something that the audio thread cannot know."""
        self._notes.put(event)

    def __enter__(self) -> Pump:
        """[main thread] Begin the session and start the thread."""
        self._session.begin()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """[main thread] Stop the thread, then settle and hand over what is left."""
        self._stop.set()
        if not joined(self._thread, PATIENCE_S, lambda: self._session.moves):
            raise RtclusterError(
                f"{self._session.abandon()} has not returned for {PATIENCE_S:g} s; "
                "the session has ended without its last events."
            )
        if self._error is not None:
            raise self._error
        while self._turn():
            pass
        self._session.settle()
