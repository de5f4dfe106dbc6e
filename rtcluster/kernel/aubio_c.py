"""aubio's C functions, for compiled code and for setting up.

aubio's wheels for Linux and macOS export the C library from the Python extension
itself. Compiled code calls it through symbols that LLVM is told of here, so that Numba can keep
what it compiled on disk. Where they are not exported (Windows) :data:`MISSING` says why,
and the Python driver takes over.
"""

from __future__ import annotations

import ctypes
import importlib.util
from typing import Any

from llvmlite import binding
from numba import types

from rtcluster.kernel.state import STATE, State

_POINTER, _FLOAT, _UINT, _VOID = types.uint64, types.float32, types.uint32, types.void

# Called by the kernel: name, result, arguments.
_KERNEL_CALLS = {
    "aubio_onset_do": _VOID(_POINTER, _POINTER, _POINTER),
    "aubio_onset_set_threshold": _UINT(_POINTER, _FLOAT),
    "aubio_onset_set_silence": _UINT(_POINTER, _FLOAT),
    "aubio_onset_get_thresholded_descriptor": _FLOAT(_POINTER),
    "aubio_onset_reset": _VOID(_POINTER),
}


def _load() -> tuple[Any, str]:
    spec = importlib.util.find_spec("aubio._aubio")
    if spec is None or spec.origin is None:
        return None, "the aubio package has no extension module"
    library = ctypes.CDLL(spec.origin)
    try:
        for name in _KERNEL_CALLS:
            binding.add_symbol(name, ctypes.cast(getattr(library, name), ctypes.c_void_p).value)
        library.new_aubio_onset.restype = ctypes.c_void_p
        library.new_aubio_onset.argtypes = [ctypes.c_char_p, *[ctypes.c_uint] * 3]
        library.del_aubio_onset.argtypes = [ctypes.c_void_p]
        library.aubio_onset_set_minioi.argtypes = [ctypes.c_void_p, ctypes.c_uint]
        library.aubio_onset_set_delay.argtypes = [ctypes.c_void_p, ctypes.c_uint]
        library.aubio_onset_get_threshold.argtypes = [ctypes.c_void_p]
        library.aubio_onset_get_threshold.restype = ctypes.c_float
    except AttributeError as error:
        return None, f"this build of aubio does not export its C functions ({error})"
    return library, ""


_library, MISSING = _load()
"""Why the C functions cannot be reached; empty where they can."""

onset_do = types.ExternalFunction("aubio_onset_do", _KERNEL_CALLS["aubio_onset_do"])
set_threshold = types.ExternalFunction(
    "aubio_onset_set_threshold", _KERNEL_CALLS["aubio_onset_set_threshold"]
)
set_silence = types.ExternalFunction(
    "aubio_onset_set_silence", _KERNEL_CALLS["aubio_onset_set_silence"]
)
thresholded_descriptor = types.ExternalFunction(
    "aubio_onset_get_thresholded_descriptor",
    _KERNEL_CALLS["aubio_onset_get_thresholded_descriptor"],
)
reset_counter = types.ExternalFunction("aubio_onset_reset", _KERNEL_CALLS["aubio_onset_reset"])


class OnsetDetector:
    """An ``aubio_onset_t`` whose input and output are fields of a state record.

    Parameters
    ----------
    state : ndarray of STATE, shape (1,)
        Must outlive this object, and not move.
    method : str
        aubio's name of the onset detection function.
    buffer, hop : int
        Samples.
    samplerate : int
        Hz.
    """

    def __init__(self, state: State, method: str, buffer: int, hop: int, samplerate: int) -> None:
        self._address = _library.new_aubio_onset(method.encode(), buffer, hop, samplerate)
        if not self._address:
            raise MemoryError(f"aubio refused {method} at buffer {buffer}, hop {hop}")
        # The mask and the true sample are the kernel's own work. With no delay, aubio's
        # special case for a sound at the very start of a stream has no effect either.
        _library.aubio_onset_set_minioi(self._address, 0)
        _library.aubio_onset_set_delay(self._address, 0)
        base = state.ctypes.data
        offset = {name: base + STATE.fields[name][1] for name in STATE.names}  # type: ignore[index,union-attr]  # STATE has fields
        state["input"] = (hop, offset["detector_audio"])
        state["output"] = (1, offset["fired"])
        state["input_address"] = offset["input"]
        state["output_address"] = offset["output"]
        state["onset"] = self._address

    @property
    def default_threshold(self) -> float:
        """The threshold that aubio chose for the method."""
        return float(_library.aubio_onset_get_threshold(self._address))

    def close(self) -> None:
        """Free it. The state must not be advanced afterwards."""
        if self._address:
            _library.del_aubio_onset(self._address)
            self._address = None

    def __del__(self) -> None:
        """Free it at the latest now."""
        self.close()
