"""A lock on the folder of the outputs: two runs would each replace what the other makes.

The system holds it for the process, so that of a process that died none is left.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from contextlib import suppress
from pathlib import Path

from rtcluster.errors import RtclusterError

NAME = ".rtcluster-run.lock"
"""The file, in the folder of the outputs, while a run goes on."""

_HOLDER = re.compile(rb"process \d+ on [^\n]{1,300}\n?|")
_FAR = 1 << 30  # on Windows what is locked cannot be read, so it is no byte of the text


class Lock:
    """A lock that is held from when it is made until :meth:`close`.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    RtclusterError
        If another process has it; the message says which.
    OSError
        If its file cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        while True:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0))
            try:
                held = os.read(self._file, 512)
                if not _HOLDER.fullmatch(held):
                    raise RtclusterError(f"{self._path}: it is no lock; name another --out.")
                if not _lock(self._file):
                    raise RtclusterError(
                        f"{folder}: {held.decode(errors='replace').strip() or 'another process'} "
                        "writes there; wait for its end, or name another --out."
                    )
                if self._is_there():
                    break
            except BaseException:
                os.close(self._file)
                raise
            os.close(self._file)  # its holder took it away just before it was ours
        os.truncate(self._file, 0)
        os.lseek(self._file, 0, os.SEEK_SET)
        os.write(self._file, f"process {os.getpid()} on {socket.gethostname()}\n".encode())

    def _is_there(self) -> bool:
        """Whether what was locked is still the file of that name."""
        try:
            return os.path.samestat(os.fstat(self._file), self._path.stat())
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Give it back."""
        with suppress(OSError):  # Windows takes no file away that is open; then an empty one stays
            os.truncate(self._file, 0)
            self._path.unlink()
        os.close(self._file)


def _lock(file: int) -> bool:
    """Lock an open file for this process; tell whether it could be had."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(file, _FAR, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True  # a file system that has no locks: as without one
    return True
