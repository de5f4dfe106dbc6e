"""Words of messages, and text from outside: what may not break a line, and names of files.

On POSIX a file's name is bytes. Python gives those that are not UTF-8 as lone surrogates (PEP 383),
which neither libsndfile's binding, nor a text file, nor another program's JSON reader takes.
"""

from __future__ import annotations

import os
import sys


def plural(count: int, noun: str) -> str:
    """The noun as it follows a count: ``hit`` after 1, ``hits`` after any other."""
    if count == 1:
        return noun
    return f"{noun}es" if noun.endswith("s") else f"{noun}s"


def counted(count: int, noun: str) -> str:
    """A count and its noun: ``1 hit``, ``2 hits``, ``0 classes``."""
    return f"{count} {plural(count, noun)}"


def for_libsndfile(path: str | os.PathLike[str]) -> str | bytes:
    """Return a path as soundfile takes it, whatever the name: its bytes, or text on Windows."""
    return os.fspath(path) if sys.platform == "win32" else os.fsencode(path)


def visible(text: str) -> str:
    """Escape what would break a line, act on a terminal, or is not Unicode."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def printable(text: object) -> str:
    """A text on one line, without what files cannot hold or what would break their lines."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
