"""Listening, for a program: hits of a live input, one after the other.

What hears is the compiled callback, on PortAudio's thread; the session runs on a thread of its own,
and the program takes hits when it likes: what it has not taken yet waits, and no audio is lost for
it. ``rtcluster.listen`` (:mod:`rtcluster.recording.listen`) opens one, and ``rtcluster listen`` is
built on the same :class:`Listening`.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from typing import Any

from rtcluster.engine.channels import Channels
from rtcluster.engine.processor import Processor
from rtcluster.errors import RtclusterError
from rtcluster.events import Classified, Event, Final, Guess, Onset
from rtcluster.learning.kit import Kit
from rtcluster.session.controls import Request
from rtcluster.session.takes import Takes
from rtcluster.sinks import Sink
from rtcluster.timing import Stop

POLL_S = 0.1
"""How often a wait for the next hit looks for Ctrl-C, where the system does not, in seconds."""

STAGES: dict[str, type[Onset] | type[Classified]] = {"onset": Onset, "guess": Guess, "final": Final}
"""The event that a hit is told by."""

OnHit = Callable[[Any], object]


class Listening:
    """A live input that is listened to; a context manager, and an iterator over its hits.

    Entering starts it, leaving stops it. The loop over it ends when it was stopped, from within or
    by another thread, or when the input has ended.

    Parameters
    ----------
    takes : Takes
        With the source open on its engine.
    hits : HitFeed, optional
        The one of its sinks that hits are taken from.

    Attributes
    ----------
    summary : dict
        What the session's summary says, once it has been stopped; empty before.
    """

    def __init__(self, takes: Takes, hits: HitFeed | None = None) -> None:
        self._takes = takes
        self._hits = HitFeed("final", None, takes.stop) if hits is None else hits
        self._thread = threading.Thread(target=self._run, name="rtcluster-listen", daemon=True)
        self._error: BaseException | None = None
        self.summary: dict[str, object] = {}
        takes.waits = True

    def play(self) -> dict[str, object]:
        """[main thread] Listen on this thread until it is stopped; the summary."""
        self.summary = self._takes.play()
        return self.summary

    def _run(self) -> None:
        try:
            self.play()
        except BaseException as error:
            self._error = error
        finally:
            self._hits.over()

    def __enter__(self) -> Listening:
        """[main thread] Start."""
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """[main thread] Stop, and free the device.

        Raises
        ------
        Exception
            What ended the session, or what ``on_hit`` raised; not where the block was left by an
            exception of its own.
        """
        self._end()
        source: Any = self._takes.source
        source.close()
        if kind is None:
            self._raise()

    def _end(self) -> None:
        self.stop()
        if self._thread.ident is not None:
            self._thread.join()

    def _raise(self) -> None:
        error = self._hits.error or self._error
        if error is not None:
            self._hits.error = self._error = None
            raise error

    def __iter__(self) -> Listening:
        """The hits, as they come."""
        return self

    def __next__(self) -> Any:
        """[any thread] The next hit: an ``Onset``, ``Guess`` or ``Final``; waits for it."""
        hit = self._hits.take()
        if hit is None:
            self._raise()
            raise StopIteration
        return hit

    def stop(self) -> None:
        """[any thread] End it; the hits that wait can still be taken."""
        self._takes.stop.set()

    # What a player does.

    @property
    def name(self) -> str:
        """[any thread] The device that is listened to."""
        return self._takes.source.name

    @property
    def samplerate(self) -> int:
        """[any thread] In Hz."""
        return self._takes.engine.samplerate

    @property
    def names(self) -> list[str]:
        """[any thread] Names of the classes, by number."""
        return list(self._one.learner.names)

    @property
    def _one(self) -> Processor:
        engine = self._takes.engine
        return engine.processors[0] if isinstance(engine, Channels) else engine

    def rename(self, class_: int | str, name: str) -> None:
        """[any thread] Name a class, given by its number or its present name."""
        self._ask("rename", {"class": self._number(class_), "name": name})

    def merge(self, class_: int | str, into: int | str) -> None:
        """[any thread] Have a class count as another: it gets that one's name."""
        self._ask("merge", {"class": self._number(class_), "into": self._number(into)})

    def undo(self) -> None:
        """[any thread] Take the last naming or merge back."""
        self._ask("undo", True)

    def mute(self, class_: int | str, muted: bool = True) -> None:
        """[any thread] Let the hits of a class make no sound, or let them again."""
        self._ask("mute", {"class": self._number(class_), "muted": muted})

    def freeze(self, frozen: bool = True) -> None:
        """[any thread] Let learning rest, or go on."""
        self._ask("freeze", frozen)

    def set_threshold(self, threshold: float) -> None:
        """[any thread] Set the onset threshold, from the next hop on."""
        self._ask("threshold", threshold)

    def forget(self) -> None:
        """[any thread] Forget the classes, and begin again at sample 0."""
        self._ask("reset", True)

    def save_kit(self, path: str | os.PathLike[str]) -> Kit:
        """[main thread] Stop, and write what was learned.

        Raises
        ------
        RtclusterError
            If there are no classes yet, or the file cannot be written.
        """
        self._end()
        return self._one.save_kit(path)

    def _ask(self, what: str, value: Any) -> None:
        if isinstance(self._takes.engine, Channels):
            raise RtclusterError(f"Expected one channel for {what}, got all.")
        self._takes.controls.ask(Request(what, value))

    def _number(self, class_: int | str) -> int:
        names = self.names
        if isinstance(class_, str):
            if class_ not in names:
                raise RtclusterError(f"Expected one of {', '.join(names)}, got {class_!r}.")
            return names.index(class_)
        return int(class_)

    def __repr__(self) -> str:
        """The device and the classes, on a line."""
        return f"<Listening to {self.name}, {self.samplerate} Hz; {', '.join(self.names)}>"


class HitFeed(Sink):
    """Hands hits from the pump to the program: to ``on_hit``, or into a queue for the loop.

    Parameters
    ----------
    at : str
        The event that a hit is told by, of :data:`STAGES`.
    on_hit : callable, optional
        Called with each on the pump thread; without it they wait to be taken.
    stop : Stop
        Set when ``on_hit`` has raised.
    """

    def __init__(self, at: str, on_hit: OnHit | None, stop: Stop) -> None:
        self._kind, self._on_hit, self._stop = STAGES[at], on_hit, stop
        self._waiting: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self.error: BaseException | None = None

    def event(self, event: Event) -> None:
        """[pump thread] Hand a hit over."""
        if not isinstance(event, self._kind):
            return
        if self._on_hit is None:
            self._waiting.put(event)
            return
        try:
            self._on_hit(event)
        except BaseException as error:
            self.error = error
            self._stop.set()
            raise

    def over(self) -> None:
        """[any thread] No hit follows."""
        self._waiting.put(None)

    def take(self) -> Event | None:
        """[any thread] The next hit; None when all is over, and from then on."""
        while True:
            try:
                event = self._waiting.get(timeout=POLL_S)
            except queue.Empty:
                continue
            if event is None:
                self._waiting.put(None)
            return event
