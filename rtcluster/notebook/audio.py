"""Read an audio file as the notebook does: mono, float32, at one rate.

Gives the samples of ``librosa.load(path, sr=rate)`` (channels averaged, soxr's HQ resampler), but
reads in blocks, so two hours in stereo at 44.1 kHz never stand in memory at once. What is longer
than `IN_MEMORY` samples goes to an unnamed temporary file and comes back as a read-only
``numpy.memmap``: pages of it are the system's to drop, and the file vanishes with the array.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from rtcluster.errors import SourceError, expecting
from rtcluster.files import open_file
from rtcluster.libraries import silent_libraries
from rtcluster.settings import RATES
from rtcluster.text import for_libsndfile, visible

IN_MEMORY = 20_000_000
"""Samples that are kept in memory: 80 MB, 15 minutes at 22050 Hz."""

BLOCK = 1 << 18
"""Frames that are read at once."""

LOUDEST = 1e9
"""Samples beyond this are no audio, full scale being 1, and their powers overflow float32."""

Tick = Callable[[int, int], None]
"""Called with the work done and the whole work, in the same unit, now and then."""


def silent(done: int, total: int) -> None:
    """Report no progress."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Mono audio and where it came from.

    Parameters
    ----------
    samples : ndarray of float32, shape (n_samples,)
        The signal, full scale at 1; a read-only memmap for long files.
    rate : int
        Sampling rate of `samples` in Hz.
    path : Path
        The file.
    source_rate : int
        The file's own sampling rate in Hz.
    channels : int
        Channels of the file, before they were averaged.
    """

    samples: NDArray[np.float32]
    rate: int
    path: Path
    source_rate: int
    channels: int

    @property
    def name(self) -> str:
        """The file's name as text can hold it."""
        return visible(self.path.name)

    @property
    def duration(self) -> float:
        """Length in s."""
        return len(self.samples) / self.rate


def load(
    path: str | Path, rate: int = 22050, *, scratch: Path | None = None, tick: Tick = silent
) -> Recording:
    """Read a file, average its channels and resample it.

    Parameters
    ----------
    path : str or Path
        Any file that libsndfile reads.
    rate : int
        Sampling rate to resample to, in Hz.
    scratch : Path, optional
        Folder for the temporary file of a long recording; the system's own by default.
    tick : callable
        Told the frames read and the frames of the file.

    Returns
    -------
    Recording
        Its samples equal ``librosa.load(path, sr=rate)[0]``.

    Raises
    ------
    SourceError
        If the file cannot be opened; an OSError too.
    ValueError
        If the rate is out of range, or the file is no audio, is empty, or holds a sample that is
        not a number.
    """
    path = Path(path)
    probe(path, rate)
    try:
        with silent_libraries():
            opened = soundfile.SoundFile(for_libsndfile(path))
        with opened as file:
            source_rate, channels = int(file.samplerate), int(file.channels)
            expected = int(np.ceil(file.frames * rate / source_rate))
            samples = _collect(_resampled(file, rate, tick), expected, scratch)
    except soundfile.LibsndfileError as error:
        raise _unreadable(path, error) from error
    if len(samples) == 0:
        raise ValueError(f"Expected a file with sound in it, got '{path.name}' (0 samples).")
    return Recording(samples, rate, path, source_rate, channels)


def probe(path: str | Path, rate: int) -> None:
    """Raise what `load` would raise of a file that is no audio, or a rate out of range."""
    low, high = RATES
    if not low <= rate <= high:
        raise ValueError(f"Expected a rate from {low} to {high} Hz, got {rate}.")
    path = Path(path)
    with expecting(f"an audio file at {path}", kind=SourceError):
        open_file(path).close()  # libsndfile would say no more than "System error"
    try:
        with silent_libraries():
            soundfile.info(for_libsndfile(path))
    except soundfile.LibsndfileError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: soundfile.LibsndfileError) -> ValueError:
    reason = str(error.error_string).strip()
    return ValueError(f"Expected audio that libsndfile reads, got '{path.name}': {reason}")


def _resampled(file: soundfile.SoundFile, rate: int, tick: Tick) -> Iterator[NDArray[np.float32]]:
    """Yield the file's mono samples at `rate`, block by block."""
    stream = None
    if file.samplerate != rate:
        stream = soxr.ResampleStream(file.samplerate, rate, 1, dtype="float32", quality="HQ")
    read = 0
    while True:
        with silent_libraries():
            block = file.read(BLOCK, dtype="float32", always_2d=True)
        if not len(block):
            break
        if not (np.abs(block) <= LOUDEST).all():  # of NaN neither
            raise ValueError(
                f"Expected finite samples within ±{LOUDEST:g}, got NaN, infinity or more near "
                f"{read / file.samplerate:.1f} s."
            )
        mono: NDArray[np.float32] = np.asarray(np.mean(block, axis=1), np.float32)
        read += len(mono)
        yield mono if stream is None else stream.resample_chunk(mono)
        tick(read, max(read, file.frames))
    if stream is not None:
        yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


def _collect(
    blocks: Iterator[NDArray[np.float32]], expected: int, scratch: Path | None
) -> NDArray[np.float32]:
    """Join blocks in memory, or in a temporary file where they are long."""
    if expected <= IN_MEMORY:
        parts = list(blocks)
        joined = np.concatenate(parts) if parts else np.zeros(0, np.float32)
        return np.ascontiguousarray(joined[:expected])
    length = 0
    with tempfile.TemporaryFile(dir=scratch, prefix="rtcluster-") as file:
        for block in blocks:
            file.write(np.ascontiguousarray(block, np.float32).data)
            length += len(block)
        file.flush()
        return np.memmap(file, np.float32, "r", shape=(min(length, expected),))
