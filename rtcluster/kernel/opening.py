"""The hit with which a stream begins.

The flux needs a past, and a stream has none: noise that is there from the first
sample would be an attack. So one decision is made `POLL_S` after the start, on three pieces
of evidence that a hit began, and that the stream was not cut into a steady or a ringing sound:

- a *rise*: early on there was less than soon after. It is measured in the error of a linear
  predictor with zeros for a past: a sound that is cut into is least foreseen in its first samples,
  so what rang already does not rise;
- how *sure* that rise is, the log likelihood ratio of two variances against one (the change point
  of :mod:`rtcluster.kernel.attack`): a few samples of noise are low by chance;
- a *fall*: the bands have fallen below their highest since.

None suffices alone: a drum that was trimmed to its first sample hardly rises, a cymbal hardly
falls, and the tail of a drum falls as the drum does. They are added up with the weights of a
logistic regression.

Runs in the audio callback: no allocation, no exceptions, no locks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.kernel import attack
from rtcluster.kernel.jit import compiled
from rtcluster.kernel.spectrum import MAX_BANDS

POLL_S = 0.045
RISE_S = 0.0232  # a hit in this time, in which the flux is deaf, may rise
EARLY_S = 0.00036  # at least so much comes before a rise
SOON_S = 0.002  # a rise is measured over this ...
SURE_S = 0.005  # ... and how sure it is over this
FLOOR = 1e-12  # power of the prediction error: -120 dB
MOST_DB = 12.0  # more of a rise is no more evidence
MOST_RATIO = 60.0  # nor is a greater log likelihood ratio

# Features, weights and limits were chosen on 138 one-shots (hits) against their tails, noise of
# three colours, noise that fades in, and recordings cut between hits (none), with each kit and each
# recording left out in turn (docs/lab-book/measurements.md).
RISE_WEIGHT = 0.37  # of the rise in dB
SURE_WEIGHT = 1.35  # of ln(1 + log likelihood ratio)
FALL_WEIGHT = 9.8  # of the mean fall of the bands, log10
NEEDED = 7.0
LEAST_FALL = 0.07  # mean fall of the bands, log10: steady noise has less, and what fades in
MOST_FALL = np.float32(1.3)  # of a band, log10: 26 dB

JUMP_SHARE = 0.5  # of the curvature's energy in three samples: a jump or a kink
START_SHARE = 0.05  # of the peak (-26 dB): the hit has begun

OPENING_FIELDS = [
    ("look", "i8"),  # hops
    ("loudest", "f4", (MAX_BANDS,)),  # highest magnitude of each band so far
]


def configure_opening(record: Any, samplerate: float, hop: int) -> None:
    """Fill the opening's part of `record`."""
    record["look"] = int(np.ceil(POLL_S * samplerate / hop))
    record["loudest"] = 0.0


@compiled
def is_jump(recent: npt.NDArray[np.float32], length: int) -> bool:
    """Whether three samples hold most of the curvature of the newest `length`."""
    total = first = second = third = 0.0
    for t in range(len(recent) - length, len(recent)):
        bend = np.float64(recent[t]) - 2.0 * np.float64(recent[t - 1]) + np.float64(recent[t - 2])
        bend *= bend
        total += bend
        if bend > first:
            first, second, third = bend, first, second
        elif bend > second:
            second, third = bend, second
        elif bend > third:
            third = bend
    return first + second + third > JUMP_SHARE * total


@compiled
def rise(
    recent: npt.NDArray[np.float32], first: int, rate: float, scratch: npt.NDArray[np.float64]
) -> tuple[float, float]:
    """How much, and how surely, a stream that begins at ``recent[first]`` rises from its start.

    Returns
    -------
    rise : float
        dB, of the prediction error after some moment over that before it, at most.
    ratio : float
        Log likelihood ratio of the likeliest such moment; 0 without any.
    """
    order, count = attack.ORDER, min(int(RISE_S * rate), attack.SCRATCH, len(recent) - first)
    coefficients = scratch[attack.SCRATCH :]
    attack.fit_predictor(recent, first, first + count, coefficients)
    attack.whiten(recent[first - order :], count + order, coefficients, scratch)
    error = scratch[order : order + count]
    early, soon, sure = int(EARLY_S * rate), int(SOON_S * rate), int(SURE_S * rate)
    near = far = before = 0.0
    for t in range(count):
        error[t] = error[t] * error[t] + FLOOR
        near += error[t] if t < soon else 0.0
        far += error[t] if t < sure else 0.0
    highest, best = 0.0, 0.0
    for k in range(1, count - soon):
        before += error[k - 1]
        near += error[k - 1 + soon] - error[k - 1]
        far += (error[k - 1 + sure] if k - 1 + sure < count else 0.0) - error[k - 1]
        after = min(sure, count - k)
        earlier, later = before / k, max(far / after, FLOOR)
        if k >= early:
            highest = max(highest, near / soon / earlier)
        if later > earlier:
            both = (before + far) / (k + after)
            ratio = (k + after) * np.log(both) - k * np.log(earlier) - after * np.log(later)
            best = max(best, ratio)
    return 10.0 * np.log10(max(highest, FLOOR)), best


@compiled
def opening_hit(record: Any, recent: npt.NDArray[np.float32]) -> int:
    """Distance back to the hit with which the stream began; 0 if there is none (yet).

    To be called once a hop, after the bands are measured and `record.hops` counts this
    hop, as long as `record.hops <= record.look`.
    """
    band, loudest, share = record.band, record.loudest, record.band_weight
    for b in range(record.bands):
        loudest[b] = max(loudest[b], band[b])
    if record.hops != record.look:
        return 0
    floor = record.floor
    fall = np.float32(0.0)
    for b in range(record.bands):
        fall += share[b] * min(MOST_FALL, np.log10((loudest[b] + floor) / (band[b] + floor)))
    length = min(record.hops * record.hop, len(recent) - attack.ORDER)
    rise_db, ratio = rise(recent, len(recent) - length, record.samplerate, record.scratch)
    evidence = RISE_WEIGHT * min(rise_db, MOST_DB) + FALL_WEIGHT * fall
    evidence += SURE_WEIGHT * np.log(1.0 + min(ratio, MOST_RATIO))
    if evidence < NEEDED or fall < LEAST_FALL or is_jump(recent, length):
        return 0
    peak = np.float32(0.0)
    for t in range(len(recent) - length, len(recent)):
        peak = max(peak, abs(recent[t]))
    for t in range(len(recent) - length, len(recent)):
        if abs(recent[t]) > np.float32(START_SHARE) * peak:
            return len(recent) - t
    return 0
