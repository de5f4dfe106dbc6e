"""A session: a source through a processor into sinks, from its first line to its summary.

Offline, :func:`run_file` does all of it in one thread. Live, :class:`rtcluster.session.pump.Pump`
is the thread that empties the event ring, feeds the sinks, and then lets the learner learn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from queue import SimpleQueue

import numpy as np
import numpy.typing as npt

from rtcluster.engine.processor import Processor
from rtcluster.errors import RtclusterError
from rtcluster.events import (
    MICROPHONES,
    SCHEMA_VERSION,
    Classified,
    Control,
    Event,
    Final,
    Microphone,
    Onset,
    Relabel,
    name_of,
)
from rtcluster.learning.kit import Kit
from rtcluster.session.controls import Controls, Request, taken_from
from rtcluster.settings import ALWAYS_MEASURED
from rtcluster.sinks import Sink
from rtcluster.sinks.tally import Tally
from rtcluster.sources.file import FileSource
from rtcluster.text import visible
from rtcluster.timing import clock_ns, percentiles

_KEPT = 1 << 16
"""Latencies kept for the percentiles: the latest ones."""


_SHOWN = 256
"""Latest delays that a status tells the percentiles of."""


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
        a request cannot be met, and when a microphone of a kit fails or is back.
    controls : Controls, optional
        Where requests come from while it runs.
    metadata : mapping, optional
        Fields for the session line that are not the engine's, such as ``bpm``.
    """

    def __init__(
        self,
        processor: Processor,
        source: str,
        sinks: Iterable[Sink],
        report: Callable[[str], None],
        controls: Controls | None = None,
        metadata: Mapping[str, object] | None = None,
    ) -> None:
        self.processor = processor
        self.source = source
        self._tally = Tally()
        self._sinks = list(sinks)
        self._report = report
        self._controls = controls or Controls()
        self._kits: SimpleQueue[Kit] = SimpleQueue()
        self._metadata = dict(metadata or {})
        self._at = ""  # the sink that is being called
        self._calls = 0
        self._abandoned = False
        self._late: list[float] = []  # ms from the arrival of the audio to the sinks
        self._algorithm: list[float] = []  # ms from the onset's sample to its emission

    @property
    def listening(self) -> bool:
        """[pump thread] Whether there is a sink left that has not failed."""
        return bool(self._sinks)

    @property
    def recording(self) -> str | None:
        """[pump thread] Folder that the session is kept in; None if it is not, or no longer."""
        return next((folder for sink in self._sinks if (folder := sink.recording)), None)

    @property
    def watched(self) -> bool:
        """[pump thread] Whether a sink wants to know how things stand."""
        return any(sink.wants_status for sink in self._sinks)

    def begin(self) -> None:
        """Write the session line, and what was set before it: all that the hits follow from.

        [main thread]
        """
        opening = self.opening()
        self._each(lambda sink: sink.begin(opening))
        clock = self.processor.clock
        self.handle([Control(clock, what, value) for what, value in self.processor.changed()])

    def opening(self) -> dict[str, object]:
        """[main thread] What the session line tells."""
        settings, microphones = self.processor.settings, self.processor.microphones
        units = {n: unit for n, unit in settings.units.items() if n not in ALWAYS_MEASURED}
        return {
            "event": "session",
            "version": SCHEMA_VERSION,
            "samplerate": self.processor.samplerate,
            "source": visible(self.source),
            "settings": settings.as_dict(),
            "driver": self.processor.driver,
            "warmup": settings.warmup_hits,
            "latency": asdict(self.processor.latency),
            **({"units": units} if units else {}),
            **({MICROPHONES: list(microphones)} if microphones else {}),
            **self._metadata,
        }

    def hear(self, block: npt.NDArray[np.float32]) -> None:
        """[main thread] Process a block and hand over what became known; offline."""
        self.handle(self.processor.process(block))

    def settle(self) -> None:
        """[main thread] The stream has ended: hand over what was still open."""
        self.handle(self.processor.flush())

    def turn(self) -> bool:
        """[pump thread] Hand over what became known since the last time, and learn from it; live.

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
        """[pump thread] Give events to the sinks, and note their classes and times."""
        if not events:
            return
        for event in events:
            self._give(event)
        now = clock_ns()
        for event in events:
            self._note(event, now)

    def _note(self, event: Event, now: int) -> None:
        """Note an event's class and times; the sinks had it by ``now``."""
        self._measure(event, now)
        if isinstance(event, Microphone):
            self._report(_said(event, self.processor.samplerate))
        if isinstance(event, Final | Relabel):
            self._tally.count(event.id, event.class_)

    def _measure(self, event: Event, now: int) -> None:
        """Keep how long after the hit the event came, and how long after its audio."""
        if isinstance(event, Onset):
            milliseconds = 1e3 * (event.emitted - event.sample) / self.processor.samplerate
            self._keep(self._algorithm, milliseconds)
        if isinstance(event, Onset | Classified) and event.stamp:
            self._keep(self._late, (now - event.stamp) / 1e6)

    def _keep(self, values: list[float], value: float) -> None:
        values.append(value)
        if len(values) >= 2 * _KEPT:
            del values[:_KEPT]

    @property
    def moves(self) -> int:
        """[any thread] A number that grows as long as sinks take what they are given."""
        return self._calls

    def abandon(self) -> str:
        """Call no sink any more: one of them does not return. Tell what stands still.

        [main thread]
        """
        self._abandoned = True
        return self._at or "the learner"

    def end(self) -> dict[str, object]:
        """[main thread] Write the summary line, and return it."""
        out = self.closing()
        if self._abandoned:
            return out
        self._each(lambda sink: sink.finish())
        self._each(lambda sink: out.update(sink.figures()))
        self._each(lambda sink: sink.end(out))
        return out

    def closing(self) -> dict[str, object]:
        """[main thread] What the summary line tells, but for what the sinks measured."""
        counts = self.processor.counts
        names = self.processor.learner.names
        by_name: Counter[str] = Counter()  # classes that were merged have one name
        for class_, count in self._tally.by_class().items():
            by_name[name_of(class_, names)] += count
        out: dict[str, object] = {
            "event": "summary",
            "hits": counts.hits,
            "xruns": counts.xruns,
            "seconds": round(counts.samples / self.processor.samplerate, 6),
            "samples": counts.samples,
            "classes": dict(by_name),
            "unclassified": self._tally.unclassified,
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
        """[pump thread] Hits that have a class, by its number."""
        return self._tally.by_class()

    def latencies(self) -> dict[str, dict[str, float]]:
        """[pump thread] Percentiles in ms of the latest hits' delays, as in the summary."""
        return {
            "onset_latency_ms": percentiles(self._algorithm[-_SHOWN:]),
            "sink_delay_ms": percentiles(self._late[-_SHOWN:]),
        }

    def obey(self) -> None:
        """[pump thread] Do what was asked for since the last time, and tell the sinks."""
        for request in self._controls.pumped():
            try:
                done = self._carry_out(request)
            except RtclusterError as error:
                self._report(str(error))
            else:
                self.handle([Control(self.processor.clock, what, value) for what, value in done])

    def _carry_out(self, request: Request) -> list[tuple[str, object]]:
        """Do one thing; return what the sinks have still to be told."""
        processor, value = self.processor, request.value
        match request.what:
            case "rename":
                return self._named(lambda: processor.rename(value["class"], value["name"]))
            case "merge":
                return self._named(lambda: processor.merge(value["class"], value["into"]))
            case "undo" if value:
                return self._undo()
            case "save" if value:
                self._kits.put(processor.present_kit())
            case "freeze":
                processor.frozen = value
                return [(request.what, value)]
            case "threshold":
                processor.threshold = value  # the kernel tells it, from where it holds
            case "mute":
                return self._mute(processor.merged_with(value["class"]), value["muted"])
        return []

    def _named(self, name: Callable[[], None]) -> list[tuple[str, object]]:
        """Have classes named, and remember what they were called."""
        before = list(self.processor.learner.names)
        name()
        names = self.processor.learner.names
        changed = [class_ for class_, was in enumerate(before) if names[class_] != was]
        if changed:
            self._controls.names_before.append({class_: before[class_] for class_ in changed})
        return self._told(changed)

    def _undo(self) -> list[tuple[str, object]]:
        """Take the last naming or merge back."""
        if not self._controls.names_before:
            raise RtclusterError("Expected a naming or a merge to take back, got none.")
        before = self._controls.names_before[-1]
        names = self.processor.learner.names
        others = {name for class_, name in enumerate(names) if class_ not in before}
        if taken := others & {*before.values()}:
            raise RtclusterError(
                f"Expected {min(taken)!r} to be free again, got a class of that name; rename it."
            )
        self._controls.names_before.pop()
        self.processor.name_as(before)
        return self._told([*before])

    def _told(self, classes: Iterable[int]) -> list[tuple[str, object]]:
        names = self.processor.learner.names
        return [("rename", {"class": class_, "name": names[class_]}) for class_ in classes]

    def _mute(self, classes: Iterable[int], muted: bool) -> list[tuple[str, object]]:
        """Mute what is one drum by its name."""
        for class_ in classes:
            self.processor.mute(class_, muted)
        return [("mute", {"class": class_, "muted": muted}) for class_ in classes]

    def kits(self) -> Iterator[Kit]:
        """[main thread] Take the kits that were asked for, to be saved."""
        return taken_from(self._kits)

    def watch(self, status: dict[str, object]) -> None:
        """[pump thread] Show the sinks how things stand."""
        self._each(lambda sink: sink.status(status) if sink.wants_status else None)

    def _give(self, event: Event) -> None:
        self._each(lambda sink: sink.event(event))

    def _each(self, call: Callable[[Sink], object]) -> None:
        """Call every sink; one that fails is left out from then on, and the rest go on."""
        for sink in list(self._sinks):
            self._calls += 1
            self._at = type(sink).__name__
            try:
                call(sink)
            except Exception as error:
                self._sinks.remove(sink)
                self._report(f"{sink.label} failed and gets no more events: {error}")
        self._at = ""


_SAID = {
    "silent": "gives nothing where others hear a hit; it is left out until it sounds again. Check "
    "its cable, mute and power.",
    "clips": "clips hard; it is left out until its hits no longer do. Turn its gain down.",
    "back": "is back.",
}


def _said(event: Microphone, samplerate: int) -> str:
    """A line about a microphone."""
    seconds = event.sample / samplerate
    return f"{seconds:.3f} s: the microphone on channel {event.channel} {_SAID[event.state]}"


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
