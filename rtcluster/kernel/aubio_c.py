"""aubio's C functions, for compiled code and for setting up.

aubio's wheels for Linux and macOS export the C library from the Python extension
itself. Compiled code calls it through symbols that LLVM is told of here, so that Numba can keep
what it compiled on disk. Where they are not exported (Windows) :data:`MISSING` says why:
:mod:`rtcluster.kernel.packed` stands for the FFT then, and the Python driver takes over for the
stock detectors.
"""

from __future__ import annotations

import ctypes
import importlib.util
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import binding
from numba import types

FVEC = np.dtype([("length", "u4"), ("data", "u8")], align=True)
"""aubio's ``fvec_t``: a length and a pointer to float32."""

_POINTER, _FLOAT, _UINT, _VOID = types.uint64, types.float32, types.uint32, types.void

DO_COMPLEX = "aubio_fft_do_complex"

# Called by the kernel: result and arguments.
CALLED = {
    "aubio_onset_do": _VOID(_POINTER, _POINTER, _POINTER),
    "aubio_onset_set_threshold": _UINT(_POINTER, _FLOAT),
    "aubio_onset_set_silence": _UINT(_POINTER, _FLOAT),
    "aubio_onset_get_thresholded_descriptor": _FLOAT(_POINTER),
    "aubio_onset_reset": _VOID(_POINTER),
    DO_COMPLEX: _VOID(_POINTER, _POINTER, _POINTER),
}

onset_do, set_threshold, set_silence, thresholded_descriptor, reset_counter, fft_do_complex = (
    types.ExternalFunction(name, signature) for name, signature in CALLED.items()
)


def _load() -> tuple[Any, str]:
    spec = importlib.util.find_spec("aubio._aubio")
    if spec is None or spec.origin is None:
        return None, "the aubio package has no extension module"
    library = ctypes.CDLL(spec.origin)
    try:
        for name in CALLED:
            binding.add_symbol(name, ctypes.cast(getattr(library, name), ctypes.c_void_p).value)
        library.new_aubio_onset.restype = ctypes.c_void_p
        library.new_aubio_onset.argtypes = [ctypes.c_char_p, *[ctypes.c_uint] * 3]
        library.del_aubio_onset.argtypes = [ctypes.c_void_p]
        library.aubio_onset_set_minioi.argtypes = [ctypes.c_void_p, ctypes.c_uint]
        library.aubio_onset_set_delay.argtypes = [ctypes.c_void_p, ctypes.c_uint]
        library.aubio_onset_get_threshold.argtypes = [ctypes.c_void_p]
        library.aubio_onset_get_threshold.restype = ctypes.c_float
        library.new_aubio_fft.restype = ctypes.c_void_p
        library.new_aubio_fft.argtypes = [ctypes.c_uint]
        library.del_aubio_fft.argtypes = [ctypes.c_void_p]
    except AttributeError as error:
        return None, f"this build of aubio does not export its C functions ({error})"
    return library, ""


_library, MISSING = _load()
"""Why the C functions cannot be reached; empty where they can."""


class StockDetector:
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

    def __init__(
        self, state: npt.NDArray[Any], method: str, buffer: int, hop: int, samplerate: int
    ) -> None:
        self._address = _library.new_aubio_onset(method.encode(), buffer, hop, samplerate)
        if not self._address:
            raise MemoryError(f"aubio refused {method} at buffer {buffer}, hop {hop}")
        # The mask and the true sample are the kernel's own work. With no delay, aubio's
        # special case for a sound at the very start of a stream has no effect either.
        _library.aubio_onset_set_minioi(self._address, 0)
        _library.aubio_onset_set_delay(self._address, 0)
        join(state[0], "input", hop, state["detector_audio"])
        join(state[0], "output", 1, state["fired"])
        state["onset"] = self._address

    def close(self) -> None:
        """Free it. The state must not be advanced afterwards."""
        if self._address:
            _library.del_aubio_onset(self._address)
            self._address = None

    def __del__(self) -> None:
        """Free it at the latest now."""
        self.close()


class Fft:
    """An ``aubio_fft_t`` whose input and output are fields of a detector record.

    Parameters
    ----------
    record : element of a DETECTOR array
        Configured; must outlive this object, and not move.
    """

    def __init__(self, record: Any) -> None:
        frame = int(record["frame"])
        self._address = _library.new_aubio_fft(frame)
        if not self._address:
            raise MemoryError(f"aubio refused an FFT of {frame} samples")
        join_fft(record, self._address)

    def close(self) -> None:
        """Free it. The record must not be stepped afterwards."""
        if self._address:
            _library.del_aubio_fft(self._address)
            self._address = None

    def __del__(self) -> None:
        """Free it at the latest now."""
        self.close()


def join(record: Any, name: str, length: int, data: npt.NDArray[np.float32]) -> None:
    """Make the ``fvec_t`` of a record's field, and note its address in the field beside it."""
    record[name] = (length, data.ctypes.data)
    record[f"{name}_address"] = record[name].__array_interface__["data"][0]


def join_fft(record: Any, address: int) -> None:
    """Have the FFT at an address read and write the fields of a DETECTOR record."""
    frame = int(record["frame"])
    join(record, "input", frame, record["windowed"])
    join(record, "output", frame, record["packed"])
    record["fft"] = address
