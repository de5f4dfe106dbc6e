"""What was recorded, as what ``rtcluster export`` writes of it, to be downloaded.

On the server's loop; the work is done on another thread of the server, one export at a time.
Nothing is written but a temporary file.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtcluster.errors import RtclusterError
from rtcluster.monitor.history import RECORDED
from rtcluster.settings import AUTO

if TYPE_CHECKING:
    from rtcluster.exports import Wanted
    from rtcluster.exports.take import Take

FORMATS = ("csv", "midi", "audacity", "sonic-visualiser", "jams", "clicks.wav")
"""Of :data:`rtcluster.exports.FORMATS`, those that the page offers."""

_PIECE = 1 << 18  # bytes that are in memory at a time


@dataclass(frozen=True, slots=True)
class Download:
    """A file that is gone once it has been read; name, bytes in all, and a part after the other."""

    name: str
    size: int
    pieces: AsyncIterator[bytes]


class Recorded:
    """The latest recording that is whole."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._one_at_a_time = asyncio.Lock()

    def take(self, line: Mapping[str, Any]) -> None:
        """Take a line that the pages get."""
        if line["event"] == RECORDED:
            self._folder = Path(line["folder"])

    async def export(self, name: str, choices: Mapping[str, str]) -> Download:
        """Make a file of it.

        Parameters
        ----------
        name : str
            One of :data:`FORMATS`.
        choices : mapping of str to str
            Those of ``rtcluster export``: ``bpm``, a number or "auto", and ``mix``.

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
            return await asyncio.to_thread(_exported, folder, name, choices)


def _exported(folder: Path, name: str, choices: Mapping[str, str]) -> Download:
    from rtcluster import exports
    from rtcluster.exports.take import read

    scratch = tempfile.TemporaryDirectory()
    try:
        take, ending = read(folder), exports.FORMATS[name].ending
        target = Path(scratch.name) / f"export{ending}"
        exports.export(name, take, _wanted(take, choices), target)
        return Download(f"{folder.name}{ending}", target.stat().st_size, _pieces(scratch, target))
    except BaseException:
        scratch.cleanup()
        raise


def _wanted(take: Take, choices: Mapping[str, str]) -> Wanted:
    from rtcluster.exports import USUAL_BPM, Wanted

    bpm = choices.get("bpm", str(USUAL_BPM))
    if bpm == AUTO:
        from rtcluster.performance.hits import measure_hits

        played = measure_hits(take.hits).tempo
        bpm = str(USUAL_BPM if played is None else played.bpm.value)
    try:
        tempo = float(bpm)
    except ValueError as error:
        raise RtclusterError(f"Expected bpm with a number or {AUTO}, got {bpm!r:.80}.") from error
    return Wanted(tempo, mix="mix" in choices)


async def _pieces(scratch: tempfile.TemporaryDirectory[str], target: Path) -> AsyncIterator[bytes]:
    with scratch, target.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece
