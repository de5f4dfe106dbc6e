"""A recording, played through the engine again: the same events, bit for bit.

The engine is deterministic but for what people and machines did to the session while it ran, and
the log holds those: when each model took effect, which ones came late or not at all, what was
set and when, which events were lost. :class:`Replayed` is a processor that does the same again;
:class:`Replay` runs it and compares.

What is compared is every ``onset``, ``guess``, ``final``, ``model`` and ``control`` of the
kernel, and every ``relabel`` and ``merge_offer`` of the learner, each kind of writer in its order.
An ``xrun`` is a fact about the sound card and is left out.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rtcluster.errors import SourceError
from rtcluster.events import Control, Event, Final, Guess, MergeOffer, Relabel, Xrun
from rtcluster.kernel.state import State
from rtcluster.processor import Processor
from rtcluster.recording.audio import audio_of
from rtcluster.recording.log import Line, Log, read
from rtcluster.recording.recorder import KIT_FILE
from rtcluster.session import Session
from rtcluster.settings import Settings
from rtcluster.sinks import Sink
from rtcluster.sources.file import FileSource
from rtcluster.status import PERIOD_S, StatusReader

_LEARNERS = ("relabel", "merge_offer")
_OF_ENGINE = ("onset", "guess", "final", "model")
_DROPPED = ("onset", "guess", "final")
"""What a full event ring loses; the rest waits until it can be told."""

_SET_IN_ENGINE = ("threshold", "mask")
"""Controls that the kernel itself tells."""


@dataclass(slots=True)
class Happened:
    """What a log says that no audio can tell.

    Attributes
    ----------
    models : dict
        Version of each model that took effect: at which sample, and whether it was late.
    settings : list of Control
        Thresholds and masks, by sample.
    before : dict
        By the id of a final: what was asked for before the learner had it.
    left : list of dict
        What was asked for after the last final.
    finals, guesses : set of int
        Ids of those that reached the learner.
    """

    models: dict[int, tuple[int, bool]] = field(default_factory=dict)
    settings: list[Control] = field(default_factory=list)
    before: dict[int, list[Line]] = field(default_factory=dict)
    left: list[Line] = field(default_factory=list)
    finals: set[int] = field(default_factory=set)
    guesses: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, log: Log) -> Happened:
        """Read it from a log."""
        out, asked = cls(), list[Line]()
        for line in log.lines:
            kind = line["event"]
            if kind == "model":
                out.models[line["version"]] = line["effective"], bool(line.get("late"))
            elif kind == "control" and line["what"] in _SET_IN_ENGINE:
                out.settings.append(Control(line["sample"], line["what"], line["value"]))
            elif kind == "control":
                asked.append(line)
            elif kind == "guess":
                out.guesses.add(line["id"])
            elif kind == "final":
                out.finals.add(line["id"])
                if asked:
                    out.before[line["id"]], asked = asked, []
        out.left = asked
        return out


class Replayed(Processor):
    """A processor to which happens what happened in a recording."""

    def __init__(self, settings: Settings, happened: Happened, kit: Path | None) -> None:
        super().__init__(settings, kit=kit, explicit=settings.as_dict())
        self._happened = happened
        self._held: dict[int, list[State]] = {}

    def cuts(self) -> list[int]:
        """Samples at which something is to be done before the engine goes on."""
        effective = {sample for sample, _late in self._happened.models.values()}
        return sorted(effective | {control.sample for control in self._happened.settings})

    def at(self, sample: int) -> None:
        """Do what happened at this sample, which the engine has not heard yet."""
        for model in self._held.pop(sample, []):
            self._published = sample
            super()._publish(model, sample)
        for control in self._happened.settings:
            if control.sample == sample:
                self._state[f"asked_{control.what}"] = control.value

    def learn(self, events: list[Event]) -> list[Event]:
        """Learn from what reached the learner, as it stood then."""
        out: list[Event] = []
        happened = self._happened
        for event in events:
            if isinstance(event, Final):
                out += map(self._obey, happened.before.get(event.id, ()))
                if event.id not in happened.finals:
                    continue
            elif isinstance(event, Guess) and event.id not in happened.guesses:
                continue
            out += super().learn([event])
        return out

    def flush(self) -> list[Event]:
        """Settle what is open, after what was asked for last."""
        return [*map(self._obey, self._happened.left), *super().flush()]

    def _obey(self, line: Line) -> Control:
        """Do what was asked for, and tell it."""
        what, value = line["what"], line["value"]
        if what == "freeze":
            self.frozen = value
        elif what == "rename":
            self.rename(value["class"], value["name"])
        return Control(line["sample"], what, value)

    def _publish(self, model: State, effective: int) -> None:
        version = int(model["version"][0])
        if self.clock == 0:
            super()._publish(model, effective)  # the kit's
        elif version in self._happened.models:
            sample, late = self._happened.models[version]
            model["late"] = late
            self._held.setdefault(sample, []).append(model)


@dataclass(frozen=True, slots=True)
class Outcome:
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


class Comparison:
    """Holds the events of a replay against a log, kernel's and learner's each in their order.

    Parameters
    ----------
    log : Log
    until : int or None
        The sample from which on the two need not agree; None: they have to, to the end.
    """

    def __init__(self, log: Log, until: int | None) -> None:
        self._until = until
        self._engine = _Lines(log, (*_OF_ENGINE, "control"), until)
        self._learner = _Lines(log, _LEARNERS, until)
        self._dropped = int(log.summary.get("events_dropped", 0)) if log.summary else 0
        self.compared = 0
        self.difference = ""

    def take(self, events: list[Event]) -> None:
        """Compare some events with those that come next in the log."""
        for event in events:
            if isinstance(event, Control) and event.what not in _SET_IN_ENGINE:
                continue  # taken from the log
            if not self.difference and not isinstance(event, Xrun):
                learners = isinstance(event, Relabel | MergeOffer)
                got = json.loads(json.dumps(event.as_dict()))
                self._compare(got, self._learner if learners else self._engine)

    def _compare(self, got: Line, expected: _Lines) -> None:
        if self._until is not None and _known(got) > self._until:
            return
        line, names = expected.first()
        if self._dropped and _key(line) != _key(got) and got["event"] in _DROPPED:
            self._dropped -= 1  # it was lost live, as the summary says
            return
        if "name" in got:
            got["name"] = names.get(got["class"], got["name"])
        if not line:
            if self._until is None:
                self.difference = f"the recording ends before {_short(got)}"
        elif line != got:
            self.difference = f"recorded {_short(line, got)}, replayed {_short(got, line)}"
        else:
            self.compared += 1
        expected.next()

    def finish(self) -> None:
        """The replay has ended: nothing may be left in the log."""
        for lines in (self._engine, self._learner):
            rest, _ = lines.first()
            if rest and self._until is None and not self.difference:
                self.difference = f"the replay ends before {_short(rest)}"


class _Lines:
    """Lines of one writer in a log, with the names that held at each."""

    def __init__(self, log: Log, kinds: tuple[str, ...], until: int | None) -> None:
        self._until = until
        self._rest = self._walk(log, kinds)
        self.next()

    def _walk(self, log: Log, kinds: tuple[str, ...]) -> Iterator[tuple[Line, dict[int, str]]]:
        names: dict[int, str] = {}
        for line in log.lines:
            if line["event"] == "control" and line["what"] not in _SET_IN_ENGINE:
                if line["what"] == "rename":
                    names = {**names, line["value"]["class"]: line["value"]["name"]}
                continue
            if self._until is not None and _known(line) > self._until:
                return
            if line["event"] in kinds:
                yield line, names

    def first(self) -> tuple[Line, dict[int, str]]:
        """The line that comes next; an empty one at the end."""
        return self._first

    def next(self) -> None:
        """Go on to the one after it."""
        self._first: tuple[Line, dict[int, str]] = next(self._rest, ({}, {}))


def _known(event: Line) -> int:
    """Samples that had been heard when an event of the engine was made; 0 of the learner's."""
    if event["event"] in ("model", "control"):
        begins = event["effective"] if "effective" in event else event["sample"]
        return int(begins) + 1  # the hop that begins there was heard
    return int(event.get("emitted", 0))


def _key(event: Line) -> tuple[object, object]:
    return event.get("event"), event.get("id", event.get("version"))


def _short(line: Line, other: Line | None = None) -> str:
    """An event in a few words, with the fields in which it differs from another."""
    keys = ["event", "id", "version", "sample"]
    if other is not None:
        keys += sorted(k for k in {*line, *other} if line.get(k) != other.get(k))
    return json.dumps({k: line[k] for k in keys if k in line})


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
            settings = Settings(**log.session["settings"])
            self._processor = Replayed(settings, Happened.of(log), kit if kit.is_file() else None)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            reason = str(error).rstrip(".")
            raise SourceError(
                f"Expected settings that this version knows in {log.path}, got: {reason}."
            ) from error
        self._source = source = FileSource(str(audio_of(folder)))
        self.samplerate, self.frames = source.samplerate, source.frames or 0
        try:
            if (source.samplerate, source.channels) != (log.samplerate, 1):
                raise SourceError(
                    f"Expected one channel at {log.samplerate} Hz in {source.name}, as in its "
                    f"events, got {source.channels} at {source.samplerate} Hz."
                )
            self._processor.prepare(self.samplerate)
        except BaseException:
            source.close()
            raise
        self._lost = next((line for line in log.lines if line["event"] == "lost_audio"), None)
        self._comparison = Comparison(log, self._until())
        self._heard = 0

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
                self._processor.at(self._heard)
                self._take(self._processor.process(block))
                self._heard += len(block)
                if session.watched and self._heard - shown >= PERIOD_S * self.samplerate:
                    session.watch(status.read())
                    shown = self._heard
                yield len(block)
            if self._log.summary is not None:
                self._take(self._processor.flush())
                self._comparison.finish()
        finally:
            session.end()

    def _take(self, events: list[Event]) -> None:
        self._comparison.take(events)
        self._session.handle(events)

    def due(self) -> float:
        """When what has been played was heard, had it begun with :meth:`play`; ``monotonic``."""
        return self._began + self._heard / self.samplerate

    def outcome(self) -> Outcome:
        """What it came to."""
        notes, summary = [], self._log.summary
        if self._lost is not None:
            notes.append(
                f"{self._lost['frames']} samples of audio were lost at {self._lost['sample']}; "
                "what follows was not compared"
            )
        if summary is None:
            notes.append("the recording was cut off, and was compared up to there")
        elif summary.get("events_dropped"):
            notes.append(f"{summary['events_dropped']} events were lost live")
        comparison = self._comparison
        difference = comparison.difference
        samples = self._heard if summary is None else summary.get("samples", self._heard)
        if samples != self._heard and not difference:
            difference = f"recorded {samples} samples, replayed {self._heard}"
        return Outcome(self._heard, self.samplerate, comparison.compared, difference, tuple(notes))

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
