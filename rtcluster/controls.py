"""What may be asked of a running session, by the monitor page or by anything else.

:class:`Controls` carries the requests of any thread to the two that carry them out: what changes
the engine is done by the pump, between two batches of events, and told to the sinks as a
:class:`rtcluster.events.Control`; what begins or ends a take is done by the command's own thread.
"""

from __future__ import annotations

import queue
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rtcluster.errors import RtclusterError

PUMPED = ("rename", "freeze", "threshold", "mute")
"""Done by the pump thread. Their values: ``{"class": int, "name": str}``, ``bool``, ``float``,
``{"class": int, "muted": bool}``."""

TAKEN = ("record", "reset")
"""Done by the command's thread. Values: ``bool``, start or stop a recording; and ``True``, forget
the classes and begin at sample 0."""

CONTROLS = PUMPED + TAKEN


@dataclass(frozen=True, slots=True)
class Request:
    """Something a person asked for.

    Attributes
    ----------
    what : str
        One of :data:`CONTROLS`.
    value : object
        See :data:`PUMPED` and :data:`TAKEN`.

    Raises
    ------
    RtclusterError
        If it is none of those, or the value is of another kind.
    """

    what: str
    value: Any

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        fits = {
            "rename": self._is_of(name=str),
            "mute": self._is_of(muted=bool),
            "threshold": isinstance(self.value, float | int) and not isinstance(self.value, bool),
        }
        if self.what not in CONTROLS:
            raise RtclusterError(f"Expected one of {', '.join(CONTROLS)}, got {self.what!r:.80}.")
        if not fits.get(self.what, isinstance(self.value, bool)):
            raise RtclusterError(f"Expected a value for {self.what}, got {self.value!r:.80}.")

    def _is_of(self, **kinds: type) -> bool:
        """Whether the value names a class and has one more field, of this kind."""
        value, kinds = self.value, {"class": int, **kinds}
        return (
            isinstance(value, dict)
            and value.keys() == kinds.keys()
            and all(type(value[key]) is kind for key, kind in kinds.items())
        )


class Controls:
    """Requests on their way from any thread."""

    def __init__(self) -> None:
        self._pumped: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self._taken: queue.SimpleQueue[Request] = queue.SimpleQueue()

    def ask(self, request: Request) -> None:
        """Hand a request over; any thread."""
        (self._pumped if request.what in PUMPED else self._taken).put(request)

    def pumped(self) -> Iterator[Request]:
        """Take those that wait for the pump; the pump thread."""
        return _waiting(self._pumped)

    def taken(self) -> Iterator[Request]:
        """Take those that wait for the command; its thread."""
        return _waiting(self._taken)


def _waiting(requests: queue.SimpleQueue[Request]) -> Iterator[Request]:
    while True:
        try:
            yield requests.get_nowait()
        except queue.Empty:
            return
