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
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Never

import numpy as np
import numpy.typing as npt

from rtcluster.durations import Duration
from rtcluster.engine import figures, setup
from rtcluster.engine.drivers import choose
from rtcluster.engine.figures import Counts, Latency
from rtcluster.engine.samples import as_float32
from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.events import EVENT, Event, MergeOffer, decode
from rtcluster.kernel import state as kernel_state
from rtcluster.kernel.detector import configure
from rtcluster.kernel.entry import complete_until, drain, publish
from rtcluster.kernel.jit import FUNCTIONS, mark_compiled, watched
from rtcluster.learning import kit_file
from rtcluster.learning.kit import Kit
from rtcluster.learning.kit_edit import of_session
from rtcluster.learning.kit_schema import NAMES, is_name
from rtcluster.learning.learner import Learner, Update, warm_up
from rtcluster.learning.lesson import Lesson, Pairs
from rtcluster.settings import RATES, Settings, Spans
from rtcluster.text import counted

_BATCH = 256  # events drained at a time

_PREPARE_FIRST = "Expected prepare(samplerate, blocksize) before this call."


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
        self._asked_microphones = setup.microphones_of(self.kit, microphones)
        self.microphones: tuple[int, ...] = ()
        given = settings or Settings()
        self.settings = given if self.kit is None else self.kit.settings(given, explicit)
        self._driver_class = choose(driver, self.settings.method)
        self._driver: Any = None
        self._samplerate = 0
        self.running = False
        self._tell_names: Callable[[list[str]], None] = lambda _: None

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
        self.microphones, places = setup.place(self._asked_microphones, channels, columns)
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
        kit_rate = samplerate if self.kit is None else self.kit.rate(samplerate)
        self._alive = setup.configure(self._state, self.settings, spans, samplerate, kit_rate)
        if self._sets is not None:
            self._sets.fill(self._state, samplerate)
        self._state["channels"] = channels
        self._state["channel"] = -1 if channel is None else channel
        self._state["channel"][1:], self._state["number"][1:] = places, self.microphones
        learner = self._new_learner()
        self._first_names = list(learner.names)
        self._start(learner)
        self._compile(channels)

    def _new_learner(self) -> Learner:
        """A learner that knows the kit, or nothing."""
        if self.kit is None:
            return Learner(self.settings)
        learner = self.kit.learner(self.settings)
        if self._sets is not None:
            learner.tell_apart_by(self._sets)
        return learner

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
        self._state["threshold"] = setup.first_threshold(self.settings)
        self._state["mask"] = spans.mask
        self.learner = learner
        self._pairs = Pairs()
        self._offered: set[tuple[int, int]] = set()
        self._published = 0  # sample from which the newest model decides
        self._tell_names(learner.names)
        if learner.ready:
            learner.begin()
            self._publish(learner.model(), 0)

    def _compile(self, channels: int) -> None:
        """Run every compiled function once, then begin again."""
        block = np.zeros((4 * self._spans.hop, channels), np.float32)
        fixed = block.copy()
        fixed.flags.writeable = False  # to Numba another type: that of np.frombuffer, say
        several = bool(self.microphones)
        with watched(FUNCTIONS[several]):
            self._driver.bind()
            self._driver.advance(block)
            self._driver.advance(fixed)
            self._driver.finish()
            publish(self._state, np.zeros(1, kernel_state.MODEL))
            drain(self._state, self._batch)
            complete_until(self._state)
            warm_up()
        if not several:
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
        kit = self.present_kit()
        kit_file.save(path, kit)
        return kit

    def present_kit(self) -> Kit:
        """[pump thread] What was learned so far, as a kit; classes that were merged are one.

        Raises
        ------
        RtclusterError
            If there are no classes yet.
        """
        self._require_prepared()
        if self.settings.together:
            raise RtclusterError(
                "Expected a kit that was taught on several channels to save one, got channels that "
                "are heard together; teach them."
            )
        return of_session(self.learner, self.settings, self._samplerate, self.kit, self.microphones)

    def rename(self, class_: int, name: str) -> None:
        """[pump thread] Name a class, and those merged with it; events from now on carry the name.

        Raises
        ------
        RtclusterError
            If there is no such class, or the name cannot be one or is taken.
        """
        self._require_class(class_)
        names = self.learner.names
        if name in names and name != names[class_]:
            raise RtclusterError(f"Expected a name that no other class has, got {name!r}.")
        self.name_as(dict.fromkeys(self.merged_with(class_), name))

    def merge(self, class_: int, into: int) -> None:
        """[pump thread] Give a class, and those merged with it, the name of another one.

        From then on they count as one drum wherever drums go by their names, and they are one class
        of a kit that is saved. The learner goes on with both, so no hit is judged otherwise.

        Raises
        ------
        RtclusterError
            If there is no such class, or the two are one already.
        """
        self._require_class(class_)
        self._require_class(into)
        name = self.learner.names[into]
        if self.learner.names[class_] == name:
            raise RtclusterError(f"Expected two classes to merge, got {name!r} twice.")
        self.name_as(dict.fromkeys(self.merged_with(class_), name))

    def merged_with(self, class_: int) -> list[int]:
        """[pump thread] The classes that have the name of this one, itself included."""
        self._require_class(class_)
        names = self.learner.names
        return [other for other, name in enumerate(names) if name == names[class_]]

    def name_as(self, names: Mapping[int, str]) -> None:
        """[pump thread] Give classes names that some of them had, or a recording has."""
        for class_, name in names.items():
            self._require_class(class_)
            if not is_name(name):
                raise RtclusterError(f"Expected {NAMES}, got {name[:80]!r}.")
            self.learner.rename(class_, name)
        self._tell_names(self.learner.names)

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
        self._driver.finish()
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
        names, features = self.learner.names, tuple(self.settings.features)
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
        for guess, final in self._pairs.of(events):
            out += self._apply(self.learner.learn(Lesson.of(guess, final)), final.emitted)
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
        """[any thread] Shortest time between two hits in samples; may be set while running.

        A number is samples, as the one that is read; a text says its unit.
        """
        return int(self._now["asked_mask"])

    @mask.setter
    def mask(self, value: Duration | str | int) -> None:
        self._require_begun()
        given = value if isinstance(value, Duration | str) else f"{value}samples"
        self._state["asked_mask"] = Settings(mask=given).spans(self._samplerate).mask

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
        return Latency.of(self.settings, self._spans)

    @property
    def counts(self) -> Counts:
        """[any thread] What has happened since the stream began."""
        return Counts.of(self._now)

    def callback_work_us(self) -> npt.NDArray[np.float64]:
        """Time that each of the latest callbacks took, in microseconds, shape (n,).

        [pump thread]
        """
        return figures.callback_work_us(self._now)

    def callback_load(self) -> dict[str, float]:
        """[pump thread] Share of the real time that the callback took, mean and 99th percentile."""
        return figures.callback_load(self._now, self._samplerate)
