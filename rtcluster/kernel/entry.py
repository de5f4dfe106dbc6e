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
from rtcluster.kernel import apart, click, joint, onset, ring, shape, spectrum
from rtcluster.kernel.detector import decide
from rtcluster.kernel.jit import brief, entry
from rtcluster.kernel.onset import available, recent
from rtcluster.kernel.spectrum import sum_bands
from rtcluster.kernel.state import State

_advance, _fill, _finish = kernel.advance, kernel.fill, kernel.finish
_begin_hop, _end_hop = kernel.begin_hop, kernel.end_hop
_advance_joint, _fill_joint, _finish_joint = (
    joint.advance_joint, joint.fill_joint, joint.finish_joint,
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
    """:func:`rtcluster.kernel.advance.advance`, or with several microphones ``advance_joint``."""
    if state[0].microphones > 0:
        return _advance_joint(state, block)
    return _advance(state[0], block)


@entry
def fill(state: State, block: npt.NDArray[np.float32]) -> int:
    """:func:`rtcluster.kernel.advance.fill`, or ``fill_joint``."""
    if state[0].microphones > 0:
        return _fill_joint(state, block)
    return _fill(state[0], block)


@entry
def begin_hop(state: State) -> None:
    """:func:`rtcluster.kernel.advance.begin_hop`, or ``begin_joint``."""
    if state[0].microphones > 0:
        _begin_joint(state)
    else:
        _begin_hop(state[0])


@entry
def end_hop(state: State, strength: float) -> None:
    """:func:`rtcluster.kernel.advance.end_hop`, or ``end_joint``, to whose states it was given."""
    if state[0].microphones > 0:
        _end_joint(state)
    else:
        _end_hop(state[0], strength)


@entry
def finish(state: State) -> None:
    """:func:`rtcluster.kernel.advance.finish`, or ``finish_joint``."""
    if state[0].microphones > 0:
        _finish_joint(state)
    else:
        _finish(state[0])


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
