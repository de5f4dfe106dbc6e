"""The program with a reader of its events that stops reading."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any


def waiting(pipe: int) -> int:
    """Bytes that wait in a pipe."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


@contextmanager
def unread(
    *arguments: Any,
    environment: Mapping[str, str] | None = None,
    meanwhile: Callable[[], object] = lambda: None,
) -> Iterator[subprocess.Popen[str]]:
    """Run the program into a pipe of 4 kB that nobody reads; its process, once the pipe is full."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    command = [sys.executable, "-m", "rtcluster", *map(str, arguments)]
    with subprocess.Popen(
        command, stdout=writer, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        os.close(writer)
        try:
            while waiting(reader) < 3500:
                assert process.poll() is None
                meanwhile()
                time.sleep(0.05)
            yield process
        finally:
            process.kill()
            os.close(reader)


def ended_by_two_ctrl_c(process: subprocess.Popen[str]) -> float:
    """How long it took, in seconds."""
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    time.sleep(1.0)
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    return time.monotonic() - began
