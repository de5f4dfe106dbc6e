"""The kernel's functions for callers in Python: they take the array of one state.

At each call from Python Numba works out the types of the arguments. For a record with as many
fields as ours that takes 50 us, for an array of it less than 1 us, because an array
carries its dtype with it. The pump calls every millisecond; the Python driver three times a hop.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.kernel import advance as kernel
from rtcluster.kernel import click, onset, ring, spectrum
from rtcluster.kernel.detector import decide
from rtcluster.kernel.jit import brief, compiled
from rtcluster.kernel.onset import available, recent
from rtcluster.kernel.spectrum import sum_bands
from rtcluster.kernel.state import State

_advance, _fill, _finish = kernel.advance, kernel.fill, kernel.finish
_begin_hop, _end_hop = kernel.begin_hop, kernel.end_hop
_drain, _publish, _heard, _settled = ring.drain, ring.publish, ring.heard, ring.settled
_mix = click.mix
_window_frame, _begin_detection, _accept = (
    spectrum.window_frame, onset.begin_detection, onset.accept,
)  # fmt: skip


@compiled
def advance(state: State, block: npt.NDArray[np.float32]) -> int:
    """:func:`rtcluster.kernel.advance.advance`."""
    return _advance(state[0], block)


@compiled
def fill(state: State, block: npt.NDArray[np.float32]) -> int:
    """:func:`rtcluster.kernel.advance.fill`."""
    return _fill(state[0], block)


@compiled
def begin_hop(state: State) -> None:
    """:func:`rtcluster.kernel.advance.begin_hop`."""
    _begin_hop(state[0])


@compiled
def end_hop(state: State, strength: float) -> None:
    """:func:`rtcluster.kernel.advance.end_hop`."""
    _end_hop(state[0], strength)


@compiled
def finish(state: State) -> None:
    """:func:`rtcluster.kernel.advance.finish`."""
    _finish(state[0])


@brief
def drain(state: State, out: npt.NDArray[Any]) -> int:
    """:func:`rtcluster.kernel.ring.drain`."""
    return _drain(state[0], out)


@brief
def heard(state: State) -> int:
    """:func:`rtcluster.kernel.ring.heard`."""
    return _heard(state[0])


@brief
def settled(state: State) -> int:
    """:func:`rtcluster.kernel.ring.settled`."""
    return _settled(state[0])


@brief
def publish(state: State, model: State) -> bool:
    """:func:`rtcluster.kernel.ring.publish`."""
    return _publish(state[0], model)


@compiled
def mix(state: State, output: int, frames: int) -> None:
    """:func:`rtcluster.kernel.click.mix`."""
    _mix(state[0], output, frames)


@compiled
def hear_bands(state: State) -> float:
    """The drum detector's answer once ``magnitude`` is filled in from outside."""
    record = state[0]
    sum_bands(record.detector[0])
    return decide(record.detector[0], recent(record), available(record))


@compiled
def window_frame(state: State) -> None:
    """:func:`rtcluster.kernel.spectrum.window_frame`, of the newest frame."""
    record = state[0]
    _window_frame(record.detector[0], recent(record))


@compiled
def begin_detection(state: State) -> None:
    """:func:`rtcluster.kernel.onset.begin_detection`."""
    _begin_detection(state[0])


@compiled
def accept(state: State, strength: float) -> float:
    """:func:`rtcluster.kernel.onset.accept`."""
    return _accept(state[0], strength)
