"""Where events go.

A sink is a subclass of :class:`Sink` with those of its methods that it needs. It runs on the pump
thread (offline, on the calling one), gets each event before the learner does, and should return
quickly: a slow sink delays the others, never the audio.
"""

from __future__ import annotations

from collections.abc import Mapping

from rtcluster.events import Event


class Sink:
    """Receives one session after the other. Every method does nothing until a subclass acts."""

    @property
    def recording(self) -> str | None:
        """Folder in which this sink keeps the session, as long as it does."""
        return None

    def begin(self, session: dict[str, object]) -> None:
        """The session starts; the schema's ``session`` object."""

    def event(self, event: Event) -> None:
        """One event, in order."""

    def status(self, status: dict[str, object]) -> None:
        """How things stand, live only, 20 times a second; see :mod:`rtcluster.status`."""

    def notice(self, text: str) -> None:
        """A line that a person should see: what failed, or cannot be done. Any thread."""

    def figures(self) -> Mapping[str, object]:
        """What the sink measured: fields for the summary, asked for before :meth:`end`."""
        return {}

    def end(self, summary: dict[str, object]) -> None:
        """The session is over; the schema's ``summary`` object. Another one may follow."""

    def close(self) -> None:
        """No session follows. Release what is held."""
