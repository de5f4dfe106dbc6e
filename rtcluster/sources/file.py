"""Audio files, in blocks: any length in constant memory.

Every format that libsndfile reads, and standard input as ``-``: WAV and AU straight from the pipe,
other formats by way of a temporary file, because they cannot be read without seeking.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import soundfile

from rtcluster.errors import SourceError
from rtcluster.names import for_libsndfile

STANDARD_INPUT = "-"
_PIPEABLE = (b"RIFF", b"RIFX", b".snd")
_BLOCK = 1 << 15


class FileSource:
    """An audio file that is open for reading; a context manager.

    Parameters
    ----------
    path : str
        The file, or ``-`` for standard input.

    Attributes
    ----------
    name : str
        The path as given.
    samplerate : int
        Hz.
    channels : int
    frames : int or None
        Length, where it is known beforehand.

    Raises
    ------
    SourceError
        If there is no such file, or libsndfile cannot read it.
    """

    def __init__(self, path: str) -> None:
        self.name = path
        self._kept: list[IO[bytes]] = []
        try:
            if path == STANDARD_INPUT:
                self._file, piped = self._open_standard_input()
            else:
                self._file, piped = self._open_path(Path(path)), False
        except SourceError:
            self._close_kept()
            raise
        self.samplerate: int = self._file.samplerate
        self.channels: int = self._file.channels
        self.frames: int | None = None if piped else len(self._file)
        if self.frames == 0:
            self.close()
            raise SourceError(f"Expected at least one sample in {path}, got an empty file.")

    def _open_path(self, path: Path) -> Any:
        if not path.is_file():
            what = "a folder" if path.is_dir() else "nothing there"
            raise SourceError(f"Expected an audio file at {path}, got {what}.")
        return self._open(for_libsndfile(path))

    def _open(self, file: Any) -> Any:
        try:
            return soundfile.SoundFile(file)
        except (soundfile.LibsndfileError, TypeError) as error:
            reason = str(getattr(error, "error_string", error)).rstrip(". ")
            raise SourceError(
                f"Expected audio that libsndfile reads (WAV, FLAC, OGG, MP3, AIFF, ...) in "
                f"{self.name}: {reason}."
            ) from error

    def _open_standard_input(self) -> tuple[Any, bool]:
        stream: Any = sys.stdin.buffer
        if stream.peek(4)[:4] in _PIPEABLE:
            return self._open(_through_pipe(stream)), True
        spool = tempfile.TemporaryFile()  # noqa: SIM115  # closed by close()
        self._kept.append(spool)
        shutil.copyfileobj(stream, spool)
        spool.seek(0)
        return self._open(spool), False

    def blocks(self) -> Iterator[npt.NDArray[np.float32]]:
        """Blocks of shape (frames, channels), to the end.

        Raises
        ------
        SourceError
            If the file breaks off in a way that libsndfile notices.
        """
        while True:
            try:
                block = self._file.read(_BLOCK, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                reason = error.error_string.rstrip(". ")
                raise SourceError(
                    f"Expected more audio in {self.name}, got an error while reading: {reason}."
                ) from error
            if not len(block):
                return
            yield block

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._close_kept()

    def _close_kept(self) -> None:
        for file in self._kept:
            file.close()

    def __enter__(self) -> FileSource:
        """Enter the context."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()


def _through_pipe(stream: IO[bytes]) -> int:
    """Descriptor of a pipe that a thread fills from a stream that has been peeked at."""
    out, into = os.pipe()

    def pump() -> None:
        # The reader may stop early: that ends the pump too.
        with contextlib.suppress(BrokenPipeError), open(into, "wb") as pipe:  # noqa: PTH123
            shutil.copyfileobj(stream, pipe)

    threading.Thread(target=pump, name="rtcluster-stdin", daemon=True).start()
    return out
