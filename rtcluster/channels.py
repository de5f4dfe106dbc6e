"""Every channel of an input at once: a processor for each, and events that carry the channel.

The channels share a clock, hop for hop, and nothing else: the events of a channel are those that
it would have alone. Their lines come by the sample at which they became known, and of the same
sample by the channel, whatever the size of the blocks.

Offline, all of it runs in the calling thread. Live, it would belong to the pump thread;
``processors`` are then what the callback advances, each with the same interleaved block.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy.typing as npt

from rtcluster.errors import RtclusterError
from rtcluster.events import Event, Final, Guess, ModelChange, Onset, Xrun
from rtcluster.processor import Processor
from rtcluster.session import Session, percentiles
from rtcluster.settings import ALL_CHANNELS
from rtcluster.sinks import Sink


class Channels:
    """A processor for each channel.

    Parameters
    ----------
    make : callable
        Makes a processor, not yet prepared; called once for each channel.

    Examples
    --------
    >>> import numpy as np
    >>> from rtcluster import Processor
    >>> channels = Channels(Processor)
    >>> channels.prepare(44100, channels=2)
    >>> channels.process(np.zeros((441, 2), dtype=np.float32))
    []
    """

    def __init__(self, make: Callable[[], Processor]) -> None:
        self._make = make
        self.processors: list[Processor] = []
        self._known: list[int] = []

    def prepare(self, samplerate: int, blocksize: int | None = None, *, channels: int) -> None:
        """Make and prepare the processors, as :meth:`Processor.prepare` does.

        Parameters
        ----------
        samplerate : int
            Hz.
        blocksize : int, optional
            Frames that usually come at a time.
        channels : int
            Channels of the blocks: so many processors there will be.
        """
        self.close()
        self.processors = [self._make() for _ in range(channels)]
        for channel, processor in enumerate(self.processors):
            processor.prepare(samplerate, blocksize, channels=channels, channel=channel)
        self._known = [0] * channels

    def reset(self, *, forget: bool = False) -> None:
        """Begin a new stream at sample 0 in every channel, as :meth:`Processor.reset` does."""
        for processor in self.processors:
            processor.reset(forget=forget)
        self._known = [0] * len(self.processors)

    def close(self) -> None:
        """Free what the detectors hold."""
        for processor in self.processors:
            processor.close()

    def process(self, block: npt.ArrayLike) -> list[Event]:
        """Hear a block of shape (frames, channels).

        Returns
        -------
        list of Event
            What became known, by sample and then by channel; ``channel`` counts from 1.
        """
        self._require_prepared()
        return self.merged([processor.process(block) for processor in self.processors])

    def flush(self) -> list[Event]:
        """Settle the hits that are still open in every channel: the stream has ended."""
        self._require_prepared()
        new = [processor.flush() for processor in self.processors]
        self._known = [processor.clock for processor in self.processors]
        return self.merged(new)

    def merged(self, new: list[list[Event]]) -> list[Event]:
        """Put the channels' new events in one order, each with its channel.

        Parameters
        ----------
        new : list of list of Event
            Those of each channel since the last call, up to the same hop in all of them.
        """
        told: list[tuple[int, int, Event]] = []
        for channel, (events, processor) in enumerate(zip(new, self.processors, strict=True)):
            hop, known = processor.spans.hop, self._known[channel]
            for event in events:
                known = max(known, _known_at(event, hop))
                told.append((known, channel, replace(event, channel=channel + 1)))
            self._known[channel] = known
        return [event for *_, event in sorted(told, key=lambda one: one[:2])]

    def _require_prepared(self) -> None:
        if not self.processors:
            raise RtclusterError("Expected prepare(samplerate, channels=n) before this call.")


def _known_at(event: Event, hop: int) -> int:
    """The end of the hop in which an event was made; 0 for one that follows from the last."""
    if isinstance(event, Onset | Guess | Final):
        return event.emitted
    if isinstance(event, ModelChange):
        # It takes effect as a hop begins, but nobody knows before the hop is whole.
        return -(-event.effective // hop) * hop + hop
    return event.sample if isinstance(event, Xrun) else 0


class ChannelsSession(Session):
    """A session of every channel.

    Parameters
    ----------
    channels : Channels
        Prepared.
    source, sinks, report
        As of :class:`rtcluster.session.Session`.
    """

    def __init__(
        self,
        channels: Channels,
        source: str,
        sinks: Iterable[Sink],
        report: Callable[[str], None],
    ) -> None:
        super().__init__(channels.processors[0], source, sinks, report)
        self.channels = channels
        self._single = [Session(one, source, (), report) for one in channels.processors]

    def opening(self) -> dict[str, object]:
        """What the session line tells: ``channel`` is "all", ``channels`` is their number."""
        return super().opening() | {"channel": ALL_CHANNELS, "channels": len(self._single)}

    def hear(self, block: npt.ArrayLike) -> None:
        """Process a block and hand over what became known; offline."""
        self.handle(self.channels.process(block))

    def settle(self) -> None:
        """The stream has ended: hand over what was still open."""
        self.handle(self.channels.flush())

    def handle(self, events: list[Event]) -> None:
        """Give events to the sinks, and count each in its own channel."""
        for event in events:
            self._each("event", event)
            if isinstance(event, Onset):
                delay = 1e3 * (event.emitted - event.sample) / self.processor.samplerate
                self._keep(self._algorithm, delay)
        for channel, session in enumerate(self._single, 1):
            session.handle([event for event in events if event.channel == channel])

    def closing(self) -> dict[str, object]:
        """The summary: sums over all the channels, classes by name, then ``channels`` one by one.

        ``samples`` and ``seconds`` are those of the stream.
        """
        each: list[dict[str, Any]] = [session.closing() for session in self._single]
        out = dict(each[0])
        for name in ("hits", "xruns", "unclassified", "bad_hops", "events_dropped", "late_models"):
            out[name] = sum(one[name] for one in each)
        classes: Counter[str] = Counter()
        for one in each:
            classes.update(one["classes"])
        out["classes"] = dict(classes)
        out["onset_latency_ms"] = percentiles(self._algorithm)
        left_out = ("event", "samples", "seconds")
        out["channels"] = [
            {"channel": channel} | {k: v for k, v in one.items() if k not in left_out}
            for channel, one in enumerate(each, 1)
        ]
        return out
