"""The engine as a plug-in: prepare, process, flush, reset.

A processor owns the kernel's state, the detector and the learner. Offline,
:meth:`Processor.process` does everything in the calling thread. Live, the audio thread advances
the state, and the pump thread alone calls :meth:`Processor.collect` and :meth:`Processor.learn`.
Both give the same events, because a model takes effect at a set sample.

It is one long module because it is one class: the whole face of the engine, whose methods are short
and share the state, the learner and the kit.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Never

import numpy as np
import numpy.typing as npt

from rtcluster import plugins
from rtcluster.durations import Duration
from rtcluster.engine.drivers import choose
from rtcluster.engine.samples import as_float32
from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.events import EVENT, Event, Final, Guess, MergeOffer, decode
from rtcluster.kernel import state as kernel_state
from rtcluster.kernel.detector import configure
from rtcluster.kernel.entry import complete_until, drain, finish, publish
from rtcluster.kernel.jit import mark_compiled
from rtcluster.kernel.rate import configure as configure_rate
from rtcluster.kernel.shape import WHOLE_S
from rtcluster.kernel.shape import configure as configure_shape
from rtcluster.kernel.velocity import LEARNED_RANGE_DB
from rtcluster.learning import kit_file
from rtcluster.learning.kit import Kit
from rtcluster.learning.kit_schema import NAMES, is_name
from rtcluster.learning.learner import Learner, Lesson, Update, warm_up
from rtcluster.presets import AUBIO_PRESETS, PRESETS
from rtcluster.settings import (
    BAND_FEATURES,
    FEATURES,
    MAX_MICROPHONES,
    RATES,
    VELOCITY_CURVES,
    Settings,
    Spans,
)
from rtcluster.text import counted

_BATCH = 256  # events drained at a time

_PREPARE_FIRST = "Expected prepare(samplerate, blocksize) before this call."


@dataclass(frozen=True, slots=True)
class Latency:
    """Samples from the start of a hit to each event, at the latest, once it is detected.

    Attributes
    ----------
    onset : int
        Nominal: until the attack stands where the detector's window weighs it by half, and the
        rest of a hop. What it is in fact depends on the drum: README.md has measured figures.
    guess, final : int
        The span, and the rest of the hop that it ends in.
    """

    onset: int
    guess: int
    final: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What has happened since the stream began, for the summary."""

    samples: int
    hits: int
    xruns: int
    bad_hops: int
    events_dropped: int
    late_models: int


class Processor:
    """Live drum-hit classifier for one channel of audio.

    Any number of them may run at once, each in a thread of its own; none knows of another. One
    and the same processor takes one call at a time, from whatever thread, but for a live stream's
    two: the audio thread's :meth:`advance`, and the rest.

    Parameters
    ----------
    settings : Settings, optional
    driver : {"compiled", "python"}, optional
        How aubio is called; by default compiled where that is possible.
    kit : Kit or path, optional
        What to begin with: its classes name hits from the first one on, and its features,
        scaling, number of classes and detector settings take the place of the defaults.
    explicit : collection of str
        Names of settings that were asked for even where they are the default: the kit
        overrides none of them.
    microphones : sequence of int or "all", optional
        Channels, from 1, that hear the same drums: each hit is told once, with the channel that
        knew it best. By default the kit's; as many as it has, if it has any.

    Attributes
    ----------
    microphones : tuple of int
        Those that are heard, once it is prepared; empty where it is one channel, or a mean.
    running : bool
        A stream has the address of its state. What runs the stream sets it, and :meth:`prepare`,
        :meth:`reset` and :meth:`close` are refused meanwhile.

    Raises
    ------
    SettingsError
        If the kit has other features, scaling or another number of classes than was asked for.
    RtclusterError
        If the kit cannot be read.

    Examples
    --------
    >>> import numpy as np
    >>> with Processor(Settings(classes=2)) as processor:
    ...     processor.prepare(samplerate=44100, blocksize=64)
    ...     processor.process(np.zeros(441, dtype=np.float32))
    []
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        driver: str | None = None,
        kit: Kit | str | os.PathLike[str] | None = None,
        explicit: Collection[str] = (),
        microphones: Sequence[int] | str | None = None,
    ) -> None:
        self.kit = kit if kit is None or isinstance(kit, Kit) else kit_file.load(kit)
        self._asked_microphones = self._microphones_of(microphones)
        self.microphones: tuple[int, ...] = ()
        given = settings or Settings()
        self.settings = given if self.kit is None else self.kit.settings(given, explicit)
        self._driver_class = choose(driver)
        self._driver: Any = None
        self._samplerate = 0
        self.running = False
        self._tell_names: Callable[[list[str]], None] = lambda _: None

    def _microphones_of(self, asked: Sequence[int] | str | None) -> tuple[int, ...] | str:
        """Those asked for, or the kit's; a kit of one channel, or of a mean, hears no others."""
        if self.kit is None or asked is None:
            own = () if self.kit is None else self.kit.microphones
            return own if asked is None else asked if isinstance(asked, str) else tuple(asked)
        own = self.kit.microphones
        if isinstance(asked, str) and own:
            return own
        if len(asked) != len(own) and self.kit.learned is not None:
            had = f"channels {', '.join(map(str, own))}" if own else "one channel"
            raise SettingsError(
                f"Expected {counted(max(1, len(own)), 'channel')} for {self.kit.source}, got "
                f"{asked if isinstance(asked, str) else len(asked)}; it was taught on {had}."
            )
        return asked if isinstance(asked, str) else tuple(asked)

    @property
    def several(self) -> bool:
        """[any thread] Whether it hears a kit with several microphones."""
        return bool(self._asked_microphones)

    def inputs_of(self, most: int) -> int:
        """[any thread] How many of a device's first ``most`` channels its microphones need."""
        asked = self._asked_microphones
        return most if isinstance(asked, str) else max(asked)

    # Setting up.

    def prepare(
        self,
        samplerate: int,
        blocksize: int | None = None,
        *,
        channels: int = 1,
        channel: int | None = None,
        columns: Sequence[int] | None = None,
        state: kernel_state.State | None = None,
    ) -> None:
        """[main thread] Allocate and compile; afterwards nothing is allocated on the audio thread.

        Parameters
        ----------
        samplerate : int
            Hz, 8000 to 192000.
        blocksize : int, optional
            Frames that usually come at a time. Any other number may come: it changes no result.
        channels : int
            Channels of the blocks.
        channel : int, optional
            The channel to listen to, from 0; by default their mean. Of no meaning with several
            microphones.
        columns : sequence of int, optional
            Where in the blocks the microphones are, from 0; by default each in its own channel.
        state : array, optional
            A new state of :func:`rtcluster.kernel.state.create` to use, shape (1,), where it has
            to lie beside others; by default one of its own.

        Raises
        ------
        SettingsError
            If the rate or the channel is out of range, or a window does not fit the rate.
        RtclusterError
            If the kit is for another window or guess; or while a stream runs.
        """
        self._require_no_stream("prepare")
        if not RATES[0] <= samplerate <= RATES[1]:
            raise SettingsError(
                f"Expected a sample rate of {RATES[0]} to {RATES[1]} Hz, got {samplerate}."
            )
        if channel is not None and not 0 <= channel < channels:
            raise SettingsError(f"Expected a channel from 0 to {channels - 1}, got {channel}.")
        self._wire(channels, columns)
        spans = self.settings.spans(samplerate)
        if self.kit is not None:
            self.kit.require(samplerate, spans)
        self._free()
        self._spans = spans
        self._samplerate = samplerate
        self._sets = None if self.kit is None else self.kit.drum_sets(samplerate, spans)
        several = len(self.microphones)
        self._state = kernel_state.create(1 + several) if state is None else state
        self._state["microphones"][0] = several
        self._record: Any = self._state[0]
        self._batch = np.zeros(_BATCH, EVENT)
        self._set_up(channels, -1 if channel is None else channel)
        learner = self._new_learner()
        self._first_names = list(learner.names)
        self._start(learner)
        self._compile(channels)

    def _wire(self, channels: int, columns: Sequence[int] | None) -> None:
        """Find the microphones in blocks of so many channels."""
        asked = self._asked_microphones
        if isinstance(asked, str):
            asked = tuple(range(1, channels + 1)) if channels > 1 else ()
        self._columns = tuple(n - 1 for n in asked) if columns is None else tuple(columns)
        if len(asked) > MAX_MICROPHONES:
            raise SettingsError(
                f"Expected at most {MAX_MICROPHONES} microphones, got {len(asked)}; name those of "
                "the kit with -c."
            )
        if missing := [n for n, at in zip(asked, self._columns, strict=True) if at >= channels]:
            raise SettingsError(
                f"Expected a microphone on channel {missing[0]}, got {channels} channels; name "
                "those there are with -c."
            )
        self.microphones = asked

    def _new_learner(self) -> Learner:
        """A learner that knows the kit, or nothing."""
        if self.kit is None:
            return Learner(self.settings)
        learner = self.kit.learner(self.settings)
        if self._sets is not None:
            learner.tell_apart_by(self._sets)
        return learner

    @property
    def first_threshold(self) -> float:
        """[any thread] The settings' threshold as the kernel has it; a negative one follows."""
        threshold = self.settings.thresholds.threshold
        return -threshold if self.settings.follows else threshold

    def _set_up(self, channels: int, channel: int) -> None:
        state, spans = self._state, self._spans
        state["samplerate"], state["hop"] = self._samplerate, spans.hop
        state["window"], state["guess"] = spans.window, spans.guess
        state["asked_threshold"], state["asked_mask"] = self.first_threshold, spans.mask
        stock = AUBIO_PRESETS.get(self.settings.method)
        state["method"] = kernel_state.DRUMS if stock is None else kernel_state.AUBIO_PRESETS
        state["echo_db"] = 0.0 if stock is None else stock.echo_db
        state["n_features"] = len(self.settings.features)
        self._plugins = []  # kept alive: the kernel has their addresses
        for place, name in enumerate(self.settings.features):
            if name in FEATURES:
                state["features"][:, place] = FEATURES.index(name)
            else:
                self._plugins.append(plugins.find(plugins.FEATURE_GROUP, name))
                state["plugins"][:, place] = self._plugins[-1].compiled.address
        kit_rate = self._samplerate if self.kit is None else self.kit.rate(self._samplerate)
        state["by_bands"] = bool({*BAND_FEATURES} & {*self.settings.features})
        if state["by_bands"][0]:
            top_hz = 0.45 * min(self._samplerate, kit_rate)
            end = min(spans.window, int(WHOLE_S * self._samplerate))
            for one in state["whole"][:, 0]:
                configure_shape(one, self._samplerate, top_hz, [0, end])
        longest = max(spans.window, spans.guess)
        self._filters = [
            configure_rate(one, self._samplerate, kit_rate, longest) for one in state["kit_rate"]
        ]
        if self._sets is not None:
            self._sets.fill(state, self._samplerate)
        state["velocity_curve"] = VELOCITY_CURVES.index(self.settings.velocity)
        levels = self.settings.velocity_levels
        if levels is not None:
            state["velocity_set"], state["velocity_top"] = 1, levels[1]
        state["velocity_range"] = LEARNED_RANGE_DB if levels is None else levels[1] - levels[0]
        state["channels"], state["channel"] = channels, channel
        state["channel"][1:], state["number"][1:] = self._columns, self.microphones
        state["synchronous"] = 1
        state["silence"] = self.settings.thresholds.silence

    def _start(self, learner: Learner) -> None:
        """Begin a stream at sample 0; classes that the learner has decide from there on.

        The settings are in force. What was asked for instead takes their place with the first
        hop, which tells it.
        """
        self._free()
        spans, rate = self._spans, self._samplerate
        for place in range(len(self._state)):
            kernel_state.clear(self._state[place : place + 1])
            record = self._state[place]["detector"][0]
            configure(record, rate, self.settings.preset, spans.buffer, spans.hop)
        self._driver = self._driver_class(self._state, self.settings, spans, rate)
        self._state["threshold"], self._state["mask"] = self.first_threshold, spans.mask
        self.learner = learner
        self._guesses: dict[int, Guess] = {}
        self._offered: set[tuple[int, int]] = set()
        self._published = 0  # sample from which the newest model decides
        self._tell_names(learner.names)
        if learner.ready:
            learner.begin()
            self._publish(learner.model(), 0)

    def _compile(self, channels: int) -> None:
        """Run every compiled function once, then begin again."""
        block = np.zeros((4 * self._spans.hop, channels), np.float32)
        self._driver.advance(block)
        finish(self._state)
        publish(self._state, np.zeros(1, kernel_state.MODEL))
        drain(self._state, self._batch)
        complete_until(self._state)
        warm_up()
        mark_compiled()
        self._start(self.learner)

    def reset(self, *, forget: bool = False) -> None:
        """[main thread] Begin a new stream at sample 0, as fresh after :meth:`prepare`.

        Parameters survive: threshold, mask, frozen learning, and the mutes and the names of the
        classes that are still there.

        Parameters
        ----------
        forget : bool
            Also forget what was learned: begin with the kit again, if there is one, or with
            nothing. Otherwise the classes are kept, and decide from sample 0.

        Raises
        ------
        RtclusterError
            While a stream runs.
        """
        self._require_prepared()
        self._require_no_stream("reset")
        before = self.learner
        if forget or not before.ready:
            learner = self._new_learner()
            self._first_names = list(learner.names)
            learner.frozen = before.frozen
            if not forget:
                learner.names[: len(before.names)] = before.names
            if forget and not learner.ready:
                self._record["click"]["muted"] = 0  # they were other classes
        else:
            learner = before
        self._start(learner)

    def changed(self) -> list[tuple[str, object]]:
        """[pump thread] Parameters that are not as the settings and the kit have them.

        Returns
        -------
        list of (str, object)
            As in a :class:`rtcluster.events.Control`: what, and its value. Threshold and mask are
            not among them: the kernel tells those, from the sample at which they hold.
        """
        names = enumerate(zip(self.learner.names, self._first_names, strict=False))
        muted = int(self._record["click"]["muted"][0])
        out: list[tuple[str, object]] = [
            ("rename", {"class": class_, "name": name})
            for class_, (name, was) in names
            if name != was
        ]
        if self.frozen != self.settings.freeze:
            out.append(("freeze", self.frozen))
        out += [
            ("mute", {"class": class_, "muted": True})
            for class_ in range(muted.bit_length())
            if muted >> class_ & 1
        ]
        return out

    def save_kit(self, path: str | os.PathLike[str]) -> Kit:
        """[main thread] Write what was learned, atomically; call it when the stream has ended.

        Returns
        -------
        Kit
            What was written. Detector settings are those of the kit that it began with.

        Raises
        ------
        RtclusterError
            If there are no classes yet, or the file cannot be written; in one line.
        """
        self._require_prepared()
        detection = None if self.kit is None else self.kit.detection
        kit = Kit.of(
            self.learner, self.settings, self._samplerate, detection, microphones=self.microphones
        )
        if self.kit is not None:
            kit = kit.measured_as(self.kit)
        kit_file.save(path, kit)
        return kit

    def rename(self, class_: int, name: str) -> None:
        """[pump thread] Name a class; events from now on carry the name.

        Raises
        ------
        RtclusterError
            If there is no such class, or the name cannot be one or is taken.
        """
        self._require_class(class_)
        names = self.learner.names
        if not is_name(name):
            raise RtclusterError(f"Expected {NAMES}, got {name[:80]!r}.")
        if name in names and names.index(name) != class_:
            raise RtclusterError(f"Expected a name that no other class has, got {name!r}.")
        self.learner.rename(class_, name)
        self._tell_names(names)

    def follow_names(self, told: Callable[[list[str]], None]) -> None:
        """Have a function told the names of the classes: now, and before a change has effect.

        It is called by the pump thread while a stream runs.

        [main thread]
        """
        self._require_prepared()
        self._tell_names = told
        told(self.learner.names)

    def mute(self, class_: int, muted: bool) -> None:
        """Let the hits of a class make no sound, or let them again; may be set while running.

        Raises
        ------
        RtclusterError
            If there is no such class.

        [pump thread]
        """
        self._require_class(class_)
        bit = np.uint64(1 << class_)
        click: Any = self._record["click"]
        click["muted"] = click["muted"] | bit if muted else click["muted"] & ~bit

    def _require_class(self, class_: int) -> None:
        self._require_begun()
        count = len(self.learner.names)
        if not 0 <= class_ < count:
            raise RtclusterError(f"Expected a class from 0 to {count - 1}, got {class_}.")

    def close(self) -> None:
        """[main thread] Free what the detector holds. The processor can be prepared again.

        Raises
        ------
        RtclusterError
            While a stream runs: its callback has the address of what would be freed.
        """
        self._require_no_stream("close")
        self._free()

    def _free(self) -> None:
        if self._driver is not None:
            self._driver.close()
            self._driver = None

    def __enter__(self) -> Processor:
        """Enter the context; leaving it closes the processor."""
        return self

    def __exit__(self, *_: object) -> None:
        """[main thread] :meth:`close`."""
        self.close()

    def __repr__(self) -> str:
        """The classes, and how far it has heard."""
        if not self._samplerate:
            return "<Processor, not prepared>"
        names, counts = ", ".join(self.learner.names), self.counts
        return f"<Processor at {self._samplerate} Hz: {names}; {counted(counts.hits, 'hit')}>"

    def __reduce_ex__(self, protocol: object) -> Never:
        """Refuse :mod:`copy` and :mod:`pickle`: two processors would free one detector."""
        raise TypeError(
            "A Processor cannot be copied or pickled: make another one, and prepare it."
        )

    def _require_no_stream(self, call: str) -> None:
        if self.running:
            raise RtclusterError(f"A stream runs on this processor; stop it before {call}().")

    def _require_prepared(self) -> None:
        if self._driver is None:
            raise RtclusterError(_PREPARE_FIRST)

    def _require_begun(self) -> None:
        """For what can be asked also of a processor that was closed."""
        if not self._samplerate:
            raise RtclusterError(_PREPARE_FIRST)

    @property
    def _now(self) -> Any:
        """The kernel's record, once there is one."""
        self._require_begun()
        return self._record

    # Offline: everything in the calling thread.

    def process(self, block: npt.ArrayLike) -> list[Event]:
        """[main thread] Hear a block.

        Parameters
        ----------
        block : array_like, shape (frames,) or (frames, channels)
            Floats with full scale 1.0, or int8, uint8, int16 or int32, which are scaled by their
            type. A hop with a NaN or an Inf is treated as silence and counted.

        Returns
        -------
        list of Event
            What became known, oldest first.

        Raises
        ------
        RtclusterError
            If the processor is not prepared, or the block has another shape or no samples.
        """
        self._require_prepared()
        audio = self._audio(block)
        events: list[Event] = []
        taken = 0
        while taken < len(audio):
            taken += self._driver.advance(audio[taken:])
            new = self.collect()
            events += new
            events += self.learn(new)
        return events

    def _audio(self, block: npt.ArrayLike) -> npt.NDArray[np.float32]:
        channels = int(self._record["channels"])
        array = as_float32(block)
        if array.ndim == 1 and channels == 1:
            array = array[:, None]
        if array.ndim != 2 or array.shape[1] != channels:
            raise RtclusterError(
                f"Expected a block of numbers of shape (frames, {channels}), "
                f"got shape {array.shape}."
            )
        return np.ascontiguousarray(array)

    def flush(self) -> list[Event]:
        """[main thread] Settle the hits that are still open: the stream has ended.

        Returns
        -------
        list of Event
            Their guesses and finals, cut at the last sample; and if the stream ended
            within the warm-up, the classes of its hits.
        """
        self._require_prepared()
        finish(self._state)
        new = self.collect()
        return [*new, *self.learn(new), *self._apply(self.learner.end(), self.clock)]

    # Live: the audio thread's part, where it is Python's, and the pump thread's.

    def advance(self, block: npt.NDArray[np.float32]) -> None:
        """[audio thread] Hear a block of shape (frames, channels).

        Other types than float32 are scaled as in :meth:`process`, which allocates.
        """
        self._require_prepared()
        self._driver.advance(self._audio(block))

    def collect(self) -> list[Event]:
        """[pump thread] Take the events that wait in the ring, oldest first."""
        self._require_prepared()
        events: list[Event] = []
        names, features = self.learner.names, len(self.settings.features)
        while count := drain(self._state, self._batch):
            events += [
                decode(row, self._samplerate, names, features)
                for row in self._batch[:count].tolist()
            ]
        return events

    def learn(self, events: list[Event]) -> list[Event]:
        """[pump thread] Learn from the finals among the events; return what that makes known."""
        self._require_prepared()
        out: list[Event] = []
        for event in events:
            if isinstance(event, Final):
                guess = self._guesses.pop(event.id, None)
                if guess is not None:  # else its event was lost to a full ring
                    out += self._apply(self.learner.learn(lesson_of(guess, event)), event.emitted)
            elif isinstance(event, Guess):
                self._guesses[event.id] = event
        return out

    def _apply(self, update: Update, emitted: int) -> list[Event]:
        if update.model is not None:
            self._publish(update.model, emitted + int(update.lead * self._samplerate))
        new = [pair for pair in update.merges if pair not in self._offered]
        self._offered.update(new)
        return [*update.relabels, *(MergeOffer(*pair) for pair in new)]

    def _publish(self, model: kernel_state.State, effective: int) -> None:
        """Queue a model for the first hop that starts at ``effective`` or later.

        Models take effect in the order they were made. Should the queue be full this one is left
        out: the next one holds all that it knew.
        """
        self._tell_names(self.learner.names)
        hop = self._spans.hop
        self._published = max(self._published, -(-effective // hop) * hop)
        model["effective"] = self._published
        publish(self._state, model)

    @property
    def record(self) -> kernel_state.State:
        """The kernel's state, for a stream's callback; its address does not change.

        [main thread]
        """
        self._require_prepared()
        return self._state

    # What can be asked and set while running.

    @property
    def driver(self) -> str:
        """[any thread] Which driver runs: ``"compiled"`` or ``"python"``."""
        return self._driver_class.name

    @property
    def samplerate(self) -> int:
        """[any thread] In Hz; 0 before :meth:`prepare`."""
        return self._samplerate

    @property
    def spans(self) -> Spans:
        """[any thread] The durations of the settings in samples."""
        self._require_prepared()
        return self._spans

    @property
    def clock(self) -> int:
        """[any thread] Samples heard so far, in whole hops."""
        return int(self._now["clock"])

    @property
    def complete_until(self) -> int:
        """[pump thread] Sample up to which :meth:`collect` finds every event from now on."""
        self._require_prepared()
        return int(complete_until(self._state))

    @property
    def threshold(self) -> float:
        """[any thread] Onset threshold; may be set while running, and holds from the next hop on.

        Our own detector's threshold follows the player unless one is set; this is then the
        preset's, of which it takes its shares.
        """
        return abs(float(self._now["asked_threshold"]))

    @threshold.setter
    def threshold(self, value: float) -> None:
        Settings(threshold=value)
        self._now["asked_threshold"] = value

    @property
    def mask(self) -> int:
        """[any thread] Shortest time between two hits in samples; may be set while running."""
        return int(self._now["asked_mask"])

    @mask.setter
    def mask(self, value: Duration | str | int) -> None:
        self._require_begun()
        self._state["asked_mask"] = Settings(mask=value).spans(self._samplerate).mask

    @property
    def frozen(self) -> bool:
        """[pump thread] Whether learning rests; may be set while running."""
        self._require_begun()
        return self.learner.frozen

    @frozen.setter
    def frozen(self, value: bool) -> None:
        self._require_begun()
        self.learner.frozen = value

    @property
    def latency(self) -> Latency:
        """[any thread] Samples from the start of a hit to its events."""
        self._require_prepared()
        spans = self._spans
        rest = spans.hop - 1
        return Latency(
            onset=self._nominal_onset(),
            guess=spans.guess + rest,
            final=spans.window + rest,
        )

    def _nominal_onset(self) -> int:
        """Samples until an attack stands under the middle of what the detector weighs most."""
        spans = self._spans
        if self.settings.method in AUBIO_PRESETS:
            return spans.buffer // 2 + 2 * spans.hop  # aubio's peak picker looks a hop ahead
        fall = 1.0 - PRESETS[self.settings.preset].peak
        return int(fall * spans.buffer) // 2 + spans.hop

    @property
    def counts(self) -> Counts:
        """[any thread] What has happened since the stream began."""
        record = self._now
        return Counts(
            samples=self.clock + int(record["filled"]),
            hits=int(record["next_id"]),
            xruns=int(record["xruns"]),
            bad_hops=int(record["bad_hops"]),
            events_dropped=int(record["events_dropped"]),
            late_models=int(record["late_models"]),
        )

    def callback_work_us(self) -> npt.NDArray[np.float64]:
        """Time that each of the latest callbacks took, in microseconds, shape (n,).

        [pump thread]
        """
        record = self._now
        kept = min(int(record["callbacks"]), len(record["work"]))
        return np.asarray(record["work"][:kept] / 1e3)

    def callback_load(self) -> dict[str, float]:
        """[pump thread] Share of the real time that the callback took, mean and 99th percentile."""
        record = self._now
        if not record["callbacks"]:
            return {}
        work = self.callback_work_us() / 1e6
        period = float(record["frames"]) / float(record["callbacks"]) / self._samplerate
        return {
            "mean": round(float(work.mean() / period), 4),
            "p99": round(float(np.percentile(work, 99) / period), 4),
        }


def lesson_of(guess: Guess, final: Final) -> Lesson:
    """What a hit teaches."""
    return Lesson(
        id=final.id,
        guess=np.array(guess.features),
        final=np.array(final.features),
        zcr=final.zcr,
        whole=not final.overlapped,
        class_=final.class_,
        parts=tuple(part.class_ for part in final.parts),
    )
