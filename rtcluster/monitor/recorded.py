"""What was recorded, as what ``rtcluster export`` writes of it, to be downloaded.

On the server's loop; the work is done on another thread of the server, one export at a time.
Nothing is written but a temporary file.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rtcluster.errors import RtclusterError
from rtcluster.monitor.history import RECORDED

FORMATS = ("csv", "midi", "audacity", "sonic-visualiser", "jams")
"""Of :data:`rtcluster.exports.FORMATS`, those that the page offers."""


class Recorded:
    """The latest recording that is whole."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._one_at_a_time = asyncio.Lock()

    def take(self, line: Mapping[str, Any]) -> None:
        """Take a line that the pages get."""
        if line["event"] == RECORDED:
            self._folder = Path(line["folder"])

    async def export(self, name: str) -> tuple[str, bytes]:
        """Make a file of it.

        Parameters
        ----------
        name : str
            One of :data:`FORMATS`.

        Returns
        -------
        tuple of str and bytes
            What the file is to be called, and what is in it.

        Raises
        ------
        RtclusterError
            If there is no such format, no recording, or a package is missing; or it cannot be read.
        """
        folder = self._folder
        if name not in FORMATS:
            raise RtclusterError(f"Expected one of {', '.join(FORMATS)}, got {name!r:.80}.")
        if folder is None:
            raise RtclusterError("Nothing has been recorded yet; record, and stop the recording.")
        async with self._one_at_a_time:
            return await asyncio.to_thread(_exported, folder, name)


def _exported(folder: Path, name: str) -> tuple[str, bytes]:
    from rtcluster import exports
    from rtcluster.exports import take

    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / f"export{exports.FORMATS[name].ending}"
        exports.export(name, take.read(str(folder)), exports.Wanted(), target)
        return f"{folder.name}{exports.FORMATS[name].ending}", target.read_bytes()
