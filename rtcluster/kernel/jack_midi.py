"""MIDI on its way to JACK: a ring of short messages, and the callbacks that JACK calls.

The sink writes ``written``, JACK's process thread ``read``, ``cycles`` and ``gone``; the orderings
are those of :mod:`rtcluster.kernel.ring`. No Python and no lock runs on JACK's threads. It is
compiled when a port is opened, so only for those who send MIDI to JACK.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import binding
from numba import carray, types

from rtcluster.kernel.jit import brief, c_callback
from rtcluster.kernel.ring import load_acquire, store_release

ROOM = 1 << 10
"""Messages that wait for JACK at most, a power of two."""

JACK_MIDI = np.dtype(
    [
        ("port", "u8"),  # a jack_port_t *
        ("written", "u8", (1,)),
        ("read", "u8", (1,)),
        ("cycles", "u8", (1,)),
        ("gone", "u8", (1,)),  # 1 once JACK has said that it ends
        ("sizes", "u1", (ROOM,)),
        ("messages", "u1", (ROOM, 3)),
    ],
    align=True,
)
"""What one port and its callbacks share."""

# Called in JACK: result and arguments.
CALLED = {
    "jack_port_get_buffer": types.voidptr(types.uint64, types.uint32),
    "jack_midi_clear_buffer": types.void(types.voidptr),
    "jack_midi_event_write": types.int32(types.voidptr, types.uint32, types.uintp, types.uintp),
}

get_buffer, _clear_buffer, _write_event = (
    types.ExternalFunction(name, signature) for name, signature in CALLED.items()
)


@brief
def push(own: npt.NDArray[Any], message: npt.NDArray[np.uint8]) -> bool:
    """Queue a message; the writer's side, one thread at a time.

    Parameters
    ----------
    own : ndarray of JACK_MIDI, shape (1,)
    message : ndarray of uint8, shape (1 to 3,)

    Returns
    -------
    bool
        False if the ring is full; then nothing was queued.
    """
    state: Any = own[0]
    written = state.written[0]
    if written - load_acquire(state.read) >= np.uint64(ROOM):
        return False
    slot = np.int64(written & np.uint64(ROOM - 1))
    state.sizes[slot] = message.size
    for i in range(message.size):
        state.messages[slot, i] = message[i]
    store_release(state.written, written + np.uint64(1))
    return True


def _hand_over(frames: Any, userdata: Any) -> int:
    """[audio thread] Write what waits to the start of JACK's block; what has no room waits on."""
    state = carray(userdata, 1, JACK_MIDI)[0]
    buffer = get_buffer(state.port, frames)
    _clear_buffer(buffer)
    read = state.read[0]
    written = load_acquire(state.written)
    while read != written:
        slot = np.int64(read & np.uint64(ROOM - 1))
        message, size = state.messages[slot].ctypes.data, np.uintp(state.sizes[slot])
        if _write_event(buffer, np.uint32(0), np.uintp(message), size) != 0:
            break
        read += np.uint64(1)
    store_release(state.read, read)
    store_release(state.cycles, state.cycles[0] + np.uint64(1))
    return 0


def _leave(_code: Any, _reason: Any, userdata: Any) -> None:
    """[audio thread] Note that JACK ends."""
    store_release(carray(userdata, 1, JACK_MIDI)[0].gone, np.uint64(1))


def link(functions: Mapping[str, int]) -> None:
    """[main thread] Tell LLVM the addresses of what :data:`CALLED` names, before it is called."""
    for name in CALLED:
        binding.add_symbol(name, functions[name])


@functools.cache
def callbacks() -> tuple[Any, Any]:
    """[main thread] Compile what JACK calls, once it is linked.

    Returns
    -------
    hand_over, leave : CFunc
        A ``JackProcessCallback`` and a ``JackInfoShutdownCallback`` by their ``address``, whose
        argument is the address of a JACK_MIDI.
    """
    hand_over = c_callback(types.int32(types.uint32, types.voidptr))(_hand_over)
    leave = c_callback(types.void(types.int32, types.voidptr, types.voidptr))(_leave)
    return hand_over, leave
