"""The errors that rtcluster raises for bad input.

Each message is one line that says what was expected, what came, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rtcluster.text import visible

MAX_MESSAGE = 1000
"""Characters of a message."""


class RtclusterError(Exception):
    """Something could not be done; the message is for the user, on one line.

    What came from outside may stand in it, a file's name for one. So ``str`` escapes what would
    break the line or act on a terminal, and cuts what is too long.
    """

    def __str__(self) -> str:
        """Return the line."""
        text = super().__str__()
        if len(text) > MAX_MESSAGE:
            text = text[: MAX_MESSAGE - 3] + "..."
        return visible(text)


class SettingsError(RtclusterError, ValueError):
    """A parameter is outside its range."""


class SourceError(RtclusterError, OSError):
    """Audio could not be read: no such file, not audio, no such device."""


@contextmanager
def expecting(
    what: str, advice: str = "", kind: type[RtclusterError] = RtclusterError
) -> Iterator[None]:
    """Turn what the system refuses into one line: ``Expected WHAT, got: its words; ADVICE``."""
    try:
        yield
    except RtclusterError:
        raise  # some are OSErrors too, and say already what it was
    except OSError as error:
        end = f"; {advice}" if advice else ""
        raise kind(f"Expected {what}, got: {error.strerror or error}{end}.") from error
