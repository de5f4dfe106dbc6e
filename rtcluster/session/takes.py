"""A live performance: one take after the other, from the same source into the same sinks.

A take is one session: it begins at sample 0 and ends with a summary. A new one begins when a
recording is started or stopped while playing, so that a recording is always whole and can be
replayed; and when the classes are to be forgotten. Runs on the command's own thread.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from rtcluster.engine.channels import Channels, Engine
from rtcluster.engine.processor import Processor
from rtcluster.errors import RtclusterError, SourceError
from rtcluster.events import DEVICE_LOST, Xrun
from rtcluster.learning.kit import Kit
from rtcluster.learning.kit_edit import of_session
from rtcluster.session.channels import session_of
from rtcluster.session.controls import Controls, Request
from rtcluster.session.levels import Levels
from rtcluster.session.pump import Pump
from rtcluster.session.session import Session
from rtcluster.sinks import Sink
from rtcluster.timing import Stop

POLL_S = 0.05
"""How often it is looked whether the source still runs, in seconds."""

RETRY_S = 0.5
"""From one attempt to open a lost device again to the next, in seconds."""

STILL_POLLS = 40
"""Looks at a source in a row, 2 s, after which one that gives no audio is told of."""


class Source(Protocol):
    """Something that plays into a processor; starts and stops as a context manager."""

    name: str

    @property
    def active(self) -> bool:
        """Whether audio still comes."""
        ...

    def __enter__(self) -> object:
        """Start."""
        ...

    def __exit__(self, *_: object) -> None:
        """Stop; when this returns the audio thread no longer runs."""
        ...


class Lasting(Source, Protocol):
    """A source that is taken up again after it was lost."""

    def reopen(self) -> bool:
        """Take it up; False if it is not back yet, SourceError if it cannot be used."""
        ...


def came_back(
    source: Lasting,
    pause: Callable[[float], bool],
    report: Callable[[str], None],
    say: Callable[[str], None],
) -> bool:
    """Wait for a device that was lost; False if the waiting was ended.

    `pause` waits so many seconds, and is True to end it; `report` and `say` take a line each.
    """
    report(f"{source.name} is gone; waiting for it. Ctrl-C ends the session.")
    metadata = ""
    while not pause(RETRY_S):
        try:
            if source.reopen():
                say(f"{source.name} is back; hits and classes go on.")
                return True
        except SourceError as error:
            if str(error) != metadata:
                metadata = str(error)
                report(f"{metadata} Still waiting.")
    return False


class Flow:
    """Tells once that a source gives no audio though it is there, and once that it goes on.

    Looks are counted, not seconds: a program that was stopped itself has looked once.

    Parameters
    ----------
    name : str
        Of the source.
    report, say : callable
        For either line.
    still : int
        Looks in a row without audio after which it is told.
    """

    def __init__(
        self,
        name: str,
        report: Callable[[str], None],
        say: Callable[[str], None],
        still: int = STILL_POLLS,
    ) -> None:
        self._name, self._report, self._say, self._still = name, report, say, still
        self._clock, self._polls = -1, 0

    def look(self, clock: int) -> None:
        """Look at the source's clock, in samples."""
        if clock == self._clock:
            self._polls += 1
            if self._polls == self._still:
                self._report(f"{self._name} gives no audio; waiting. Ctrl-C ends the session.")
        else:
            if self._polls >= self._still:
                self._say(f"{self._name} gives audio again.")
            self._clock, self._polls = clock, 0


@dataclass(slots=True)
class Takes:
    """Plays takes until the source ends or is stopped.

    Attributes
    ----------
    engine : Processor or Channels
        Prepared, with the source open on it.
    source : Source
    sinks : sequence of Sink
        Those that last for all takes, in order.
    recorder : callable
        Makes the recorder of a folder.
    report, say : callable
        For what went wrong and for what happens, a line each.
    controls : Controls
        Requests to a processor; with Channels none is met.
    stop : Stop
        Ends it when set.
    keep_kit : callable
        Writes a kit that was asked for to a new file, and returns where.
    record : Path or None
        Where the next take is recorded.
    waits : bool
        A source that is lost is waited for (it has a ``reopen``), not the end.
    metadata : mapping
        Fields for the session line of each take.
    """

    engine: Engine
    source: Source
    sinks: Sequence[Sink]
    recorder: Callable[[str], Sink]
    report: Callable[[str], None]
    say: Callable[[str], None]
    controls: Controls
    stop: Stop
    keep_kit: Callable[[Kit], Path]
    record: Path | None = None
    waits: bool = False
    metadata: Mapping[str, object] = field(default_factory=dict)
    _last: Path | None = field(default=None, init=False)  # the latest recording's folder
    _played: bool = field(default=False, init=False)  # one take at least

    def play(self) -> dict[str, object]:
        """[main thread] Play; return the summary of the last take."""
        while True:
            summary, request = self._take()
            if request is None or self.stop.is_set():
                return summary
            self._played = True
            self._prepare_for(request)

    def _take(self) -> tuple[dict[str, object], Request | None]:
        sinks = [*self.sinks, *self._recorder()]
        session = session_of(
            self.engine, self.source.name, sinks, self.report, self.controls, self.metadata
        )
        request = None
        try:
            with Pump(session) as pump, self.source:
                flow = Flow(self.source.name, self.report, self.say)
                levels = Levels(self.source.name, self._listening(), self.report, self.say)
                while request is None and not pump.failed and not self.stop.wait(POLL_S):
                    if not self.source.active and not (self.waits and self._wait(pump, session)):
                        break
                    if self.waits:
                        flow.look(session.processor.clock)
                        levels.look()
                    request = self._request(session)
                    self._keep_kits(session)
            self._keep_kits(session)
        finally:
            summary = session.end()
            if session.recording is None:
                self.record = None  # there was none, or it had to stop early and said so
            else:
                self.say(f"Recorded in {self.record}; 'rtcluster replay {self.record}' replays it.")
        return summary, request

    def _listening(self) -> Sequence[Processor]:
        """Those that hear the source."""
        return self.engine.processors if isinstance(self.engine, Channels) else [self.engine]

    def _recorder(self) -> list[Sink]:
        """The recorder of the take, if it is to be recorded."""
        if self.record is None:
            return []
        self._last = self.record
        try:
            return [self.recorder(str(self.record))]
        except RtclusterError as error:
            if not self._played:
                raise
            self.report(f"{error} The session goes on without a recording.")
            return []

    def _request(self, session: Session) -> Request | None:
        """What was asked for that ends the take; what is so already does not."""
        if isinstance(self.engine, Channels):
            return None
        for request in self.controls.taken():
            if request.what == "reset":
                if request.value:
                    return request
            elif request.value != (session.recording is not None):
                return request
        return None

    def _keep_kits(self, session: Session) -> None:
        """Write the kits that were asked for."""
        for kit in session.kits():
            try:
                path = self.keep_kit(kit)
            except RtclusterError as error:
                self.report(str(error))
            else:
                self.say(f"Saved {', '.join(kit.names)} in {path}.")

    def _wait(self, pump: Pump, session: Session) -> bool:
        """Wait for a device that was lost; whether it came back."""
        pump.note(Xrun(session.processor.clock, DEVICE_LOST))
        source: Any = self.source  # those that are waited for have a reopen
        return came_back(source, lambda s: pump.failed or self.stop.wait(s), self.report, self.say)

    def _prepare_for(self, request: Request) -> None:
        """Begin anew at sample 0: with the classes there are, or without any."""
        processor = self.engine
        assert isinstance(processor, Processor)  # requests are met for nothing else
        forget, names = processor.learner.ready, dict[int, str]()
        if request.what == "reset":
            processor.kit, forget = None, True
            self.controls.names_before.clear()  # they were other classes
            self.record = None if self.record is None else next_folder(self.record)
        else:
            if processor.learner.ready:
                names = self._keep_classes(processor)
            self.record = next_folder(self._last) if request.value else None
        processor.reset(forget=forget)
        processor.name_as(names)

    def _keep_classes(self, processor: Processor) -> dict[int, str]:
        """Have the next take begin with the classes there are; their names, if it does.

        Those that were merged are two classes of the kit, under names of their own.
        """
        try:
            processor.kit = of_session(
                processor.learner, processor.settings, processor.samplerate, processor.kit,
                processor.microphones, merged=False,
            )  # fmt: skip
        except RtclusterError as error:
            self.report(f"{error} The next take begins without them.")
            return {}
        return dict(enumerate(processor.learner.names))


def next_folder(last: Path | None) -> Path:
    """A folder for the next recording that is not there yet."""
    if last is None:
        last = Path(time.strftime("rtcluster %Y-%m-%d %H.%M.%S"))
        if not last.exists():
            return last
    stem, number = re.sub(r" take \d+$", "", last.name), 2
    while (folder := last.with_name(f"{stem} take {number}")).exists():
        number += 1
    return folder
