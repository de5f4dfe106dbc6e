"""Handing things between the audio thread and the pump: one writer, one reader, no lock.

Events travel from the kernel to the pump, models from the pump to the kernel. Each queue
is an array and two counters that only grow: ``written``, which only the writer stores, and
``read``, which only the reader stores. The writer fills a slot and then stores ``written``
with *release* ordering; the reader loads ``written`` with *acquire* ordering before it
looks at the slot, and stores ``read`` with release when it is done with it. That pairing
is what makes the slot's contents visible on ARM, where plain stores may be seen out of order;
on x86 it compiles to plain moves, on AArch64 to ``ldar`` and ``stlr``.
``tests/kernel/test_ring.py`` looks for the orderings in the generated code, that for AArch64
included, and runs two threads against each other.

A full event ring drops the new event and counts it: the audio thread never waits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from rtcluster.events import CONTROL, LATE, MODEL, NOBODY, NOT_TOLD, ONE_CHANNEL, ONSET, XRUN
from rtcluster.kernel.jit import compiled
from rtcluster.kernel.state import EVENTS, MODELS

_WORD = 8  # bytes of a counter, and its alignment


@intrinsic  # type: ignore[untyped-decorator]  # Numba's decorators have no types
def load_acquire(_typing: Any, counter: Any) -> Any:
    """``counter[0]`` of a uint64 array, loaded with acquire ordering."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = make_array(signature.args[0])(context, builder, args[0])
        return builder.load_atomic(array.data, "acquire", _WORD)

    return types.uint64(counter), generate


@intrinsic  # type: ignore[untyped-decorator]  # Numba's decorators have no types
def store_release(_typing: Any, counter: Any, value: Any) -> Any:
    """Store ``value`` in ``counter[0]`` of a uint64 array with release ordering."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = make_array(signature.args[0])(context, builder, args[0])
        word = context.cast(builder, args[1], signature.args[1], types.uint64)
        builder.store_atomic(word, array.data, "release", _WORD)

    return types.void(counter, value), generate


@intrinsic  # type: ignore[untyped-decorator]  # Numba's decorators have no types
def fence_acquire(_typing: Any) -> Any:
    """What was loaded before it was loaded before what is loaded after it."""

    def generate(context: Any, builder: Any, _signature: Any, _args: Any) -> Any:
        builder.fence("acquire")
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic  # type: ignore[untyped-decorator]  # Numba's decorators have no types
def fence_release(_typing: Any) -> Any:
    """What was stored before it is seen before what is stored after it."""

    def generate(context: Any, builder: Any, _signature: Any, _args: Any) -> Any:
        builder.fence("release")
        return context.get_dummy_value()

    return types.void(), generate


# Events: written by the kernel, read by the pump.


@compiled
def has_room(state: Any) -> bool:
    """Whether one more event can be told; the writer's side."""
    return state.events_written[0] - load_acquire(state.events_read) < np.uint64(EVENTS)


@compiled
def claim(state: Any, kind: int) -> Any:
    """Slot for a new event, blank but for its kind and stamp; -1 if the ring is full."""
    written = state.events_written[0]
    if not has_room(state):
        state.events_dropped += 1
        return -1
    slot = np.int64(written & np.uint64(EVENTS - 1))
    event = state.events[slot]
    event.kind = kind
    event.class_ = 0
    event.id = 0
    event.channel = ONE_CHANNEL
    event.sample = 0
    event.emitted = 0
    event.stamp = state.stamp
    event.zcr = 0
    event.span = 0
    event.velocity = 0
    event.others[:] = NOBODY
    event.part_velocity[:] = 0
    event.part_offset[:] = NOT_TOLD
    event.flags = 0
    event.level = 0.0
    event.energy = 0.0
    event.strength = 0.0
    event.margin = 0.0
    event.features[:] = 0.0
    return slot


@compiled
def commit(state: Any) -> None:
    """Let the reader see the slot that :func:`claim` gave."""
    store_release(state.events_written, state.events_written[0] + np.uint64(1))


@compiled
def push_onset(
    state: Any,
    number: int,
    sample: int,
    emitted: int,
    velocity: int,
    strength: float,
    channel: int = ONE_CHANNEL,
) -> None:
    """Emit an onset event."""
    slot = claim(state, ONSET)
    if slot >= 0:
        event = state.events[slot]
        event.id = number
        event.channel = channel
        event.sample = sample
        event.emitted = emitted
        event.velocity = velocity
        event.strength = strength
        commit(state)


@compiled
def push_xrun(state: Any, sample: int, flag: int) -> None:
    """Emit an xrun event for one of PortAudio's status flags."""
    slot = claim(state, XRUN)
    if slot >= 0:
        event = state.events[slot]
        event.sample = sample
        event.flags = flag
        commit(state)


@compiled
def push_control(state: Any, what: int, value: float) -> None:
    """Emit a control event: a setting that holds from this hop on."""
    slot = claim(state, CONTROL)
    if slot >= 0:
        event = state.events[slot]
        event.sample = state.clock
        event.emitted = state.clock
        event.flags = what
        event.strength = value
        commit(state)


@compiled
def show_settled(state: Any) -> None:
    """Let the reader know that all events up to the clock are in the ring."""
    store_release(state.complete_until, np.uint64(state.clock))


@compiled
def complete_until(state: Any) -> int:
    """Sample up to which :func:`drain` finds every event from now on; the reader's side."""
    return int(load_acquire(state.complete_until))


@compiled
def drain(state: Any, out: npt.NDArray[Any]) -> int:
    """Move waiting events to ``out``, oldest first; the reader's side.

    Returns
    -------
    int
        How many were moved, at most ``out.size``.
    """
    read = state.events_read[0]
    waiting = np.int64(load_acquire(state.events_written) - read)
    count: Any = min(waiting, out.size)
    for i in range(count):
        out[i] = state.events[np.int64((read + np.uint64(i)) & np.uint64(EVENTS - 1))]
    store_release(state.events_read, read + np.uint64(count))
    return count


# Audio: written by the kernel, read by the recorder, which the kernel does not wait for. A reader
# looks at the counter before it copies and after it: whoever has seen a sample of a later hop sees
# by the counter that it may have. That needs a fence on either side, as a sequence lock does.


@compiled
def show(state: Any, samples_written: int) -> None:
    """Let readers see the ring up to this sample, before any that follows."""
    store_release(state.samples_written, np.uint64(samples_written))
    fence_release()


@compiled
def samples_written(state: Any) -> int:
    """Samples of the stream that are in the ring; the reader's side."""
    return int(load_acquire(state.samples_written))


@compiled
def samples_written_by_now(state: Any) -> int:
    """The same, looked at again after a copy from the ring."""
    fence_acquire()
    return samples_written(state)


# Models: written by the pump, read by the kernel.


@compiled
def publish(state: Any, model: npt.NDArray[Any]) -> bool:
    """Queue a model for the sample in its ``effective``; the writer's side.

    Parameters
    ----------
    model : ndarray of :data:`rtcluster.kernel.state.MODEL`, shape (1,)

    Returns
    -------
    bool
        False if the queue is full; then nothing was queued.
    """
    written = state.models_written[0]
    if written - load_acquire(state.models_read) >= np.uint64(MODELS):
        return False
    state.models[np.int64(written & np.uint64(MODELS - 1))] = model[0]
    store_release(state.models_written, written + np.uint64(1))
    return True


@compiled
def take_models(state: Any) -> None:
    """Put into effect the models whose sample the clock has reached; the reader's side.

    A model is due at the first hop that starts at or after its sample. One that
    comes after that hop is late: it takes effect now, and its event says so. While the event
    cannot be told, it waits: a recording has to know which model decided. For the same reason no
    more than the queue holds take effect at once.
    """
    for _ in range(MODELS):
        read = state.models_read[0]
        if load_acquire(state.models_written) == read or not has_room(state):
            return
        waiting = state.models[np.int64(read & np.uint64(MODELS - 1))]
        if waiting.effective > state.clock:
            return
        late = waiting.late != 0 or waiting.effective <= state.clock - state.hop
        state.model[0] = waiting
        slot = claim(state, MODEL)
        if slot >= 0:
            event = state.events[slot]
            event.id = waiting.version
            event.sample = state.clock if late else waiting.effective
            event.emitted = state.clock
            event.flags = LATE if late else 0
            commit(state)
        state.late_models += late
        store_release(state.models_read, read + np.uint64(1))
