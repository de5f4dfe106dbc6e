"""From a hop of audio to "a hit began so many samples ago, this loud".

[audio thread] Our own detector for drums and aubio's stock ones come together here: both
leave when the hit began and how loud it is in the detector record.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.kernel import aubio_c
from rtcluster.kernel.attack import attack_contrast, attack_level, attack_start
from rtcluster.kernel.detector import note_hit, step
from rtcluster.kernel.jit import compiled
from rtcluster.kernel.spectrum import LOUDEST, SMALLEST
from rtcluster.kernel.state import DRUMS, RING

COUNTER_RESET = 1 << 30
"""Samples after which aubio's counter is set back. It has 32 bits, and in aubio 0.4.9 no onset
after its wrap is ever later than the last one; the build used now gets over the wrap itself."""

RECENT_S = 0.080
"""How much of the past the detectors look at, in seconds."""

AUBIO_DELAY_S = 0.030
"""How late aubio's stock methods fire at most, nearly always."""

AUBIO_ECHO_S = 0.070
"""So long after a hit aubio's stock methods may fire at it again."""

AUBIO_LOUDER_DB = 2.0
"""Within the mask, by how much an attack must be louder than the last one."""


LARGEST = np.finfo(np.float32).max
"""Only an Inf is larger."""


@compiled
def condition(source: npt.NDArray[np.float32], out: npt.NDArray[np.float32]) -> bool:
    """Copy a hop for aubio's detectors, kept in a range where they work.

    aubio squares in float32, and an overflow would stay in its averages for good; arithmetic on
    denormals is a hundred times slower.

    Returns
    -------
    bool
        False if the hop holds a NaN or an Inf; then ``source`` and ``out`` are silence.
    """
    good = True
    for i in range(source.size):
        x = source[i]
        good &= abs(x) <= LARGEST  # no comparison with a NaN is true
        x = min(max(x, -LOUDEST), LOUDEST)
        out[i] = x if abs(x) >= SMALLEST else np.float32(0.0)
    if good:
        return True
    source[:] = np.float32(0.0)
    out[: source.size] = np.float32(0.0)
    return False


@compiled
def stretch(state: Any, start: int, length: int) -> npt.NDArray[np.float32]:
    """View of the samples ``start`` to ``start + length`` of the stream, in the ring."""
    at = start & (RING - 1)
    return state.ring[at : at + length]


@compiled
def recent(state: Any) -> npt.NDArray[np.float32]:
    """The recent past, up to the end of the hop that is being heard."""
    length = int(RECENT_S * state.samplerate) + state.detector[0].frame
    return stretch(state, state.clock + state.hop - length, length)


@compiled
def available(state: Any) -> int:
    """Samples of the stream so far, the hop that is being heard included."""
    return state.clock + state.hop


@compiled
def detect(state: Any) -> float:
    """Hear a hop.

    Returns
    -------
    float
        0 where no hit was detected, otherwise how clearly one was. ``state.detector`` then tells
        when it began and how loud it is.
    """
    begin_detection(state)
    if state.method == DRUMS:
        return step(state.detector[0], recent(state), available(state))
    return accept(state, ask_aubio(state))


@compiled
def begin_detection(state: Any) -> None:
    """Hand what may be set while running to the detector, and let its time go on."""
    record = state.detector[0]
    record.previous += state.hop
    record.follows = np.int32(state.threshold < 0.0)
    record.threshold = abs(state.threshold)
    record.mask = np.float32(state.mask / state.samplerate)
    record.silence = state.silence


@compiled
def ask_aubio(state: Any) -> float:
    """Give the hop to aubio's own onset detector; 0, or how far it stood over its threshold."""
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
def accept(state: Any, strength: float) -> float:
    """Date what a stock detector found; 0 if it is only more of the last hit.

    aubio's own methods fire again on a hit that rings or that has a second burst. Within the mask
    only a louder attack is another hit; a little longer, it must stand out of what went before.
    """
    if strength == 0.0:
        return 0.0
    record, rate = state.detector[0], float(state.samplerate)
    past, heard = recent(state), available(state)
    offset = attack_start(
        past, heard, record.previous, int(AUBIO_DELAY_S * rate), rate, record.scratch
    )
    gap = record.previous - offset
    louder = record.level_db + AUBIO_LOUDER_DB
    if gap < state.mask and attack_level(past, heard, offset, rate) < louder:
        return 0.0
    if gap < AUBIO_ECHO_S * rate:
        contrast = attack_contrast(past, heard, offset, record.previous, rate, record.scratch)
        if contrast < state.echo_db:
            return 0.0
    note_hit(record, past, heard, offset)
    return strength
