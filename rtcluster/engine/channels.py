"""Every channel of an input at once: a processor for each, and events that carry the channel.

The channels share a clock, hop for hop, and nothing else: the events of a channel are those that
it would have alone. Their lines come by the sample at which they became known, and of the same
sample by the channel, whatever the size of the blocks, in a file as live.

Offline, all of it runs in the calling thread. Live, the audio thread advances the states, which
lie together in memory, each with the same interleaved block; all else is the pump thread's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from itertools import chain, groupby
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from rtcluster.engine.processor import Processor
from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.events import Event, Final, Guess, ModelChange, Onset, Xrun
from rtcluster.kernel import state as kernel_state
from rtcluster.learning.kit import Kit
from rtcluster.settings import ALL_CHANNELS, Settings

MAX_CHANNELS = 256
"""Channels at once: 0.8 GB, and more than one machine can hear live."""

MB_EACH = 3.1
"""Memory of a channel's processor, nearly all of it the kernel's state (measured)."""

_MUCH_MB = 200.0  # from here on it is said

_log = logging.getLogger(__name__)

_Timed: TypeAlias = tuple[int, int, Event]
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
        self._held: list[_Timed] = []  # live: what not every channel has come up to

    def prepare(self, samplerate: int, blocksize: int | None = None, *, channels: int) -> None:
        """[main thread] Make and prepare the processors, as :meth:`Processor.prepare` does.

        Parameters
        ----------
        samplerate : int
            Hz.
        blocksize : int, optional
            Frames that usually come at a time.
        channels : int
            Channels of the blocks: so many processors there will be.

        Raises
        ------
        SettingsError
            If there are more than :data:`MAX_CHANNELS`.
        """
        if channels > MAX_CHANNELS:
            raise SettingsError(
                f"Expected at most {MAX_CHANNELS} channels at once, got {channels}, which take "
                f"{channels * MB_EACH:.0f} MB. Name one with -c, or split the recording."
            )
        if channels * MB_EACH >= _MUCH_MB and channels != len(self.processors):
            _log.warning("%d channels take %.0f MB of memory.", channels, channels * MB_EACH)
        self.close()  # refused while a stream runs
        self.processors = [self._make() for _ in range(channels)]
        self._states = kernel_state.create(channels)
        for channel, processor in enumerate(self.processors):
            state = self._states[channel : channel + 1]
            processor.prepare(
                samplerate, blocksize, channels=channels, channel=channel, state=state
            )
        self._known, self._held = [0] * channels, []

    def reset(self, *, forget: bool = False) -> None:
        """Begin a new stream at sample 0 in every channel, as :meth:`Processor.reset` does.

        [main thread]
        """
        for processor in self.processors:
            processor.reset(forget=forget)
        self._known, self._held = [0] * len(self.processors), []

    def close(self) -> None:
        """[main thread] Free what the detectors hold."""
        for processor in self.processors:
            processor.close()

    def process(self, block: npt.ArrayLike) -> list[Event]:
        """[main thread] Hear a block of shape (frames, channels).

        Returns
        -------
        list of Event
            What became known, by sample and then by channel; ``channel`` counts from 1.
        """
        self._require_prepared()
        return self.merged([processor.process(block) for processor in self.processors])

    def flush(self) -> list[Event]:
        """Settle the hits that are still open in every channel: the stream has ended.

        [main thread]
        """
        self._require_prepared()
        rest = list(chain.from_iterable(self._ripe(np.inf)))
        new = [processor.flush() for processor in self.processors]
        self._known = [processor.clock for processor in self.processors]
        return rest + self.merged(new)

    def merged(self, new: list[list[Event]]) -> list[Event]:
        """[pump thread] Put the channels' new events in one order, each with its channel.

        Parameters
        ----------
        new : list of list of Event
            Those of each channel since the last call, up to the same hop in all of them.
        """
        timed = chain.from_iterable(map(self._timed, range(len(new)), new))
        return [event for *_, event in sorted(timed, key=_order)]

    def _timed(self, channel: int, events: list[Event]) -> list[_Timed]:
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
        """[audio thread] Hear a block in every channel, as :meth:`Processor.advance` does."""
        for processor in self.processors:
            processor.advance(block)

    def collect(self) -> Iterator[list[Event]]:
        """Take what became known, a hop of a channel at a time, in the order of :meth:`process`.

        One channel is advanced after the other: what the first knows is held back until the last
        has come as far. A channel learns from a hop when the next list is asked for, and that
        list is what the learning made known.

        [pump thread]
        """
        self._require_prepared()
        return self._ripe(min(processor.complete_until for processor in self.processors))

    def _ripe(self, until: float) -> Iterator[list[Event]]:
        """What became known up to a sample; ``until`` was read before the events are."""
        for channel, processor in enumerate(self.processors):
            self._held += self._timed(channel, processor.collect())
        self._held.sort(key=_order)
        count = sum(known <= until for known, *_ in self._held)
        ripe, self._held = self._held[:count], self._held[count:]
        for (_, channel), timed in groupby(ripe, key=_order):
            events = [event for *_, event in timed]
            yield events
            learned = self.processors[channel].learn(events)
            yield [_of(channel, event) for event in learned]

    # What can be asked while running.

    @property
    def record(self) -> kernel_state.State:
        """[main thread] The kernel's states, for a stream's callback; shape (channels,)."""
        self._require_prepared()
        return self._states

    @property
    def running(self) -> bool:
        """[main thread] Whether a stream runs; see :attr:`Processor.running`."""
        return any(processor.running for processor in self.processors)

    @running.setter
    def running(self, value: bool) -> None:
        for processor in self.processors:
            processor.running = value

    @property
    def driver(self) -> str:
        """[any thread] Which driver runs; see :attr:`Processor.driver`."""
        self._require_prepared()
        return self.processors[0].driver

    @property
    def samplerate(self) -> int:
        """[any thread] In Hz; 0 before :meth:`prepare`."""
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


def _order(timed: _Timed) -> tuple[int, int]:
    """By the sample at which an event became known, then by the channel."""
    return timed[:2]


def _of(channel: int, event: Event) -> Event:
    """The event with its channel, from 1. Lost audio is all the channels'."""
    return event if isinstance(event, Xrun) else replace(event, channel=channel + 1)


Engine: TypeAlias = Processor | Channels
"""What listens: to one channel, or the mean of all, or a kit with several microphones; or to each
channel by itself."""


def engine_of(
    channel: int | tuple[int, ...] | str | None,
    settings: Settings,
    kit: Kit | None,
    explicit: Collection[str] = (),
) -> Engine:
    """What listens to the channels that were asked for, not yet prepared.

    Parameters
    ----------
    channel : int or tuple of int or "all" or None
        One from 1; several that hear one kit; all, each by itself unless the kit has several
        microphones, or the settings hear them together; or the mean.
    settings, kit, explicit
        As of :class:`Processor`.

    Raises
    ------
    SettingsError
        If they do not go together.
    """
    if settings.together:
        if kit is not None:
            raise SettingsError(
                f"Expected no kit to hear channels together, got {kit.source}; a kit that was "
                "taught on several does so by itself."
            )
        if isinstance(channel, int):
            raise SettingsError(
                f"Expected several channels to hear together, got channel {channel}; name them "
                "with -c: all, 1-8 or 1,2,5."
            )
        return Processor(settings, explicit=explicit, microphones=channel or ALL_CHANNELS)
    several = kit is not None and bool(kit.microphones)
    if kit is not None and several and isinstance(channel, int):
        raise SettingsError(
            f"Expected the {len(kit.microphones)} microphones of {kit.source}, got channel "
            f"{channel}; leave -c out, or name as many."
        )
    if isinstance(channel, tuple) and not several:
        raise SettingsError(
            f"Expected a kit that was taught on {len(channel)} microphones, got "
            f"{'none' if kit is None else kit.source}; 'rtcluster teach ... -c "
            f"{','.join(map(str, channel))}' makes one. Without, --together hears them as one; "
            "or -c hears one channel, or all of them each by itself."
        )
    if channel == ALL_CHANNELS and not several:

        def make() -> Processor:
            return Processor(settings, kit=kit, explicit=explicit)

        make()  # what a kit refuses is refused here
        return Channels(make)
    microphones = None if isinstance(channel, int) else channel
    return Processor(settings, kit=kit, explicit=explicit, microphones=microphones)
