"""An FFT of our own, of radix 2: the same on every system, whatever aubio was built with.

:func:`fill` runs on a Python thread, the rest on the audio thread, on a record that has the tables:
no allocation, no exceptions, no locks. A real frame is transformed as a complex one of half its
length: its even samples are real, its odd ones imaginary.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rtcluster.kernel.jit import compiled
from rtcluster.kernel.spectrum import LOUDEST, SMALLEST


def fields(most: int) -> list[Any]:
    """Fields of a record that transforms real frames of up to so many samples."""
    half = (most // 2,)
    return [
        ("half", "i8"),  # complex points: half the frame
        ("cos", "f4", half),
        ("sin", "f4", half),
        # Twiddles of the stage that joins two transforms of n points: those from n on.
        ("stage_cos", "f4", half),
        ("stage_sin", "f4", half),
        ("place", "i4", half),  # bits reversed
        ("real", "f4", half),
        ("imaginary", "f4", half),
    ]


def fill(record: Any, frame: int) -> None:
    """Fill the FFT's tables for real frames of so many samples, a power of two."""
    half = record["half"] = frame // 2
    angle = 2.0 * np.pi * np.arange(half) / frame
    record["cos"][:half], record["sin"][:half] = np.cos(angle), np.sin(angle)
    span = 1
    while span < half:
        angle = np.pi * np.arange(span) / span
        record["stage_cos"][span : 2 * span] = np.cos(angle)
        record["stage_sin"][span : 2 * span] = np.sin(angle)
        span *= 2
    bits = half.bit_length() - 1
    record["place"][:half] = [int(f"{k:0{bits}b}"[::-1], 2) for k in range(half)]


@compiled
def clear(record: Any) -> None:
    """Empty the FFT's input."""
    record.real[: record.half] = np.float32(0.0)
    record.imaginary[: record.half] = np.float32(0.0)


@compiled
def put(record: Any, i: int, value: Any) -> None:
    """Place a sample: the even ones are real, the odd ones imaginary, in reversed order of bits."""
    value = min(max(value, -LOUDEST), LOUDEST)
    if abs(value) < SMALLEST:
        value = np.float32(0.0)
    at = record.place[i >> 1]
    if i & 1:
        record.imaginary[at] = value
    else:
        record.real[at] = value


@compiled
def transform(record: Any) -> None:
    """A complex FFT in place, of what lies in reversed order of bits (Cooley and Tukey)."""
    n = record.half
    real, imaginary = record.real[:n], record.imaginary[:n]
    span = 1
    while span < n:
        cos, sin = record.stage_cos[span : 2 * span], record.stage_sin[span : 2 * span]
        for begin in range(0, n, 2 * span):
            # Slices that begin together: the compiler then uses vector code.
            middle, end = begin + span, begin + 2 * span
            real_a, imaginary_a = real[begin:middle], imaginary[begin:middle]
            real_b, imaginary_b = real[middle:end], imaginary[middle:end]
            for k in range(span):
                re = real_b[k] * cos[k] + imaginary_b[k] * sin[k]
                im = imaginary_b[k] * cos[k] - real_b[k] * sin[k]
                real_b[k] = real_a[k] - re
                imaginary_b[k] = imaginary_a[k] - im
                real_a[k] += re
                imaginary_a[k] += im
        span *= 2


@compiled
def unpack(record: Any) -> None:
    """Powers of the real signal's bins, from the transform of its even and odd samples."""
    n = record.half
    real, imaginary, power = record.real[:n], record.imaginary[:n], record.power[:n]
    power[0] = (real[0] + imaginary[0]) ** 2
    half = np.float32(0.5)
    for k in range(1, n):
        m = n - k
        even_re, even_im = half * (real[k] + real[m]), half * (imaginary[k] - imaginary[m])
        odd_re, odd_im = half * (imaginary[k] + imaginary[m]), half * (real[m] - real[k])
        c, s = record.cos[k], -record.sin[k]
        re = even_re + odd_re * c - odd_im * s
        im = even_im + odd_re * s + odd_im * c
        power[k] = re * re + im * im
