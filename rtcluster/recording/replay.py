"""A recording, played through the engine again: the same events, bit for bit.

The engine is deterministic but for what people and machines did to the session while it ran, and
the log holds those: when each model took effect, which ones came late or not at all, what was
set and when, which events were lost. :class:`Replayed` is a processor that does the same again;
:class:`Replay` runs it and compares.

What is compared is every ``onset``, ``guess``, ``final``, ``model`` and ``control`` of the
kernel, and every ``relabel`` and ``merge_offer`` of the learner, each kind of writer in its order;
when each model was due; and of the summary what the audio decides. An ``xrun`` is a fact about the
sound card: it has to lie within the recording, and the summary to count it. What kind of event this
version does not know is told.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rtcluster.errors import SourceError
from rtcluster.events import MICROPHONES, Event
from rtcluster.recording.audio import audio_of
from rtcluster.recording.comparison import KNOWN, Comparison
from rtcluster.recording.log import KIT_FILE, read
from rtcluster.recording.replayed import Happened, Replayed
from rtcluster.session.session import Session
from rtcluster.session.status import PERIOD_S, StatusReader
from rtcluster.settings import Settings
from rtcluster.sinks import Sink
from rtcluster.sources.file import FileSource
from rtcluster.text import counted, printable


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What a replay came to.

    Attributes
    ----------
    samples, samplerate : int
        Audio replayed, and its rate in Hz.
    compared : int
        Events that were compared.
    difference : str
        The first difference, empty if there is none.
    notes : tuple of str
        What could not be compared, and why.
    """

    samples: int
    samplerate: int
    compared: int
    difference: str
    notes: tuple[str, ...]


class Replay:
    """A recording, played through the engine and compared as it goes; a context manager.

    Parameters
    ----------
    folder : path
        As ``--record`` wrote it; also one that was cut off.

    Attributes
    ----------
    frames, samplerate : int
        Of the audio.

    Raises
    ------
    SourceError
        If there is no recording, or it cannot be read, or its parts do not belong together.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = str(folder)
        self._log = log = read(folder)
        kit = Path(folder) / KIT_FILE
        try:
            settings = Settings.stored(log.session["settings"])
            if log.before_levels:
                settings = replace(settings, threshold=settings.thresholds.threshold)
            microphones = tuple(log.session.get(MICROPHONES, ()))
            begins_with = kit if kit.is_file() else None
            self._processor = Replayed(settings, Happened.of(log), begins_with, microphones)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            reason = str(error).rstrip(".")
            raise SourceError(
                f"Expected settings that this version knows in {log.path}, got: {reason}."
            ) from error
        self._source = source = FileSource(str(audio_of(folder)))
        self.samplerate, self.frames = source.samplerate, source.frames or 0
        try:
            channels = max(1, len(microphones))
            if (source.samplerate, source.channels) != (log.samplerate, channels):
                raise SourceError(
                    f"Expected {counted(channels, 'channel')} at {log.samplerate} Hz in "
                    f"{source.name}, as in its events, got {source.channels} at "
                    f"{source.samplerate} Hz."
                )
            columns = range(len(microphones))
            self._processor.prepare(self.samplerate, channels=channels, columns=columns)
        except BaseException:
            source.close()
            raise
        self._lost = next((line for line in log.lines if line["event"] == "lost_audio"), None)
        self._comparison = Comparison(log, self._until(), self._processor.due)
        self._samples_played = 0

    def _until(self) -> int | None:
        """From which sample on the log need not agree."""
        ends = [] if self._lost is None else [int(self._lost["sample"])]
        if self._log.summary is None:
            ends.append(self.frames)
        return min(ends, default=None)

    def play(
        self, sinks: Sequence[Sink] = (), report: Callable[[str], None] = print
    ) -> Generator[int, None, None]:
        """Play; the frames of each block, which is 10 ms at the most.

        Parameters
        ----------
        sinks : sequence of Sink
            Get the replayed events.
        report : callable
            Called with a line when a sink fails.
        """
        self._session = session = Session(self._processor, self._folder, sinks, report)
        session.begin()
        self._began = time.monotonic()
        status, shown = StatusReader(session), 0
        try:
            for block in _pieces(self._source, self._processor):
                self._processor.at(self._samples_played)
                self._take(self._processor.process(block))
                self._samples_played += len(block)
                if session.watched and self._samples_played - shown >= PERIOD_S * self.samplerate:
                    session.watch(status.read())
                    shown = self._samples_played
                yield len(block)
            if self._log.summary is not None:
                self._take(self._processor.flush())
                self._comparison.finish(self._samples_played)
        finally:
            summary = session.end()
        self._comparison.sum_up(summary)

    def _take(self, events: list[Event]) -> None:
        self._comparison.take(events)
        self._session.handle(events)

    def due(self) -> float:
        """When what has been played was heard, had it begun with :meth:`play`; ``monotonic``."""
        return self._began + self._samples_played / self.samplerate

    def outcome(self) -> ReplayResult:
        """What it came to."""
        notes, summary = [], self._log.summary
        if self._lost is not None:
            notes.append(
                f"{counted(self._lost['frames'], 'sample')} of audio lost at "
                f"{self._lost['sample']}; what follows was not compared"
            )
        if summary is None:
            notes.append("the recording was cut off, and was compared up to there")
        elif summary.get("events_dropped"):
            notes.append(f"{counted(summary['events_dropped'], 'event')} lost live")
        comparison = self._comparison
        if comparison.other_scale:
            notes.append("it was made by a version with other velocities, which were not compared")
        unknown = Counter(x["event"] for x in self._log.lines if x["event"] not in KNOWN)
        for kind, count in sorted(unknown.items()):
            notes.append(
                f"{counted(count, 'event')} of a kind that this version does not know, "
                f"'{printable(kind)[:40]}', could not be compared"
            )
        compared, difference = comparison.compared, comparison.difference
        return ReplayResult(
            self._samples_played, self.samplerate, compared, difference, tuple(notes)
        )

    def __enter__(self) -> Replay:
        """Enter the context."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the audio."""
        self._source.close()


def _pieces(source: FileSource, processor: Replayed) -> Iterator[Any]:
    """Blocks of at most 10 ms that end where something happened."""
    cuts = iter([*processor.cuts(), np.iinfo(np.int64).max])
    cut, heard, most = next(cuts), 0, max(1, source.samplerate // 100)
    for block in source.blocks():
        taken = 0
        while taken < len(block):
            while cut <= heard:
                cut = next(cuts)
            count = min(most, cut - heard, len(block) - taken)
            yield block[taken : taken + count]
            taken, heard = taken + count, heard + count
