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

from rtcluster.names import for_libsndfile, visible

IN_MEMORY = 20_000_000
"""Samples that are kept in memory: 80 MB, 15 minutes at 22050 Hz."""

BLOCK = 1 << 18
"""Frames that are read at once."""

RATES = (8_000, 192_000)
"""Rates in Hz between which the 2048-sample frames of librosa's onset strength make sense."""

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
    OSError
        If the file cannot be opened.
    ValueError
        If the rate is out of range, or the file is no audio, is empty, or holds a sample that is
        not a number.
    """
    path = Path(path)
    probe(path, rate)
    try:
        with soundfile.SoundFile(for_libsndfile(path)) as file:
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
    with path.open("rb"):
        pass  # the system's own words for a file that cannot be opened
    try:
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
    for block in file.blocks(BLOCK, dtype="float32", always_2d=True):
        mono: NDArray[np.float32] = np.asarray(np.mean(block, axis=1), np.float32)
        if not np.isfinite(mono).all():
            raise ValueError(
                f"Expected finite samples, got NaN or infinity near {read / file.samplerate:.1f} s."
            )
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
