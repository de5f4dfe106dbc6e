"""A session: a source through a processor into sinks, from its first line to its summary.

Offline, :func:`run_file` does all of it in one thread. Live, :class:`Pump` is the thread that
empties the event ring, feeds the sinks, and then lets the learner learn.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict

import numpy as np
import numpy.typing as npt

from rtcluster.controls import Controls, Request
from rtcluster.errors import RtclusterError
from rtcluster.events import (
    LEARNING,
    SCHEMA_VERSION,
    Control,
    Event,
    Final,
    Guess,
    Onset,
    Relabel,
    name_of,
)
from rtcluster.gil import brisk
from rtcluster.names import visible
from rtcluster.processor import Processor
from rtcluster.sinks import Sink
from rtcluster.sources.file import FileSource
from rtcluster.status import PERIOD_S, StatusReader

PUMP_PERIOD_S = 0.001
"""How long the pump sleeps when there is nothing to do, in seconds."""

_KEPT = 1 << 16
"""Latencies kept for the percentiles: the latest ones."""


_SHOWN = 256
"""Latest delays that a status tells the percentiles of."""

_RELABELLED = 1024
"""Hits whose classes are remembered, so that a relabelled one is not counted twice."""


def clock_ns() -> int:
    """The clock of the kernel's time stamps."""
    if hasattr(time, "CLOCK_MONOTONIC"):
        return time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    return time.monotonic_ns()


def percentiles(values: npt.ArrayLike) -> dict[str, float]:
    """p50, p95, p99 and max of some values; empty where there are none."""
    array = np.asarray(values, dtype=float)
    if not array.size:
        return {}
    cuts = np.percentile(array, (50, 95, 99, 100))
    return {k: round(float(v), 3) for k, v in zip(("p50", "p95", "p99", "max"), cuts, strict=True)}


class Session:
    """Hands events to sinks, and counts.

    Parameters
    ----------
    processor : Processor
        Prepared.
    source : str
        Name of where the audio comes from.
    sinks : iterable of Sink
    report : callable
        Called with a line when a sink fails; that sink gets no more events. And with one when
        a request cannot be met.
    controls : Controls, optional
        Where requests come from while it runs.
    told : mapping, optional
        Fields for the session line that are not the engine's, such as ``bpm``.
    """

    def __init__(
        self,
        processor: Processor,
        source: str,
        sinks: Iterable[Sink],
        report: Callable[[str], None],
        controls: Controls | None = None,
        told: Mapping[str, object] | None = None,
    ) -> None:
        self.processor = processor
        self.source = source
        self._by_class: Counter[int] = Counter()
        self._class_of: dict[int, int] = {}  # of the latest hits, which may be relabelled
        self._sinks = list(sinks)
        self._report = report
        self._controls = controls or Controls()
        self._told = dict(told or {})
        self._late: list[float] = []  # ms from the arrival of the audio to the sinks
        self._algorithm: list[float] = []  # ms from the onset's sample to its emission

    @property
    def listening(self) -> bool:
        """Whether there is a sink left that has not failed."""
        return bool(self._sinks)

    @property
    def recording(self) -> str | None:
        """Folder that the session is kept in; None if it is not, or no longer."""
        return next((folder for sink in self._sinks if (folder := sink.recording)), None)

    @property
    def watched(self) -> bool:
        """Whether a sink wants to know how things stand."""
        return any(type(sink).status is not Sink.status for sink in self._sinks)

    def begin(self) -> None:
        """Write the session line."""
        self._each("begin", self.opening())

    def opening(self) -> dict[str, object]:
        """What the session line tells."""
        settings = self.processor.settings
        return {
            "event": "session",
            "version": SCHEMA_VERSION,
            "samplerate": self.processor.samplerate,
            "source": visible(self.source),
            "settings": settings.as_dict(),
            "driver": self.processor.driver,
            "warmup": settings.warmup_hits,
            "latency": asdict(self.processor.latency),
            **self._told,
        }

    def hear(self, block: npt.NDArray[np.float32]) -> None:
        """Process a block and hand over what became known; offline."""
        self.handle(self.processor.process(block))

    def settle(self) -> None:
        """The stream has ended: hand over what was still open."""
        self.handle(self.processor.flush())

    def turn(self) -> bool:
        """Hand over what became known since the last time, and learn from it; live.

        Sinks first, then the learner.

        Returns
        -------
        bool
            Whether there was anything.
        """
        events = self.processor.collect()
        self.handle(events)
        self.handle(self.processor.learn(events))
        return bool(events)

    def handle(self, events: list[Event]) -> None:
        """Give events to the sinks, and note their classes and times."""
        if not events:
            return
        for event in events:
            self._each("event", event)
        now = clock_ns()
        for event in events:
            self._note(event, now)

    def _note(self, event: Event, now: int) -> None:
        """Note an event's class and times; the sinks had it by ``now``."""
        self._measure(event, now)
        if isinstance(event, Final | Relabel):
            self._count(event.id, event.class_)

    def _measure(self, event: Event, now: int) -> None:
        """Keep how long after the hit the event came, and how long after its audio."""
        if isinstance(event, Onset):
            milliseconds = 1e3 * (event.emitted - event.sample) / self.processor.samplerate
            self._keep(self._algorithm, milliseconds)
        if isinstance(event, Onset | Guess) and event.stamp:
            self._keep(self._late, (now - event.stamp) / 1e6)

    def _count(self, number: int, class_: int) -> None:
        """Count a hit in its class, and no longer in the one it had before."""
        before = self._class_of.pop(number, None)
        if before is not None:
            self._by_class[before] -= 1
        self._by_class[class_] += 1
        self._class_of[number] = class_
        if len(self._class_of) > _RELABELLED:
            del self._class_of[next(iter(self._class_of))]

    def _keep(self, values: list[float], value: float) -> None:
        values.append(value)
        if len(values) >= 2 * _KEPT:
            del values[:_KEPT]

    def end(self) -> dict[str, object]:
        """Write the summary line, and return it."""
        out = self.closing()
        self._each("figures", into=out)
        self._each("end", out)
        return out

    def closing(self) -> dict[str, object]:
        """What the summary line tells, but for what the sinks measured."""
        counts = self.processor.counts
        names = self.processor.learner.names
        by_class = self._by_class
        out: dict[str, object] = {
            "event": "summary",
            "hits": counts.hits,
            "xruns": counts.xruns,
            "seconds": round(counts.samples / self.processor.samplerate, 6),
            "samples": counts.samples,
            "classes": {name_of(c, names): by_class[c] for c in sorted(by_class) if c != LEARNING},
            "unclassified": by_class[LEARNING],
            "bad_hops": counts.bad_hops,
            "events_dropped": counts.events_dropped,
            "late_models": counts.late_models,
            "onset_latency_ms": percentiles(self._algorithm),
        }
        if self._late:
            out["sink_delay_ms"] = percentiles(self._late)
            out["callback_us"] = percentiles(self.processor.callback_work_us())
            out["callback_load"] = self.processor.callback_load()
        return out

    def counts_by_class(self) -> dict[int, int]:
        """Hits that have a class, by its number."""
        return {c: n for c, n in sorted(self._by_class.items()) if n and c != LEARNING}

    def latencies(self) -> dict[str, dict[str, float]]:
        """Percentiles in ms of the latest hits' delays, as in the summary."""
        return {
            "onset_latency_ms": percentiles(self._algorithm[-_SHOWN:]),
            "sink_delay_ms": percentiles(self._late[-_SHOWN:]),
        }

    def obey(self) -> None:
        """Do what was asked for since the last time, and tell the sinks; the pump thread."""
        for request in self._controls.pumped():
            try:
                told = self._carry_out(request)
            except RtclusterError as error:
                self._report(str(error))
            else:
                if told:
                    self.handle([Control(self.processor.clock, request.what, request.value)])

    def _carry_out(self, request: Request) -> bool:
        """Do one thing; tell whether the sinks have still to be told."""
        processor, value = self.processor, request.value
        if request.what == "rename":
            processor.rename(value["class"], value["name"])
        elif request.what == "freeze":
            processor.frozen = value
        elif request.what == "threshold":
            processor.threshold = value
            return False  # the kernel tells it, from the sample at which it holds
        elif request.what == "mute":
            processor.mute(value["class"], value["muted"])
        return True

    def watch(self, status: dict[str, object]) -> None:
        """Show the sinks how things stand."""
        self._each("status", status)

    def _each(self, method: str, *arguments: object, into: dict[str, object] | None = None) -> None:
        """Call every sink; one that fails is left out from then on, and the rest go on."""
        for sink in list(self._sinks):
            try:
                told = getattr(sink, method)(*arguments)
            except Exception as error:
                self._sinks.remove(sink)
                self._report(f"{type(sink).__name__} failed and gets no more events: {error}")
            else:
                if into is not None:
                    into.update(told)


def run_file(
    session: Session, source: FileSource, progress: Callable[[int], None] = lambda _: None
) -> dict[str, object]:
    """Run a file through a session, as fast as it goes.

    Parameters
    ----------
    session : Session
        Its processor is prepared for the file's rate and channels.
    source : FileSource
    progress : callable, optional
        Called with the number of frames of each block.

    Returns
    -------
    dict
        The summary. It is written, with all hits until then, also when the run is broken off.
    """
    session.begin()
    try:
        for block in source.blocks():
            if not session.listening:
                break
            session.hear(block)
            progress(len(block))
    finally:
        session.settle()
        summary = session.end()
    return summary


class Pump:
    """The thread between the event ring and everything in Python; a context manager.

    Leaving the context takes out what is left. The audio thread must have stopped by then, so
    that the hits still open can be settled. What went wrong on the thread is raised then.

    While one runs, the whole program's threads are :data:`rtcluster.gil.brisk`.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._notes: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="rtcluster-pump", daemon=True)

    @property
    def failed(self) -> bool:
        """Whether the thread has ended with an error: no more events will come."""
        return self._error is not None

    def _run(self) -> None:
        try:
            with brisk:
                self._turn_until_stopped()
        except Exception as error:
            self._error = error

    def _turn_until_stopped(self) -> None:
        status, due = StatusReader(self._session), 0.0
        while not self._stop.is_set():
            if not self._turn():
                if self._session.watched and time.monotonic() >= due:
                    due = time.monotonic() + PERIOD_S
                    self._session.watch(status.read())
                time.sleep(PUMP_PERIOD_S)

    def _turn(self) -> bool:
        """What became known, then what was asked for; tell whether there was anything."""
        there = self._session.turn()
        self._session.obey()
        with suppress(queue.Empty):
            self._session.handle([self._notes.get_nowait()])
        return there

    def note(self, event: Event) -> None:
        """Have the sinks told of something that the audio thread cannot know; any thread."""
        self._notes.put(event)

    def __enter__(self) -> Pump:
        """Begin the session and start the thread."""
        self._session.begin()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the thread, then settle and hand over what is left."""
        self._stop.set()
        self._thread.join()
        if self._error is not None:
            raise self._error
        while self._turn():
            pass
        self._session.settle()
