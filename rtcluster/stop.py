"""A flag that a signal handler sets and the main thread waits for."""

from __future__ import annotations

import queue
from contextlib import suppress


class Stop:
    """Set by Ctrl-C, whatever the thread that it interrupts is at.

    A ``threading.Event`` is not for this: ``wait`` and ``set`` take the same lock, and a handler
    that runs while ``wait`` holds it, on the same thread, waits for itself for ever. The ``put``
    of a ``queue.SimpleQueue`` is documented as reentrant: it may interrupt its own ``get``.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._asked: queue.SimpleQueue[None] = queue.SimpleQueue()

    def set(self) -> None:
        """End it; from any thread, and from a signal handler."""
        self._is_set = True
        self._asked.put(None)

    def is_set(self) -> bool:
        """Whether it is to end."""
        return self._is_set

    def wait(self, timeout: float) -> bool:
        """Wait until it is set, at most so long; one thread.

        Parameters
        ----------
        timeout : float
            In seconds.

        Returns
        -------
        bool
            Whether it is set.
        """
        if not self._is_set:
            with suppress(queue.Empty):
                self._asked.get(timeout=timeout)
        return self._is_set
