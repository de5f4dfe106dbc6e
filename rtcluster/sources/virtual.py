"""A sound card that is not there: audio played into the live path in real time.

What runs is what runs under PortAudio, but for the thread that keeps the time: it is compiled
too (:mod:`rtcluster.kernel.virtual`) and holds no GIL. With the Python driver it is a thread in
Python.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.engine.processor import Processor
from rtcluster.errors import SourceError
from rtcluster.kernel.entry import hears_several
from rtcluster.timing import joined

STOP_S = 3.0
"""For the thread to stop, in seconds; it usually takes a block."""


class VirtualInput:
    """Audio played in real time into a processor, as from a sound card; a context manager.

    Parameters
    ----------
    processor : Processor
        Prepared by this object.
    audio : ndarray of float32, shape (frames,) or (frames, channels)
    samplerate : int
        Hz.
    blocksize : int
        Frames.
    name : str
        What the session calls it.
    """

    def __init__(
        self,
        processor: Processor,
        audio: npt.NDArray[np.float32],
        samplerate: int,
        blocksize: int = 64,
        name: str = "virtual sound card",
    ) -> None:
        self.name = name
        self.blocksize = blocksize
        self.latency = 0.0
        self._audio = np.ascontiguousarray(audio, np.float32).reshape(len(audio), -1)
        processor.prepare(samplerate, blocksize, channels=self._audio.shape[1])
        record = processor.record
        record["synchronous"] = 0
        self._processor = processor
        self._record: Any = record
        self._target = self._compiled() if processor.driver == "compiled" else self._play
        self._thread = self._new_thread()

    def _new_thread(self) -> threading.Thread:
        return threading.Thread(target=self._target, name="rtcluster-virtual-card", daemon=True)

    def _compiled(self) -> Callable[[], None]:
        from rtcluster.kernel import virtual
        from rtcluster.kernel.callback import callback

        address = callback(hears_several(self._record)).address
        # Compiled now, on silence of no length, so that the clock does not wait for it.
        virtual.play(self._record, self._audio[:0], self.blocksize, address)
        return lambda: virtual.play(self._record, self._audio, self.blocksize, address)

    def _play(self) -> None:
        began = time.monotonic()
        for at in range(0, len(self._audio), self.blocksize):
            block = self._audio[at : at + self.blocksize]
            due = began + (at + len(block)) / self._processor.samplerate
            time.sleep(max(0.0, due - time.monotonic()))
            if self._record["stop"][0]:
                return
            self._record["stamp"] = time.monotonic_ns()
            self._processor.advance(block)

    @property
    def active(self) -> bool:
        """Whether there is audio left."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to play, from the first sample."""
        self._record["stop"] = 0
        self._thread = self._new_thread()
        self._processor.running = True
        self._thread.start()

    def stop(self) -> None:
        """Stop playing; when this returns the audio thread no longer runs."""
        self._record["stop"] = 1
        if self._thread.ident is not None and not joined(
            self._thread, STOP_S, lambda: int(self._record["clock"][0])
        ):
            raise SourceError(f"Expected {self.name} to stop within {STOP_S:g} s, got no end.")
        self._processor.running = False

    def __enter__(self) -> VirtualInput:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()
