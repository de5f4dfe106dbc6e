"""Several microphones of the same drums: every stroke is told once, whoever hears it.

[audio thread] The first of the states that lie together in memory tells the events; those after it
are the microphones'. Each microphone has a history, a detector and the spectra of the hits; it
emits nothing. A hop is the same for all of them, and goes as in :mod:`rtcluster.kernel.advance`.

An onset is held back for a moment after the first microphone fired, so that the others can say
whether they hear it too, and which of them heard it first. What one microphone alone fires at
weakly, the wash of a cymbal, the beat of two partials, is dropped. What fires within the mask
after an onset is the same stroke on its way to another microphone.

What a hit is judged by is its spectrum on every microphone, relative to the loudest band of them
all: its shape and its levels. The spectra are measured a few a hop as their stretches become
complete, because a block must not have to wait for all of them; so a guess and a final come up to
``microphones / MEASURED`` hops later than with one microphone.

Where no kit was taught, a hit is judged by its levels alone (:mod:`rtcluster.kernel.levels`).

A microphone that fails (:mod:`rtcluster.kernel.faults`) neither speaks for an onset nor is judged
by. It is one module, as what is done in a hop depends on what was held back in the ones before.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import carray

from rtcluster.events import FINAL, GUESS, LEARNING, MOST_PARTS, NOBODY, ONSET, OVERLAPPED, REVISED
from rtcluster.kernel.advance import begin_hop, claim_hit, fill, quantise, remember
from rtcluster.kernel.classify import classify
from rtcluster.kernel.click import as_pointer, sound_hit
from rtcluster.kernel.due import (
    FINAL_STAGE,
    GUESS_SCALE,
    GUESS_STAGE,
    ONSET_SCALE,
    describe,
    in_db,
    is_revised,
    keep_guess,
    loudness,
    measure_hit,
    measure_shape,
    oldest_due,
    scaled_velocity,
    sound_parts,
    span_of,
    tell_parts,
)
from rtcluster.kernel.faults import SOUND, check_microphones, sounds_again
from rtcluster.kernel.jit import compiled
from rtcluster.kernel.levels import measure_levels
from rtcluster.kernel.onset import condition, detect, stretch
from rtcluster.kernel.ring import claim, commit, push_onset, show_settled
from rtcluster.kernel.separate import Separate, caller
from rtcluster.kernel.sets import WHOLE, Drums, Shares, judge_sets
from rtcluster.kernel.shape import measure_before, measure_stretch, offset_of, own_powers
from rtcluster.kernel.state import FINISHING, GUESSING, MAX_OPEN, NOT_CUT, STATE
from rtcluster.kernel.velocity import BEFORE_S, PEAK_S, level_of

HOLD_S = 0.0014
"""An onset is held back so long after the first microphone fired, in seconds: a hop ..."""

PATIENCE_S = 0.0042
"""... and one that too little speaks for so long, until it is dropped."""

EVIDENCE = np.float32(1.4)
"""What must speak for an onset: the sum of the strengths at which microphones fired."""

MEASURED = 3
"""Spectra that are measured in a hop at most, unless the stream has ended."""


@compiled
def advance_joint(states: Any, block: npt.NDArray[np.float32]) -> int:
    """Run the engine over a block, as :func:`rtcluster.kernel.advance.advance` does.

    Parameters
    ----------
    states : records of :data:`rtcluster.kernel.state.STATE`
        ``states[0].microphones`` of them after the first are its microphones.
    block : ndarray of float32, shape (frames, channels), C order
    """
    joint = states[0]
    taken = 0
    while taken < block.shape[0]:
        taken += fill_joint(states, block[taken:])
        if joint.filled < joint.hop:
            break
        begin_joint(states)
        for m in range(1, joint.microphones + 1):
            states[m].strength = detect(states[m])
        end_joint(states)
        if joint.synchronous and joint.finals > 0:
            break
    return taken


@compiled
def states_from(address: Any) -> Any:
    """The states that lie together, by the address of the first."""
    first = carray(as_pointer(address), 1, STATE)[0]
    return carray(as_pointer(address), (np.intp(first.together),), STATE)


def _advance_joint(states_at: Any, block_at: Any, frames: Any, channels: Any) -> int:
    block = carray(as_pointer(block_at), (np.intp(frames), np.intp(channels)), np.float32)
    return advance_joint(states_from(states_at), block)


ADVANCE_JOINT = Separate("rtcluster_advance_joint", _advance_joint, 4)
""":func:`advance_joint`, as :data:`rtcluster.kernel.advance.ADVANCE`."""

call_advance_joint = caller(ADVANCE_JOINT)


@compiled
def fill_joint(states: Any, block: npt.NDArray[np.float32]) -> int:
    """Take frames up to the end of a hop; what is kept for meters is the microphones' mean."""
    joint = states[0]
    begin, count = joint.filled, 0
    for m in range(1, joint.microphones + 1):
        count = fill(states[m], block)
    scale = np.float32(1.0) / np.float32(joint.microphones)
    for i in range(begin, begin + count):
        total = np.float32(0.0)
        for m in range(1, joint.microphones + 1):
            total += states[m].hop_audio[i]
        joint.hop_audio[i] = total * scale
    joint.filled += count
    return count


@compiled
def begin_joint(states: Any) -> None:
    """Models and settings that are due, and every microphone's audio."""
    joint = states[0]
    begin_hop(joint)
    for m in range(1, joint.microphones + 1):
        one = states[m]
        one.threshold = one.asked_threshold = joint.threshold
        one.mask = one.asked_mask = joint.mask
        one.silence, one.steps = joint.silence, joint.steps
        begin_hop(one)


@compiled
def end_joint(states: Any) -> None:
    """What follows from the detectors' answers, and what is due at the end of the hop."""
    joint = states[0]
    joint.clock += joint.hop
    joint.filled = 0
    for m in range(1, joint.microphones + 1):
        one = states[m]
        one.clock, one.filled = joint.clock, 0
        if one.strength > np.float32(0.0):
            note_fired(joint, one, m)
    decide_onset(states)
    measure_some(states, MEASURED)
    call_settle_joint((states.ctypes.data, 0))
    show_settled(joint)


@compiled
def note_fired(joint: Any, one: Any, place: int) -> None:
    """Take it into account that a microphone fired, unless it is the last hit on its way."""
    sample = joint.clock - one.detector[0].offset - one.lag
    if one.fault != SOUND:
        sounds_again(joint, one, sample)
        return
    if joint.next_id > 0 and sample - joint.last_onset < joint.mask:
        return
    if joint.fired_by == 0:
        joint.first_fired, joint.earliest = joint.clock, sample
        joint.evidence = joint.strongest = np.float32(0.0)
    joint.fired_by += 1
    joint.earliest = min(joint.earliest, sample)
    joint.evidence += one.strength
    if one.strength > joint.strongest:
        joint.strongest, joint.strongest_place = one.strength, place
        joint.strongest_level = one.detector[0].level_db


@compiled
def decide_onset(states: Any) -> None:
    """Emit the onset that was held back long enough, or drop it."""
    joint = states[0]
    if joint.fired_by == 0:
        return
    held, rate = joint.clock - joint.first_fired, joint.samplerate
    if joint.evidence >= EVIDENCE and held >= int(HOLD_S * rate):
        open_joint(states)
        joint.fired_by = 0
    elif held >= int(PATIENCE_S * rate):
        joint.fired_by = 0


@compiled
def open_joint(states: Any) -> None:
    """Emit the onset of a hit, in the same slot of every microphone."""
    joint = states[0]
    start = max(0, joint.earliest)
    joint.last_onset = start
    slot = claim_hit(joint, start)
    if slot < 0:
        return
    for m in range(1, joint.microphones + 1):
        own = states[m].hits[slot]
        own.sample, own.stretches, own.stage = start, 0, GUESSING
    hit = joint.hits[slot]
    hit.place, hit.level = joint.strongest_place, joint.strongest_level
    one = states[hit.place]
    hit.velocity = loudness(one, ONSET_SCALE, hit.level)
    strength = float(joint.evidence)
    push_onset(joint, hit.id, start, joint.clock, hit.velocity, strength, one.number)
    sound_hit(joint, ONSET, LEARNING, hit.velocity)


@compiled
def measure_some(states: Any, most: int) -> None:
    """Measure spectra of open hits that are complete by now, the oldest hit first."""
    joint = states[0]
    after = -1
    while most > 0:
        slot = -1
        for i in range(MAX_OPEN):
            hit = joint.hits[i]
            if hit.stage > 0 and hit.id > after and (slot < 0 or hit.id < joint.hits[slot].id):
                slot = i
        if slot < 0:
            return
        after = joint.hits[slot].id
        span = span_of(joint, joint.hits[slot], joint.window)
        for m in range(1, joint.microphones + 1):
            while most > 0 and measure_next(states[m], states[m].hits[slot], span):
                most -= 1


@compiled
def is_missing(one: Any, own: Any, span: int) -> bool:
    """Whether a microphone has a spectrum of a hit to measure, within a span."""
    shape = one.shape[0]
    if shape.stretches == 0:  # no kit asks for any
        return False
    return own.stage == GUESSING or (
        own.stretches < shape.stretches and shape.edges[own.stretches + 1] <= span
    )


@compiled
def measure_next(one: Any, own: Any, span: int) -> bool:
    """Measure the next spectrum of a microphone's hit; False if none is missing."""
    if not is_missing(one, own, span):
        return False
    shape = one.shape[0]
    length = min(shape.before, own.sample)
    before = stretch(one, own.sample - length, length)
    offset = offset_of(before)
    if own.stage == GUESSING:  # what sounded before is not measured yet
        measure_before(shape, before, offset, own.powers[0])
        own.stage = FINISHING
    else:
        begin, end = shape.edges[own.stretches], shape.edges[own.stretches + 1]
        part = stretch(one, own.sample + begin, end - begin)
        measure_stretch(shape, part, offset, own.powers[1 + own.stretches])
        own.stretches += 1
    return True


@compiled
def settle_joint(states: Any, ended: bool) -> None:
    """Emit the guesses and finals that are due and measured, in the order of the hits.

    One that waits for its spectra keeps those after it waiting.
    """
    joint = states[0]
    while True:
        slot = oldest_due(joint, ended)
        if slot < 0:
            return
        hit = joint.hits[slot]
        guessing = hit.stage == GUESSING
        span = span_of(joint, hit, joint.guess if guessing else joint.window)
        for m in range(1, joint.microphones + 1):
            while ended and measure_next(states[m], states[m].hits[slot], span):
                pass
            if is_missing(states[m], states[m].hits[slot], span):
                return
        if guessing:
            tell_joint(states, slot, span, GUESS, GUESS_STAGE)
            hit.stage = FINISHING
        else:
            tell_joint(states, slot, span, FINAL, FINAL_STAGE)
            hit.stage = 0
            joint.finals += 1


def _settle_joint(states_at: Any, ended: Any) -> int:
    settle_joint(states_from(states_at), ended != 0)
    return 0


SETTLE_JOINT = Separate("rtcluster_settle_joint", _settle_joint, 2)
""":func:`settle_joint`, with the address of the first state."""

call_settle_joint = caller(SETTLE_JOINT)


@compiled
def judge_joint(states: Any, slot: int, span: int, stage: int) -> tuple[Drums, float, Shares]:
    """Which drums sound in a hit; as :func:`rtcluster.kernel.due.classify_hit`."""
    joint = states[0]
    hit, model = joint.hits[slot], joint.model[0]
    if not model.by_sets:
        if joint.by_levels:
            hit.place = measure_levels(states, hit, span)
        one = states[hit.place]
        measure_hit(one, hit, span)
        class_, margin = classify(model, stage, one.raw, joint.scaled)
        return (int(class_), NOBODY, NOBODY), margin, WHOLE
    sets, count, stretches = joint.sets[0], 0, 0
    for m in range(1, joint.microphones + 1):
        one = states[m]
        stretches = measure_shape(one, one.hits[slot], span)
        if m == joint.left_out:
            continue
        powers = one.hits[slot].powers
        count += own_powers(powers, stretches, sets.bands, sets.own[count:])
    judge = sets.judges[joint.left_out]
    return judge_sets(sets, judge, count, stretches, model.prior, float(model.reject))


@compiled
def level_on(one: Any, hit: Any, span: int) -> float:
    """Level of a hit's attack on a microphone, in dBFS."""
    attack = stretch(one, hit.sample, min(span, int(PEAK_S * one.samplerate)))
    before = min(hit.sample, int(BEFORE_S * one.samplerate))
    return level_of(attack, stretch(one, hit.sample - before, before))


@compiled
def tell_joint(states: Any, slot: int, span: int, kind: int, stage: int) -> None:
    """Judge a hit, and emit its guess or final.

    Each drum is as loud as on the microphone that hears it best, against what that one has heard;
    drums of one microphone share it.
    """
    joint = states[0]
    hit = joint.hits[slot]
    if kind == GUESS:
        check_microphones(states, hit, span)
    drums, margin, shares = judge_joint(states, slot, span, stage)
    if drums[0] >= 0 and joint.model[0].by_sets:
        hit.place = joint.sets[0].judges[joint.left_out].home[drums[0]]
    one = states[hit.place]
    whole = level_on(one, hit, min(span, joint.guess))
    hit.level = whole
    if kind == GUESS:
        hit.velocity = loudness(one, GUESS_SCALE, whole)
    else:
        hit.velocity = scaled_velocity(one, GUESS_SCALE, whole)
    loud = int(hit.velocity)
    softer = softest = 0
    if drums[1] != NOBODY:
        loud = velocity_of(states, hit, drums, shares, 0, span, kind)
        softer = velocity_of(states, hit, drums, shares, 1, span, kind)
    if drums[2] != NOBODY:
        softest = velocity_of(states, hit, drums, shares, 2, span, kind)
    velocities = loud, softer, softest
    sound_parts(joint, kind, drums, velocities)
    measure_hit(one, hit, span)
    joint.zcr, joint.energy = one.zcr, one.energy
    for f in range(joint.n_features):  # of slices Numba would compile the message of an error
        joint.raw[f] = one.raw[f]
    place = claim(joint, kind)
    if place >= 0:
        describe(joint, place, hit, span, drums[0], margin)
        tell_parts(joint, place, drums, velocities)
        event = joint.events[place]
        event.channel = one.number
        if kind == FINAL:
            overlapped = span < joint.window and hit.cut != NOT_CUT
            event.flags = OVERLAPPED * overlapped + REVISED * is_revised(hit, drums)
        commit(joint)
    if kind == GUESS:
        keep_guess(hit, drums)


@compiled
def velocity_of(
    states: Any, hit: Any, drums: Drums, shares: Shares, place: int, span: int, kind: int
) -> int:
    """Velocity of one of a hit's drums, on the microphone that hears it best."""
    joint = states[0]
    home = joint.sets[0].judges[joint.left_out].home
    total, first = 0.0, place  # of the drums of its microphone
    for other in range(MOST_PARTS):
        if drums[other] != NOBODY and home[drums[other]] == home[drums[place]]:
            total += shares[other]
            first = min(first, other)
    one, share = states[home[drums[place]]], shares[place] / total
    level = hit.level
    if first > 0:
        level = level_on(one, hit, min(span, joint.guess))
        if kind == GUESS and first == place:
            own = loudness(one, GUESS_SCALE, level)
            if share == 1.0:
                return own
    elif share == 1.0:
        return int(hit.velocity)
    return scaled_velocity(one, GUESS_SCALE, level + in_db(share))


@compiled
def finish_joint(states: Any) -> None:
    """The stream has ended: keep the samples of the last, partial hop, settle every hit."""
    joint = states[0]
    count = joint.filled
    for m in range(1, joint.microphones + 1):
        one = states[m]
        quantise(one.hop_audio[:count], float(joint.steps))
        condition(one.hop_audio[:count], one.detector_audio[:count])
        remember(one, count)
        one.clock, one.filled = one.clock + count, 0
    remember(joint, count)
    joint.clock, joint.filled, joint.finals = joint.clock + count, 0, 0
    if joint.fired_by > 0 and joint.evidence >= EVIDENCE:
        open_joint(states)
    joint.fired_by = 0
    call_settle_joint((states.ctypes.data, 1))
