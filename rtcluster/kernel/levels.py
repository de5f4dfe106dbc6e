"""How loud a hit is on each of several microphones, where nobody taught which hears which drum.

[audio thread] A microphone near a drum hears it at the top of its own range, and what bleeds
there lower. So a hit's levels, each against the loudest that the microphone has heard, tell the
drums apart, whatever the gains: relative to the microphone that stands out most, in dB. One that
has not heard its own drum yet has no range to speak of: until then it is taken for one whose gain
is :data:`UNHEARD` under the loudest one's.
"""

from __future__ import annotations

import math
from typing import Any

from rtcluster.kernel.jit import compiled
from rtcluster.kernel.onset import stretch
from rtcluster.kernel.state import GUESSING
from rtcluster.settings import BANDS

ATTACK_S = 0.030
"""Of a hit's attack, in seconds: the whole of the guess's usual window, so both are alike."""

UNHEARD = 10.0**-1.2
"""Power under the loudest microphone's that one counts at least as having heard: -12 dB."""

RANGE_DB = 30.0
"""Under the microphone that stands out most; what is softer counts as this."""

SILENT = 1e-12
"""Mean square of what is as good as nothing: -120 dBFS."""


@compiled
def measure_levels(states: Any, hit: Any, span: int) -> int:
    """Measure a hit's levels; return the place of the microphone that stands out most.

    They are in that one's state, after the bands of the spectrum.
    """
    joint = states[0]
    length, top = min(span, int(ATTACK_S * joint.samplerate)), 0.0
    for m in range(1, joint.microphones + 1):
        one = states[m]
        one.power = power_of(stretch(one, hit.sample, length))
        if hit.stage == GUESSING:
            one.top = max(one.top, one.power)
        top = max(top, one.top)
    best = 1
    for m in range(1, joint.microphones + 1):
        if share_of_top(states[m], top) > share_of_top(states[best], top):
            best = m
    out, most = states[best].bands, share_of_top(states[best], top)
    for m in range(1, joint.microphones + 1):
        under = 10.0 * math.log10(share_of_top(states[m], top) / most)
        out[BANDS + m - 1] = max(under, -RANGE_DB)
    return best


@compiled
def share_of_top(one: Any, top: float) -> float:
    """Power of a hit on a microphone, of the greatest that it can be expected to hear."""
    return (one.power + SILENT) / (max(one.top, UNHEARD * top) + SILENT)


@compiled
def power_of(audio: Any) -> float:
    """Mean square of samples about their mean; 0 of none."""
    if audio.size == 0:
        return 0.0
    total, squares = 0.0, 0.0
    for i in range(audio.size):
        total += audio[i]
        squares += audio[i] * float(audio[i])
    mean = total / audio.size
    return max(0.0, squares / audio.size - mean * mean)
