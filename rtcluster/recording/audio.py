"""The audio of a recording: written so that a program that is killed leaves a file that opens.

The recorder's thread is the only one that writes. Each piece is appended to a WAV file that is
opened and closed for it, so that the header always says how long the file is: a few tenths of a
millisecond, ten times a second. What is to be FLAC in the end becomes it when the session ends,
because a FLAC file that was cut off does not open.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from rtcluster.errors import RtclusterError, SettingsError, SourceError
from rtcluster.text import for_libsndfile

FORMATS = ("wav", "flac")
"""32-bit float, bit for bit what came in; or 24-bit whole numbers, half the size."""

STEPS = {"wav": 0, "flac": 1 << 23}
"""Steps up to full scale that samples are rounded to before the engine hears them; 0: none."""

MOST_BYTES = (1 << 32) - (1 << 16)
"""A WAV file can be no longer: 6.7 h at 44.1 kHz."""

_WORD = 4  # bytes of a sample
_COPIED = 1 << 16  # frames at a time


def check_format(name: str) -> str:
    """Refuse a format there is none of.

    Raises
    ------
    SettingsError
    """
    if name not in FORMATS:
        raise SettingsError(f"Expected a recording as {' or '.join(FORMATS)}, got {name!r}.")
    return name


class AudioWriter:
    """Appends to the audio file of a recording.

    Parameters
    ----------
    folder : Path
    samplerate : int
        Hz.
    kind : {"wav", "flac"}
    channels : int
        One for each microphone.

    Raises
    ------
    RtclusterError
        From every method, if the file cannot be written; in the system's own words.
    """

    def __init__(self, folder: Path, samplerate: int, kind: str, channels: int = 1) -> None:
        self.path = folder / "audio.wav"
        self.frames = 0
        self._channels = channels
        self._samplerate = samplerate
        self._flac = kind == "flac"
        subtype = "PCM_24" if self._flac else "FLOAT"
        with _telling(self.path):
            soundfile.SoundFile(
                for_libsndfile(self.path), "w", samplerate, channels, subtype
            ).close()

    def append(self, audio: npt.NDArray[np.float32]) -> None:
        """Write samples, shape (frames,) or (frames, channels), at the end.

        When this returns, the system has them.
        """
        frames = self.frames + len(audio)
        if frames * self._channels * _WORD > MOST_BYTES:
            raise RtclusterError(
                f"Expected at most 4 GB in a WAV file, got more; {self.path} is complete so far."
            )
        with _telling(self.path), soundfile.SoundFile(for_libsndfile(self.path), "r+") as file:
            file.seek(0, soundfile.SEEK_END)
            file.write(whole_numbers(audio) if self._flac else audio)
            if file.frames != frames:
                raise OSError  # soundfile only asserts it
        self.frames = frames

    def close(self) -> None:
        """Make FLAC of it, if that was asked for; if that fails, the WAV file stays."""
        if not self._flac:
            return
        target = self.path.with_suffix(".flac")
        to = for_libsndfile(target)
        try:
            with (
                _telling(target),
                soundfile.SoundFile(for_libsndfile(self.path)) as source,
                soundfile.SoundFile(to, "w", self._samplerate, self._channels, "PCM_24") as file,
            ):
                while len(block := source.read(_COPIED, dtype="int32")):
                    file.write(block)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        self.path.unlink()
        self.path = target


def whole_numbers(audio: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
    """Samples that are whole 24-bit steps, as libsndfile takes them without rounding again."""
    scaled = np.nan_to_num(audio.astype(np.float64)) * (1 << 31)
    return np.clip(scaled, -(1 << 31), (1 << 31) - 256).astype(np.int32)


def audio_of(folder: str | os.PathLike[str]) -> Path:
    """The audio file of a recording.

    Raises
    ------
    SourceError
        If there is none.
    """
    place = Path(folder)
    # Both are there if the making of the FLAC was cut off; then the WAV is the whole one.
    for kind in FORMATS:
        path = place / f"audio.{kind}"
        if path.is_file():
            return path
    raise SourceError(f"Expected audio.wav or audio.flac in {place}, got neither.")


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Turn what writing can raise into one line."""
    try:
        yield
    except (OSError, soundfile.LibsndfileError, AssertionError) as error:
        raise RtclusterError(
            f"Expected room to write {path}, got: {_reason(error, path)}."
        ) from error


def _reason(error: BaseException, path: Path) -> str:
    """The system's words; libsndfile itself only says "System error"."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    try:
        free = os.statvfs(path.parent)
    except (OSError, AttributeError):
        free = None
    if free is not None and free.f_bavail * free.f_frsize < (1 << 16):
        return "no space left on the disk"
    return str(getattr(error, "error_string", "") or "a write that was cut short").rstrip(". ")
