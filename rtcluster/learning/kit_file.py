"""Kits on the disk: read with suspicion, written whole or not at all.

Belongs to the main thread, before a stream begins and after it has ended.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from rtcluster.errors import RtclusterError
from rtcluster.learning import kit_format
from rtcluster.learning.detection import Detection
from rtcluster.learning.kit import Kit
from rtcluster.learning.kit_format import Unfit
from rtcluster.whole import written_whole


def load(path: str | os.PathLike[str]) -> Kit:
    """Read a kit.

    Raises
    ------
    RtclusterError
        If there is none, or it is cut, edited or of another version; one line says which.
    """
    try:
        # Asked first: to open a pipe would wait for somebody to write to it.
        if not stat.S_ISREG(Path(path).stat().st_mode):
            raise RtclusterError(f"Expected a kit at {path}, got something else than a file.")
        with Path(path).open("rb") as file:
            # A byte more than is allowed, so that a huge file is refused without being read.
            content = kit_format.content_of(file.read(kit_format.MAX_BYTES + 1))
        detector = content["detector"]
        return Kit(
            names=tuple(content["names"]),
            samplerate=content["samplerate"],
            window=content["window"],
            guess=content["guess"],
            features=tuple(content["features"]),
            scaling=content["scaling"],
            learned=content["learned"],
            detection=None if detector is None else Detection.from_dict(detector),
            source=str(path),
        )
    except OSError as error:
        raise RtclusterError(
            f"Expected a kit at {path}, got: {error.strerror or error}; "
            "'rtcluster teach' makes one."
        ) from error
    except Unfit as error:
        raise RtclusterError(
            f"Expected a kit in {path} with {error}; save or teach it again."
        ) from error
    except ValueError as error:  # a NUL byte
        raise RtclusterError(f"Expected a kit, got the path {path!s:.80}: {error}.") from error


def save(path: str | os.PathLike[str], kit: Kit) -> None:
    """Write a kit, whole or not at all.

    Raises
    ------
    RtclusterError
        If it cannot be written; a file that was there is as it was.
    """
    text = kit_format.text_of(kit.content())
    with written_whole(Path(path), "the kit ", "save it to another folder") as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def check_target(path: str | os.PathLike[str]) -> None:
    """Refuse, before any work is done, a path that a kit should not be written to.

    Raises
    ------
    RtclusterError
        If its folder is missing or cannot be written to, or a file that is no kit is there.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise RtclusterError(f"Expected a folder for the kit {path}, got none; make it first.")
    if not os.access(target.parent, os.W_OK):
        raise RtclusterError(
            f"Expected a folder that can be written to for the kit {path}, got one that cannot."
        )
    if target.exists():
        known = False
        if target.is_file():
            with contextlib.suppress(OSError), target.open("rb") as file:
                start = file.read(64)
                known = not start.strip() or start.lstrip().startswith(b"{")
        if not known:
            raise RtclusterError(
                f"Expected a kit or nothing at {path}, got something else; name another file."
            )
