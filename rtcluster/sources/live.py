"""Live input: a PortAudio stream whose callback is the compiled kernel.

The callback gets the address of the processor's state, or of the first where every channel has
one, and runs on PortAudio's own thread, without Python. Where aubio's C functions cannot be
reached, the Python driver runs in a Python callback instead, which needs the GIL and can therefore
be late.
"""

from __future__ import annotations

import threading
import time
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from rtcluster.engine.channels import Channels, Engine
from rtcluster.engine.processor import Processor
from rtcluster.errors import SettingsError, SourceError
from rtcluster.events import XRUN_KINDS
from rtcluster.kernel.entry import hears_several, mix
from rtcluster.kernel.ring import push_xrun
from rtcluster.sources.devices import Device, devices, find_input, find_output
from rtcluster.sources.portaudio import JACK, begin_anew, let_go, portaudio
from rtcluster.sources.probe import look

OUTPUTS = 2
"""Channels that are played into, where a device has as many."""

_RUNNING: set[LiveInput] = set()
"""Inputs whose streams run: they have the states that PortAudio has the addresses of."""

STOP_S = 3.0
"""For a stream to stop, in seconds; it usually takes a block."""


class Player(Protocol):
    """What has a stream's output: it is asked once the processor is prepared."""

    def prepare(self, processor: Processor, outputs: int) -> None:
        """Set up the kernel for an output of so many channels."""


class LiveInput:
    """A running input stream into a processor; a context manager.

    Between :meth:`start` and :meth:`stop` the audio thread owns the processor's state: only
    ``collect`` and ``learn`` may be called, from one thread. The processor refuses to be prepared,
    reset or closed.

    Parameters
    ----------
    engine : Processor or Channels
        Prepared by this object, for the device's rate. Channels listen to all of its inputs.
    device : str, optional
        Number or part of the name.
    channel : int
        The one a processor listens to, from 0.
    samplerate : int, optional
        Hz; the device's own by default.
    blocksize : int
        Frames; 0 lets the sound system choose.
    player : Player, optional
        What has the output, ``rtcluster.playback.clicks.Clicks`` say; the stream then has one. It
        needs a processor.
    output : str, optional
        Device to play on, by number or part of the name; by default the input's own.

    Attributes
    ----------
    inputs : int
        Channels of the device that are open, the first ones.

    Raises
    ------
    SourceError
        If there is no such device, or it refuses the rate or the channel.
    """

    def __init__(
        self,
        engine: Engine,
        device: str | None = None,
        channel: int = 0,
        samplerate: int | None = None,
        blocksize: int = 0,
        player: Player | None = None,
        output: str | None = None,
    ) -> None:
        sd = portaudio()
        self.device = find_input(device)
        self.name = f"{self.device.name} ({self.device.api})"
        if channel >= self.device.inputs:
            raise SourceError(
                f"Expected a channel from 1 to {self.device.inputs} on {self.device.name!r}, "
                f"got {channel + 1}."
            )
        target = None if player is None else find_output(output, self.device)
        rate = samplerate or self.device.samplerate
        if isinstance(engine, Channels):
            self.inputs = self.device.inputs
            engine.prepare(rate, blocksize or None, channels=self.inputs)
        elif engine.several:
            self.inputs = engine.inputs_of(self.device.inputs)
            if self.inputs > self.device.inputs:
                raise SourceError(
                    f"Expected microphones up to channel {self.device.inputs} on "
                    f"{self.device.name!r}, got {self.inputs}; name them with -c."
                )
            engine.prepare(rate, blocksize or None, channels=self.inputs)
        else:
            self.inputs = channel + 1
            engine.prepare(rate, blocksize or None, channels=self.inputs, channel=channel)
        engine.record["synchronous"] = 0
        outputs = 0 if target is None else min(OUTPUTS, target.outputs)
        if player is not None:
            if isinstance(engine, Channels):
                raise SettingsError("Expected one channel with a sound on each hit, got all.")
            player.prepare(engine, outputs)
        self._player = player  # the kernel plays its memory
        self._outputs = outputs
        self._target = target
        self._engine = engine
        self._portaudio_error = sd.PortAudioError
        self._options: dict[str, Any] = {
            "samplerate": rate,
            "blocksize": blocksize,
            "channels": (self.inputs, outputs) if target else self.inputs,
            "dtype": "float32",
            "latency": "low",
        }
        self._running = False
        self._stream: Any = self._open(sd)

    def _open(self, sd: Any) -> Any:
        """A stream of the device, not yet started."""
        target = self._target
        number = self.device.number
        options = {**self._options, "device": (number, target.number) if target else number}
        try:
            if self._engine.driver == "compiled":
                return self._compiled_stream(sd, options)
            return self._python_stream(sd, options)
        except sd.PortAudioError as error:
            rate = self._options["samplerate"]
            if self.device.api == JACK and rate != self.device.samplerate:
                raise SourceError(
                    f"Cannot open {self.device.name!r} at {rate} Hz: it runs at "
                    f"{self.device.samplerate} Hz; leave -r out. A kit names drums at any rate."
                ) from error
            raise SourceError(
                f"Expected {self.device.name!r} to open at {options['samplerate']} Hz, block size "
                f"{options['blocksize'] or 'its own'}, got: {_words(error)}. Its own rate is "
                f"{self.device.samplerate} Hz."
            ) from error

    def _compiled_stream(self, sd: Any, options: dict[str, Any]) -> Any:
        from rtcluster.kernel.callback import callback

        record = self._engine.record
        compiled = callback(hears_several(record))
        stream = sd._StreamBase(
            "duplex" if self._outputs else "input",
            callback=sd._ffi.cast("PaStreamCallback *", compiled.address),
            userdata=sd._ffi.cast("void *", record.ctypes.data),
            **options,
        )
        # The kernel goes by addresses. A stream whose server stands still is let go of, not ended.
        stream.keep_alive = (record, self._engine, self._player)
        return stream

    def _python_stream(self, sd: Any, options: dict[str, Any]) -> Any:
        if not self._outputs:
            return sd.InputStream(callback=self._python_callback, **options)
        mix(self._engine.record, 0, 0)  # compiled now
        return sd.Stream(callback=self._python_duplex, **options)

    def _python_duplex(
        self,
        block: npt.NDArray[np.float32],
        out: npt.NDArray[np.float32],
        frames: int,
        times: Any,
        status: Any,
    ) -> None:
        self._python_callback(block, frames, times, status)
        mix(self._engine.record, out.ctypes.data, frames)

    def _python_callback(self, block: npt.NDArray[np.float32], _n: int, _t: Any, s: Any) -> None:
        states: Any = self._engine.record
        record = states[0]
        began = time.monotonic_ns()
        states["stamp"] = began
        if lost := next((flag for flag, kind in XRUN_KINDS.items() if getattr(s, kind)), 0):
            record["xruns"] += 1
            push_xrun(record, int(record["clock"] + record["filled"]), lost)
        self._engine.advance(np.ascontiguousarray(block))
        slot = int(record["callbacks"]) % len(record["work"])
        record["began"][slot] = began
        record["work"][slot] = time.monotonic_ns() - began
        record["callbacks"] += 1
        record["frames"] += len(block)

    @property
    def blocksize(self) -> int:
        """[any thread] Frames of a block as asked for; 0 if that is left to the sound system."""
        return int(self._stream.blocksize)

    @property
    def output_name(self) -> str:
        """[any thread] The device that is played on; empty without one."""
        return "" if self._target is None else self._target.name

    @property
    def latency(self) -> float:
        """[any thread] What PortAudio says the input adds, in seconds."""
        claimed = self._stream.latency
        return float(claimed[0] if self._outputs else claimed)

    @property
    def output_latency(self) -> float:
        """[any thread] What PortAudio says the output adds, in seconds; 0 without one."""
        return float(self._stream.latency[1]) if self._outputs else 0.0

    @property
    def active(self) -> bool:
        """[any thread] Whether the stream still runs."""
        try:
            return self._stream is not None and bool(self._stream.active)
        except self._portaudio_error:
            return False

    def start(self) -> None:
        """[main thread] Let the audio come; a device that was lost meanwhile is not active then.

        Raises
        ------
        SourceError
            If PortAudio cannot start the stream.
        """
        if self._stream is None:
            return
        self._hold(True)
        try:
            self._stream.start()
        except self._portaudio_error as error:
            self._hold(False)
            raise SourceError(
                f"Expected {self.device.name!r} to start, got: {_words(error)}."
            ) from error
        self._running = True

    def stop(self) -> None:
        """Stop; when this returns the audio thread no longer runs. It can be started again.

        [main thread]
        """
        if self._running and self._stream is not None:
            gone = self.device.api == JACK and not self.active
            if gone or not self._abort():
                let_go(self._stream)
                self._stream = None
        self._running = False
        self._hold(False)

    def _hold(self, runs: bool) -> None:
        """While PortAudio has the address of the state, nothing of it may go, whoever lets go."""
        self._engine.running = runs
        (_RUNNING.add if runs else _RUNNING.discard)(self)

    def _abort(self) -> bool:
        """Abort the stream; False if the sound server stands still.

        PortAudio then waits ten minutes for it (``WaitCondition`` in its ``pa_jack.c``). Should it
        go on after all, it finds the stream aborted, and calls nothing back.
        """
        aborting = threading.Thread(
            target=self._stream.abort, args=(True,), name="rtcluster-abort", daemon=True
        )
        aborting.start()
        aborting.join(STOP_S)
        return not aborting.is_alive()

    def reopen(self) -> bool:
        """[main thread] Take up a device that was lost: the same stream again, into the same state.

        The processor's clock goes on where the audio broke off, and so do its hits and classes.

        Returns
        -------
        bool
            False if the device is not back yet.

        Raises
        ------
        SourceError
            If it is back and cannot be used: another rate, fewer inputs.
        """
        self.stop()
        self.close()
        seen = [one for one in look() if self._is_same(one)]
        if not seen:
            return False
        self._require_as_before(seen[0])
        try:
            sd = begin_anew()
            found = [one for one in devices() if self._is_same(one)]
            if found:
                self.device = found[0]
                if self._target is not None:
                    self._target = find_output(self._target.name, self.device)
                self._stream = self._open(sd)
                self.start()
        except (self._portaudio_error, OSError) as error:
            self._give_up()
            raise SourceError(
                f"Expected PortAudio to look for {self.device.name!r} again, got: {_words(error)}."
            ) from error
        except SourceError:
            self._give_up()
            raise
        if not found:
            self._give_up()
        return bool(found)

    def _require_as_before(self, device: Device) -> None:
        """Refuse what a JACK server cannot give, which has one rate for all."""
        rate = self._options["samplerate"]
        if device.api == JACK and device.samplerate != rate:
            raise SourceError(
                f"Expected {device.name!r} to be back at {rate} Hz, got {device.samplerate} Hz."
            )

    def _give_up(self) -> None:
        """Leave a device as it is that could not be used."""
        if self.device.api == JACK:
            let_go(self._stream)
            self._stream = None
        self.close()

    def _is_same(self, other: Device) -> bool:
        """Whether it may be the device that was lost; its number can be another one now."""
        mine = self.device
        return bool(other.inputs) and (other.name, other.api) == (mine.name, mine.api)

    def close(self) -> None:
        """[main thread] Free the device; the stream was stopped before."""
        if self._stream is not None:
            self._stream.close(ignore_errors=True)
        self._stream = None

    def __enter__(self) -> LiveInput:
        """[main thread] Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """[main thread] Stop."""
        self.stop()


def _words(error: Exception) -> str:
    """PortAudio's own words, on one line."""
    return " ".join(str(part) for part in error.args).replace("\n", " ").rstrip(". ")
