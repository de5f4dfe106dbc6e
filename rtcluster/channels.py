"""Every channel of an input at once: a processor for each, and events that carry the channel.

The channels share a clock, hop for hop, and nothing else: the events of a channel are those that
it would have alone. Their lines come by the sample at which they became known, and of the same
sample by the channel, whatever the size of the blocks, in a file as live.

Offline, all of it runs in the calling thread. Live, the audio thread advances the states, which
lie together in memory, each with the same interleaved block; all else is the pump thread's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain, groupby
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from rtcluster.controls import Controls
from rtcluster.errors import RtclusterError
from rtcluster.events import ONE_CHANNEL, Event, Final, Guess, ModelChange, Onset, Xrun
from rtcluster.kernel import state as kernel_state
from rtcluster.processor import Processor
from rtcluster.session import Session
from rtcluster.settings import ALL_CHANNELS
from rtcluster.sinks import Sink

_Dated: TypeAlias = tuple[int, int, Event]
"""The sample at which an event became known, its channel from 0, and the event."""


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
        self._states = kernel_state.create(0)
        self._known: list[int] = []
        self._held: list[_Dated] = []  # live: what not every channel has come up to

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
        self._states = kernel_state.create(channels)
        for channel, processor in enumerate(self.processors):
            state = self._states[channel : channel + 1]
            processor.prepare(
                samplerate, blocksize, channels=channels, channel=channel, state=state
            )
        self._known, self._held = [0] * channels, []

    def reset(self, *, forget: bool = False) -> None:
        """Begin a new stream at sample 0 in every channel, as :meth:`Processor.reset` does."""
        for processor in self.processors:
            processor.reset(forget=forget)
        self._known, self._held = [0] * len(self.processors), []

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
        rest = list(chain.from_iterable(self._told(np.inf)))
        new = [processor.flush() for processor in self.processors]
        self._known = [processor.clock for processor in self.processors]
        return rest + self.merged(new)

    def merged(self, new: list[list[Event]]) -> list[Event]:
        """Put the channels' new events in one order, each with its channel.

        Parameters
        ----------
        new : list of list of Event
            Those of each channel since the last call, up to the same hop in all of them.
        """
        dated = chain.from_iterable(map(self._dated, range(len(new)), new))
        return [event for *_, event in sorted(dated, key=_order)]

    def _dated(self, channel: int, events: list[Event]) -> list[_Dated]:
        """Events of a channel, which they carry from now on, with when they became known."""
        hop, known = self.processors[channel].spans.hop, self._known[channel]
        out = []
        for event in events:
            known = max(known, _known_at(event, hop))
            out.append((known, channel, _of(channel, event)))
        self._known[channel] = known
        return out

    # Live: the audio thread's part, where it is Python's, and the pump thread's.

    def advance(self, block: npt.NDArray[np.float32]) -> None:
        """Hear a block in every channel, as :meth:`Processor.advance` does."""
        for processor in self.processors:
            processor.advance(block)

    def collect(self) -> Iterator[list[Event]]:
        """Take what became known, a hop of a channel at a time, in the order of :meth:`process`.

        One channel is advanced after the other: what the first knows is held back until the last
        has come as far. A channel learns from a hop when the next list is asked for, and that
        list is what the learning made known.
        """
        self._require_prepared()
        return self._told(min(processor.settled for processor in self.processors))

    def _told(self, until: float) -> Iterator[list[Event]]:
        """What became known up to a sample; ``until`` was read before the events are."""
        for channel, processor in enumerate(self.processors):
            self._held += self._dated(channel, processor.collect())
        self._held.sort(key=_order)
        ripe = sum(known <= until for known, *_ in self._held)
        told, self._held = self._held[:ripe], self._held[ripe:]
        for (_, channel), dated in groupby(told, key=_order):
            events = [event for *_, event in dated]
            yield events
            learned = self.processors[channel].learn(events)
            yield [_of(channel, event) for event in learned]

    # What can be asked while running.

    @property
    def record(self) -> kernel_state.State:
        """The kernel's states, for a stream's callback; shape (channels,)."""
        self._require_prepared()
        return self._states

    @property
    def driver(self) -> str:
        """Which driver runs; see :attr:`Processor.driver`."""
        self._require_prepared()
        return self.processors[0].driver

    @property
    def samplerate(self) -> int:
        """In Hz; 0 before :meth:`prepare`."""
        return self.processors[0].samplerate if self.processors else 0

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


def _order(dated: _Dated) -> tuple[int, int]:
    """By the sample at which an event became known, then by the channel."""
    return dated[:2]


def _of(channel: int, event: Event) -> Event:
    """The event with its channel, from 1. Lost audio is all the channels'."""
    return event if isinstance(event, Xrun) else replace(event, channel=channel + 1)


class ChannelsSession(Session):
    """A session of every channel.

    Nothing can be asked of it while it runs: it has no controls, and no status.

    Parameters
    ----------
    channels : Channels
        Prepared.
    source, sinks, report, told
        As of :class:`rtcluster.session.Session`.
    """

    def __init__(
        self,
        channels: Channels,
        source: str,
        sinks: Iterable[Sink],
        report: Callable[[str], None],
        told: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(channels.processors[0], source, sinks, report, told=told)
        self.channels = channels
        self._single = [Session(one, source, (), report) for one in channels.processors]

    @property
    def watched(self) -> bool:
        """Nobody is shown how things stand: that is told of one channel."""
        return False

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


Ear: TypeAlias = Processor | Channels
"""What listens: to one channel, or the mean of all; or to each."""


def session_of(
    ear: Ear,
    source: str,
    sinks: Iterable[Sink],
    report: Callable[[str], None],
    controls: Controls | None = None,
    told: Mapping[str, object] | None = None,
) -> Session:
    """A session of one channel or of all; see :class:`rtcluster.session.Session`."""
    if isinstance(ear, Channels):
        return ChannelsSession(ear, source, sinks, report, told)
    return Session(ear, source, sinks, report, controls, told)
