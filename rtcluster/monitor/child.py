"""The server process, seen from the parent: started, written to, listened to, ended.

:meth:`Child.write` may block and is the writer thread's. :meth:`Child.kill` and
:meth:`Child.stuck_for` never wait and are for any thread.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from rtcluster.errors import RtclusterError, expecting

START_S = 30.0
"""How long a server may take to answer; it waits for a core like any other program."""

LEAVE_S = 2.0
"""How long it may take to leave."""

_MODULE = "rtcluster.monitor.server"
_ROOT = Path(__file__).parents[2]


class Child:
    """One run of the server.

    Parameters
    ----------
    listener : socket
        Listening. It stays the parent's as well.
    config : dict
        The first line: what :mod:`rtcluster.monitor.server` says it is. The token travels here,
        because anybody may read a command line.
    said : callable
        Called with each object the server writes, and with None when it has ended; a thread.

    Raises
    ------
    RtclusterError
        If it cannot be started.
    """

    def __init__(
        self,
        listener: socket.socket,
        config: dict[str, object],
        said: Callable[[dict[str, Any] | None], None],
    ) -> None:
        self.began = time.monotonic()
        self._said = said
        self._writing = 0.0  # since when; 0 while it does not
        self._ended = False
        self._answered = threading.Event()
        self._failure = ""
        options: dict[str, Any] = {}
        if sys.platform == "win32":
            options["creationflags"] = (
                subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.BELOW_NORMAL_PRIORITY_CLASS
            )
        else:
            # Ctrl-C is the parent's: it tells the server to leave when all is shown. A group is
            # enough; a session of its own would be weighed against the parent's by Linux, and the
            # server's low priority count for nothing.
            options["process_group"] = 0
            options["pass_fds"] = (listener.fileno(),)
        path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
        with expecting("to start the monitor's server"):
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", _MODULE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | {"PYTHONPATH": path},
                **options,
            )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self._listening = threading.Thread(
            target=self._listen, name="rtcluster-monitor-requests", daemon=True
        )
        self._listening.start()
        given = {**config, "socket": _handed(listener, self._process.pid)}
        self.write(json.dumps(given).encode() + b"\n")

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def wait_until_it_answers(self) -> None:
        """Wait until pages can come.

        Raises
        ------
        RtclusterError
            If it ends before, or takes too long.
        """
        if not self._answered.wait(START_S):
            raise RtclusterError(f"Expected the monitor's server within {START_S:g} s, got none.")
        if self._failure:
            raise RtclusterError(self._failure)

    def write(self, data: bytes) -> bool:
        """Write lines; tell whether there is still somebody to read them. May block."""
        if self._ended:
            return False
        view = memoryview(data)
        self._writing = time.monotonic()
        try:
            while view:
                view = view[os.write(self._stdin.fileno(), view) :]
        except (OSError, ValueError):  # it has ended, or was left
            return False
        finally:
            self._writing = 0.0
        return True

    def stuck_for(self) -> float:
        """For how long a write has not come to its end, in seconds."""
        since = self._writing
        return time.monotonic() - since if since else 0.0

    def _listen(self) -> None:
        for text in self._stdout:
            try:
                line = json.loads(text)
            except (ValueError, RecursionError):
                continue
            if not isinstance(line, dict):
                continue
            if "failed" in line:
                self._failure = str(line["failed"])
            elif "ready" in line:
                self._answered.set()
            else:
                self._said(line)
        if not self._answered.is_set():
            self._failure = self._failure or "Expected the monitor's server to start, got its end."
            self._answered.set()
        self._ended = True  # before its input may be closed, so a write need not show it yet
        self._said(None)

    def kill(self) -> None:
        """End it at once, also where it is stopped or stuck."""
        with suppress(OSError):
            self._process.kill()

    def leave(self) -> None:
        """Tell it to leave, and see that it does."""
        with suppress(OSError):
            self._stdin.close()
        try:
            self._process.wait(LEAVE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(LEAVE_S)
        self._listening.join(LEAVE_S)
        if not self._listening.is_alive():
            self._stdout.close()


def _handed(listener: socket.socket, pid: int) -> object:
    """How the server gets the listener: its number, or on Windows what stands for it there."""
    if sys.platform == "win32":
        return base64.b64encode(listener.share(pid)).decode()
    return listener.fileno()
