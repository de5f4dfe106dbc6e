"""Compares events with the truth as they come, and keeps no more of either than it has to."""

from __future__ import annotations

import hashlib
import sys
from collections import deque
from typing import Any

import numpy as np

from bench.drummer import Strokes
from rtcluster.events import Classified, Event, Final, Onset

TOLERANCE_S = 0.010
"""A hit counts as found if it is dated to within this, in seconds."""

SETTLED_S = 60.0
"""From here on a drum has to keep its class, in seconds."""

_MAX_PROBLEMS = 100


class Spread:
    """Percentiles of whole numbers in constant memory: how often each came."""

    def __init__(self, low: int, high: int) -> None:
        self._low = low
        self._counts = np.zeros(high - low + 1, np.int64)

    def add(self, value: int) -> None:
        """Count a value; what lies outside counts as the end."""
        self._counts[min(max(value - self._low, 0), self._counts.size - 1)] += 1

    def percentiles(self, unit: float) -> dict[str, float]:
        """p50, p95, p99 and max, times a unit; empty where there is nothing."""
        total = int(self._counts.sum())
        if not total:
            return {}
        reached = np.cumsum(self._counts)
        names = {"p50": 0.50, "p95": 0.95, "p99": 0.99, "max": 1.0}
        return {
            name: round(
                (self._low + int(np.searchsorted(reached, max(1, np.ceil(share * total))))) * unit,
                3,
            )
            for name, share in names.items()
        }


class Witness:
    """Compares what the engine says with what was played.

    Parameters
    ----------
    samplerate : int
    start : int
        The clock's first value.
    """

    def __init__(self, samplerate: int, start: int) -> None:
        self.samplerate = samplerate
        self.start = start
        self.problems: list[str] = []
        self.classes: dict[str, int] = {}  # settled
        self._tolerance = round(TOLERANCE_S * samplerate)
        self._true: deque[tuple[int, str]] = deque()
        self._open: dict[int, tuple[str, str]] = {}  # by id: the stage that is due, the drum
        self._next_id = 0
        self._last = (-1, -1)  # sample of the last onset, of the last hit that was found
        self._emitted = start
        self._until_settled: dict[tuple[str, int], int] = {}
        self.begin_hour(start)

    def begin_hour(self, first: int) -> None:
        """Count from zero."""
        self._first = first
        self._digest = hashlib.sha256()
        self._errors = Spread(0, self._tolerance)
        self._latency = Spread(0, self.samplerate // 10)
        self.counts = dict.fromkeys(("true", "hits", "misses", "extras", "doubled", "moved"), 0)

    def expect(self, strokes: Strokes) -> None:
        """Tell what is going to be played."""
        self._true.extend(strokes)
        self.counts["true"] += len(strokes)

    def take(self, events: list[Event]) -> None:
        """Check events."""
        for event in events:
            if isinstance(event, Onset):
                self._onset(event)
            elif isinstance(event, Classified):
                self._classified(event)

    def wrong(self, what: str) -> None:
        """Note a problem, in a line."""
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(what)

    def _onset(self, event: Onset) -> None:
        if event.id != self._next_id:
            self.wrong(f"id {event.id} came after {self._next_id - 1}")
        self._next_id = event.id + 1
        last, found = self._last
        if event.sample <= last:
            self.wrong(f"hit {event.id} at {event.sample} is no later than the last, {last}")
        if not event.sample < event.emitted or event.emitted < self._emitted:
            self.wrong(f"hit {event.id} at {event.sample} was emitted at {event.emitted}")
        if abs(event.time - event.sample / self.samplerate) > 1e-6:
            self.wrong(f"hit {event.id} at {event.sample} has the time {event.time}")
        if not 1 <= event.velocity <= 127:
            self.wrong(f"hit {event.id} has the velocity {event.velocity}")
        self._emitted = event.emitted
        self.passed(event.sample - self._tolerance)
        self._digest.update((event.sample - self._first).to_bytes(8, "little", signed=True))
        self._latency.add(event.emitted - event.sample)
        drum = ""
        if self._true and abs(self._true[0][0] - event.sample) <= self._tolerance:
            found, drum = self._true.popleft()
            self.counts["hits"] += 1
            self._errors.add(abs(event.sample - found))
        else:
            self.counts["extras"] += 1
            self.counts["doubled"] += event.sample - found <= self._tolerance
        self._last = event.sample, found
        self._open[event.id] = "guess", drum

    def passed(self, sample: int) -> None:
        """No onset before this sample is to be expected any more."""
        while self._true and self._true[0][0] < sample:
            self._true.popleft()
            self.counts["misses"] += 1

    def _classified(self, event: Classified) -> None:
        final = isinstance(event, Final)
        stage, drum = self._open.pop(event.id, ("", ""))
        if stage != ("final" if final else "guess"):
            self.wrong(f"hit {event.id}: {type(event).__name__} where {stage or 'nothing'} was due")
        if event.emitted < self._emitted:
            self.wrong(f"hit {event.id} was emitted at {event.emitted}, after {self._emitted}")
        self._emitted = event.emitted
        if not final:
            self._open[event.id] = "final", drum
        elif drum:
            self._class(event.sample, drum, event.class_)

    def _class(self, sample: int, drum: str, class_: int) -> None:
        """Whether a drum has the class that it had most in the first minute."""
        if sample < self.start + SETTLED_S * self.samplerate:
            key = drum, class_
            self._until_settled[key] = self._until_settled.get(key, 0) + (class_ >= 0)
            return
        if drum not in self.classes:
            counts = {c: n for (d, c), n in self._until_settled.items() if d == drum}
            self.classes[drum] = max(counts, key=lambda c: counts[c], default=class_)
        self.counts["moved"] += class_ != self.classes[drum]

    def end(self) -> None:
        """The stream has ended: nothing may be open."""
        self.passed(sys.maxsize)
        if self._open:
            self.wrong(f"{len(self._open)} hits were never settled, the first {min(self._open)}")
        if len({*self.classes.values()}) != len(self.classes):
            self.wrong(f"two drums have one class: {self.classes}")

    def hour(self) -> dict[str, Any]:
        """What was found in this hour."""
        unit = 1e3 / self.samplerate
        return {
            **self.counts,
            "dating_error_ms": self._errors.percentiles(unit),
            "onset_latency_ms": self._latency.percentiles(unit),
            "onsets": self._digest.hexdigest()[:16],
        }
