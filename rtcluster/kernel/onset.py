"""From a hop of audio to "a hit began at sample n, this loud".

Runs on the audio thread. :func:`detect` asks aubio whether the hop holds an onset;
:func:`attack_start` finds the sample at which the attack began, in the ring;
:func:`velocity` tells how hard it was.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.kernel import aubio_c
from rtcluster.kernel.jit import compiled

COUNTER_RESET = 1 << 30
"""Samples after which aubio's counter is set back: it has 32 bits, and after it wraps no
onset would ever again be later than the last one."""

LOUDEST = np.float32(16.0)
"""The detector's input is held within this: aubio squares in float32, and an overflow
would stay in its averages for good."""

SMALLEST = np.float32(1e-15)
"""Under this the detector's input is 0: arithmetic on denormals is a hundred times slower."""


@compiled
def condition(source: npt.NDArray[np.float32], out: npt.NDArray[np.float32]) -> bool:
    """Copy a hop for the detector, kept in a range where it works.

    Returns
    -------
    bool
        False if the hop holds a NaN or an Inf; then ``source`` and ``out`` are silence.
    """
    poison = np.float32(0.0)
    for i in range(source.size):
        poison += source[i] * np.float32(0.0)
        x = min(max(source[i], -LOUDEST), LOUDEST)
        out[i] = x if abs(x) >= SMALLEST else np.float32(0.0)
    if poison == np.float32(0.0):
        return True
    source[:] = np.float32(0.0)
    out[: source.size] = np.float32(0.0)
    return False


@compiled
def detect(state: Any) -> float:
    """Give the hop to aubio's onset detector.

    Returns
    -------
    float
        0 where it found no onset, otherwise how far the descriptor stood above its threshold.
    """
    if state.applied_threshold != state.threshold:
        aubio_c.set_threshold(state.onset, state.threshold)
        state.applied_threshold = state.threshold
    if state.applied_silence != state.silence:
        aubio_c.set_silence(state.onset, state.silence)
        state.applied_silence = state.silence
    if state.aubio_frames >= COUNTER_RESET:
        aubio_c.reset_counter(state.onset)
        state.aubio_frames = 0
    state.aubio_frames += state.hop
    aubio_c.onset_do(state.onset, state.input_address, state.output_address)
    if state.fired[0] == np.float32(0.0):
        return 0.0
    return max(1e-6, float(aubio_c.thresholded_descriptor(state.onset)))


@compiled
def attack_start(recent: npt.NDArray[np.float32], step: int) -> int:
    """Find where the attack begins in a stretch that ends with its detection.

    The level is followed in steps; the attack is the greatest rise of a step over the mean level
    of the two before it, and its first sample is where that step first leaves their range.

    Parameters
    ----------
    recent : ndarray of float32, shape (n,)
        The last ``n`` samples.
    step : int
        Samples of a step, about 1 ms.

    Returns
    -------
    int
        Index into ``recent``.
    """
    best, best_rise = 0, -1.0
    for at in range(2 * step, recent.size - step + 1, step):
        before, now = np.float32(0.0), np.float32(0.0)
        for i in range(at - 2 * step, at):
            before = max(before, abs(recent[i]))
        for i in range(at, at + step):
            now = max(now, abs(recent[i]))
        rise = float(now - before) * math.log1p(now / (before + np.float32(1e-4)))
        if rise > best_rise:
            best, best_rise = at, rise
    level = np.float32(0.0)
    for i in range(max(0, best - 2 * step), best):
        level = max(level, abs(recent[i]))
    for i in range(best, min(best + step, recent.size)):
        if abs(recent[i]) > level:
            return i
    return best


@compiled
def velocity(attack: npt.NDArray[np.float32]) -> int:
    """MIDI velocity of an attack by its peak: -60 dBFS is 1, full scale is 127."""
    peak = np.float32(0.0)
    for i in range(attack.size):
        peak = max(peak, abs(attack[i]))
    level = 20.0 * math.log10(max(float(peak), 1e-6))
    return int(min(127.0, max(1.0, round(127.0 + level * 126.0 / 60.0))))
