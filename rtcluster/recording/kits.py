"""Kits that are saved while a session goes on. Main thread."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

from rtcluster.learning import kit_file
from rtcluster.learning.kit import Kit
from rtcluster.recording.targets import Guard


def keep(kit: Kit, guard: Guard) -> Path:
    """Write a kit to a new file in the folder that one works in, named by the time.

    Parameters
    ----------
    kit : Kit
    guard : Guard
        Tells whether the file may be written.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    RtclusterError
        If it may not, or cannot be.
    """
    stem = time.strftime("rtcluster %Y-%m-%d %H.%M.%S")
    names = (Path(f"{stem}{f' {n}' if n > 1 else ''}.kit") for n in itertools.count(1))
    path = next(itertools.dropwhile(os.path.lexists, names))
    guard.check(path)
    kit_file.save(path, kit)
    return path
