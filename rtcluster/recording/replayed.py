"""The engine that does again what was done to it: see :mod:`rtcluster.recording.replay`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from rtcluster.engine.processor import Processor
from rtcluster.events import Control, Event, Final, Guess
from rtcluster.kernel.state import State
from rtcluster.recording.log import SET_IN_ENGINE, Line, Log
from rtcluster.settings import Settings


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
            elif kind == "control" and line["what"] in SET_IN_ENGINE:
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
    """A processor to which happens what happened in a recording.

    Attributes
    ----------
    due : dict
        By the version of a model: the sample from which on it should decide. One that was
        published in time does from that very sample, one that came late at least a hop after.
    """

    def __init__(
        self,
        settings: Settings,
        happened: Happened,
        kit: Path | None,
        microphones: tuple[int, ...] = (),
    ) -> None:
        self.due: dict[int, int] = {}
        super().__init__(
            settings, kit=kit, explicit=settings.as_dict(), microphones=microphones or None
        )
        self._happened = happened
        self._held: dict[int, list[State]] = {}
        self._latest = 0

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
            self.name_as({value["class"]: value["name"]})  # also that of another: a merge
        return Control(line["sample"], what, value)

    def _publish(self, model: State, effective: int) -> None:
        version, hop = int(model["version"][0]), self._spans.hop
        if self.clock == 0:
            super()._publish(model, effective)  # the kit's
            return
        self._latest = max(self._latest, -(-effective // hop) * hop)
        self.due[version] = self._latest
        if version in self._happened.models:
            sample, late = self._happened.models[version]
            model["late"] = late
            self._held.setdefault(sample, []).append(model)
