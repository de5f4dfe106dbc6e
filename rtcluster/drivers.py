"""The two ways to run the kernel: all of it compiled, or aubio through its Python binding.

Both hear the same hops and make the same events; ``tests/parity/test_drivers.py`` holds
them to it. The compiled one is the rule. The Python one exists for systems whose aubio exports no
C functions; in a live stream it needs the GIL in the callback, and says so.
"""

from __future__ import annotations

from typing import Any, Protocol

import aubio
import numpy as np
import numpy.typing as npt

from rtcluster.errors import RtclusterError
from rtcluster.kernel import aubio_c
from rtcluster.kernel.advance import advance, begin_hop, end_hop, fill
from rtcluster.kernel.onset import COUNTER_RESET
from rtcluster.kernel.state import State
from rtcluster.settings import Spans


class Driver(Protocol):
    """Runs the kernel over blocks."""

    name: str
    default_threshold: float

    def advance(self, block: npt.NDArray[np.float32]) -> int:
        """Take frames of a block, as :func:`rtcluster.kernel.advance.advance`."""
        ...

    def close(self) -> None:
        """Free what the detector holds."""
        ...


class CompiledDriver:
    """The whole of a block in compiled code."""

    name = "compiled"

    def __init__(self, state: State, method: str, spans: Spans, samplerate: int) -> None:
        self._record: Any = state[0]
        self._detector = aubio_c.OnsetDetector(state, method, spans.buffer, spans.hop, samplerate)
        self.default_threshold = self._detector.default_threshold

    def advance(self, block: npt.NDArray[np.float32]) -> int:
        """Take frames of a block."""
        return advance(self._record, block)

    def close(self) -> None:
        """Free aubio's object."""
        self._detector.close()


class PythonDriver:
    """Hop by hop in Python, with aubio's Python binding as the detector."""

    name = "python"

    def __init__(self, state: State, method: str, spans: Spans, samplerate: int) -> None:
        self._state = state
        self._record: Any = state[0]
        self._onset = aubio.onset(method, spans.buffer, spans.hop, samplerate)
        self._onset.set_minioi(0)
        self._onset.set_delay(0)
        self._audio = state["detector_audio"][0][: spans.hop]
        self.default_threshold = float(self._onset.get_threshold())

    def advance(self, block: npt.NDArray[np.float32]) -> int:
        """Take frames of a block."""
        state = self._record
        taken = 0
        while taken < len(block):
            taken += fill(state, block[taken:])
            if state["filled"] < state["hop"]:
                break
            begin_hop(state)
            end_hop(state, self._detect())
            if state["synchronous"] and state["finals"]:
                break
        return taken

    def _detect(self) -> float:
        state, onset = self._record, self._onset
        if state["applied_threshold"] != state["threshold"]:
            onset.set_threshold(float(state["threshold"]))
            state["applied_threshold"] = state["threshold"]
        if state["applied_silence"] != state["silence"]:
            onset.set_silence(float(state["silence"]))
            state["applied_silence"] = state["silence"]
        if state["aubio_frames"] >= COUNTER_RESET:
            onset.reset()
            state["aubio_frames"] = 0
        state["aubio_frames"] += state["hop"]
        if onset(self._audio)[0] == 0.0:
            return 0.0
        return max(1e-6, float(onset.get_thresholded_descriptor()))

    def close(self) -> None:
        """Nothing to do: the binding frees its own object."""


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
