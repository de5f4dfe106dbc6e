"""Libraries that are not ours: what to say where one is missing, and silence for what they print.

ALSA and JACK print on standard error what they miss, libmpg123 what it skips in a damaged file:
lines that only their own authors need.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rtcluster.errors import RtclusterError

_lock = threading.Lock()
_kept: list[int] = []  # standard error's descriptor, while anyone wants silence
_inside = 0


@contextmanager
def extra(name: str, *modules: str) -> Iterator[None]:
    """Import what an extra brings; a context manager.

    Parameters
    ----------
    name : str
        The extra, as in ``rtcluster[name]``.
    *modules : str
        What another process will import, to be looked for here.

    Raises
    ------
    RtclusterError
        If a module is not installed; how to install it is in the line.
    """
    try:
        for module in modules:
            if importlib.util.find_spec(module) is None:
                raise ModuleNotFoundError(name=module)
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("", __package__):
            raise
        raise RtclusterError(
            f"{missing} is not installed. It comes with the extra [{name}]: {install(name)}"
        ) from error


def install(name: str) -> str:
    """The command that installs an extra into this environment, from where rtcluster came from."""
    import importlib.metadata  # these take longer than all of --help, and few need them
    import json
    import shlex
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    source, editable = "rtcluster", False
    try:
        text = importlib.metadata.distribution("rtcluster").read_text("direct_url.json")
        origin = json.loads(text or "{}")
        if "dir_info" in origin:
            source = url2pathname(urlsplit(origin["url"]).path)
            editable = origin["dir_info"].get("editable", False)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        pass  # run from its source, or packaged by somebody else
    words = [sys.executable, "-m", "pip", "install", *["-e"] * editable, f"{source}[{name}]"]
    return shlex.join(words)


@contextmanager
def silent_libraries() -> Iterator[None]:
    """Nothing of the whole process reaches standard error; what counts is the error raised.

    Any threads, any number: the last one that leaves it puts back what the first one found.
    """
    global _inside
    with _lock:
        if not _inside:
            _begin()
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside and _kept:
                os.dup2(_kept[0], 2)
                os.close(_kept.pop())


def _begin() -> None:
    with suppress(OSError):  # closed: there is nothing to keep silent
        _kept.append(os.dup(2))
        if sys.stderr is not None:
            sys.stderr.flush()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 2)
        os.close(null)
