"""Which outputs in a folder are done, and what they were made of.

A line of JSON for each, added when the output stands under its name. So a run that breaks off can
go on: an output counts as done if the same rtcluster made it, of the same recording, in the same
way, and it has not been touched since. Belongs to the command's thread.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from rtcluster import __version__
from rtcluster.batch.jobs import Job
from rtcluster.batch.plan import QueuedFile
from rtcluster.errors import RtclusterError, expecting
from rtcluster.files import read_bytes
from rtcluster.recording.targets import Guard

NAME = ".rtcluster-run.jsonl"
"""The file, in the folder of the outputs."""

MAX_BYTES = 1 << 30

_BEGINNING = '{"output":'  # of each of its lines


def kit_digest(kit: str | None) -> str:
    """A digest of a kit's file; empty without one."""
    if kit is None:
        return ""
    try:
        return hashlib.sha256(read_bytes(kit, MAX_BYTES)).hexdigest()
    except OSError:
        return "unreadable"  # the job will say so


def made_of(job: Job, recording: QueuedFile, kit: str) -> str:
    """A digest of all that decides what the output is; ``kit`` is the kit's own digest."""
    content = [
        __version__, job.path, recording.size, recording.changed_ns, job.settings.as_dict(),
        sorted(job.explicit), kit, job.channel,
        job.samplerate,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


class Journal:
    """The journal of a folder.

    Parameters
    ----------
    folder : Path
        May not be there yet.
    guard : Guard, optional

    Raises
    ------
    RtclusterError
        If something else than a journal is there.
    """

    def __init__(self, folder: Path, guard: Guard | None = None) -> None:
        self._folder = folder
        self._path = folder / NAME
        self._done: dict[str, tuple[str, int]] = {}
        if os.path.lexists(self._path):
            (Guard() if guard is None else guard).check(self._path, _lines)
        try:
            text = "".join(_lines(self._path))
            self._mode = "a"
        except RtclusterError:
            text, self._mode = "", "w"  # there is none, or it may be replaced
        for line in text.splitlines():
            try:
                entry = json.loads(line)
                self._done[entry["output"]] = (entry["made_of"], entry["bytes"])
            except (json.JSONDecodeError, KeyError, TypeError):
                continue  # a line that was cut off: its output is made again
        self._torn = bool(text) and not text.endswith("\n")

    def has(self, output: str, made_of: str) -> bool:
        """Whether an output is there, and made of just this."""
        try:
            size = (self._folder / output).stat().st_size
        except OSError:
            return False
        return self._done.get(output) == (made_of, size)

    def add(self, output: str, made_of: str) -> None:
        """Note an output that stands under its name.

        Raises
        ------
        OSError
            If the journal cannot be written.
        """
        size = (self._folder / output).stat().st_size
        line = json.dumps({"output": output, "made_of": made_of, "bytes": size})
        with self._path.open(self._mode, encoding="utf-8", newline="\n") as file:
            file.write("\n" * self._torn + line + "\n")
        self._torn, self._mode = False, "a"
        self._done[output] = (made_of, size)


def _lines(path: Path) -> list[str]:
    """The lines of a journal, each of which may have been cut off.

    Raises
    ------
    RtclusterError
        If it is none, or cannot be read.
    """
    try:
        with expecting(f"a journal of outputs at {path}"):
            lines = read_bytes(path, MAX_BYTES).decode("utf-8").splitlines(keepends=True)
    except UnicodeDecodeError:
        lines = ["no text"]
    for line in lines:
        start = line.strip()[: len(_BEGINNING)]
        if not _BEGINNING.startswith(start):
            raise RtclusterError(f"Expected a journal of outputs, got {start!r}.")
    return lines
