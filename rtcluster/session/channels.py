"""A session of every channel of an input at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy.typing as npt

from rtcluster.engine.channels import Channels, Engine
from rtcluster.events import ONE_CHANNEL, Event
from rtcluster.session.controls import Controls
from rtcluster.session.session import Session
from rtcluster.settings import ALL_CHANNELS
from rtcluster.sinks import Sink


class ChannelsSession(Session):
    """A session of every channel.

    Nothing can be asked of it while it runs: it has no controls, and no status.

    Parameters
    ----------
    channels : Channels
        Prepared.
    source, sinks, report, metadata
        As of :class:`rtcluster.session.session.Session`.
    """

    def __init__(
        self,
        channels: Channels,
        source: str,
        sinks: Iterable[Sink],
        report: Callable[[str], None],
        metadata: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(channels.processors[0], source, sinks, report, metadata=metadata)
        self.channels = channels
        self._single = [Session(one, source, (), report) for one in channels.processors]

    @property
    def watched(self) -> bool:
        """Nobody is shown how things stand: that is told of one channel."""
        return False

    def begin(self) -> None:
        """Write the session line."""
        opening = self.opening()
        self._each(lambda sink: sink.begin(opening))

    def opening(self) -> dict[str, object]:
        """What the session line tells: ``channel`` is "all", ``channels`` is their number."""
        return super().opening() | {"channel": ALL_CHANNELS, "channels": len(self._single)}

    def hear(self, block: npt.ArrayLike) -> None:
        """Process a block and hand over what became known; offline."""
        self.handle(self.channels.process(block))

    def settle(self) -> None:
        """The stream has ended: hand over what was still open."""
        self.handle(self.channels.flush())

    def turn(self) -> bool:
        """Hand over what became known since the last time; live."""
        there = False
        for events in self.channels.collect():
            self.handle(events)
            there = True
        return there

    def _note(self, event: Event, now: int) -> None:
        """Note the event's times, and all of it in its own channel."""
        self._measure(event, now)
        if event.channel != ONE_CHANNEL:
            self._single[event.channel - 1]._note(event, now)

    def closing(self) -> dict[str, object]:
        """The summary: sums over all the channels, classes by name, then ``channels`` one by one.

        ``samples``, ``seconds``, ``xruns`` and the callback's times are those of the stream.
        """
        each: list[dict[str, Any]] = [session.closing() for session in self._single]
        out = super().closing()
        for name in ("hits", "unclassified", "bad_hops", "events_dropped", "late_models"):
            out[name] = sum(one[name] for one in each)
        classes: Counter[str] = Counter()
        for one in each:
            classes.update(one["classes"])
        out["classes"] = dict(classes)
        left_out = ("event", "samples", "seconds", "xruns", "callback_us", "callback_load")
        out["channels"] = [
            {"channel": channel} | {k: v for k, v in one.items() if k not in left_out}
            for channel, one in enumerate(each, 1)
        ]
        return out


def session_of(
    engine: Engine,
    source: str,
    sinks: Iterable[Sink],
    report: Callable[[str], None],
    controls: Controls | None = None,
    metadata: Mapping[str, object] | None = None,
) -> Session:
    """A session of one channel or of all; see :class:`rtcluster.session.session.Session`."""
    if isinstance(engine, Channels):
        return ChannelsSession(engine, source, sinks, report, metadata)
    return Session(engine, source, sinks, report, controls, metadata)
