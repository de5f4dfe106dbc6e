"""A file that is there whole or not at all. Any thread but that of the audio."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rtcluster.errors import RtclusterError


@contextmanager
def written_whole(
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
        os.replace(temporary, place)  # noqa: PTH105  # the one atomic step
    except RtclusterError:
        raise  # some are OSErrors too, and say already what it was
    except OSError as error:
        raise RtclusterError(
            f"Expected to write {what}{target}, got: {error.strerror or error}; {advice}."
        ) from error
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
