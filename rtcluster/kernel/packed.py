"""The detector's FFT without aubio: what stands for ``aubio_fft_do_complex``.

In a plug-in, and on systems whose aubio exports no C functions (:func:`stand_in`).

[audio thread] :func:`do_complex` takes the same ``fvec_t`` and packs its result alike; its tables
are a record. No allocation, no exceptions, no locks.

The real frame is transformed as a complex one of half its length (even samples real, odd ones
imaginary), in place, decimated in time: Cooley and Tukey, two stages at a time as one of radix 4.

Where there is aubio's FFT the engine keeps it. Each rounds in its own way, by some 1e-7 of the
loudest bin, and a recording is replayed bit for bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import binding
from numba import carray, types

from rtcluster.kernel.aubio_c import CALLED, DO_COMPLEX, FVEC, join_fft
from rtcluster.kernel.click import as_pointer
from rtcluster.kernel.fft import fields, fill
from rtcluster.kernel.jit import c_callback, compiled
from rtcluster.kernel.spectrum import MAX_FRAME

TABLES = np.dtype(fields(MAX_FRAME), align=True)


def tables(frame: int) -> npt.NDArray[Any]:
    """Tables for frames of so many samples, a power of two from 8 to ``MAX_FRAME``; shape (1,)."""
    out = np.zeros(1, TABLES)
    fill(out[0], frame)
    return out


class Fft:
    """Tables whose input and output are fields of a detector record, as those of aubio's.

    Parameters
    ----------
    record : element of a DETECTOR array
        Configured; must outlive this object, and not move.
    """

    def __init__(self, record: Any) -> None:
        self._tables = tables(int(record["frame"]))
        join_fft(record, self._tables.ctypes.data)

    def close(self) -> None:
        """Nothing to do. The record must not be stepped afterwards."""


def stand_in() -> None:
    """Have compiled code find this FFT where it looks for aubio's, and nothing for the rest of it.

    To be called before any compiled code is loaded, where aubio's C functions are missing. Its
    stock detectors must not be run then.
    """
    word = types.uint64
    ours, none = (c_callback(word(word, word, word))(one) for one in (_transform, _nothing))
    for name in CALLED:
        binding.add_symbol(name, (ours if name == DO_COMPLEX else none).address)
    _kept.extend((ours, none))


_kept: list[Any] = []  # their code must not be freed


def _transform(fft: Any, source: Any, target: Any) -> Any:
    do_complex(fft, source, target)
    return np.uint64(0)


def _nothing(_a: Any, _b: Any, _c: Any) -> Any:
    return np.uint64(0)


@compiled
def do_complex(fft: int, source: int, target: int) -> None:
    """Transform a real frame, as aubio's function of this name.

    Parameters
    ----------
    fft : int
        Address of a :data:`TABLES`.
    source, target : int
        Addresses of an ``fvec_t`` each, of a frame: samples, and ``r0 .. rN/2, iN/2-1 .. i1``.
    """
    own = carray(as_pointer(fft), 1, dtype=TABLES)[0]
    n = own.half
    head = carray(as_pointer(source), 1, dtype=FVEC)[0]
    tail = carray(as_pointer(target), 1, dtype=FVEC)[0]
    x = carray(as_pointer(head.data), 2 * n, dtype=np.float32)
    out = carray(as_pointer(tail.data), 2 * n, dtype=np.float32)
    begin(own, x)
    span = 4
    while 4 * span <= n:
        join_four(own, span)
        span *= 4
    if span < n:
        join_two(own, span)
    pack(own, out)


@compiled
def begin(own: Any, x: npt.NDArray[np.float32]) -> None:
    """Place the samples in reversed order of bits, and transform each four of them."""
    n = own.half
    place, real, imaginary = own.place[:n], own.real[:n], own.imaginary[:n]
    for i in range(0, n, 4):
        a, b, c, d = place[i] * 2, place[i + 1] * 2, place[i + 2] * 2, place[i + 3] * 2
        re0, im0 = x[a] + x[b], x[a + 1] + x[b + 1]
        re1, im1 = x[a] - x[b], x[a + 1] - x[b + 1]
        re2, im2 = x[c] + x[d], x[c + 1] + x[d + 1]
        re3, im3 = x[c] - x[d], x[c + 1] - x[d + 1]
        real[i], imaginary[i] = re0 + re2, im0 + im2
        real[i + 1], imaginary[i + 1] = re1 + im3, im1 - re3
        real[i + 2], imaginary[i + 2] = re0 - re2, im0 - im2
        real[i + 3], imaginary[i + 3] = re1 - im3, im1 + re3


@compiled
def join_four(own: Any, span: int) -> None:
    """Join each four transforms of ``span`` points to one."""
    n = own.half
    real, imaginary = own.real[:n], own.imaginary[:n]
    cos, sin = own.stage_cos[span : 2 * span], own.stage_sin[span : 2 * span]
    cos2, sin2 = own.stage_cos[2 * span : 3 * span], own.stage_sin[2 * span : 3 * span]
    at = 0
    while at < n:  # a range would have to raise an error for a step of 0
        # Slices that begin together: the compiler then uses vector code.
        re_a, im_a = real[at : at + span], imaginary[at : at + span]
        at_b, at_c, at_d, end = at + span, at + 2 * span, at + 3 * span, at + 4 * span
        re_b, im_b = real[at_b:at_c], imaginary[at_b:at_c]
        re_c, im_c = real[at_c:at_d], imaginary[at_c:at_d]
        re_d, im_d = real[at_d:end], imaginary[at_d:end]
        for k in range(span):
            c, s, c2, s2 = cos[k], sin[k], cos2[k], sin2[k]
            re, im = re_b[k] * c + im_b[k] * s, im_b[k] * c - re_b[k] * s
            re0, im0, re1, im1 = re_a[k] + re, im_a[k] + im, re_a[k] - re, im_a[k] - im
            re, im = re_d[k] * c + im_d[k] * s, im_d[k] * c - re_d[k] * s
            re2, im2, re3, im3 = re_c[k] + re, im_c[k] + im, re_c[k] - re, im_c[k] - im
            re, im = re2 * c2 + im2 * s2, im2 * c2 - re2 * s2
            re_a[k], im_a[k], re_c[k], im_c[k] = re0 + re, im0 + im, re0 - re, im0 - im
            re, im = re3 * c2 + im3 * s2, im3 * c2 - re3 * s2
            re_b[k], im_b[k], re_d[k], im_d[k] = re1 + im, im1 - re, re1 - im, im1 + re
        at = end


@compiled
def join_two(own: Any, span: int) -> None:
    """Join the last two transforms, of ``span`` points each."""
    real_a, imaginary_a = own.real[:span], own.imaginary[:span]
    real_b, imaginary_b = own.real[span : 2 * span], own.imaginary[span : 2 * span]
    cos, sin = own.stage_cos[span : 2 * span], own.stage_sin[span : 2 * span]
    for k in range(span):
        re = real_b[k] * cos[k] + imaginary_b[k] * sin[k]
        im = imaginary_b[k] * cos[k] - real_b[k] * sin[k]
        real_b[k], imaginary_b[k] = real_a[k] - re, imaginary_a[k] - im
        real_a[k] += re
        imaginary_a[k] += im


@compiled
def pack(own: Any, out: npt.NDArray[np.float32]) -> None:
    """The real frame's transform, from that of its even and odd samples."""
    n = own.half
    real, imaginary, cos, sin = own.real[:n], own.imaginary[:n], own.cos[:n], own.sin[:n]
    out[0], out[n] = real[0] + imaginary[0], real[0] - imaginary[0]
    half = np.float32(0.5)
    for k in range(1, n // 2 + 1):
        m = n - k
        even_re, even_im = half * (real[k] + real[m]), half * (imaginary[k] - imaginary[m])
        odd_re, odd_im = half * (imaginary[k] + imaginary[m]), half * (real[m] - real[k])
        re = odd_re * cos[k] + odd_im * sin[k]
        im = odd_im * cos[k] - odd_re * sin[k]
        out[k], out[m] = even_re + re, even_re - re
        out[2 * n - k], out[2 * n - m] = even_im + im, im - even_im
