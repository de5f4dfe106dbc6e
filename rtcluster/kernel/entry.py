"""The kernel's functions for callers in Python: they take the array of one state.

At each call from Python Numba works out the types of the arguments. For a record with as many
fields as ours that takes 50 us, for an array of it less than 1 us, because an array
carries its dtype with it. The pump calls every millisecond; the Python driver three times a hop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rtcluster.kernel import advance as kernel
from rtcluster.kernel import apart, click, due, joint, onset, ring, shape, spectrum
from rtcluster.kernel.detector import decide
from rtcluster.kernel.jit import brief, entry
from rtcluster.kernel.onset import available, recent
from rtcluster.kernel.separate import Separate
from rtcluster.kernel.spectrum import sum_bands
from rtcluster.kernel.state import State

_advance, _fill, _finish = kernel.call_advance, kernel.fill, kernel.finish
_begin_hop, _end_hop = kernel.begin_hop, kernel.end_hop
_advance_joint, _fill_joint, _finish_joint = (
    joint.call_advance_joint, joint.fill_joint, joint.finish_joint,
)  # fmt: skip
_begin_joint, _end_joint = joint.begin_joint, joint.end_joint
_drain, _publish, _samples_written, _complete_until = (
    ring.drain,
    ring.publish,
    ring.samples_written,
    ring.complete_until,
)
_samples_written_by_now = ring.samples_written_by_now
_mix, _measure_all, _measure_pairs = click.mix, shape.measure_all, apart.measure_pairs
_window_frame, _begin_detection, _accept = (
    spectrum.window_frame, onset.begin_detection, onset.accept,
)  # fmt: skip


@entry
def advance(state: State, block: npt.NDArray[np.float32]) -> int:
    """:func:`rtcluster.kernel.advance.advance`."""
    return int(_advance((state.ctypes.data, block.ctypes.data, block.shape[0], block.shape[1])))


@entry
def fill(state: State, block: npt.NDArray[np.float32]) -> int:
    """:func:`rtcluster.kernel.advance.fill`."""
    return _fill(state[0], block)


@entry
def begin_hop(state: State) -> None:
    """:func:`rtcluster.kernel.advance.begin_hop`."""
    _begin_hop(state[0])


@entry
def end_hop(state: State, strength: float) -> None:
    """:func:`rtcluster.kernel.advance.end_hop`."""
    _end_hop(state[0], strength)


@entry
def finish(state: State) -> None:
    """:func:`rtcluster.kernel.advance.finish`."""
    _finish(state[0])


@entry
def advance_joint(state: State, block: npt.NDArray[np.float32]) -> int:
    """:func:`rtcluster.kernel.joint.advance_joint`."""
    return int(
        _advance_joint((state.ctypes.data, block.ctypes.data, block.shape[0], block.shape[1]))
    )


@entry
def fill_joint(state: State, block: npt.NDArray[np.float32]) -> int:
    """:func:`rtcluster.kernel.joint.fill_joint`."""
    return _fill_joint(state, block)


@entry
def begin_joint(state: State) -> None:
    """:func:`rtcluster.kernel.joint.begin_joint`."""
    _begin_joint(state)


@entry
def end_joint(state: State, _strength: float) -> None:
    """:func:`rtcluster.kernel.joint.end_joint`: the strengths are in the states."""
    _end_joint(state)


@entry
def finish_joint(state: State) -> None:
    """:func:`rtcluster.kernel.joint.finish_joint`."""
    _finish_joint(state)


class Entries(NamedTuple):
    """What hears a block, or does a hop where aubio is called from Python; and the two halves."""

    advance: Callable[[State, npt.NDArray[np.float32]], int]
    fill: Callable[[State, npt.NDArray[np.float32]], int]
    begin_hop: Callable[[State], None]
    end_hop: Callable[[State, float], None]
    finish: Callable[[State], None]
    heard: Separate
    settled: Separate


_ONE = Entries(advance, fill, begin_hop, end_hop, finish, kernel.ADVANCE, due.SETTLE)
_SEVERAL = Entries(
    advance_joint, fill_joint, begin_joint, end_joint, finish_joint,
    joint.ADVANCE_JOINT, joint.SETTLE_JOINT,
)  # fmt: skip


def entries(state: State) -> Entries:
    """Those for one microphone, or for several that are heard as one: each compiled when needed."""
    return _SEVERAL if hears_several(state) else _ONE


def hears_several(state: State) -> bool:
    """Whether the first of the states is that of several microphones, which follow it."""
    return bool(state["microphones"][0])


@brief
def drain(state: State, out: npt.NDArray[Any]) -> int:
    """:func:`rtcluster.kernel.ring.drain`."""
    return _drain(state[0], out)


@brief
def samples_written(state: State) -> int:
    """:func:`rtcluster.kernel.ring.samples_written`."""
    return _samples_written(state[0])


@brief
def samples_written_by_now(state: State) -> int:
    """:func:`rtcluster.kernel.ring.samples_written_by_now`."""
    return _samples_written_by_now(state[0])


@brief
def complete_until(state: State) -> int:
    """:func:`rtcluster.kernel.ring.complete_until`."""
    return _complete_until(state[0])


@brief
def publish(state: State, model: State) -> bool:
    """:func:`rtcluster.kernel.ring.publish`."""
    return _publish(state[0], model)


@entry
def mix(state: State, output: int, frames: int) -> None:
    """:func:`rtcluster.kernel.click.mix`."""
    _mix(state[0], output, frames)


@entry
def hear_bands(state: State) -> float:
    """The drum detector's answer once ``magnitude`` is filled in from outside."""
    record = state[0]
    sum_bands(record.detector[0])
    return decide(record.detector[0], recent(record), available(record))


@entry
def window_frame(state: State) -> None:
    """:func:`rtcluster.kernel.spectrum.window_frame`, of the newest frame."""
    record = state[0]
    _window_frame(record.detector[0], recent(record))


@entry
def begin_detection(state: State) -> None:
    """:func:`rtcluster.kernel.onset.begin_detection`."""
    _begin_detection(state[0])


@entry
def accept(state: State, strength: float) -> float:
    """:func:`rtcluster.kernel.onset.accept`."""
    return _accept(state[0], strength)


@entry
def measure_all(
    own: npt.NDArray[Any],
    audio: npt.NDArray[np.float32],
    starts: npt.NDArray[np.int64],
    out: npt.NDArray[np.float32],
) -> None:
    """:func:`rtcluster.kernel.shape.measure_all`, with an array of one SHAPE record."""
    _measure_all(own[0], audio, starts, out)


@entry
def measure_pairs(
    own: npt.NDArray[Any],
    audio: npt.NDArray[np.float32],
    start: int,
    out: npt.NDArray[np.float32],
) -> None:
    """:func:`rtcluster.kernel.apart.measure_pairs`, with an array of one APART record."""
    _measure_pairs(own[0], audio, start, out)
