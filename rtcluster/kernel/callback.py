"""The kernel as a C callback: what PortAudio, or the virtual sound card, calls.

[audio thread] It is all that runs there. It takes the time, turns
PortAudio's status flags into events, advances the engine, fills the output where there is one,
and notes how long that took.
"""

from __future__ import annotations

import ctypes
import functools
import time
from typing import Any

import numpy as np
from llvmlite import binding
from numba import carray, types

from rtcluster.events import XRUN_KINDS
from rtcluster.kernel.advance import call_advance
from rtcluster.kernel.click import address_of, mix
from rtcluster.kernel.jit import OF_CALLBACK, c_callback, compiled, watched
from rtcluster.kernel.joint import call_advance_joint
from rtcluster.kernel.ring import push_xrun
from rtcluster.kernel.state import STATE, TIMINGS

CONTINUE = 0
"""PortAudio's ``paContinue``."""

_LOST_AUDIO = sum(XRUN_KINDS)
"""The bits of ``PaStreamCallbackFlags`` that mean an xrun; 16 is priming output."""

MONOTONIC = time.CLOCK_MONOTONIC
_libc = ctypes.CDLL(None)
binding.add_symbol("clock_gettime", ctypes.cast(_libc.clock_gettime, ctypes.c_void_p).value)
_clock_gettime = types.ExternalFunction("clock_gettime", types.int32(types.int32, types.intp))


@compiled
def now_ns(state: Any) -> int:
    """Nanoseconds on the monotonic clock (``time.clock_gettime_ns(CLOCK_MONOTONIC)``)."""
    _clock_gettime(np.int32(MONOTONIC), state.timespec.ctypes.data)
    return int(state.timespec[0] * 1_000_000_000 + state.timespec[1])


@compiled
def begin(first: Any, flags: Any) -> int:
    """The time, and the flags: lost audio is one xrun, of the lowest.

    PortAudio cannot know on which side JACK lost it and raises one for each, even where nothing is
    played.
    """
    began = now_ns(first)
    lost = flags & _LOST_AUDIO
    if lost:
        first.xruns += 1
        push_xrun(first, first.clock + first.filled, lost & -lost)
    return began


@compiled
def end(first: Any, frames: int, output: Any, began: int) -> None:
    """The output (0: none), and how long it all took."""
    if output != 0:
        mix(first, output, frames)
    slot = first.callbacks & (TIMINGS - 1)
    first.began[slot] = began
    first.work[slot] = now_ns(first) - began
    first.callbacks += 1
    first.frames += frames


@compiled
def on_block(states: Any, block: Any, output: Any, flags: Any) -> None:
    """One callback: the time, the flags, the engine, the output, the time again.

    Every state hears the block by itself. What is the callback's own, its times and lost audio, is
    noted in the first, and only the first is heard.
    """
    first = states[0]
    began = begin(first, flags)
    for place in range(states.size):
        state = states[place]
        state.stamp = began
        here = states[place : place + 1].ctypes.data
        call_advance((here, block.ctypes.data, block.shape[0], block.shape[1]))
    end(first, block.shape[0], output, began)


@compiled
def on_block_joint(states: Any, block: Any, output: Any, flags: Any) -> None:
    """The same for the microphones of one kit, whose own states follow the first."""
    first = states[0]
    first.stamp = began = begin(first, flags)
    call_advance_joint((states.ctypes.data, block.ctypes.data, block.shape[0], block.shape[1]))
    end(first, block.shape[0], output, began)


SIGNATURE = types.int32(
    types.voidptr, types.voidptr, types.ulong, types.voidptr, types.ulong, types.voidptr
)


@compiled
def opened(audio: Any, frames: Any, userdata: Any) -> Any:
    """The states at an address, of the first where several lie together, and the block."""
    first = carray(userdata, 1, STATE)[0]
    states = carray(userdata, (np.intp(first.together),), STATE)
    return states, carray(audio, (np.intp(frames), np.intp(first.channels)), np.float32)


def _hear(audio: Any, output: Any, frames: Any, _times: Any, flags: Any, userdata: Any) -> int:
    states, block = opened(audio, frames, userdata)
    on_block(states, block, address_of(output), np.intp(flags))
    return CONTINUE


def _hear_joint(
    audio: Any, output: Any, frames: Any, _times: Any, flags: Any, userdata: Any
) -> int:
    states, block = opened(audio, frames, userdata)
    on_block_joint(states, block, address_of(output), np.intp(flags))
    return CONTINUE


@functools.cache
def callback(several: bool = False) -> Any:
    """[main thread] Compile it: ``callback().address`` is a ``PaStreamCallback *``.

    Its userdata is the address of a state, of the first where several lie together: channels by
    themselves, or the microphones of one kit (``several``).
    """
    with watched(OF_CALLBACK):
        return c_callback(SIGNATURE)(_hear_joint if several else _hear)
