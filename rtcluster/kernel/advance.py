"""The whole per-block job, in terms of the rest of the kernel.

Runs on the audio thread. :func:`advance` takes any number of samples, cuts them
into hops of the detector's own size, and does the same things in the same order for each hop,
so that the size of the blocks cannot change a result. The order within a hop:

1. models that are due take effect, and settings that were changed;
2. the detector hears the hop;
3. a new hit is dated, emitted, and cuts short the ones still open;
4. guesses and finals that are due are measured, judged and emitted.

The Python driver (:mod:`rtcluster.drivers`) does step 2 through aubio's Python binding
and calls :func:`begin_hop` and :func:`end_hop` for the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.events import (
    FINAL,
    GUESS,
    LEARNING,
    MASK,
    ONSET,
    OVERLAPPED,
    REVISED,
    THRESHOLD,
)
from rtcluster.kernel.classify import classify
from rtcluster.kernel.click import sound_hit
from rtcluster.kernel.features import measure
from rtcluster.kernel.jit import compiled
from rtcluster.kernel.onset import condition, detect, stretch
from rtcluster.kernel.ring import (
    claim,
    commit,
    has_room,
    push_control,
    push_onset,
    show,
    show_settled,
    take_models,
)
from rtcluster.kernel.state import FINISHING, GUESSING, MAX_OPEN, NOT_CUT, RING
from rtcluster.kernel.velocity import learn_top, peak_db, velocity

PEAK_S = 0.010
"""A drum reaches its peak within this, in seconds."""

GUESS_STAGE, FINAL_STAGE = 0, 1
"""Index into the per-stage arrays of a model."""


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
    settle(state, False)
    show_settled(state)


@compiled
def open_hit(state: Any, strength: float) -> None:
    """Emit the onset of a hit that was detected, and cut the hits before it."""
    now = state.clock
    start = now - state.detector[0].offset
    slot = -1
    for i in range(MAX_OPEN):
        hit = state.hits[i]
        if hit.stage == 0:
            slot = i
        elif hit.cut == NOT_CUT and hit.sample + state.window > start:
            hit.cut = start
    if slot < 0:
        state.events_dropped += 1
        return
    hit = state.hits[slot]
    hit.id = state.next_id
    hit.sample = start
    hit.cut = NOT_CUT
    hit.stage = GUESSING
    hit.guess_class = LEARNING
    state.next_id += 1
    level = state.detector[0].level_db
    learn_top(state, level)
    hit.velocity = loudness(state, level)
    push_onset(state, hit.id, start, now, hit.velocity, strength)
    sound_hit(state, ONSET, LEARNING, hit.velocity)


@compiled
def loudness(state: Any, level_db: float) -> int:
    """Velocity of a level on the state's scale."""
    return velocity(level_db, state.velocity_curve, state.velocity_top, state.velocity_range)


@compiled
def settle(state: Any, ended: bool) -> None:
    """Emit the guesses and finals that are due, in the order of the hits.

    Parameters
    ----------
    ended : bool
        The stream is over: everything is due, with the samples there are.
    """
    while True:
        oldest = -1
        for i in range(MAX_OPEN):
            hit = state.hits[i]
            if (
                hit.stage > 0
                and due(state, hit, ended)
                and (oldest < 0 or hit.id < state.hits[oldest].id)
            ):
                oldest = i
        if oldest < 0:
            return
        hit = state.hits[oldest]
        if hit.stage == GUESSING:
            emit_guess(state, hit)
            hit.stage = FINISHING
        else:
            emit_final(state, hit)
            hit.stage = 0
            state.finals += 1


@compiled
def due(state: Any, hit: Any, ended: bool) -> bool:
    """Whether all the samples of a hit's present stage have been heard."""
    length = state.guess if hit.stage == GUESSING else state.window
    return ended or hit.cut != NOT_CUT or state.clock >= hit.sample + length


@compiled
def span_of(state: Any, hit: Any, length: int) -> int:
    """Samples there are of a window: up to the next hit and to the end of the stream."""
    end = min(hit.sample + length, state.clock)
    if hit.cut != NOT_CUT:
        end = min(end, hit.cut)
    return max(0, end - hit.sample)


@compiled
def measure_hit(state: Any, hit: Any, span: int) -> None:
    """Measure a stretch of a hit; ``state.zcr``, ``energy`` and ``raw`` are what was found."""
    x = stretch(state, hit.sample, span)
    chosen, foreign = state.features, state.foreign
    state.zcr, state.energy = measure(
        x, float(state.samplerate), chosen, foreign, state.n_features, state.raw
    )


@compiled
def judge(state: Any, hit: Any, span: int, stage: int) -> tuple[int, float]:
    """Measure a stretch of a hit; return its class and margin by one stage of the model."""
    measure_hit(state, hit, span)
    return classify(state.model[0], stage, state.raw, state.scaled)


@compiled
def emit_guess(state: Any, hit: Any) -> None:
    """Measure and judge the first stretch of a hit.

    By now its peak has passed, which the onset had to estimate from its first few samples.
    """
    span = span_of(state, hit, state.guess)
    swing = stretch(state, hit.sample, min(span, int(PEAK_S * state.samplerate)))
    hit.velocity = loudness(state, peak_db(swing))
    class_, margin = judge(state, hit, span, GUESS_STAGE)
    hit.guess_class = class_
    sound_hit(state, GUESS, class_, hit.velocity)
    slot = claim(state, GUESS)
    if slot >= 0:
        describe(state, slot, hit, span, class_, margin)
        commit(state)


@compiled
def emit_final(state: Any, hit: Any) -> None:
    """Measure and judge the whole window of a hit.

    A window that was cut short holds less energy and fewer crossings than the finals that the
    model was taught with; its verdict comes from the stretch that the guess looks at.
    """
    span = span_of(state, hit, state.window)
    overlapped = span < state.window and hit.cut != NOT_CUT
    if overlapped:
        class_, margin = judge(state, hit, span_of(state, hit, state.guess), GUESS_STAGE)
        measure_hit(state, hit, span)
    else:
        class_, margin = judge(state, hit, span, FINAL_STAGE)
    sound_hit(state, FINAL, class_, hit.velocity)
    slot = claim(state, FINAL)
    if slot >= 0:
        describe(state, slot, hit, span, class_, margin)
        revised = hit.guess_class != LEARNING and class_ != hit.guess_class
        state.events[slot].flags = OVERLAPPED * overlapped + REVISED * revised
        commit(state)


@compiled
def describe(state: Any, slot: int, hit: Any, span: int, class_: int, margin: float) -> None:
    """Fill in what a guess and a final have in common, of the stretch that was measured last."""
    event = state.events[slot]
    event.id = hit.id
    event.sample = hit.sample
    event.emitted = state.clock
    event.span = span
    event.class_ = class_
    event.margin = margin
    event.velocity = hit.velocity
    event.zcr = state.zcr
    event.energy = state.energy
    for f in range(state.n_features):
        event.features[f] = state.raw[f]


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
    settle(state, True)
