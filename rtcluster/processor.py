"""The engine as a plug-in: prepare, process, flush, reset.

A processor owns the kernel's state, the detector and the learner. Offline,
:meth:`Processor.process` does everything in the calling thread. Live, the audio thread advances
the state, and the pump thread alone calls :meth:`Processor.collect` and :meth:`Processor.learn`.
Both give the same events, because a model takes effect at a set sample.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster import plugins
from rtcluster.drivers import choose
from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.events import EVENT, Event, Final, Guess, MergeOffer, decode
from rtcluster.kernel import state as kernel_state
from rtcluster.kernel.detector import configure
from rtcluster.kernel.entry import drain, finish, publish, settled
from rtcluster.kernel.jit import mark_compiled
from rtcluster.learning import kit_file
from rtcluster.learning.kit import Kit
from rtcluster.learning.kit_format import NAMES, is_name
from rtcluster.learning.learner import Learner, Lesson, Update, warm_up
from rtcluster.settings import FEATURES, PRESETS, STOCK, VELOCITY_CURVES, Duration, Settings, Spans

VELOCITY_RANGE_DB = 40.0
"""From the softest to the loudest hit of a take, where it is not set."""

RATES = (8000, 192000)
"""Lowest and highest sample rate, in Hz."""

_BATCH = 256  # events drained at a time


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

    Raises
    ------
    SettingsError
        If the kit has other features, scaling or another number of classes than was asked for.
    RtclusterError
        If the kit cannot be read.

    Examples
    --------
    >>> import numpy as np
    >>> processor = Processor(Settings(classes=2))
    >>> processor.prepare(samplerate=44100, blocksize=64)
    >>> processor.process(np.zeros(441, dtype=np.float32))
    []
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        driver: str | None = None,
        kit: Kit | str | os.PathLike[str] | None = None,
        explicit: Collection[str] = (),
    ) -> None:
        self.kit = kit if kit is None or isinstance(kit, Kit) else kit_file.load(kit)
        given = settings or Settings()
        self.settings = given if self.kit is None else self.kit.settings(given, explicit)
        self._driver_class = choose(driver)
        self._driver: Any = None
        self._samplerate = 0
        self._tell_names: Callable[[list[str]], None] = lambda _: None

    # Setting up.

    def prepare(
        self,
        samplerate: int,
        blocksize: int | None = None,
        *,
        channels: int = 1,
        channel: int | None = None,
        state: kernel_state.State | None = None,
    ) -> None:
        """Allocate and compile; afterwards nothing is allocated on the audio thread.

        Parameters
        ----------
        samplerate : int
            Hz, 8000 to 192000.
        blocksize : int, optional
            Frames that usually come at a time. Any other number may come: it changes no result.
        channels : int
            Channels of the blocks.
        channel : int, optional
            The channel to listen to, from 0; by default their mean.
        state : array, optional
            A new state of :func:`rtcluster.kernel.state.create` to use, shape (1,), where it has
            to lie beside others; by default one of its own.

        Raises
        ------
        SettingsError
            If the rate or the channel is out of range, or a window does not fit the rate.
        RtclusterError
            If the kit is for another rate, window or guess.
        """
        if not RATES[0] <= samplerate <= RATES[1]:
            raise SettingsError(
                f"Expected a sample rate of {RATES[0]} to {RATES[1]} Hz, got {samplerate}."
            )
        if channel is not None and not 0 <= channel < channels:
            raise SettingsError(f"Expected a channel from 0 to {channels - 1}, got {channel}.")
        spans = self.settings.spans(samplerate)
        if self.kit is not None:
            self.kit.require(samplerate, spans)
        self.close()
        self._spans = spans
        self._samplerate = samplerate
        self._state = kernel_state.create() if state is None else state
        self._record: Any = self._state[0]
        self._batch = np.zeros(_BATCH, EVENT)
        self._set_up(channels, -1 if channel is None else channel)
        self._start(self._new_learner())
        self._compile(channels)

    def _new_learner(self) -> Learner:
        """A learner that knows the kit, or nothing."""
        return Learner(self.settings) if self.kit is None else self.kit.learner(self.settings)

    def _set_up(self, channels: int, channel: int) -> None:
        state, spans = self._state, self._spans
        state["samplerate"], state["hop"] = self._samplerate, spans.hop
        state["window"], state["guess"] = spans.window, spans.guess
        state["mask"] = state["asked_mask"] = spans.mask
        stock = STOCK.get(self.settings.method)
        state["method"] = kernel_state.DRUMS if stock is None else kernel_state.STOCK
        state["echo_db"] = 0.0 if stock is None else stock.echo_db
        state["n_features"] = len(self.settings.features)
        self._foreign = []  # kept alive: the kernel has their addresses
        for place, name in enumerate(self.settings.features):
            if name in FEATURES:
                state["features"][0, place] = FEATURES.index(name)
            else:
                self._foreign.append(plugins.find(plugins.FEATURE_GROUP, name))
                state["foreign"][0, place] = self._foreign[-1].compiled.address
        state["velocity_curve"] = VELOCITY_CURVES.index(self.settings.velocity)
        levels = self.settings.velocity_levels
        if levels is not None:
            state["velocity_set"], state["velocity_top"] = 1, levels[1]
        state["velocity_range"] = VELOCITY_RANGE_DB if levels is None else levels[1] - levels[0]
        state["channels"], state["channel"] = channels, channel
        state["synchronous"] = 1
        state["silence"] = self.settings.firing.silence

    def _start(self, learner: Learner) -> None:
        """Begin a stream at sample 0; classes that the learner has decide from there on."""
        self.close()
        kernel_state.clear(self._state)
        spans, rate = self._spans, self._samplerate
        configure(self._record["detector"][0], rate, self.settings.preset, spans.buffer, spans.hop)
        self._driver = self._driver_class(self._state, self.settings, spans, rate)
        self.threshold = self.settings.firing.threshold
        self._state["threshold"] = self._state["asked_threshold"]
        self._state["mask"] = self._state["asked_mask"] = spans.mask
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
        settled(self._state)
        warm_up()
        mark_compiled()
        self._start(self.learner)

    def reset(self, *, forget: bool = False) -> None:
        """Begin a new stream at sample 0, as fresh after :meth:`prepare`.

        Parameters
        ----------
        forget : bool
            Also forget what was learned: begin with the kit again, if there is one, or with
            nothing. Otherwise the classes are kept, and decide from sample 0.
        """
        self._require_prepared()
        keep = self.learner.ready and not forget
        if not keep:
            self._record["click"]["muted"] = 0  # they were other classes
        self._start(self.learner if keep else self._new_learner())

    def save_kit(self, path: str | os.PathLike[str]) -> Kit:
        """Write what was learned, atomically; call it when the stream has ended.

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
        kit = Kit.of(self.learner, self.settings, self._samplerate, detection)
        kit_file.save(path, kit)
        return kit

    def rename(self, class_: int, name: str) -> None:
        """Name a class; events from now on carry the name. The pump thread's.

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
        """
        self._require_class(class_)
        bit = np.uint64(1 << class_)
        click: Any = self._record["click"]
        click["muted"] = click["muted"] | bit if muted else click["muted"] & ~bit

    def _require_class(self, class_: int) -> None:
        count = len(self.learner.names)
        if not 0 <= class_ < count:
            raise RtclusterError(f"Expected a class from 0 to {count - 1}, got {class_}.")

    def close(self) -> None:
        """Free what the detector holds. The processor can be prepared again."""
        if self._driver is not None:
            self._driver.close()
            self._driver = None

    def _require_prepared(self) -> None:
        if self._driver is None:
            raise RtclusterError("Expected prepare(samplerate, blocksize) before this call.")

    # Offline: everything in the calling thread.

    def process(self, block: npt.ArrayLike) -> list[Event]:
        """Hear a block.

        Parameters
        ----------
        block : array_like of float, shape (frames,) or (frames, channels)
            Full scale is 1.0. A hop with a NaN or an Inf is treated as silence and counted.

        Returns
        -------
        list of Event
            What became known, oldest first.

        Raises
        ------
        RtclusterError
            If the processor is not prepared, or the block has another shape or no numbers.
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
        try:
            array = np.asarray(block)
        except (ValueError, TypeError, OverflowError):  # lists of several lengths, and worse
            array = np.empty((), object)
        if array.ndim == 1 and channels == 1:
            array = array[:, None]
        if array.ndim != 2 or array.shape[1] != channels or array.dtype.kind not in "fiu":
            raise RtclusterError(
                f"Expected a block of numbers of shape (frames, {channels}), "
                f"got {array.dtype} of shape {array.shape}."
            )
        # Too large for float32 becomes Inf, which is handled, as is a NaN of any kind.
        with np.errstate(over="ignore", invalid="ignore"):
            return np.ascontiguousarray(array, dtype=np.float32)

    def flush(self) -> list[Event]:
        """Settle the hits that are still open: the stream has ended.

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
        """Hear a block of shape (frames, channels), float32, C order; the audio thread's part."""
        self._driver.advance(block)

    def collect(self) -> list[Event]:
        """Take the events that wait in the ring, oldest first."""
        events: list[Event] = []
        names, features = self.learner.names, len(self.settings.features)
        while count := drain(self._state, self._batch):
            events += [
                decode(row, self._samplerate, names, features)
                for row in self._batch[:count].tolist()
            ]
        return events

    def learn(self, events: list[Event]) -> list[Event]:
        """Learn from the finals among the events; return what that makes known."""
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
        """The kernel's state, for a stream's callback; its address does not change."""
        self._require_prepared()
        return self._state

    # What can be asked and set while running.

    @property
    def driver(self) -> str:
        """Which driver runs: ``"compiled"`` or ``"python"``."""
        return self._driver_class.name

    @property
    def samplerate(self) -> int:
        """In Hz; 0 before :meth:`prepare`."""
        return self._samplerate

    @property
    def spans(self) -> Spans:
        """The durations of the settings in samples."""
        self._require_prepared()
        return self._spans

    @property
    def clock(self) -> int:
        """Samples heard so far, in whole hops."""
        return int(self._record["clock"])

    @property
    def settled(self) -> int:
        """Sample up to which :meth:`collect` finds every event from now on; the pump thread's."""
        return int(settled(self._state))

    @property
    def threshold(self) -> float:
        """Onset threshold; may be set while running, and holds from the next hop on."""
        return float(self._record["asked_threshold"])

    @threshold.setter
    def threshold(self, value: float) -> None:
        Settings(threshold=value)
        self._state["asked_threshold"] = value

    @property
    def mask(self) -> int:
        """Shortest time between two hits in samples; may be set while running."""
        return int(self._record["asked_mask"])

    @mask.setter
    def mask(self, value: Duration | str | int) -> None:
        self._state["asked_mask"] = Settings(mask=value).spans(self._samplerate).mask

    @property
    def frozen(self) -> bool:
        """Whether learning rests; may be set while running."""
        return self.learner.frozen

    @frozen.setter
    def frozen(self, value: bool) -> None:
        self.learner.frozen = value

    @property
    def latency(self) -> Latency:
        """Samples from the start of a hit to its events."""
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
        if self.settings.method in STOCK:
            return spans.buffer // 2 + 2 * spans.hop  # aubio's peak picker looks a hop ahead
        fall = 1.0 - PRESETS[self.settings.preset].peak
        return int(fall * spans.buffer) // 2 + spans.hop

    @property
    def counts(self) -> Counts:
        """What has happened since the stream began."""
        record = self._record
        return Counts(
            samples=self.clock + int(record["filled"]),
            hits=int(record["next_id"]),
            xruns=int(record["xruns"]),
            bad_hops=int(record["bad_hops"]),
            events_dropped=int(record["events_dropped"]),
            late_models=int(record["late_models"]),
        )

    def callback_work_us(self) -> npt.NDArray[np.float64]:
        """Time that each of the latest callbacks took, in microseconds, shape (n,)."""
        record = self._record
        kept = min(int(record["callbacks"]), len(record["work"]))
        return np.asarray(record["work"][:kept] / 1e3)

    def callback_load(self) -> dict[str, float]:
        """Share of the real time that the callback took, mean and 99th percentile."""
        record = self._record
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
    )
