"""Files: read up to a size if they are regular ones, written whole or not at all.

Any thread but that of the audio. To read: a named pipe would keep the program waiting for somebody
to write to it, and a device has no end. What is wrong is an ``OSError`` whose ``strerror`` says it,
so that every caller's own words for a file that cannot be opened do for these too.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rtcluster.errors import RtclusterError, expecting

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def kind_of(mode: int) -> str:
    """What a thing is that is no regular file, by its ``st_mode``; empty of one that is."""
    return _KINDS.get(stat.S_IFMT(mode), "")


def open_file(path: str | os.PathLike[str], most: int | None = None) -> BinaryIO:
    """Open a file to read its bytes.

    Parameters
    ----------
    path : path
    most : int, optional
        Bytes that it may have; any number where its content is never in memory at once.

    Raises
    ------
    OSError
        If it cannot be opened, is no regular file, or is larger.
    """
    # Even a pipe that nobody writes to opens at once, and can be told what it is.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    try:
        state = os.fstat(descriptor)
        if wrong := kind_of(state.st_mode):
            raise OSError(errno.EINVAL, f"{wrong} instead of a file", str(path))
        if most is not None:
            _check_size(path, state.st_size, most)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_bytes(path: str | os.PathLike[str], most: int) -> bytes:
    """Read a file; see :func:`open_file`. One that grows meanwhile is held to its size, too."""
    with open_file(path, most) as file:
        content = file.read(most + 1)
    _check_size(path, len(content), most)
    return content


def _check_size(path: str | os.PathLike[str], size: int, most: int) -> None:
    if size > most:
        raise OSError(errno.EFBIG, f"more than {most >> 20} MB", str(path))


@contextmanager
def atomic_write(
    target: Path, what: str = "", advice: str = "name another file with -o"
) -> Iterator[Path]:
    """Give a temporary file in the same folder, which takes the target's place in the end.

    It takes it once its content is on the disk, so that not even a power cut leaves half of it.

    Parameters
    ----------
    target : Path
    what : str
        What it is, for the error's text.
    advice : str
        What to do where it cannot be written, for the same.

    If the block fails, the temporary file goes, and what was there stays as it was. A link stays
    a link, and a file that is replaced hands on its permissions.

    Raises
    ------
    RtclusterError
        If the file cannot be written, or the target is something else than a file.
    """
    temporary = None
    try:
        with expecting(f"to write {what}{target}", advice):
            place = target.resolve()
            if place.exists() and not place.is_file():
                raise RtclusterError(f"Expected a file to write to, got {target}, which is none.")
            descriptor, name = tempfile.mkstemp(".tmp", f".{place.name[:100]}-", place.parent)
            os.close(descriptor)
            temporary = Path(name)
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.chmod(_mode(place))
            temporary.replace(place)  # the one atomic step
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def _mode(target: Path) -> int:
    """Permissions of the file there is, or those that a new file gets."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
