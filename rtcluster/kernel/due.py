"""What is due of the hits that are open: their guesses and finals, measured, judged and emitted.

[audio thread] No allocation, no exceptions, no locks. A guess or a final is due once its window has
been heard, or the next hit has cut it short, or the stream is over.
"""

from __future__ import annotations

import math
from typing import Any

from numba import carray

from rtcluster.events import (
    FINAL,
    GUESS,
    LEARNING,
    MOST_PARTS,
    NOBODY,
    OVERLAPPED,
    REVISED,
)
from rtcluster.kernel.apart import offsets_of, span_of_frames
from rtcluster.kernel.classify import classify
from rtcluster.kernel.click import as_pointer, sound_hit
from rtcluster.kernel.features import energy, measure, zero_crossings
from rtcluster.kernel.jit import compiled
from rtcluster.kernel.onset import stretch
from rtcluster.kernel.rate import at_kit_rate
from rtcluster.kernel.ring import (
    claim,
    commit,
)
from rtcluster.kernel.separate import Separate, caller
from rtcluster.kernel.sets import WHOLE, Drums, Shares, judge_sets
from rtcluster.kernel.shape import (
    measure_before,
    measure_stretch,
    offset_of,
    own_powers,
    represent_whole,
)
from rtcluster.kernel.state import FINISHING, GUESSING, MAX_OPEN, NOT_CUT, STATE
from rtcluster.kernel.velocity import BEFORE_S, PEAK_S, learn_top, level_of, velocity
from rtcluster.settings import BANDS

GUESS_STAGE, FINAL_STAGE = 0, 1
"""Index into the per-stage arrays of a model."""

ONSET_SCALE, GUESS_SCALE = 0, 1
"""Index into the state's scales of velocity."""


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


def _settle(state_at: Any, ended: Any) -> int:
    settle(carray(as_pointer(state_at), 1, STATE)[0], ended != 0)
    return 0


SETTLE = Separate("rtcluster_settle", _settle, 2)
""":func:`settle`, with the address of a state."""

call_settle = caller(SETTLE)


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
        tell_offsets(state, slot, hit, span, drums)
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
def tell_offsets(state: Any, slot: int, hit: Any, span: int, drums: Drums) -> None:
    """Fill in when each of a hit's two drums was struck, where a kit can tell and all was heard."""
    apart = state.apart[0]
    if apart.drums == 0 or drums[1] == NOBODY or hit.sample < apart.before:
        return
    length = span_of_frames(apart)
    if span < length - apart.before:
        return
    told = offsets_of(apart, drums, stretch(state, hit.sample - apart.before, length))
    for place in range(MOST_PARTS):
        state.events[slot].part_offset[place] = told[place]


@compiled
def in_db(share: float) -> float:
    """A share of a power in dB."""
    return 10.0 * math.log10(share)


@compiled
def scaled_velocity(state: Any, stage: int, level_db: float) -> int:
    """Velocity of a level on one of the state's scales as it stands, or on the one that was set."""
    top = state.velocity_top if state.velocity_set else state.scales[stage].top
    return velocity(level_db, state.velocity_curve, top, state.velocity_range)
