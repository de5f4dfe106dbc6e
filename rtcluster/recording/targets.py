"""What may be written to: the one place where that is decided. Main thread, before any work.

A file of the user's is worth more than anything that is written here. So a path is refused if it
is an input, a part of a recording, or a file that is there already, unless that is wholly of the
kind that is to be written, or the user said that it may be replaced.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.files import kind_of
from rtcluster.recording.log import is_part

Kind = Callable[[Path], object]
"""Reads a file to its end, and raises an ``RtclusterError`` if it is not of the kind."""

FileId = tuple[int, int]
"""Device and number of a file: the same for every name and link that it has."""

OVERWRITE = "--overwrite"


@dataclass(frozen=True, slots=True)
class Guard:
    """Tells whether files may be written to, for one command.

    Attributes
    ----------
    inputs : frozenset of FileId
        Files that are read.
    others : frozenset of Path
        Other files that are to be written, resolved.
    overwrite : bool
        Files that are there already may be replaced, whatever they are.
    """

    inputs: frozenset[FileId] = frozenset()
    others: frozenset[Path] = frozenset()
    overwrite: bool = False

    def check(
        self, path: str | os.PathLike[str], kind: Kind | None = None, *, stream: bool = False
    ) -> None:
        """Refuse a path that may not be written to.

        Parameters
        ----------
        path : path
        kind : Kind, optional
            What may be replaced. A file without content may be, always.
        stream : bool
            It is written to as it is, and may be a pipe or a terminal.

        Raises
        ------
        SettingsError
            If it is an input, an output of another kind, or a part of a recording.
        RtclusterError
            If its folder is missing or cannot be written to, or anything else is there.
        """
        try:
            place = Path(path).resolve()
            state = place.stat()
        except FileNotFoundError:
            state = None
        except (OSError, RuntimeError, ValueError) as error:  # a loop of links; a NUL byte
            raise RtclusterError(f"{path}: cannot be written to ({error}).") from error
        if place in self.others:
            raise SettingsError(f"{path}: two outputs would go there; name another file.")
        if state is not None and _id(state) in self.inputs:
            raise SettingsError(f"{path}: it is an input; name another file to write to.")
        if is_part(place):
            raise SettingsError(f"{path}: it belongs to a recording; name another file.")
        if state is None or not stream:
            _check_folder(path, place.parent)
        if state is None:
            return
        if not stat.S_ISREG(state.st_mode):
            if not (stream and (stat.S_ISFIFO(state.st_mode) or stat.S_ISCHR(state.st_mode))):
                raise RtclusterError(
                    f"{path}: it is {kind_of(state.st_mode)}; name a file to write to."
                )
        elif state.st_size and not self.overwrite:
            _check_kind(path, place, kind)


def _check_folder(path: str | os.PathLike[str], folder: Path) -> None:
    if not folder.is_dir():
        raise RtclusterError(f"{path}: its folder is missing; make it first.")
    if not os.access(folder, os.W_OK):
        raise RtclusterError(f"{path}: its folder cannot be written to; name another file.")


def _check_kind(path: str | os.PathLike[str], place: Path, kind: Kind | None) -> None:
    if kind is not None:
        try:
            kind(place)
        except RtclusterError as error:
            raise RtclusterError(
                f"{path}: it holds something else; name another file, or replace it with "
                f"{OVERWRITE}. {error}"
            ) from error
        return
    raise RtclusterError(
        f"{path}: it is there already; name another file, or replace it with {OVERWRITE}."
    )


def id_of(path: str | os.PathLike[str]) -> FileId | None:
    """Which file a path leads to; None if to none."""
    try:
        return _id(Path(path).stat())
    except (OSError, ValueError):
        return None


def _id(state: os.stat_result) -> FileId:
    return state.st_dev, state.st_ino
