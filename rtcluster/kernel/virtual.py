"""A sound card of our own making: audio handed to the callback in real time.

:func:`play` is the audio thread of ``rtcluster demo``. It holds no GIL, sleeps until
each block would have been captured, and then does what PortAudio would: it calls the engine.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic

from rtcluster.kernel.callback import SIGNATURE, now_ns
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


@intrinsic  # type: ignore[untyped-decorator]  # Numba's decorators have no types
def _call(_typing: Any, callback: Any, audio: Any, frames: Any, states: Any) -> Any:
    """Call a ``PaStreamCallback *`` as PortAudio does; all arguments are numbers."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = [context.get_value_type(kind) for kind in SIGNATURE.args]
        result = context.get_value_type(SIGNATURE.return_type)
        address, sound, count, record = (
            context.cast(builder, value, kind, types.uint64)
            for value, kind in zip(args, signature.args, strict=True)
        )
        function = builder.inttoptr(address, ir.FunctionType(result, kinds).as_pointer())
        none, no_flags = kinds[1](None), kinds[4](0)
        pointers = [builder.inttoptr(value, kinds[0]) for value in (sound, record)]
        return builder.call(
            function,
            [pointers[0], none, builder.trunc(count, kinds[2]), none, no_flags, pointers[1]],
        )

    return SIGNATURE.return_type(callback, audio, frames, states), generate


@entry
def play(states: Any, audio: npt.NDArray[np.float32], blocksize: int, callback: int) -> None:
    """Play audio of shape (frames, channels) in real time, until its end or ``stop``.

    It is played into a callback's address, of :func:`rtcluster.kernel.callback.callback`.
    """
    state = states[0]
    began = now_ns(state)
    for at in range(0, audio.shape[0], blocksize):
        end = min(at + blocksize, audio.shape[0])
        wait_for(state, began + np.int64(end * 1e9 / state.samplerate))
        if state.stop:
            return
        _call(callback, audio[at:end].ctypes.data, end - at, states.ctypes.data)
