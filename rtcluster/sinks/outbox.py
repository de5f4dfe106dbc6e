"""For a sink that writes where nobody may read: an outbox, and the thread that empties it.

The pump puts, the writer's thread takes and writes. The lock is held for a few microseconds and by
neither while it does anything that can block, so that a reader who stops reading is in nobody's
way. What waits is bounded; what has to be dropped is counted.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from rtcluster.timing import joined

EVENTS, STATUSES = 8192, 4
"""Lines of each kind that may wait: more than the 10 s after which a stuck server is ended."""


class Outbox:
    """Two queues, emptied in the order in which they were filled.

    Parameters
    ----------
    events, statuses : int or None
        How many of each kind may wait; None for any number.

    Attributes
    ----------
    dropped_events, dropped_statuses : int
        Lines that were dropped, the oldest first, because the reader was slow.
    """

    def __init__(self, events: int | None = EVENTS, statuses: int | None = STATUSES) -> None:
        self._room = (events, statuses)
        self._queues: tuple[deque[tuple[int, Any]], deque[tuple[int, Any]]] = (deque(), deque())
        self._order = 0
        self._closed = False
        self._changed = threading.Condition()
        self.dropped_events = self.dropped_statuses = 0

    def event(self, item: Any) -> None:
        """Put what should not be lost."""
        self.dropped_events += self._put(0, item)

    def status(self, item: Any) -> None:
        """Put what the next one replaces."""
        self.dropped_statuses += self._put(1, item)

    def _put(self, kind: int, item: Any) -> bool:
        with self._changed:
            if self._closed:
                return False
            queue, room = self._queues[kind], self._room[kind]
            full = room is not None and len(queue) >= room
            if full:
                queue.popleft()
            queue.append((self._order, item))
            self._order += 1
            self._changed.notify()
            return full

    def take(self) -> list[Any] | None:
        """Wait for what there is and take all of it; None once closed and empty."""
        with self._changed:
            while not self._waiting() and not self._closed:
                self._changed.wait()
            taken = sorted((entry for queue in self._queues for entry in queue), key=_order)
            for queue in self._queues:
                queue.clear()
            if not taken and self._closed:
                return None
        return [item for _, item in taken]

    def _waiting(self) -> bool:
        return any(self._queues)

    def close(self) -> None:
        """Take nothing more in."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def __len__(self) -> int:
        """Lines that wait."""
        return sum(map(len, self._queues))


def _order(entry: tuple[int, Any]) -> int:
    return entry[0]


class Writer:
    """A thread that writes what is put into an outbox.

    Parameters
    ----------
    name : str
        The thread's.
    outbox : Outbox
    write : callable
        Called on the thread with what waits, as a list. It may block, and it calls :meth:`moved`
        while it gets on. What it raises ends the thread and is kept.

    Attributes
    ----------
    error : Exception or None
        What ended the thread before its time. The outbox takes nothing more in then.
    """

    def __init__(self, name: str, outbox: Outbox, write: Callable[[list[Any]], None]) -> None:
        self.error: Exception | None = None
        self._outbox, self._write = outbox, write
        self._moves = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while (batch := self._outbox.take()) is not None:
                self._write(batch)
                self.moved()
        except Exception as error:  # of any kind: a thread that ends without a word is worse
            self.error = error
            self._outbox.close()

    def moved(self) -> None:
        """Some of it is written; the writer's thread."""
        self._moves += 1

    def close(self, patience_s: float) -> bool:
        """Take nothing more in, and wait until all is written.

        Returns
        -------
        bool
            False if the thread has got no further for so long. It is left to itself then.
        """
        self._outbox.close()
        return joined(self._thread, patience_s, lambda: self._moves)
