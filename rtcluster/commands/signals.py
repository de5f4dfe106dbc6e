"""Signals that end the program: as Ctrl-C does, and at once if it is the second one."""

from __future__ import annotations

import atexit
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from rtcluster.timing import ENDING, stands_still

INTERRUPTED = 130
"""Exit code of a program that a signal ended."""

AGAIN_S = 0.5
"""From one to the next that is another, in seconds: ``timeout`` and shells send each twice."""


@contextmanager
def handled(by: Callable[..., object], numbers: tuple[int, ...] = ENDING) -> Iterator[None]:
    """Have the signals handled in the block; not a hang-up that ``nohup`` has had ignored."""
    hang_up = getattr(signal, "SIGHUP", None)
    taken = [n for n in numbers if n != hang_up or signal.getsignal(n) != signal.SIG_IGN]
    before = {number: signal.signal(number, by) for number in taken}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def as_ctrl_c() -> Iterator[None]:
    """The other signals end the block as Ctrl-C does."""
    others = tuple(number for number in ENDING if number != signal.SIGINT)
    with handled(signal.default_int_handler, others):
        yield


@contextmanager
def second_ends_at_once() -> Iterator[None]:
    """The second signal in the block ends the program, whatever stands still.

    The first one is the block's own business, and may have to wait for a disk, a sound server or
    somebody who reads. Python would run a handler of the second one on the main thread, which may
    be within a call that does not return. So a thread of its own waits, to which Python's handler
    in C writes the number of each signal that comes.

    If the block has left a thread that stood still, the program ends with the block.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    watching = threading.Thread(
        target=_watch, args=(reader,), name="rtcluster-signals", daemon=True
    )
    watching.start()
    before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    try:
        yield
    except SystemExit as end:
        if stands_still():
            _end(end.code if isinstance(end.code, int) else int(end.code is not None))
        raise
    finally:
        signal.set_wakeup_fd(before)
        writer.close()
        # What is left to do has no say in it: libraries that end, and output that is flushed.
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_DFL)


def _watch(reader: socket.socket) -> None:
    """Wait for the second signal; the thread's."""
    first = None
    with reader:
        while came := reader.recv(1):
            if came[0] not in ENDING:
                continue
            now = time.monotonic()
            if first is None:
                first = now
            elif now - first >= AGAIN_S:
                _end(INTERRUPTED)


def _end(code: int) -> None:
    """End the program, without a word that somebody would have to read."""
    with suppress(OSError, ValueError):
        descriptor = sys.stderr.fileno()
        if os.isatty(descriptor) and select.select([], [descriptor], [], 0)[1]:
            os.write(descriptor, b"\x1b[?25h")  # a table or a bar hides the cursor
    os._exit(code)
