"""Where the lines of many recordings go.

Each recording's lines are first spooled to a file of their own, so that however many are heard at
once no two mix and nothing piles up in memory. Belongs to the command's thread.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TextIO

from rtcluster.batch.jobs import Outcome
from rtcluster.batch.journal import Journal
from rtcluster.batch.lock import Lock
from rtcluster.errors import expecting
from rtcluster.recording.log import check_events
from rtcluster.recording.targets import Guard


class Folder:
    """A file for each recording, which has its name only once it is whole.

    No other run writes to the folder until :meth:`close`.

    Parameters
    ----------
    folder : Path
    names : list of str
        Of the outputs, by the recording's number.
    made_of : list of str
        See :func:`rtcluster.batch.journal.made_of`.
    guard : Guard, optional

    Raises
    ------
    RtclusterError
        If the folder cannot be made, or another run writes there.
    """

    def __init__(
        self, folder: Path, names: list[str], made_of: list[str], guard: Guard | None = None
    ) -> None:
        self.folder = folder
        self._guard = Guard() if guard is None else guard
        with expecting(f"a folder to write to at {folder}"):
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = Lock(folder)
        self._names = names
        self._made_of = made_of
        try:
            self._journal = Journal(folder, self._guard)
        except BaseException:
            self._lock.close()
            raise
        self._open: set[Path] = set()

    def done(self, number: int) -> bool:
        """Whether an earlier run has made this one."""
        return self._journal.has(self._names[number], self._made_of[number])

    def spool(self, number: int) -> str:
        """File beside the output.

        Raises
        ------
        RtclusterError
            If the folder cannot be made, or something else than events is there.
        """
        target = self.folder / self._names[number]
        with expecting(f"a folder to write to at {target.parent}"):
            target.parent.mkdir(parents=True, exist_ok=True)
        part = self._part(number)
        for path in (target, part):
            self._guard.check(path, check_events)
        self._open.add(part)
        return str(part)

    def _part(self, number: int) -> Path:
        target = self.folder / self._names[number]
        return target.with_name(f".{target.name}.part")

    def accept(self, number: int, outcome: Outcome) -> None:
        """Give the output its name; note it in the journal unless something is to be told again.

        Raises
        ------
        RtclusterError
            If the file system refuses.
        """
        path = self._part(number)
        with expecting(f"to write {self.folder / self._names[number]}"):
            if outcome.complete:
                path.replace(self.folder / self._names[number])
            else:
                path.unlink(missing_ok=True)
            self._open.discard(path)
            if outcome.complete and not outcome.problem:
                self._journal.add(self._names[number], self._made_of[number])

    def close(self) -> None:
        """Take away the files that are not whole, and let others write here."""
        for path in self._open:
            path.unlink(missing_ok=True)
        self._lock.close()


class InOrder:
    """One stream that gets the recordings in their order, each as soon as its turn comes.

    Parameters
    ----------
    stream : text file
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._folder = tempfile.TemporaryDirectory(prefix="rtcluster-", ignore_cleanup_errors=True)
        self._waiting: set[int] = set()
        self._next = 0

    def spool(self, number: int) -> str:
        """File in a temporary folder."""
        return str(Path(self._folder.name) / f"{number}.jsonl")

    def accept(self, number: int, outcome: Outcome) -> None:
        """Hand on what has its turn. What a recording that failed had said is said too.

        Raises
        ------
        RtclusterError
            If nobody reads any more.
        """
        self._waiting.add(number)
        while self._next in self._waiting:
            path = Path(self.spool(self._next))
            self._waiting.discard(self._next)
            self._next += 1
            if path.exists():
                self._hand_on(path)
                path.unlink()

    def _hand_on(self, path: Path) -> None:
        named = getattr(self._stream, "name", "<stdout>")
        where = "standard output" if named == "<stdout>" else named
        with expecting(f"to write events to {where}"):
            with path.open(encoding="utf-8", newline="\n") as lines:
                shutil.copyfileobj(lines, self._stream)
            self._stream.flush()

    def close(self) -> None:
        """Remove the temporary folder."""
        self._folder.cleanup()
