"""What is measured of a hit: the features of a window, in compiled loops.

[audio thread] The functions agree with the libraries of the notebook, which
is what ``tests/parity`` holds them to.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.kernel.jit import compiled
from rtcluster.kernel.plugin import call
from rtcluster.settings import BAND_FEATURES, FEATURES

Window = npt.NDArray[np.float32]
"""Shape (n,), from the onset on; it may be shorter than asked for, down to no samples."""

FIRST_BAND = FEATURES.index(BAND_FEATURES[0])
"""From here on a feature is a band of the spectrum's shape, which is measured as a whole."""

FLOOR = 1e-12
"""Added to powers before their logarithm: -120 dBFS, so that silence has a value."""

TINY = 1e-9
"""Added to sums of magnitudes and to shares, likewise."""

ZERO = np.float32(1e-10)
"""Magnitude up to which a sample counts as zero: librosa's default threshold."""


@compiled
def zero_crossings(x: Window) -> int:
    """Count zero crossings as ``librosa.zero_crossings(x).sum()`` does.

    Parameters
    ----------
    x : ndarray of float32, shape (n,)
        The window.

    Returns
    -------
    int
        Number of samples whose sign differs from the one before; the first sample counts
        (librosa's ``pad=True``), zero is positive, and so is anything within 1e-10 of it.
    """
    if x.size == 0:
        return 0
    count = 1
    for i in range(1, x.size):
        count += (x[i] < -ZERO) != (x[i - 1] < -ZERO)
    return count


@compiled
def energy(x: Window) -> float:
    """L2 norm of the window, as ``scipy.linalg.norm(x)``.

    Summed in float64, so that no float32 sample can overflow or vanish.

    Parameters
    ----------
    x : ndarray of float32, shape (n,)

    Returns
    -------
    float
    """
    total = 0.0
    for i in range(x.size):
        sample = np.float64(x[i])
        total += sample * sample
    return math.sqrt(total)


@compiled
def log_zcr(crossings: int, size: int, samplerate: float) -> float:
    """Zero crossings a second, in octaves above 1 Hz: a rate, so a cut window stays comparable."""
    if size == 0:
        return 0.0
    return math.log2(crossings * samplerate / size)


@compiled
def log_energy(norm: float) -> float:
    """Energy of a window in dB, from its :func:`energy`."""
    return 10.0 * math.log10(norm * norm + FLOOR)


@compiled
def level(norm: float, size: int) -> float:
    """Mean power of a window in dBFS: a mean, so a cut window stays comparable."""
    if size == 0:
        return 10.0 * math.log10(FLOOR)
    return 10.0 * math.log10(norm * norm / size + FLOOR)


@compiled
def brightness(x: Window, samplerate: float) -> float:
    """Mean absolute step over mean absolute value, as a frequency in octaves above 1 Hz.

    For a sine of frequency f this ratio is ``2 sin(pi f / fs)``; solved for f. Hjorth's mobility
    with magnitudes in place of powers, so that the tail counts and not the first few ms alone: a
    centroid that needs no spectrum.
    """
    value, step = 0.0, 0.0
    for i in range(1, x.size):
        value += abs(np.float64(x[i]))
        step += abs(np.float64(x[i]) - np.float64(x[i - 1]))
    ratio = 0.5 * step / (value + TINY)
    return math.log2(samplerate / math.pi * math.asin(min(1.0, ratio)) + 1.0)


@compiled
def complexity(x: Window) -> float:
    """Mean absolute second difference over mean absolute first one, in octaves.

    -5 for a kick, 0 for a hat. Hjorth's mobility of the derivative, with magnitudes: it weighs
    the top of the spectrum. It depends on the rate.
    """
    first, second, before = 0.0, 0.0, 0.0
    for i in range(1, x.size):
        step = np.float64(x[i]) - np.float64(x[i - 1])
        first += abs(step)
        if i >= 2:
            second += abs(step - before)
        before = step
    return math.log2((second + TINY) / (first + TINY))


@compiled
def air(x: Window, samplerate: float) -> float:
    """Share of the first 20 ms that lies above 4 kHz, in dB: -50 for a kick, -3 for a hat.

    Split by a second-order Butterworth low-pass, a trapezoidal state-variable filter (Zavalishin,
    "The Art of VA Filter Design", 2018, chapter 4); high is what is left of the signal. Only the
    attack is looked at, so a following hit seldom changes it.
    """
    g = math.tan(math.pi * min(4000.0 / samplerate, 0.45))
    a = 1.0 / (1.0 + g * (g + math.sqrt(2.0)))
    band, low, whole, high = 0.0, 0.0, 0.0, 0.0
    for i in range(min(x.size, int(0.020 * samplerate))):
        sample = np.float64(x[i])
        v = (band + g * (sample - low)) * a
        y = low + g * v
        band = 2.0 * v - band
        low = 2.0 * y - low
        whole += sample * sample
        high += (sample - y) * (sample - y)
    return max(-50.0, 10.0 * math.log10(high / (whole + FLOOR) + TINY))


@compiled
def attack(x: Window, samplerate: float) -> float:
    """Energy of the first 5 ms against that of the first 10 ms in dB: 0 for a click."""
    early, end = min(x.size, int(0.005 * samplerate)), min(x.size, int(0.010 * samplerate))
    first, whole = 0.0, 0.0
    for i in range(end):
        power = np.float64(x[i]) * np.float64(x[i])
        whole += power
        if i < early:
            first += power
    return max(-40.0, 10.0 * math.log10((first + FLOOR) / (whole + FLOOR)))


@compiled
def plugin_value(address: Any, x: Window, samplerate: float) -> float:
    """A plug-in's feature of a window, by its address."""
    return float(call(address, x.ctypes.data, x.size, samplerate))


@compiled
def feature(which: int, x: Window, crossings: int, norm: float, samplerate: float) -> float:
    """One feature of a window, by its place in :data:`rtcluster.settings.FEATURES`.

    ``crossings`` and ``norm`` are :func:`zero_crossings` and :func:`energy` of the window, which
    every event tells, so that they are counted once.
    """
    if which == 0:
        return float(crossings)
    if which == 1:
        return norm
    if which == 2:
        return log_zcr(crossings, x.size, samplerate)
    if which == 3:
        return log_energy(norm)
    if which == 4:
        return level(norm, x.size)
    if which == 5:
        return brightness(x, samplerate)
    if which == 6:
        return complexity(x)
    if which == 7:
        return air(x, samplerate)
    return attack(x, samplerate)


@compiled
def measure(
    x: Window,
    samplerate: float,
    crossings: int,
    norm: float,
    bands: npt.NDArray[np.float64],
    chosen: npt.NDArray[np.int32],
    addresses: npt.NDArray[np.uint64],
    count: int,
    out: npt.NDArray[np.float64],
) -> None:
    """Write the first ``count`` chosen features of a window into ``out``.

    Where there is an address, the feature is a plug-in's, and ``chosen`` does not count. For
    ``crossings`` and ``norm`` see :func:`feature`; ``bands`` is the shape of the spectrum
    (:func:`rtcluster.kernel.shape.represent_whole`), where a band is among the chosen.
    """
    for f in range(count):
        if addresses[f] != 0:
            out[f] = plugin_value(addresses[f], x, samplerate)
        elif chosen[f] >= FIRST_BAND:
            out[f] = bands[chosen[f] - FIRST_BAND]
        else:
            out[f] = feature(chosen[f], x, crossings, norm, samplerate)
