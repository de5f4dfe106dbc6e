"""When a hit began and how loud it is, from the samples around a detection.

A detector fires some milliseconds after the attack. The functions here look back
from that moment in the audio ring. They run once per hit, inside the audio
callback: they allocate nothing, raise nothing and cost tens of microseconds.

The attack is a change point: before it the signal is noise, hum or the ringing
of an earlier drum; after it there is more. Three steps find it:

1. Whiten. A linear predictor of low order is fitted to the signal before the
   search range (Levinson-Durbin) and its prediction error is used from there on.
   What can be predicted, a ringing drum, hum, an offset, is gone, and what is
   new stands out (the AR-AIC picker of seismology: Sleeman and van Eck, "Robust
   automatic P-phase picking", Phys. Earth Planet. Inter. 113, 1999).
2. Pick. Akaike's criterion for "two stretches, each with its own variance"
   (Maeda 1985): AIC(k) = k log var(e[:k]) + (n - k) log var(e[k:]). Its minimum is
   where the stretches divide best. No threshold is involved.
3. Walk back. The variance rises surely only some samples into the attack; from
   the minimum the start is where the error was last within its own noise.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rtcluster.kernel.jit import compiled

ORDER = 8  # of the predictor: four resonances, or hum and one drum
WHITE = 1e-4  # white floor of the fit, relative (-40 dB): bounds its gain
CONTEXT_S = 0.012  # signal before the search range that teaches the predictor
SETTLE_S = 0.003  # the attack of the previous hit is not context
QUIET_S = 0.0002  # so long the error must stay in the noise
WALK_S = 0.004  # a start is at most this far before the pick
NOISE_FACTOR = 3.0  # times the rms of the error before the hit: noise
PEAK_FACTOR = 0.02  # of the attack's peak (-34 dB): not yet a hit
SCRATCH = 16384  # samples: context and search at 192 kHz, twice the longest
WORK = SCRATCH + 2 * ORDER  # length of the work space
SEARCH_S = 0.014  # the flux detector fires this late at most, nearly always


@compiled
def fit_predictor(
    recent: npt.NDArray[np.float32], first: int, last: int, coefficients: npt.NDArray[np.float64]
) -> None:
    """Fit x[t] ~ sum(c[j] x[t-1-j]) to recent[first:last] (autocorrelation method).

    Parameters
    ----------
    recent : float32 array
    first, last : int
        Range of the samples to learn from.
    coefficients : float64 array, (2 * ORDER,)
        Receives c; all zero (the error is then the signal) where there is nothing to learn. The
        second half is work space.
    """
    for j in range(ORDER):
        coefficients[j] = 0.0
    if last - first < 4 * ORDER:
        return
    energy = 0.0
    for t in range(first, last):
        energy += np.float64(recent[t]) * np.float64(recent[t])
    if energy <= 0.0:
        return
    correlation = coefficients[ORDER:]  # at lag j + 1
    correlation[:ORDER] = 0.0
    x = recent[first:last]
    for t in range(1, ORDER):
        for j in range(t):
            correlation[j] += np.float64(x[t]) * np.float64(x[t - 1 - j])
    # All lags of a sample at once: sums that do not wait for each other.
    for t in range(ORDER, x.size):
        for j in range(ORDER):
            correlation[j] += np.float64(x[t]) * np.float64(x[t - 1 - j])
    error = energy * (1.0 + WHITE)
    for order in range(ORDER):
        r = correlation[order]
        for j in range(order):
            r -= coefficients[j] * correlation[order - 1 - j]
        reflection = r / error
        for j in range((order + 1) // 2):
            left, right = coefficients[j], coefficients[order - 1 - j]
            coefficients[j] = left - reflection * right
            coefficients[order - 1 - j] = right - reflection * left
        coefficients[order] = reflection
        error *= 1.0 - reflection * reflection


@compiled
def whiten(
    x: npt.NDArray[np.float32],
    count: int,
    coefficients: npt.NDArray[np.float64],
    error: npt.NDArray[np.float64],
) -> None:
    """Write what the predictor could not foresee of x[:count] into error[ORDER:count].

    Parameters
    ----------
    x : float32 array
    count : int
        Samples; the first ORDER of them are only predicted from.
    coefficients : float64 array
        From `fit_predictor`.
    error : float64 array
        Receives x[t] - sum(c[j] x[t-1-j]).
    """
    for t in range(ORDER, count):
        e = np.float64(x[t])
        for j in range(ORDER):
            e -= coefficients[j] * np.float64(x[t - 1 - j])
        error[t] = e


@compiled
def attack_start(
    recent: npt.NDArray[np.float32],
    available: int,
    previous: int,
    search: int,
    rate: float,
    scratch: npt.NDArray[np.float64],
) -> int:
    """Distance from the end of `recent` back to the first sample of the attack.

    Parameters
    ----------
    recent : float32 array
        The recent past, oldest first; its last sample is the newest one.
    available : int
        How many samples at the end of `recent` are signal (less after a start).
    previous : int
        Distance in samples from the end back to the onset before this one, or a
        number larger than `available` if there is none.
    search : int
        How far back the attack may lie, in samples: the detector's largest delay.
    rate : float
        Hz.
    scratch : float64 array, (WORK,)
        Work space.

    Returns
    -------
    int
        1 is the newest sample; the onset is at `emitted - offset`.
    """
    end = len(recent)
    coefficients = scratch[SCRATCH:]
    reach = min(search, available - 1)
    # Nothing of the previous hit's own attack may be taken for this one.
    reach = min(reach, previous - int(SETTLE_S * rate))
    if reach < 16:
        return max(1, min(search, previous - 1, available))
    context = min(int(CONTEXT_S * rate), available - reach)
    context = min(context, max(0, previous - int(SETTLE_S * rate) - reach))
    reach = min(reach, SCRATCH // 2)
    context = min(context, SCRATCH // 2)
    first = end - reach - context
    fit_predictor(recent, first, end - reach, coefficients)

    n = reach + context
    whiten(recent[first:], n, coefficients, scratch)
    total = 0.0
    for t in range(ORDER, n):
        total += scratch[t] * scratch[t]
    guard = 8
    best, pick = 1e300, n - guard
    before = 0.0
    tiny = 1e-12
    for t in range(ORDER, n - guard):
        before += scratch[t] * scratch[t]
        if t + 1 < max(context, ORDER + guard):
            continue
        k, m = t + 1 - ORDER, n - 1 - t
        after = max(total - before, 0.0)
        if after * k <= before * m:  # only a rise is an attack
            continue
        aic = k * np.log(before / k + tiny) + m * np.log(after / m + tiny)
        if aic < best:
            best, pick = aic, t + 1

    noise = 0.0
    k = max(1, pick - int(0.001 * rate) - ORDER)
    for t in range(ORDER, ORDER + k):
        noise += scratch[t] * scratch[t]
    peak = 0.0
    for t in range(pick, n):
        peak = max(peak, abs(scratch[t]))
    quiet = max(NOISE_FACTOR * np.sqrt(noise / k), PEAK_FACTOR * peak)
    stretch = max(4, int(QUIET_S * rate))
    earliest = max(ORDER, pick - int(WALK_S * rate), context)
    start = pick
    # The pick can lie a little before the first loud sample, too.
    while start < n - 1 and abs(scratch[start]) < quiet:
        start += 1
    run = 0
    t = start - 1
    while t >= earliest and run < stretch:
        if abs(scratch[t]) < quiet:
            run += 1
        else:
            run = 0
            start = t
        t -= 1
    return n - start


@compiled
def attack_contrast(
    recent: npt.NDArray[np.float32],
    available: int,
    offset: int,
    previous: int,
    rate: float,
    scratch: npt.NDArray[np.float64],
) -> float:
    """How far an attack stands out of what could be predicted before it, in dB.

    The power of the prediction error from the attack on, over that before it. What
    only seems to be a stroke, a hit's own echo or the beat of its partials, stays
    under 5 dB; strokes 20 to 35 ms after another one have 6 dB and more.

    Parameters
    ----------
    recent, available, previous, rate, scratch
        As for `attack_start`.
    offset : int
        What `attack_start` returned.

    Returns
    -------
    float
        dB; 99 if there is too little signal between the two hits to tell.
    """
    end = len(recent)
    context = min(int(CONTEXT_S * rate), available - offset)
    context = min(context, previous - offset - int(SETTLE_S * rate))
    context = min(context, SCRATCH // 2)
    if context < 4 * ORDER or offset < 1:
        return 99.0
    coefficients = scratch[SCRATCH:]
    first = end - offset - context
    fit_predictor(recent, first, end - offset, coefficients)
    whiten(recent[first:], context + offset, coefficients, scratch)
    before = after = 1e-14
    for t in range(ORDER, context):
        before += scratch[t] * scratch[t]
    for t in range(context, context + offset):
        after += scratch[t] * scratch[t]
    return 10.0 * np.log10(after / offset * (context - ORDER) / before)


@compiled
def attack_level(
    recent: npt.NDArray[np.float32], available: int, offset: int, rate: float
) -> float:
    """Peak of the attack so far in dBFS, without what sounded just before it.

    Parameters
    ----------
    recent, available, rate
        As for `attack_start`.
    offset : int
        What `attack_start` returned.

    Returns
    -------
    float
        dBFS, -120 at least.
    """
    end = len(recent)
    context = min(int(CONTEXT_S * rate), available - offset)
    mean = 0.0
    for t in range(end - offset - context, end - offset):
        mean += recent[t]
    if context > 0:
        mean /= context
    before = 0.0
    for t in range(end - offset - context, end - offset):
        before = max(before, abs(recent[t] - mean))
    after = 0.0
    for t in range(end - offset, end):
        after = max(after, abs(recent[t] - mean))
    # The two are unrelated signals: their powers add. What is left of a hit that
    # hides under another one is kept to a quarter of it (-12 dB).
    power = max(after * after - before * before, after * after / 16.0)
    return max(-120.0, 10.0 * np.log10(power + 1e-12))
