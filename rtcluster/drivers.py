"""The two ways to run the kernel: all of it compiled, or aubio through its Python binding.

Both hear the same hops and make the same events; ``tests/parity/test_drivers.py`` holds
them to it. The compiled one is the rule. The Python one exists for systems whose aubio exports no
C functions; in a live stream it needs the GIL in the callback, and says so.
"""

from __future__ import annotations

from typing import Any

import aubio
import numpy as np
import numpy.typing as npt

from rtcluster.errors import RtclusterError
from rtcluster.kernel import aubio_c
from rtcluster.kernel.entry import (
    accept,
    advance,
    begin_detection,
    begin_hop,
    end_hop,
    fill,
    hear_bands,
    window_frame,
)
from rtcluster.kernel.onset import COUNTER_RESET
from rtcluster.kernel.state import State
from rtcluster.settings import DRUMS, Settings, Spans

_LISTEN_ALONG = 4096
"""Hops that a new detector hears before it takes over: 6 s, well beyond its memory."""


class CompiledDriver:
    """The whole of a block in compiled code."""

    name = "compiled"

    def __init__(self, state: State, settings: Settings, spans: Spans, samplerate: int) -> None:
        self._state = state
        self._parts: list[aubio_c.Fft | aubio_c.StockDetector] = []
        if settings.method == DRUMS:
            self._parts.append(aubio_c.Fft(state[0]["detector"][0]))
        else:
            stock = (settings.method, spans.buffer, spans.hop, samplerate)
            self._parts.append(aubio_c.StockDetector(state, *stock))

    def advance(self, block: npt.NDArray[np.float32]) -> int:
        """Take frames of a block."""
        return advance(self._state, block)

    def close(self) -> None:
        """Free aubio's objects."""
        for part in self._parts:
            part.close()


class PythonDriver:
    """Hop by hop in Python, with what is aubio's done by its Python binding."""

    name = "python"

    def __init__(self, state: State, settings: Settings, spans: Spans, samplerate: int) -> None:
        self._state = state
        self._record: Any = state[0]
        self._detect = (
            PythonFft(state)
            if settings.method == DRUMS
            else PythonStock(state, settings.method, spans, samplerate)
        ).detect

    def advance(self, block: npt.NDArray[np.float32]) -> int:
        """Take frames of a block."""
        state = self._record
        taken = 0
        while taken < len(block):
            taken += fill(self._state, block[taken:])
            if state["filled"] < state["hop"]:
                break
            begin_hop(self._state)
            begin_detection(self._state)
            end_hop(self._state, self._detect())
            if state["synchronous"] and state["finals"]:
                break
        return taken

    def close(self) -> None:
        """Nothing to do: the binding frees its own objects."""


class PythonFft:
    """The drum detector around the FFT of aubio's Python binding."""

    def __init__(self, state: State) -> None:
        self._state = state
        record: Any = state[0]["detector"][0]
        frame = int(record["frame"])
        self._fft = aubio.fft(frame)
        self._windowed = record["windowed"][:frame]
        self._magnitude = record["magnitude"][: frame // 2 + 1]

    def detect(self) -> float:
        """Hear a hop."""
        window_frame(self._state)
        self._magnitude[:] = self._fft(self._windowed).norm
        return hear_bands(self._state)


class PythonStock:
    """A stock detector through aubio's Python binding.

    The binding cannot set aubio's 32-bit counter back, so a long stream changes detectors before
    it wraps: a new one listens along until it has heard all that it can remember.
    """

    def __init__(self, state: State, method: str, spans: Spans, samplerate: int) -> None:
        self._state = state
        self._record: Any = state[0]
        self._arguments = (method, spans.buffer, spans.hop, samplerate)
        self._onset = self._new()
        self._successor: Any = None
        self._audio = state["detector_audio"][0][: spans.hop]

    def _new(self) -> Any:
        onset = aubio.onset(*self._arguments)
        onset.set_minioi(0)
        onset.set_delay(0)
        return onset

    def detect(self) -> float:
        """Hear a hop."""
        state = self._record
        if state["aubio_frames"] >= COUNTER_RESET - _LISTEN_ALONG * state["hop"]:
            self._change_detectors()
        if state["applied_threshold"] != state["threshold"]:
            self._set("threshold")
        if state["applied_silence"] != state["silence"]:
            self._set("silence")
        state["aubio_frames"] += state["hop"]
        if self._onset(self._audio)[0] == 0.0:
            return 0.0
        return accept(self._state, max(1e-6, float(self._onset.get_thresholded_descriptor())))

    def _set(self, parameter: str) -> None:
        value = self._record[parameter]
        for onset in filter(None, (self._onset, self._successor)):
            getattr(onset, f"set_{parameter}")(float(value))
        self._record[f"applied_{parameter}"] = value

    def _change_detectors(self) -> None:
        """Let the successor hear this hop; when it has heard enough, let it take over."""
        if self._successor is None:
            self._successor = self._new()
            self._set("threshold")
            self._set("silence")
        if self._record["aubio_frames"] >= COUNTER_RESET:
            self._onset, self._successor = self._successor, None
            self._record["aubio_frames"] = _LISTEN_ALONG * self._record["hop"]
        else:
            self._successor(self._audio)


DRIVERS: dict[str, type[CompiledDriver] | type[PythonDriver]] = {
    "compiled": CompiledDriver,
    "python": PythonDriver,
}


def choose(name: str | None) -> type[CompiledDriver] | type[PythonDriver]:
    """Class of the driver to use: the one asked for, else the best there is.

    Raises
    ------
    RtclusterError
        If the compiled driver is asked for where aubio's C functions cannot be reached.
    """
    if name is None:
        return PythonDriver if aubio_c.MISSING else CompiledDriver
    if name == "compiled" and aubio_c.MISSING:
        raise RtclusterError(
            f"Expected aubio's C functions for the compiled driver: {aubio_c.MISSING}. "
            "Leave the driver unset to use aubio's Python binding."
        )
    return DRIVERS[name]
