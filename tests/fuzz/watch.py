"""What counts as a finding: the promises that hold for whatever comes in."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from rtcluster.errors import RtclusterError
from rtcluster.events import Event

T = TypeVar("T")

PATIENCE_S = 20.0
"""An answer that takes longer counts as a hang; many times what any takes on a loaded machine."""

MAX_MESSAGE = 2000
"""Characters of a refusal."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_TOUCHING = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod"}


class Finding(AssertionError):
    """A promise that was not kept."""


def answer(call: Callable[[], T]) -> T | None:
    """Result of a call, or None if it was refused as it should be.

    Raises
    ------
    Finding
        If it took too long, or the refusal is not a line.
    """
    began = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            # jams validates with a call that jsonschema will drop.
            warnings.filterwarnings("ignore", "Passing a schema to Validator.iter_errors")
            return call()
    except RtclusterError as error:
        _check_line(str(error))
        return None
    finally:
        took = time.process_time() - began
        if took > PATIENCE_S:
            raise Finding(f"It took {took:.1f} s.")


def _check_line(text: str) -> None:
    if not text or len(text) > MAX_MESSAGE or not text.isprintable():
        raise Finding(f"A refusal should be a line, got {text!r:.400}")


def check_events(events: list[Event]) -> None:
    """See that events can be written as JSON."""
    for event in events:
        json.dumps(event.as_dict(), allow_nan=False)


_allowed: list[str] = []
_outside: list[str] = []


def _look(event: str, arguments: tuple[Any, ...]) -> None:
    """Note what is written outside of the folder that is watched."""
    if not _allowed:
        return
    if event == "open":
        path, _mode, flags = arguments
        if not isinstance(path, str | bytes) or not (flags or 0) & _WRITING:
            return
        paths: list[Any] = [path]
    elif event in _TOUCHING:
        paths = [one for one in arguments[:2] if isinstance(one, str | bytes)]
    else:
        return
    for one in paths:
        full = os.path.realpath(os.fsdecode(one))
        if "__pycache__" in full:  # Numba's, and Python's own
            continue
        if not full.startswith((_allowed[0] + os.sep, "/dev/")) and full != _allowed[0]:
            _outside.append(f"{event} {full}")


sys.addaudithook(_look)


@contextmanager
def folder() -> Iterator[Path]:
    """A new folder; what is written by Python to any other place is a finding."""
    with tempfile.TemporaryDirectory() as name:
        _outside.clear()
        _allowed[:] = [os.path.realpath(name)]
        try:
            yield Path(name)
        finally:
            _allowed.clear()
    if _outside:
        raise Finding(f"Written outside of its folder: {'; '.join(_outside)[:500]}")
