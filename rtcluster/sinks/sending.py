"""What the sinks that send each hit to another program share: mutes, and the delay they measure.

A subclass sends in :meth:`Sending._send`, on the pump thread, before the learner learns. It must
not wait there: what it sends is late then, and every other sink with it.

The delay is from the arrival of the audio that completed the event to the return of the send. A
file has no such arrival, so a file run measures none.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rtcluster.events import Classified, Control, Event, Onset, Part
from rtcluster.sinks import Sink
from rtcluster.timing import clock_ns as clock_ns
from rtcluster.timing import percentiles

KEPT = 1 << 16
"""Values that percentiles are made of: the latest ones."""


class Latest:
    """The latest :data:`KEPT` values, for percentiles, in memory that does not grow."""

    def __init__(self) -> None:
        self._ring = np.zeros(KEPT)
        self._count = 0

    def add(self, value: float) -> None:
        """Take a value; the oldest goes."""
        self._ring[self._count % KEPT] = value
        self._count += 1

    def percentiles(self) -> dict[str, float]:
        """p50, p95, p99 and max; empty where there are none."""
        return percentiles(self._ring[: min(self._count, KEPT)])


class Sending(Sink):
    """A sink that sends hits somewhere else and measures how late it did.

    Attributes
    ----------
    kind : str
        Name of its figures in the summary.
    sent : int
        Hits sent in this session, or messages about them.
    """

    kind = ""

    def __init__(self) -> None:
        self.sent = 0
        self._samplerate = 1
        self._delays = Latest()
        self._muted: set[int] = set()

    def begin(self, session: dict[str, object]) -> None:
        """Take the rate in Hz, and begin to count; nothing is muted yet."""
        self._samplerate = int(str(session["samplerate"]))
        self.sent = 0
        self._delays = Latest()
        self._muted.clear()

    def event(self, event: Event) -> None:
        """Send an event, unless its class is muted, and measure; or carry out a mute."""
        if isinstance(event, Control):
            if event.what == "mute" and isinstance(event.value, dict):
                change = self._muted.add if event.value["muted"] else self._muted.discard
                change(event.value["class"])
        elif (
            isinstance(event, Onset | Classified)
            and not self._is_muted(event)
            and self._send(event)
        ):
            self.sent += 1
            if event.stamp:
                self._measure(event, (clock_ns() - event.stamp) / 1e6)

    def _is_muted(self, event: Onset | Classified) -> bool:
        """Whether all drums of it are muted; an onset has none yet."""
        return isinstance(event, Classified) and not self._heard(event)

    def _heard(self, event: Classified) -> list[Part]:
        """The drums of a hit that are not muted, the strongest first."""
        return [part for part in event.parts if part.class_ not in self._muted]

    def _send(self, event: Onset | Classified) -> bool:
        """Send what there is to say about the event; tell whether there was anything."""
        raise NotImplementedError("a subclass sends")

    def _measure(self, event: Onset | Classified, delay_ms: float) -> None:
        """Remember how late the event was sent."""
        self._delays.add(delay_ms)

    def figures(self) -> Mapping[str, object]:
        """How many were sent, and how late."""
        return {self.kind: self._figures()}

    def _figures(self) -> dict[str, object]:
        delays = self._delays.percentiles()
        return {"sent": self.sent} | ({"delay_ms": delays} if delays else {})
