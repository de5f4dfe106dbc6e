"""Which outputs in a folder are done, and what they were made of.

A line of JSON for each, added when the output stands under its name. So a run that breaks off can
go on: an output counts as done if the same rtcluster made it, of the same recording, in the same
way, and it has not been touched since. Belongs to the command's thread.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from rtcluster import __version__
from rtcluster.batch.jobs import Job
from rtcluster.batch.plan import Recording

NAME = ".rtcluster-run.jsonl"
"""The file, in the folder of the outputs."""


def kit_digest(kit: str | None) -> str:
    """A digest of a kit's file; empty without one."""
    if kit is None:
        return ""
    try:
        return hashlib.sha256(Path(kit).read_bytes()).hexdigest()
    except OSError:
        return "unreadable"  # the job will say so


def made_of(job: Job, recording: Recording, kit: str) -> str:
    """A digest of all that decides what the output is; ``kit`` is the kit's own digest."""
    content = [
        __version__, job.path, recording.size, recording.changed_ns, job.settings.as_dict(),
        sorted(job.explicit), kit, job.channel,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


class Journal:
    """The journal of a folder.

    Parameters
    ----------
    folder : Path
        May not be there yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / NAME
        self._done: dict[str, tuple[str, int]] = {}
        try:
            text = self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            text = ""
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
        with self._path.open("a", encoding="utf-8", newline="\n") as file:
            file.write("\n" * self._torn + line + "\n")
        self._torn = False
        self._done[output] = (made_of, size)
