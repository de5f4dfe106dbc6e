"""A hit's window at another rate: that of the kit, whose numbers were measured there.

:func:`configure` runs on a Python thread and allocates. :func:`at_kit_rate` runs on the audio
thread, for a guess and for a final: no allocation, no exceptions, no locks.

Every feature, a plug-in's too, is then measured as it was when the kit was taught. The window is
resampled by a polyphase filter, a sinc under a Kaiser window that ends at the lower Nyquist
frequency. What comes before the window is the stream's own past; of what follows nothing is known
yet, so its last sample is held.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import carray

from rtcluster.kernel.click import as_pointer
from rtcluster.kernel.jit import compiled
from rtcluster.kernel.spectrum import dot

ZEROS = 16
"""Zero crossings of the sinc on either side."""

BETA = 8.0
"""Of the Kaiser window: 80 dB down beyond the transition, which is 0.16 of the lower rate."""

MAX_PHASES = 1024
"""Places between two samples that have a filter of their own. All usual pairs of rates need fewer;
others are met to 0.05 %."""

KIT_RATE = np.dtype(
    [
        ("samplerate", "f8"),  # of the kit, Hz
        ("phases", "i8"),  # a sample of the kit is step / phases samples
        ("step", "i8"),
        ("half", "i8"),  # coefficients on either side; 0: the rates are the same
        ("filters", "u8"),  # address of float32, (phases, 2 * half)
        ("window", "u8"),  # address of the resampled window, float32
    ],
    align=True,
)


def configure(record: Any, samplerate: int, kit_rate: int, longest: int) -> list[Any]:
    """Fill a record.

    Parameters
    ----------
    record : element of a KIT_RATE array
    samplerate, kit_rate : int
        Hz.
    longest : int
        Samples of the longest window at ``samplerate``.

    Returns
    -------
    list of ndarray
        What the record has the addresses of: to be kept as long as it is used.
    """
    record["samplerate"], record["half"] = kit_rate, 0
    if samplerate == kit_rate:
        return []
    ratio = Fraction(samplerate, kit_rate).limit_denominator(MAX_PHASES)
    filters = design(ratio)
    window = np.zeros(int(longest / ratio) + 1, np.float32)
    record["step"], record["phases"] = ratio.numerator, ratio.denominator
    record["half"] = filters.shape[1] // 2
    record["filters"], record["window"] = filters.ctypes.data, window.ctypes.data
    return [filters, window]


def design(ratio: Fraction) -> npt.NDArray[np.float32]:
    """Filters for each place between two samples, shape (phases, 2 * half).

    Parameters
    ----------
    ratio : Fraction
        Samples that are one of the kit's.
    """
    cutoff = min(1.0, float(1 / ratio))
    half = int(np.ceil(ZEROS / cutoff))
    between = np.arange(ratio.denominator)[:, None] / ratio.denominator
    distance = np.arange(1 - half, half + 1) - between
    under = np.i0(BETA * np.sqrt(np.clip(1.0 - (distance / half) ** 2, 0.0, None)))
    filters = np.sinc(cutoff * distance) * under
    return np.ascontiguousarray(filters / filters.sum(axis=1, keepdims=True), np.float32)


@compiled
def at_kit_rate(record: Any, x: npt.NDArray[np.float32], before: int) -> npt.NDArray[np.float32]:
    """A window at the kit's rate; it lasts until the next call.

    Parameters
    ----------
    record : KIT_RATE record
        With ``half`` not 0.
    x : ndarray of float32, shape (before + n,)
        The window, and so many samples before it.
    before : int
        At least ``half - 1``.
    """
    taps = 2 * record.half
    filters = carray(as_pointer(record.filters), (record.phases, taps), dtype=np.float32)
    count = (x.size - before) * record.phases // record.step
    out = carray(as_pointer(record.window), count, dtype=np.float32)
    for n in range(count):
        at = n * record.step
        begin = before + at // record.phases - record.half + 1
        weight = filters[at % record.phases]
        out[n] = dot(weight, x[begin : begin + min(taps, x.size - begin)], x[x.size - 1])
    return out
