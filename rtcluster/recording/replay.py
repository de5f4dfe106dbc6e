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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rtcluster.errors import SettingsError, SourceError
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
    finals, guesses : set of int
        Ids of those that reached the learner.
    """

    models: dict[int, tuple[int, bool]] = field(default_factory=dict)
    settings: list[Control] = field(default_factory=list)
    before: dict[int, list[Line]] = field(default_factory=dict)
    finals: set[int] = field(default_factory=set)
    guesses: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, log: Log) -> Happened:
        """Read it from a log."""
        out, asked = cls(), []
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
                for line in happened.before.get(event.id, ()):
                    self._obey(line["what"], line["value"])
                if event.id not in happened.finals:
                    continue
            elif isinstance(event, Guess) and event.id not in happened.guesses:
                continue
            out += super().learn([event])
        return out

    def _obey(self, what: str, value: Any) -> None:
        if what == "freeze":
            self.frozen = bool(value)
        elif what == "rename":
            self.rename(value["class"], value["name"])

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
    """Holds the events of a replay against a log, kernel's and learner's each in their order."""

    def __init__(self, log: Log, until: int) -> None:
        self._lines = {
            False: _Lines(log, (*_OF_ENGINE, "control"), until),
            True: _Lines(log, _LEARNERS, until),
        }
        self._cut_off = log.summary is None
        self.compared = 0
        self.difference = ""

    def take(self, events: list[Event]) -> None:
        """Compare some events with those that come next in the log."""
        for event in events:
            if self.difference or isinstance(event, Xrun):
                continue
            expected = self._lines[isinstance(event, Relabel | MergeOffer)]
            got = json.loads(json.dumps(event.as_dict()))
            line, names = expected.next(got)
            if "name" in got and line is not None:
                got["name"] = names.get(got["class"], got["name"])
            if line is None:
                if not (expected.cut or self._cut_off):
                    self.difference = f"the recording ends before {_short(got)}"
            elif line != got:
                self.difference = f"recorded {_short(line, got)}, replayed {_short(got, line)}"
            else:
                self.compared += 1

    def finish(self) -> None:
        """The replay has ended: nothing may be left in the log."""
        for lines in self._lines.values():
            rest, _ = lines.next({})
            if rest is not None and not self.difference:
                self.difference = f"the replay ends before {_short(rest)}"


class _Lines:
    """Lines of one writer in a log, with the names that held at each."""

    def __init__(self, log: Log, kinds: tuple[str, ...], until: int) -> None:
        self.cut = False
        self._until = until
        self._dropped = int(log.summary.get("events_dropped", 0)) if log.summary else 0
        self._rest = self._walk(log, kinds)
        self._ahead: tuple[Line, dict[int, str]] | None = None

    def _walk(self, log: Log, kinds: tuple[str, ...]) -> Iterator[tuple[Line, dict[int, str]]]:
        names: dict[int, str] = {}
        for line in log.lines:
            if line["event"] == "control" and line["what"] == "rename":
                names = {**names, line["value"]["class"]: line["value"]["name"]}
            elif line["event"] == "control" and line["what"] not in _SET_IN_ENGINE:
                continue
            elif line["event"] in kinds:
                known = [line[key] for key in ("emitted", "effective") if key in line]
                if known and known[0] > self._until:
                    self.cut = True
                    return
                yield line, names

    def next(self, got: Line) -> tuple[Line | None, dict[int, str]]:
        """The next line; where events were lost live, the one that this event could be."""
        if self._ahead is None:
            self._ahead = next(self._rest, None)
        if self._ahead is None:
            return None, {}
        line, names = self._ahead
        if self._dropped and got and _key(line) != _key(got):
            self._dropped -= 1
            return {**got}, names  # it was lost live, as the summary says
        self._ahead = None
        return line, names


def _key(event: Line) -> tuple[object, object]:
    return event["event"], event.get("id", event.get("version"))


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
    sinks : sequence of Sink
        Get the replayed events.
    report : callable
        Called with a line when a sink fails.

    Attributes
    ----------
    frames, samplerate : int
        Of the audio.

    Raises
    ------
    SourceError
        If there is no recording, or it cannot be read.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        sinks: Sequence[Sink] = (),
        report: Callable[[str], None] = print,
    ) -> None:
        self._log = log = read(folder)
        kit = Path(folder) / KIT_FILE
        try:
            settings = Settings(**log.session["settings"])
        except (KeyError, TypeError, SettingsError) as error:
            reason = str(error).rstrip(".")
            raise SourceError(
                f"Expected settings that this version knows in {log.path}, got: {reason}."
            ) from error
        self._source = FileSource(str(audio_of(folder)))
        self.samplerate, self.frames = self._source.samplerate, self._source.frames or 0
        self._processor = Replayed(settings, Happened.of(log), kit if kit.is_file() else None)
        self._processor.prepare(self.samplerate)
        self._session = Session(self._processor, str(folder), sinks, report)
        self._lost = next((line for line in log.lines if line["event"] == "lost_audio"), None)
        self._comparison = Comparison(log, self._reach())
        self._heard = 0

    def _reach(self) -> int:
        """Up to which sample the log is to agree."""
        if self._lost is not None:
            return int(self._lost["sample"])
        summary = self._log.summary
        return self.frames if summary is None else max(self.frames, int(summary["samples"]))

    def play(self) -> Iterator[int]:
        """Play; the frames of each block, which is 10 ms at the most."""
        self._session.begin()
        self._began = time.monotonic()
        status, shown = StatusReader(self._session), 0
        try:
            for block in _pieces(self._source, self._processor):
                self._processor.at(self._heard)
                self._take(self._processor.process(block))
                self._heard += len(block)
                if self._session.watched and self._heard - shown >= PERIOD_S * self.samplerate:
                    self._session.watch(status.read())
                    shown = self._heard
                yield len(block)
            if self._log.summary is not None:
                self._take(self._processor.flush())
                if self._lost is None:
                    self._comparison.finish()
        finally:
            self._session.end()

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
        return Outcome(
            self._heard, self.samplerate, comparison.compared, comparison.difference, tuple(notes)
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
