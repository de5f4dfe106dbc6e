"""Hits as sound: a click for each drum, with a pitch for each class, as long as the session.

The clicks are those of the report (:mod:`rtcluster.playback.tones`); hits without a class have the
pitch of class 0. The file is made block by block, so that a session of hours needs no memory
to match.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from rtcluster.errors import SourceError
from rtcluster.exports import Wanted
from rtcluster.exports.take import Take, drums
from rtcluster.playback.tones import add_clicks, level
from rtcluster.text import for_libsndfile

BLOCK = 1 << 18
"""Samples that are in memory at a time."""

LOUDEST = 0.98
"""Peak, of 1.0, above which audio and click together are turned down."""


def write(target: Path, take: Take, wanted: Wanted) -> int:
    """Write all hits, alone or over the recording's audio; return how many.

    The file is mono, 16 bits, with the session's rate and length.

    Raises
    ------
    SourceError
        If the audio is wanted, and there is none, or it is another recording's.
    """
    try:
        with ExitStack() as opened:
            audio = opened.enter_context(_audio(take)) if wanted.mix else None
            return _write(target, take, audio)
    except soundfile.LibsndfileError as error:
        raise SourceError(
            f"Expected to write clicks for {take.path}, got: {error.error_string}"
        ) from error


def _write(target: Path, take: Take, audio: soundfile.SoundFile | None) -> int:
    """Once through the audio for its peak, and once more to put the clicks over it."""
    rate, peak, begin = take.samplerate, 0.0, 0
    if audio is not None:
        peak = max((float(np.abs(b).max()) for b in _blocks(take, audio)), default=0.0)
    loud = level(1.0 if audio is None else peak)
    gain = min(1.0, LOUDEST / (peak + loud))
    struck = sorted(
        (hit.sample + (one.offset or 0), one.class_) for hit in take.hits for one in drums(hit)
    )
    starts = np.array([sample for sample, _ in struck], np.int64)
    classes = np.array([class_ for _, class_ in struck], np.int64)
    with soundfile.SoundFile(for_libsndfile(target), "w", rate, 1, "PCM_16", format="WAV") as out:
        for block in _blocks(take, audio):
            # A click that began up to a second before may still sound in this block.
            first, last = np.searchsorted(starts, (begin - rate, begin + len(block)))
            near = slice(first, last)
            add_clicks(block, rate, starts[near] - begin, classes[near], loud)
            out.write(np.clip(gain * block, -1.0, 1.0))
            begin += len(block)
    return len(take.hits)


def _blocks(take: Take, audio: soundfile.SoundFile | None) -> Iterator[NDArray[np.float64]]:
    """Yield the session's samples, shape (n,): silence, or the audio and silence after it."""
    if audio is not None:
        audio.seek(0)
    for begin in range(0, take.samples, BLOCK):
        block = np.zeros(min(BLOCK, take.samples - begin))
        if audio is not None:
            read = audio.read(len(block), always_2d=True).mean(axis=1)
            block[: len(read)] = read
        yield block


def _audio(take: Take) -> soundfile.SoundFile:
    """Open the recording's audio."""
    if take.audio is None:
        raise SourceError(
            f"Expected audio.wav or audio.flac beside {take.path} to mix with, got neither. "
            "Leave --mix out."
        )
    try:
        audio = soundfile.SoundFile(for_libsndfile(take.audio))
    except soundfile.LibsndfileError as error:
        raise SourceError(f"Expected audio in {take.audio}, got: {error.error_string}") from error
    if audio.samplerate != take.samplerate:
        rate = audio.samplerate
        audio.close()
        raise SourceError(
            f"Expected {take.audio} at the session's {take.samplerate} Hz, got {rate} Hz. "
            "Leave --mix out."
        )
    return audio
