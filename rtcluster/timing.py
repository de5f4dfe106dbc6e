"""Time: the clock of the stamps, percentiles of delays, and waits that come to an end.

The flag that a signal sets, and threads that may not come to their end.
"""

from __future__ import annotations

import queue
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy.typing as npt

ENDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""Signals that end the program: Ctrl-C, a polite kill, and the terminal that is closed."""

left: list[threading.Thread] = []
"""Threads that stood still and were left to themselves.

One of them may be within a write to standard output or error, and hold its lock. The interpreter
would wait for that lock in the end, and abort: the program has to leave without it.
"""


def joined(thread: threading.Thread, patience_s: float, progress: Callable[[], object]) -> bool:
    """Wait for a thread to end for as long as it gets on.

    Parameters
    ----------
    thread : Thread
        Started.
    patience_s : float
        How long it may stand still, in seconds.
    progress : callable
        Gives something that changes when it gets on.

    Returns
    -------
    bool
        False if it stands still; it is one of :data:`left` then.
    """
    while True:
        before = progress()
        thread.join(patience_s)
        if not thread.is_alive():
            return True
        if progress() == before:
            left.append(thread)
            return False


def stands_still() -> bool:
    """Whether one of the threads that were left to themselves still stands."""
    return any(thread.is_alive() for thread in left)


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


def clock_ns() -> int:
    """The clock of the kernel's time stamps."""
    if hasattr(time, "CLOCK_MONOTONIC"):
        return time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    return time.monotonic_ns()


def percentiles(values: npt.ArrayLike) -> dict[str, float]:
    """p50, p95, p99 and max of some values; empty where there are none."""
    import numpy as np  # not at the top: the program has to hear Ctrl-C before

    array = np.asarray(values, dtype=float)
    if not array.size:
        return {}
    cuts = np.percentile(array, (50, 95, 99, 100))
    return {k: round(float(v), 3) for k, v in zip(("p50", "p95", "p99", "max"), cuts, strict=True)}
