"""Kits on the disk: read with suspicion, written whole or not at all.

Belongs to the main thread, before a stream begins and after it has ended.
"""

from __future__ import annotations

import os
from pathlib import Path

from rtcluster.errors import RtclusterError, expecting
from rtcluster.files import atomic_write, read_bytes
from rtcluster.learning import kit_format
from rtcluster.learning.detection import Detection
from rtcluster.learning.kit import Kit
from rtcluster.learning.kit_format import NoKit
from rtcluster.learning.kit_schema import Unfit


def load(path: str | os.PathLike[str]) -> Kit:
    """Read a kit.

    Raises
    ------
    RtclusterError
        If there is none, or it is cut, edited or of another version; one line says which.
    """
    try:
        with expecting(f"a kit at {path}", "'rtcluster teach' makes one"):
            text = read_bytes(path, kit_format.MAX_BYTES)
        content = kit_format.content_of(text)
        detector = content["detector"]
        return Kit(
            names=tuple(content["names"]),
            samplerate=content["samplerate"],
            window=content["window"],
            guess=content["guess"],
            features=tuple(content["features"]),
            scaling=content["scaling"],
            learned=content["learned"],
            strokes=content["strokes"],
            microphones=tuple(content.get(kit_format.MICROPHONES, ())),
            detection=None if detector is None else Detection.from_dict(detector),
            source=str(path),
        )
    except NoKit as error:
        raise RtclusterError(
            f"Expected a kit at {path}, got {error}; 'rtcluster teach' makes one."
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
    with atomic_write(Path(path), "the kit ", "save it to another folder") as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
