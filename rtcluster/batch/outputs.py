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
from rtcluster.errors import RtclusterError


class Folder:
    """A file for each recording, which has its name only once it is whole.

    Parameters
    ----------
    folder : Path
    names : list of str
        Of the outputs, by the recording's number.
    made_of : list of str
        See :func:`rtcluster.batch.journal.made_of`.
    """

    def __init__(self, folder: Path, names: list[str], made_of: list[str]) -> None:
        self.folder = folder
        self._names = names
        self._made_of = made_of
        self._journal = Journal(folder)
        self._open: set[str] = set()

    def done(self, number: int) -> bool:
        """Whether an earlier run has made this one."""
        return self._journal.has(self._names[number], self._made_of[number])

    def spool(self, number: int) -> str:
        """File beside the output.

        Raises
        ------
        RtclusterError
            If the folder cannot be made.
        """
        target = self.folder / self._names[number]
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RtclusterError(
                f"Expected a folder to write to at {target.parent}, got: {error.strerror}."
            ) from error
        path = str(target.with_name(f".{target.name}.part"))
        self._open.add(path)
        return path

    def accept(self, number: int, outcome: Outcome) -> None:
        """Give the output its name; note it in the journal unless something is to be told again.

        Raises
        ------
        RtclusterError
            If the file system refuses.
        """
        path = self.spool(number)
        try:
            if outcome.complete:
                Path(path).replace(self.folder / self._names[number])
            else:
                Path(path).unlink(missing_ok=True)
            self._open.discard(path)
            if outcome.complete and not outcome.problem:
                self._journal.add(self._names[number], self._made_of[number])
        except OSError as error:
            raise RtclusterError(
                f"Expected to write {self.folder / self._names[number]}, got: {error.strerror}."
            ) from error

    def close(self) -> None:
        """Take away the files that are not whole."""
        for path in self._open:
            Path(path).unlink(missing_ok=True)


class InOrder:
    """One stream that gets the recordings in their order, each as soon as its turn comes.

    Parameters
    ----------
    stream : text file
        Standard output.
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
        try:
            with path.open(encoding="utf-8", newline="\n") as lines:
                shutil.copyfileobj(lines, self._stream)
            self._stream.flush()
        except OSError as error:
            raise RtclusterError(
                f"Expected to write events to standard output, got: {error.strerror}."
            ) from error

    def close(self) -> None:
        """Remove the temporary folder."""
        self._folder.cleanup()
