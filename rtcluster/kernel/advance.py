"""The whole per-block job, in terms of the rest of the kernel.

[audio thread] :func:`advance` takes any number of samples, cuts them
into hops of the detector's own size, and does the same things in the same order for each hop,
so that the size of the blocks cannot change a result. The order within a hop:

1. models that are due take effect, and settings that were changed;
2. the detector hears the hop;
3. a new hit is dated, emitted, and cuts short the ones still open;
4. guesses and finals that are due are measured, judged and emitted (:mod:`rtcluster.kernel.due`).

The Python driver (:mod:`rtcluster.engine.drivers`) does step 2 through aubio's Python binding
and calls :func:`begin_hop` and :func:`end_hop` for the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import carray

from rtcluster.events import (
    LEARNING,
    MASK,
    NOBODY,
    ONSET,
    THRESHOLD,
)
from rtcluster.kernel.click import as_pointer, sound_hit
from rtcluster.kernel.due import ONSET_SCALE, call_settle, loudness
from rtcluster.kernel.jit import compiled
from rtcluster.kernel.onset import condition, detect
from rtcluster.kernel.ring import (
    has_room,
    push_control,
    push_onset,
    show,
    show_settled,
    take_models,
)
from rtcluster.kernel.separate import Separate, address_of_record, caller
from rtcluster.kernel.state import GUESSING, MAX_OPEN, NOT_CUT, RING, STATE


@compiled
def advance(state: Any, block: npt.NDArray[np.float32]) -> int:
    """Run the engine over a block.

    Parameters
    ----------
    state : record of :data:`rtcluster.kernel.state.STATE`
    block : ndarray of float32, shape (frames, channels), C order

    Returns
    -------
    int
        Frames taken: all of them, unless ``state.synchronous`` is set and a hop had a
        final; then up to the end of that hop, so that the caller can learn from it.
    """
    taken = 0
    while taken < block.shape[0]:
        taken += fill(state, block[taken:])
        if state.filled < state.hop:
            break
        begin_hop(state)
        end_hop(state, detect(state))
        if state.synchronous and state.finals > 0:
            break
    return taken


def _advance(state_at: Any, block_at: Any, frames: Any, channels: Any) -> int:
    block = carray(as_pointer(block_at), (np.intp(frames), np.intp(channels)), np.float32)
    return advance(carray(as_pointer(state_at), 1, STATE)[0], block)


ADVANCE = Separate("rtcluster_advance", _advance, 4)
""":func:`advance`, with the addresses of a state and of a block, its frames and its channels."""

call_advance = caller(ADVANCE)


@compiled
def fill(state: Any, block: npt.NDArray[np.float32]) -> int:
    """Take frames up to the end of a hop, one channel or their mean; return how many."""
    count = min(state.hop - state.filled, block.shape[0])
    channels = block.shape[1]
    # A view from 0: the compiler then proves the indices and uses vector code.
    audio = state.hop_audio[state.filled : state.filled + count]
    if state.channel >= 0 or channels == 1:
        only = max(0, state.channel)
        for i in range(count):
            audio[i] = block[i, only]
    else:
        for i in range(count):
            sample = block[i, 0]
            for c in range(1, channels):
                sample += block[i, c]
            audio[i] = sample / np.float32(channels)
    state.filled += count
    return count


@compiled
def remember(state: Any, count: int) -> None:
    """Write the first ``count`` samples of the hop into both halves of the ring."""
    at = state.clock & (RING - 1)
    for i in range(count):
        slot = (at + i) & (RING - 1)
        state.ring[slot] = state.hop_audio[i]
        state.ring[slot + RING] = state.hop_audio[i]
    show(state, state.clock + count)


@compiled
def take_settings(state: Any) -> None:
    """Put into force what was asked for since the last hop, and tell from where on it holds.

    It waits while that cannot be told.
    """
    if state.asked_threshold != state.threshold and has_room(state):
        state.threshold = state.asked_threshold
        push_control(state, THRESHOLD, float(state.threshold))
    if state.asked_mask != state.mask and has_room(state):
        state.mask = state.asked_mask
        push_control(state, MASK, float(state.mask))


@compiled
def quantise(audio: npt.NDArray[np.float32], steps: float) -> None:
    """Round samples to whole steps of full scale, as a file of whole numbers will hold them.

    A NaN or an Inf stays one, for its hop is taken for silence.
    """
    if steps > 0.0:
        for i in range(audio.size):
            if not np.isfinite(audio[i]):
                continue
            step = np.floor(np.float64(audio[i]) * steps + 0.5)
            audio[i] = np.float32(min(max(step, -steps), steps - 1.0) / steps)


@compiled
def begin_hop(state: Any) -> None:
    """Models that are due, and the hop's audio where the detector finds it."""
    take_models(state)
    take_settings(state)
    audio = state.hop_audio[: state.hop]
    quantise(audio, float(state.steps))
    if not condition(audio, state.detector_audio[: state.hop]):
        state.bad_hops += 1
    remember(state, state.hop)
    state.finals = 0


@compiled
def end_hop(state: Any, strength: float) -> None:
    """What follows from the detector's answer, and what is due at the end of the hop."""
    state.clock += state.hop
    state.filled = 0
    if strength > 0.0:
        open_hit(state, strength)
    call_settle((address_of_record(state), 0))
    show_settled(state)


@compiled
def open_hit(state: Any, strength: float) -> None:
    """Emit the onset of a hit that was detected, and cut the hits before it."""
    now = state.clock
    start = now - state.detector[0].offset
    slot = claim_hit(state, start)
    if slot < 0:
        return
    hit = state.hits[slot]
    hit.level = state.detector[0].level_db
    hit.velocity = loudness(state, ONSET_SCALE, hit.level)
    push_onset(state, hit.id, start, now, hit.velocity, strength)
    sound_hit(state, ONSET, LEARNING, hit.velocity)


@compiled
def claim_hit(state: Any, start: int) -> int:
    """Slot of a new hit that began at ``start``, which cuts the ones before it; -1: none is free.

    What is known of it later is blank.
    """
    slot = -1
    for i in range(MAX_OPEN):
        hit = state.hits[i]
        if hit.stage == 0:
            slot = i
        elif hit.cut == NOT_CUT and hit.sample + state.window > start:
            hit.cut = start
    if slot < 0:
        state.events_dropped += 1
        return slot
    hit = state.hits[slot]
    hit.id = state.next_id
    hit.sample = start
    hit.cut = NOT_CUT
    hit.stage = GUESSING
    hit.guess_class = LEARNING
    hit.guess_others[:] = NOBODY
    hit.stretches = 0
    state.next_id += 1
    return slot


@compiled
def finish(state: Any) -> None:
    """The stream has ended: keep the samples of the last, partial hop, settle every hit.

    The detector does not hear the partial hop: the silence it would have to be
    filled up with makes an edge that is no onset.
    """
    quantise(state.hop_audio[: state.filled], float(state.steps))
    condition(state.hop_audio[: state.filled], state.detector_audio[: state.filled])
    remember(state, state.filled)
    state.clock += state.filled
    state.filled = 0
    state.finals = 0
    call_settle((address_of_record(state), 1))
