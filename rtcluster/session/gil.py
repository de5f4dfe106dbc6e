"""How long Python's threads keep each other waiting.

The audio thread runs no Python and waits for none. What comes after it does: the pump needs the
interpreter's lock (the GIL) to take an event and to hand it on, and a thread that computes in
Python keeps that lock for a whole switch interval once another one wants it.
"""

from __future__ import annotations

import sys
import threading

SWITCH_S = 0.0005
"""The switch interval while a session is live, in seconds.

Python's own 5 ms are longer than the detector takes, and an event waits up to a dozen times: the
lock is let go of, and has to be had again, whenever something is written or sent.
"""


class ShortSwitchInterval:
    """A context in which the switch interval is :data:`SWITCH_S` at most; any threads, any number.

    The last one that leaves it puts back what was there before the first.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before = 0.0

    def __enter__(self) -> None:
        """Enter the context."""
        with self._lock:
            if not self._inside:
                self._before = sys.getswitchinterval()
                sys.setswitchinterval(min(self._before, SWITCH_S))
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        """Leave it."""
        with self._lock:
            self._inside -= 1
            if not self._inside:
                sys.setswitchinterval(self._before)


short_switch_interval = ShortSwitchInterval()
"""The switch interval is the whole program's, and so is this."""
