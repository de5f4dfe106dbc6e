"""A sound card of our own making: audio handed to the callback in real time.

:func:`play` is the audio thread of ``rtcluster demo``. It holds no GIL, sleeps until
each block would have been captured, and then does what PortAudio would: it calls the engine.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import binding
from numba import types

from rtcluster.kernel.callback import now_ns, on_block, on_block_joint
from rtcluster.kernel.jit import compiled, entry

_libc = ctypes.CDLL(None)
binding.add_symbol("nanosleep", ctypes.cast(_libc.nanosleep, ctypes.c_void_p).value)
_nanosleep = types.ExternalFunction("nanosleep", types.int32(types.intp, types.intp))


@compiled
def wait_for(state: Any, due: Any) -> None:
    """Sleep until a time on the monotonic clock, in ns."""
    wait = due - now_ns(state)
    if wait > 0:
        state.timespec[0] = wait // 1_000_000_000
        state.timespec[1] = wait % 1_000_000_000
        _nanosleep(state.timespec.ctypes.data, 0)


@entry
def play(states: Any, audio: npt.NDArray[np.float32], blocksize: int) -> None:
    """Play audio of shape (frames, channels) in real time, until its end or ``stop``."""
    state = states[0]
    began = now_ns(state)
    for at in range(0, audio.shape[0], blocksize):
        end = min(at + blocksize, audio.shape[0])
        wait_for(state, began + np.int64(end * 1e9 / state.samplerate))
        if state.stop:
            return
        on_block(states, audio[at:end], np.uint64(0), 0)


@entry
def play_joint(states: Any, audio: npt.NDArray[np.float32], blocksize: int) -> None:
    """The same into the microphones of one kit."""
    state = states[0]
    began = now_ns(state)
    for at in range(0, audio.shape[0], blocksize):
        end = min(at + blocksize, audio.shape[0])
        wait_for(state, began + np.int64(end * 1e9 / state.samplerate))
        if state.stop:
            return
        on_block_joint(states, audio[at:end], np.uint64(0), 0)
