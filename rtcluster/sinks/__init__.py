"""Where events go.

A sink is anything with the three methods of :class:`Sink`. It runs on the pump thread (offline,
on the calling one), gets each event before the learner does, and should return quickly: a slow
sink delays the others, never the audio.
"""

from __future__ import annotations

from typing import Protocol

from rtcluster.events import Event


class Sink(Protocol):
    """Receives one session."""

    def begin(self, session: dict[str, object]) -> None:
        """The session starts; the schema's ``session`` object."""
        ...

    def event(self, event: Event) -> None:
        """One event, in order."""
        ...

    def end(self, summary: dict[str, object]) -> None:
        """The session is over; the schema's ``summary`` object. Release what is held."""
        ...
