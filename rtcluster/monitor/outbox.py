"""What waits to be written to the server: bounded, and never in the pump's way.

The pump puts, the writer thread takes. The lock is held for a few microseconds and by neither
while it does anything that can block.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

EVENTS, STATUSES = 8192, 4
"""Lines of each kind that may wait: more than the 10 s after which a stuck server is ended."""


class Outbox:
    """Two queues, emptied in the order in which they were filled.

    Attributes
    ----------
    dropped_events, dropped_statuses : int
        Lines that were dropped, the oldest first, because the server was slow.
    """

    def __init__(self, events: int = EVENTS, statuses: int = STATUSES) -> None:
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
            queue = self._queues[kind]
            full = len(queue) >= self._room[kind]
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


def _order(entry: tuple[int, Any]) -> int:
    return entry[0]
