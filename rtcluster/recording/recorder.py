"""The recorder: a sink that keeps the session's audio and events in a folder.

It writes on a thread of its own. The audio thread does nothing for it: it copies the history that
the engine keeps anyway (:mod:`rtcluster.engine.tap`, some seconds), ten times a second.
The pump hands it the events in a queue. A disk that stalls for as long as the history lasts
delays nobody and loses nothing; what is lost beyond that is silence in the file, and counted.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np

from rtcluster.engine.processor import Processor
from rtcluster.engine.tap import Tap
from rtcluster.errors import RtclusterError, SettingsError, expecting
from rtcluster.events import Event
from rtcluster.recording.audio import STEPS, AudioWriter, check_format
from rtcluster.recording.log import EVENTS_FILE, KIT_FILE, Line
from rtcluster.sinks import Sink
from rtcluster.sinks.jsonl import FILE_S, JsonLines
from rtcluster.text import visible
from rtcluster.timing import joined

PERIOD_S = 0.1
"""From one piece of audio to the next, in seconds."""

_SILENCE = 1 << 16
"""Samples at a time, in place of what was lost."""


def check_folder(folder: str | os.PathLike[str]) -> None:
    """Refuse to record where there is anything already.

    Raises
    ------
    SettingsError
        If the folder is not empty, or is none.
    """
    path = Path(folder)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise SettingsError(
            f"Expected a new or empty folder to record in, got {path}; name another."
        )


class Recorder(Sink):
    """Keeps one session.

    Parameters
    ----------
    folder : path
        Made if need be; it may hold no recording yet.
    processor : Processor
        Prepared by the time the session begins.
    report : callable
        Called with a line when the recording has to stop early. The session goes on.
    kind : {"wav", "flac"}
        What the audio is written as. For ``flac`` the engine itself hears samples rounded to 24
        bits, so that a replay is exact.

    Raises
    ------
    SettingsError
        If the folder is in use, or the format is unknown.
    RtclusterError
        If the folder cannot be made.
    """

    label = "The recording"

    def __init__(
        self,
        folder: str | os.PathLike[str],
        processor: Processor,
        report: Callable[[str], None],
        kind: str = "wav",
    ) -> None:
        self.folder = Path(folder)
        self._kind = check_format(kind)
        check_folder(self.folder)
        with expecting(f"to make the folder {self.folder}"):
            self.folder.mkdir(parents=True, exist_ok=True)
        self._processor = processor
        self._tap = Tap(processor, each=True)
        self._report = report
        self._waiting: queue.SimpleQueue[Line | Event] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rtcluster-recorder", daemon=True)
        self._going = False
        self._stuck = False  # its thread, in a write that does not return
        self._lost = 0
        self._written = 0

    # The pump's side.

    @property
    def recording(self) -> str | None:
        """The folder, unless the recording had to stop."""
        return str(self.folder) if self._going else None

    def begin(self, session: dict[str, object]) -> None:
        """Open the files and start the thread."""
        processor = self._processor
        processor.record["steps"] = STEPS[self._kind]
        if processor.kit is not None:
            from rtcluster.learning import kit_file

            kit_file.save(self.folder / KIT_FILE, processor.kit)
        self._channels = max(1, len(processor.microphones))
        self._audio = AudioWriter(self.folder, processor.samplerate, self._kind, self._channels)
        self._events = JsonLines.open(str(self.folder / EVENTS_FILE))
        self._waiting.put({**session, "recording": {"format": self._kind}})
        self._going = True
        self._thread.start()

    def event(self, event: Event) -> None:
        """Hand an event to the thread."""
        if self._going:
            self._waiting.put(event)

    def finish(self) -> None:
        """Write what is left of the audio; the audio thread has stopped by now."""
        self._stop.set()
        if not joined(self._thread, FILE_S, lambda: (self._written, self._waiting.qsize())):
            self._stuck = True
            self._stopped(f"{self.folder} has taken nothing for {FILE_S:g} s.")

    def figures(self) -> Mapping[str, object]:
        """What was recorded, and whether it is all."""
        folder = visible(str(self.folder))
        recorded = {"folder": folder, "samples": self._written, "lost": self._lost}
        return {"recording": recorded | {"complete": self._going and not self._lost}}

    def end(self, summary: dict[str, object]) -> None:
        """Write the summary, and close the files."""
        if self._going:
            self._waiting.put(summary)
            self._attempt(self._write_events)
            try:
                self._audio.close()
            except RtclusterError as error:
                self._report(f"{error} The recording is whole, in {self._audio.path}.")
        if not self._stuck:  # else the thread has them
            with suppress(OSError):  # what could not be written has been told
                self._events.close()

    # The thread's.

    def _run(self) -> None:
        while self._going and not self._stop.wait(PERIOD_S):
            self._attempt(self._write_events, self._write_audio)
        self._attempt(self._write_events, self._write_audio)

    def _attempt(self, *steps: Callable[[], None]) -> None:
        """Do some of the work; if that fails, the recording is over and the session is not."""
        try:
            for step in steps:
                if self._going:
                    step()
        except Exception as error:  # a thread that ends without a word would be worse
            self._stopped(self._reason(error))

    def _stopped(self, reason: str) -> None:
        self._going = False
        self._report(
            f"The recording stopped, and the session goes on: {reason} "
            f"{self.folder} keeps {self._written / self._processor.samplerate:.1f} s and their "
            "events."
        )

    def _reason(self, error: Exception) -> str:
        if isinstance(error, RtclusterError):
            return str(error)
        words = error.strerror if isinstance(error, OSError) else f"{type(error).__name__} {error}"
        return f"Expected room to write {self.folder / EVENTS_FILE}, got: {words}."

    def _write_events(self) -> None:
        while True:
            try:
                item = self._waiting.get_nowait()
            except queue.Empty:
                return
            self._events.write(item if isinstance(item, dict) else item.as_dict())

    def _write_audio(self) -> None:
        piece = self._tap.take()
        if piece.lost:
            self._note_lost(piece.lost)
        self._audio.append(piece.audio)
        self._written += len(piece.audio)

    def _note_lost(self, frames: int) -> None:
        """Keep the place of what was lost: time in the file is the engine's time."""
        self._events.write({"event": "lost_audio", "sample": self._written, "frames": frames})
        self._lost += frames
        for begin in range(0, frames, _SILENCE):
            count = min(_SILENCE, frames - begin)
            self._audio.append(np.zeros((count, self._channels), np.float32))
        self._written += frames
