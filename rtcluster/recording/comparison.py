"""A replay's events compared with the recorded ones; see :mod:`rtcluster.recording.replay`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from rtcluster.events import DEVICE_LOST, Control, Event, MergeOffer, Relabel, Xrun
from rtcluster.recording.log import SET_IN_ENGINE, Line, Log

_LEARNERS = ("relabel", "merge_offer")
_OF_ENGINE = ("onset", "guess", "final", "model", "microphone")
_DROPPED = ("onset", "guess", "final", "microphone")
"""What a full event ring loses; the rest waits until it can be told."""

_LOUDNESS = ("velocity", "level")

KNOWN = {*_OF_ENGINE, *_LEARNERS, "control", "xrun", "lost_audio"}
"""Kinds of event that are compared, or may stand in a log."""

_PLACED = ("control", "xrun", "lost_audio")
"""Events whose sample no replay tells."""

_COUNTED = ("hits", "seconds", "samples", "late_models")
"""Fields of the summary that the audio decides, and when models took effect."""

_OF_EVENTS = ("classes", "unclassified", "onset_latency_ms")
"""The same, where no event was lost."""


class Comparison:
    """Holds the events of a replay against a log, kernel's and learner's each in their order.

    Parameters
    ----------
    log : Log
    until : int or None
        The sample from which on the two need not agree; None: they have to, to the end.
    due : mapping
        As that of :class:`Replayed`.

    Attributes
    ----------
    other_scale : bool
        The log is of a version that made velocities in another way; they are not compared.
    """

    def __init__(self, log: Log, until: int | None, due: Mapping[int, int]) -> None:
        self._log = log
        self._until = until
        self._due = due
        self._engine = _Lines(log, (*_OF_ENGINE, "control"), until)
        self._learner = _Lines(log, _LEARNERS, until)
        self._dropped = int(log.summary.get("events_dropped", 0)) if log.summary else 0
        self.other_scale = log.before_levels
        self._tells_offsets = log.tells_offsets
        self.compared = 0
        self.difference = ""

    def take(self, events: list[Event]) -> None:
        """Compare some events with those that come next in the log."""
        for event in events:
            if isinstance(event, Control) and event.what not in SET_IN_ENGINE:
                continue  # taken from the log
            if not self.difference and not isinstance(event, Xrun):
                learners = isinstance(event, Relabel | MergeOffer)
                got = json.loads(json.dumps(event.as_dict()))
                self._compare(got, self._learner if learners else self._engine)

    def _compare(self, got: Line, expected: _Lines) -> None:
        if self._until is not None and _known(got) > self._until:
            return
        line, names = expected.first
        if self._dropped and _key(line) != _key(got) and got["event"] in _DROPPED:
            self._dropped -= 1  # it was lost live, as the summary says
            return
        if "name" in got:
            got["name"] = names.get(got["class"], got["name"])
        for part in got.get("parts", ()):
            part["name"] = names.get(part["class"], part["name"])
            if not self._tells_offsets:
                part.pop("offset", None)
        for key in ("parts", "features"):
            if line and key not in line:  # of a version that did not tell them
                got.pop(key, None)
        if self.other_scale:
            line, got = (
                {k: v for k, v in one.items() if k not in _LOUDNESS} for one in (line, got)
            )
        if not line:
            if self._until is None:
                self.difference = f"the recording ends before {_short(got)}"
        elif line != got:
            self.difference = f"recorded {_short(line, got)}, replayed {_short(got, line)}"
        elif got["event"] == "model" and not self._in_time(got):
            self.difference = (
                f"recorded {_short(got)} in effect from sample {got['effective']}, "
                f"{'late' if got.get('late') else 'in time'}, where it was due at "
                f"{self._due[got['version']]}"
            )
        else:
            self.compared += 1
        expected.next()

    def _in_time(self, model: Line) -> bool:
        """Whether a model took effect when it had to, or later where it came late."""
        late_by = model["effective"] - self._due.get(model["version"], model["effective"])
        return bool(late_by > 0 if model.get("late") else late_by == 0)

    def finish(self, samples: int) -> None:
        """The replay of so many samples has ended: nothing may be left in the log."""
        if self.difference:
            return
        misplaced = next(
            (
                line
                for line in self._log.lines
                if line["event"] in _PLACED
                and not 0 <= line["sample"] <= line["sample"] + line.get("frames", 0) <= samples
            ),
            None,
        )
        if misplaced is not None:
            self.difference = (
                f"recorded {_short(misplaced)}, which is not within the {samples} samples of audio"
            )
        for lines in (self._engine, self._learner):
            rest, _ = lines.first
            if rest and self._until is None and not self.difference:
                self.difference = f"the replay ends before {_short(rest)}"

    def sum_up(self, got: Mapping[str, object]) -> None:
        """Compare the replay's summary with the log's."""
        expected, lines = self._log.summary, self._log.lines
        if expected is None or self._until is not None or self.difference:
            return
        told, facts = json.loads(json.dumps(got)), [*_COUNTED]
        if not expected.get("events_dropped"):
            lost = [x for x in lines if x["event"] == "xrun" and x.get("kind") != DEVICE_LOST]
            told["xruns"] = len(lost)
            facts += ["xruns", *_OF_EVENTS]
        for fact in facts:
            if fact in expected and expected[fact] != told[fact]:
                self.difference = (
                    f"recorded a summary with {_short({fact: expected[fact]}, told)}, replayed "
                    f"{_short({fact: told[fact]}, {})}"
                )
                return


class _Lines:
    """Lines of one writer in a log, with the names that held at each; ``first`` comes next."""

    def __init__(self, log: Log, kinds: tuple[str, ...], until: int | None) -> None:
        self._until = until
        self._rest = self._walk(log, kinds)
        self.next()

    def _walk(self, log: Log, kinds: tuple[str, ...]) -> Iterator[tuple[Line, dict[int, str]]]:
        names: dict[int, str] = {}
        for line in log.lines:
            if line["event"] == "control" and line["what"] not in SET_IN_ENGINE:
                if line["what"] == "rename":
                    names = {**names, line["value"]["class"]: line["value"]["name"]}
                continue
            if self._until is not None and _known(line) > self._until:
                return
            if line["event"] in kinds:
                yield line, names

    def next(self) -> None:
        """Go on to the next line; an empty one at the end."""
        self.first: tuple[Line, dict[int, str]] = next(self._rest, ({}, {}))


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
