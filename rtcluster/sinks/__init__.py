"""Where events go.

A sink is a subclass of :class:`Sink` with those of its methods that it needs. It runs on the pump
thread (offline, on the calling one), gets each event before the learner does, and should return
quickly: a slow sink delays the others, never the audio. :func:`rtcluster.checks.check_sink` holds
one to all of this.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rtcluster.events import Event


class Sink:
    """Receives one session after the other. Every method does nothing until a subclass acts.

    The calls of a session are :meth:`begin`, :meth:`event` for each of its events, then
    :meth:`finish`, :meth:`figures` and :meth:`end`. One that raises is reported, and the sink gets
    nothing more. After the last session comes :meth:`close`.

    Attributes
    ----------
    wants_status : bool
        Whether :meth:`status` is to be called.
    """

    wants_status: ClassVar[bool] = False

    @property
    def label(self) -> str:
        """[any thread] What messages call it."""
        return type(self).__name__

    @property
    def recording(self) -> str | None:
        """[pump thread] Folder in which this sink keeps the session, as long as it does."""
        return None

    def begin(self, session: dict[str, object]) -> None:
        """[main thread] The session starts; the schema's ``session`` object."""

    def event(self, event: Event) -> None:
        """[pump thread] One event, in order."""

    def status(self, status: dict[str, object]) -> None:
        """[pump thread] How things stand, 20 times a second, live and if it is wanted.

        :meth:`rtcluster.session.status.StatusReader.read` says what is in it.
        """

    def notice(self, text: str) -> None:
        """A line that a person should see: what failed, or is well again. Any thread.

        [any thread]
        """

    def finish(self) -> None:
        """No event follows in this session: complete what :meth:`figures` speaks of.

        [main thread]
        """

    def figures(self) -> Mapping[str, object]:
        """What the sink measured: fields for the summary, for JSON. Asking changes nothing.

        [main thread]
        """
        return {}

    def end(self, summary: dict[str, object]) -> None:
        """The session is over; the schema's ``summary`` object. Another one may follow.

        [main thread]
        """

    def close(self) -> None:
        """[main thread] No session follows. Release what is held."""
