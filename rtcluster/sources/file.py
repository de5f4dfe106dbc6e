"""Audio files, in blocks: any length in constant memory.

Every format that libsndfile reads, and standard input as ``-``: WAV and AU straight from the pipe,
other formats by way of a temporary file, because they cannot be read without seeking.
"""

from __future__ import annotations

import contextlib
import errno
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
from rtcluster.files import open_file
from rtcluster.libraries import silent_libraries
from rtcluster.text import for_libsndfile

STANDARD_INPUT = "-"
_PIPEABLE = (b"RIFF", b"RIFX", b".snd")
_BLOCK = 1 << 15
_SPOOLED = 1 << 20

MOST_SPOOLED = 4 << 30
"""Bytes of standard input that are kept in a temporary file."""


class FileSource:
    """An audio file that is open for reading; a context manager.

    Parameters
    ----------
    path : str
        The file, or ``-`` for standard input.
    samplerate : int, optional
        Rate in Hz to resample to, by soxr; by default the file's own.

    Attributes
    ----------
    name : str
        The path as given.
    samplerate : int
        Hz, of the blocks.
    channels : int
    frames : int or None
        Length at that rate, where it is known beforehand.

    Raises
    ------
    SourceError
        If there is no such file, or libsndfile cannot read it.
    """

    def __init__(self, path: str, samplerate: int | None = None) -> None:
        self.name = path
        self._kept: list[IO[bytes]] = []
        self._watched: IO[bytes] | None = None  # the file on disk, to see whether it is cut off
        self._bytes = 0
        try:
            if path == STANDARD_INPUT:
                self._file, piped = self._open_standard_input()
            else:
                self._file, piped = self._open_path(Path(path)), False
        except SourceError:
            self._close_kept()
            raise
        own: int = self._file.samplerate
        self.samplerate = samplerate or own
        self.channels: int = self._file.channels
        frames = None if piped else len(self._file)
        self.frames = frames if frames is None else frames * self.samplerate // own
        self._resampler = None
        if self.samplerate != own:
            import soxr

            self._resampler = soxr.ResampleStream(
                own, self.samplerate, self.channels, dtype="float32", quality="HQ"
            )
        if frames == 0:
            self.close()
            raise SourceError(f"Expected at least one sample in {path}, got an empty file.")

    def _open_path(self, path: Path) -> Any:
        try:
            self._watched = open_file(path)
            self._kept.append(self._watched)
            self._bytes = os.fstat(self._watched.fileno()).st_size
        except (FileNotFoundError, ValueError) as error:  # the latter for a NUL byte
            raise SourceError(f"Expected an audio file at {path}, got nothing there.") from error
        except OSError as error:
            stream = "" if path.is_dir() else f"; - reads a stream: rtcluster run - < {path}"
            what = f"{error.strerror}{stream if error.errno == errno.EINVAL else ''}"
            raise SourceError(f"Expected an audio file at {path}, got {what}.") from error
        return self._open(for_libsndfile(path))

    def _open(self, file: Any) -> Any:
        try:
            with silent_libraries():
                return soundfile.SoundFile(file)
        except (soundfile.LibsndfileError, TypeError) as error:
            reason = str(getattr(error, "error_string", error)).rstrip(". ")
            raise SourceError(
                f"Expected audio that libsndfile reads (WAV, FLAC, OGG, MP3, AIFF, ...) in "
                f"{self.name}: {reason}."
            ) from error

    def _open_standard_input(self) -> tuple[Any, bool]:
        stream: Any = sys.stdin.buffer
        try:
            beginning = stream.peek(4)[:4]
        except OSError as error:  # closed, or a folder
            reason = error.strerror
            raise SourceError(f"Expected audio on standard input, got: {reason}.") from error
        if beginning in _PIPEABLE:
            return self._open(_through_pipe(stream)), True
        spool = tempfile.TemporaryFile()  # noqa: SIM115  # closed by close()
        self._kept.append(spool)
        while block := stream.read(_SPOOLED):
            spool.write(block)
            if spool.tell() > MOST_SPOOLED:
                raise SourceError(
                    f"Expected at most {MOST_SPOOLED >> 30} GB on standard input, got more; "
                    "WAV and AU may be of any length."
                )
        spool.seek(0)
        return self._open(spool), False

    def blocks(self) -> Iterator[npt.NDArray[np.float32]]:
        """Blocks of shape (frames, channels), to the end; resampled ones are of several sizes.

        Raises
        ------
        SourceError
            If the file breaks off in a way that libsndfile notices.
        """
        if self._resampler is None:
            yield from self._own_blocks()
            return
        for block in self._own_blocks():
            yield self._resampler.resample_chunk(block)
        yield self._resampler.resample_chunk(np.zeros((0, self.channels), np.float32), last=True)

    def _own_blocks(self) -> Iterator[npt.NDArray[np.float32]]:
        """Blocks at the file's own rate."""
        while True:
            try:
                with silent_libraries() if self._file.format == "MP3" else contextlib.nullcontext():
                    block = self._file.read(_BLOCK, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                reason = error.error_string.rstrip(". ")
                raise SourceError(
                    f"Expected more audio in {self.name}, got an error while reading: {reason}."
                ) from error
            if not len(block):
                self._check_whole()
                return
            yield block

    def _check_whole(self) -> None:
        """Refuse the end of a file that is shorter than when it was opened."""
        if self._watched is not None:
            now = os.fstat(self._watched.fileno()).st_size
            if now < self._bytes:
                raise SourceError(
                    f"Expected {self._bytes} bytes of audio in {self.name}, got {now}: it was cut "
                    "off while it was read."
                )

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
        with contextlib.suppress(BrokenPipeError), os.fdopen(into, "wb") as pipe:
            shutil.copyfileobj(stream, pipe)

    threading.Thread(target=pump, name="rtcluster-stdin", daemon=True).start()
    return out
