"""The whole per-block job, in terms of the rest of the kernel.

[audio thread] :func:`advance` takes any number of samples, cuts them
into hops of the detector's own size, and does the same things in the same order for each hop,
so that the size of the blocks cannot change a result. The order within a hop:

1. models that are due take effect, and settings that were changed;
2. the detector hears the hop;
3. a new hit is dated, emitted, and cuts short the ones still open;
4. guesses and finals that are due are measured, judged and emitted.

The Python driver (:mod:`rtcluster.engine.drivers`) does step 2 through aubio's Python binding
and calls :func:`begin_hop` and :func:`end_hop` for the others.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.events import (
    FINAL,
    GUESS,
    LEARNING,
    MASK,
    MOST_PARTS,
    NOBODY,
    ONSET,
    OVERLAPPED,
    REVISED,
    THRESHOLD,
)
from rtcluster.kernel.classify import classify
from rtcluster.kernel.click import sound_hit
from rtcluster.kernel.features import energy, measure, zero_crossings
from rtcluster.kernel.jit import compiled
from rtcluster.kernel.onset import condition, detect, stretch
from rtcluster.kernel.rate import at_kit_rate
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
from rtcluster.kernel.sets import WHOLE, Drums, Shares, judge_sets
from rtcluster.kernel.shape import (
    measure_before,
    measure_stretch,
    offset_of,
    own_powers,
    represent_whole,
)
from rtcluster.kernel.state import FINISHING, GUESSING, MAX_OPEN, NOT_CUT, RING
from rtcluster.kernel.velocity import BEFORE_S, PEAK_S, learn_top, level_of, velocity
from rtcluster.settings import BANDS

GUESS_STAGE, FINAL_STAGE = 0, 1
"""Index into the per-stage arrays of a model."""

ONSET_SCALE, GUESS_SCALE = 0, 1
"""Index into the state's scales of velocity."""


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
def loudness(state: Any, stage: int, level_db: float) -> int:
    """Velocity of a new hit's level on one of the state's scales, or on the one that was set."""
    top = state.velocity_top
    if not state.velocity_set:
        learn_top(state.scales[stage], level_db)
        top = state.scales[stage].top
    return velocity(level_db, state.velocity_curve, top, state.velocity_range)


@compiled
def settle(state: Any, ended: bool) -> None:
    """Emit the guesses and finals that are due, in the order of the hits.

    Parameters
    ----------
    ended : bool
        The stream is over: everything is due, with the samples there are.
    """
    while True:
        oldest = oldest_due(state, ended)
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
def oldest_due(state: Any, ended: bool) -> int:
    """Slot of the first hit of which something is due; -1 if there is none."""
    oldest = -1
    for i in range(MAX_OPEN):
        hit = state.hits[i]
        if (
            hit.stage > 0
            and due(state, hit, ended)
            and (oldest < 0 or hit.id < state.hits[oldest].id)
        ):
            oldest = i
    return oldest


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
    """Measure a stretch of a hit; ``state.zcr``, ``energy`` and ``raw`` are what was found.

    The features are those at the kit's rate; what the event tells of the window is not.
    """
    x, rate = stretch(state, hit.sample, span), float(state.samplerate)
    state.zcr, state.energy = crossings, norm = zero_crossings(x), energy(x)
    kit = state.kit_rate[0]
    if kit.half > 0:
        x = at_kit_rate(kit, stretch(state, hit.sample - kit.half, span + kit.half), kit.half)
        rate, crossings, norm = kit.samplerate, zero_crossings(x), energy(x)
    if state.by_bands:
        measure_whole(state, hit, span)
    chosen, plugins = state.features, state.plugins
    measure(x, rate, crossings, norm, state.bands, chosen, plugins, state.n_features, state.raw)


@compiled
def measure_whole(state: Any, hit: Any, span: int) -> None:
    """Measure the shape of a hit's spectrum as one stretch, to ``state.bands``.

    Whatever the kit's rate, it is that of the stream: bands are of Hz.
    """
    whole = state.whole[0]
    length = min(whole.before, hit.sample)
    before = stretch(state, hit.sample - length, length)
    offset = offset_of(before)
    if hit.stage == GUESSING:
        measure_before(whole, before, offset, hit.whole[0])
    part = stretch(state, hit.sample, min(span, whole.edges[1]))
    measure_stretch(whole, part, offset, hit.whole[1])
    represent_whole(hit.whole, state.bands)


@compiled
def classify_hit(state: Any, hit: Any, span: int, stage: int) -> tuple[Drums, float, Shares]:
    """Measure a stretch of a hit; return which drums sound in it.

    Returns
    -------
    drums : tuple of int
        Three classes, the strongest first; ``NOBODY`` where fewer sound.
    margin : float
    shares : tuple of float
        Of the hit's power, each drum's.
    """
    measure_hit(state, hit, span)
    model = state.model[0]
    if not model.by_sets:
        class_, margin = classify(model, stage, state.raw, state.scaled)
        return (int(class_), NOBODY, NOBODY), margin, WHOLE
    stretches = measure_shape(state, hit, span)
    sets = state.sets[0]
    count = own_powers(hit.powers, stretches, BANDS, sets.own)
    return judge_sets(sets, sets.judges[0], count, stretches, model.prior, float(model.reject))


@compiled
def measure_shape(state: Any, hit: Any, span: int) -> int:
    """Measure the stretches of a hit's spectrum that lie within a span; return how many do.

    What an earlier stage measured stands. If the next hit cuts the first stretch short, what there
    is of it has to do.
    """
    shape = state.shape[0]
    length = min(shape.before, hit.sample)
    before = stretch(state, hit.sample - length, length)
    offset = offset_of(before)
    if hit.stretches == 0:
        measure_before(shape, before, offset, hit.powers[0])
    count = 0
    while count < shape.stretches and shape.edges[count + 1] <= span:
        if count >= hit.stretches:
            begin, end = shape.edges[count], shape.edges[count + 1]
            part = stretch(state, hit.sample + begin, end - begin)
            measure_stretch(shape, part, offset, hit.powers[1 + count])
            hit.stretches = count + 1
        count += 1
    if count == 0:
        measure_stretch(shape, stretch(state, hit.sample, span), offset, hit.powers[1])
        count = 1
    return count


@compiled
def emit_guess(state: Any, hit: Any) -> None:
    """Measure and judge the first stretch of a hit.

    By now its peak has passed, which the onset had to estimate from its first few samples.
    """
    span = span_of(state, hit, state.guess)
    attack = stretch(state, hit.sample, min(span, int(PEAK_S * state.samplerate)))
    before = min(hit.sample, int(BEFORE_S * state.samplerate))
    hit.level = level_of(attack, stretch(state, hit.sample - before, before))
    hit.velocity = loudness(state, GUESS_SCALE, hit.level)
    drums, margin, shares = classify_hit(state, hit, span, GUESS_STAGE)
    keep_guess(hit, drums)
    velocities = part_velocities(state, hit, drums, shares)
    sound_parts(state, GUESS, drums, velocities)
    slot = claim(state, GUESS)
    if slot >= 0:
        describe(state, slot, hit, span, drums[0], margin)
        tell_parts(state, slot, drums, velocities)
        commit(state)


@compiled
def emit_final(state: Any, hit: Any) -> None:
    """Measure and judge the whole window of a hit.

    A window that was cut short holds less energy and fewer crossings than the finals that the
    model was taught with; its verdict comes from the stretch that the guess looks at. The sets of a
    taught kit are known by whatever was heard.
    """
    span = span_of(state, hit, state.window)
    overlapped = span < state.window and hit.cut != NOT_CUT
    if overlapped and not state.model[0].by_sets:
        own = span_of(state, hit, state.guess)
        drums, margin, shares = classify_hit(state, hit, own, GUESS_STAGE)
        measure_hit(state, hit, span)
    else:
        drums, margin, shares = classify_hit(state, hit, span, FINAL_STAGE)
    velocities = part_velocities(state, hit, drums, shares)
    sound_parts(state, FINAL, drums, velocities)
    slot = claim(state, FINAL)
    if slot >= 0:
        describe(state, slot, hit, span, drums[0], margin)
        tell_parts(state, slot, drums, velocities)
        state.events[slot].flags = OVERLAPPED * overlapped + REVISED * is_revised(hit, drums)
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
    event.level = hit.level
    event.zcr = state.zcr
    event.energy = state.energy
    for f in range(state.n_features):
        event.features[f] = state.raw[f]


@compiled
def keep_guess(hit: Any, drums: Drums) -> None:
    """Keep what the guess told, for the final."""
    hit.guess_class = drums[0]
    hit.guess_others[0], hit.guess_others[1] = drums[1], drums[2]


@compiled
def is_revised(hit: Any, drums: Drums) -> bool:
    """Whether the final has other drums than the guess; which is the strongest does not count."""
    if hit.guess_class == LEARNING:
        return False
    for one in drums:
        known = one in (hit.guess_class, hit.guess_others[0], hit.guess_others[1])
        if one != NOBODY and not known:
            return True
    for one in (hit.guess_class, hit.guess_others[0], hit.guess_others[1]):
        if one != NOBODY and one not in drums:
            return True
    return False


@compiled
def part_velocities(state: Any, hit: Any, drums: Drums, shares: Shares) -> Drums:
    """Velocities of a hit's drums, each by its share of the power; 0 of nobody."""
    if drums[1] == NOBODY:
        return int(hit.velocity), 0, 0
    loud = scaled_velocity(state, GUESS_SCALE, hit.level + in_db(shares[0]))
    softer = scaled_velocity(state, GUESS_SCALE, hit.level + in_db(shares[1]))
    if drums[2] == NOBODY:
        return loud, softer, 0
    return loud, softer, scaled_velocity(state, GUESS_SCALE, hit.level + in_db(shares[2]))


@compiled
def sound_parts(state: Any, stage: int, drums: Drums, velocities: Drums) -> None:
    """Begin the sounds of a hit's drums."""
    for place in range(MOST_PARTS):
        if place == 0 or drums[place] != NOBODY:
            sound_hit(state, stage, drums[place], velocities[place])


@compiled
def tell_parts(state: Any, slot: int, drums: Drums, velocities: Drums) -> None:
    """Fill in the drums of a hit."""
    event = state.events[slot]
    for place in range(MOST_PARTS):
        event.part_velocity[place] = velocities[place]
        if place > 0:
            event.others[place - 1] = drums[place]


@compiled
def in_db(share: float) -> float:
    """A share of a power in dB."""
    return 10.0 * math.log10(share)


@compiled
def scaled_velocity(state: Any, stage: int, level_db: float) -> int:
    """Velocity of a level on one of the state's scales as it stands, or on the one that was set."""
    top = state.velocity_top if state.velocity_set else state.scales[stage].top
    return velocity(level_db, state.velocity_curve, top, state.velocity_range)


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
