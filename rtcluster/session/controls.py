"""What may be asked of a running session, by the monitor page or by anything else.

:class:`Controls` carries the requests of any thread to the two that carry them out: what changes
the engine is done by the pump, between two batches of events, and told to the sinks as a
:class:`rtcluster.events.Control`; what begins or ends a take is done by the command's own thread.
"""

from __future__ import annotations

import queue
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from msgspec import convert, defstruct

from rtcluster.errors import RtclusterError

T = TypeVar("T")

PUMPED = ("rename", "freeze", "threshold", "mute", "merge", "undo", "save")
"""Done by the pump thread. Their values: ``{"class": int, "name": str}``, ``bool``, ``float``,
``{"class": int, "muted": bool}``, ``{"class": int, "into": int}``; and ``True``: take the last
naming or merge back, and save the kit as it stands. What a merge and an undo do is told, and
recorded, as the ``rename`` of each class whose name changes."""

TAKEN = ("record", "reset")
"""Done by the command's thread. Values: ``bool``, start or stop a recording; and ``True``, forget
the classes and begin at sample 0."""

CONTROLS = PUMPED + TAKEN


_VALUES: dict[str, Any] = {
    "rename": defstruct("rename", [("class", int), ("name", str)], forbid_unknown_fields=True),
    "mute": defstruct("mute", [("class", int), ("muted", bool)], forbid_unknown_fields=True),
    "merge": defstruct("merge", [("class", int), ("into", int)], forbid_unknown_fields=True),
    "threshold": float | int,
}
"""Of those that take no bool."""


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
        if self.what not in CONTROLS:
            raise RtclusterError(f"Expected one of {', '.join(CONTROLS)}, got {self.what!r:.80}.")
        value = float(self.value) if isinstance(self.value, float) else self.value  # NumPy's too
        try:
            convert(value, _VALUES.get(self.what, bool))
        except ValueError as error:
            raise RtclusterError(
                f"Expected a value for {self.what}, got {self.value!r:.80}."
            ) from error


class Controls:
    """Requests on their way from any thread.

    Attributes
    ----------
    names_before : list of dict of int to str
        [pump thread] For an undo: what classes were called before each naming and merge since they
        were formed, the latest last. Several takes may have been played since.
    """

    def __init__(self) -> None:
        self.names_before: list[dict[int, str]] = []
        self._pumped: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self._taken: queue.SimpleQueue[Request] = queue.SimpleQueue()

    def ask(self, request: Request) -> None:
        """[any thread] Hand a request over."""
        (self._pumped if request.what in PUMPED else self._taken).put(request)

    def pumped(self) -> Iterator[Request]:
        """[pump thread] Take those that wait for the pump."""
        return taken_from(self._pumped)

    def taken(self) -> Iterator[Request]:
        """[main thread] Take those that wait for the command; its thread."""
        return taken_from(self._taken)


def taken_from(waiting: queue.SimpleQueue[T]) -> Iterator[T]:
    """Take what waits in a queue, as long as there is anything."""
    while True:
        try:
            yield waiting.get_nowait()
        except queue.Empty:
            return
