"""The two ways to run the kernel: all of it compiled, or aubio through its Python binding.

Both hear the same hops and make the same events; ``tests/parity/test_blocks.py`` holds
them to it. The compiled one is the rule. The Python one exists for systems whose aubio exports no
C functions; in a live stream it needs the GIL in the callback, and says so.
"""

from __future__ import annotations

from typing import Any

import aubio
import numpy as np
import numpy.typing as npt

from rtcluster.errors import RtclusterError
from rtcluster.kernel import aubio_c, packed
from rtcluster.kernel.entry import (
    accept,
    begin_detection,
    entries,
    hear_bands,
    window_frame,
)
from rtcluster.kernel.separate import compiled_beside
from rtcluster.kernel.state import State
from rtcluster.presets import DRUMS
from rtcluster.settings import Settings, Spans


def detecting(state: State) -> list[State]:
    """The states that have a detector: the microphones', where a kit has several; else the one."""
    first = 1 if state["microphones"][0] else 0
    return [state[place : place + 1] for place in range(first, len(state))]


class CompiledDriver:
    """The whole of a block in compiled code."""

    name = "compiled"

    def __init__(self, state: State, settings: Settings, spans: Spans, samplerate: int) -> None:
        self._state = state
        self._entries = entries(state)
        self._parts: list[aubio_c.Fft | packed.Fft | aubio_c.StockDetector] = []
        fft = packed.Fft if aubio_c.MISSING else aubio_c.Fft
        for one in detecting(state):
            if settings.method == DRUMS:
                self._parts.append(fft(one[0]["detector"][0]))
            else:
                stock = (settings.method, spans.buffer, spans.hop, samplerate)
                self._parts.append(aubio_c.StockDetector(one, *stock))

    def bind(self) -> None:
        """Compile what hears and what judges, on two cores where it has to be."""
        with compiled_beside(self._entries.settled):
            self._entries.heard.bind()

    def advance(self, block: npt.NDArray[np.float32]) -> int:
        """Take frames of a block."""
        return self._entries.advance(self._state, block)

    def finish(self) -> None:
        """The stream has ended."""
        self._entries.finish(self._state)

    def close(self) -> None:
        """Free aubio's objects."""
        for part in self._parts:
            part.close()


class PythonDriver:
    """Hop by hop in Python, with what is aubio's done by its Python binding."""

    name = "python"

    def __init__(self, state: State, settings: Settings, spans: Spans, samplerate: int) -> None:
        self._state = state
        self._entries = entries(state)
        self._record: Any = state[0]
        self._detecting = detecting(state)
        self._detect = [
            (
                PythonFft(one)
                if settings.method == DRUMS
                else PythonStock(one, settings.method, spans, samplerate)
            ).detect
            for one in self._detecting
        ]

    def bind(self) -> None:
        """Compile what judges."""
        self._entries.settled.bind()

    def advance(self, block: npt.NDArray[np.float32]) -> int:
        """Take frames of a block."""
        state = self._record
        taken = 0
        while taken < len(block):
            taken += self._entries.fill(self._state, block[taken:])
            if state["filled"] < state["hop"]:
                break
            self._entries.begin_hop(self._state)
            for one, detect in zip(self._detecting, self._detect, strict=True):
                begin_detection(one)
                one["strength"] = detect()
            strength = float(self._detecting[0]["strength"][0])
            self._entries.end_hop(self._state, strength)
            if state["synchronous"] and state["finals"]:
                break
        return taken

    def finish(self) -> None:
        """The stream has ended."""
        self._entries.finish(self._state)

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
    """A stock detector through aubio's Python binding."""

    def __init__(self, state: State, method: str, spans: Spans, samplerate: int) -> None:
        self._state = state
        self._record: Any = state[0]
        self._onset = aubio.onset(method, spans.buffer, spans.hop, samplerate)
        self._onset.set_minioi(0)
        self._onset.set_delay(0)
        self._audio = state["detector_audio"][0][: spans.hop]

    def detect(self) -> float:
        """Hear a hop."""
        state = self._record
        for parameter in ("threshold", "silence"):
            value = state[parameter]
            if state[f"applied_{parameter}"] != value:
                getattr(self._onset, f"set_{parameter}")(float(value))
                state[f"applied_{parameter}"] = value
        if self._onset(self._audio)[0] == 0.0:
            return 0.0
        return accept(self._state, max(1e-6, float(self._onset.get_thresholded_descriptor())))


DRIVERS: dict[str, type[CompiledDriver] | type[PythonDriver]] = {
    "compiled": CompiledDriver,
    "python": PythonDriver,
}


if aubio_c.MISSING:
    packed.stand_in()


def choose(name: str | None, method: str) -> type[CompiledDriver] | type[PythonDriver]:
    """Class of the driver to use for a method: the one asked for, else the best there is.

    Raises
    ------
    RtclusterError
        If the compiled driver is asked for a stock method where aubio's C functions cannot be
        reached.
    """
    possible = method == DRUMS or not aubio_c.MISSING
    if name is None:
        return CompiledDriver if possible else PythonDriver
    if name == "compiled" and not possible:
        raise RtclusterError(
            f"Expected aubio's C functions for {method} and the compiled driver: "
            f"{aubio_c.MISSING}. Leave the driver unset to use aubio's Python binding."
        )
    return DRIVERS[name]
