"""Microphones of a kit that fail: one that gives nothing, one that clips hard.

[audio thread] Looked at with each hit that a taught kit judges, in the stretch of its guess, so by
the samples alone. Who fails is told by an event, and no longer judged by: there is a classifier
without each microphone (:mod:`rtcluster.learning.drum_sets`). Where several fail, it is the first
of them that is left out of the classifiers; none of them speaks for an onset.

What gives nothing is back as soon as its own detector fires. What clipped is back after so many
hits without.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rtcluster.events import MICROPHONE
from rtcluster.kernel.jit import compiled
from rtcluster.kernel.onset import stretch
from rtcluster.kernel.ring import claim, commit
from rtcluster.settings import SILENT_SHARE

SOUND, SILENT, CLIPS = 0, 1, 2
"""Values of ``STATE["fault"]``."""

LEAST_S = 0.015
"""A hit that the next one cuts shorter than this says nothing, in seconds."""

FULL = np.float32(0.999)
"""A sample of this magnitude clips."""

HALF_SCALE = np.float32(0.5)
"""What swings less does not clip hard."""

CLIPPED_SHARE = 1.0 / 3.0
"""Of the samples of a hit that clip, from where on it clips hard: 20 dB too much gain, not 12,
with which a microphone still says more than it would if it were left out."""

CLIPPED_HITS = 3
"""So many make a fault, ..."""

UNCLIPPED_HITS = 32
"""... unless so many between two of them do not; and so many end it."""


@compiled
def check_microphones(states: Any, hit: Any, span: int) -> None:
    """Look at what each microphone heard of a hit."""
    joint = states[0]
    if joint.sets[0].count == 0 or span < int(LEAST_S * joint.samplerate):
        return
    loudest = np.float32(0.0)
    for m in range(1, joint.microphones + 1):
        states[m].swing = swing(stretch(states[m], hit.sample, span))
        loudest = max(loudest, states[m].swing)
    for m in range(1, joint.microphones + 1):
        one = states[m]
        silent = one.swing <= np.float32(SILENT_SHARE) * loudest
        if silent and one.fault != SILENT and not one.silences:
            change(joint, one, SILENT, hit.sample)
        hard = False
        if one.swing >= HALF_SCALE:
            hard = clipped_in(stretch(one, hit.sample, span)) >= CLIPPED_SHARE * span
        count_clipped(joint, one, hard, hit.sample)
    joint.left_out = 0
    for m in range(joint.microphones, 0, -1):
        if states[m].fault != SOUND:
            joint.left_out = m


@compiled
def count_clipped(joint: Any, one: Any, hard: bool, sample: int) -> None:
    """Take a hit into account that clipped hard, or did not."""
    if hard:
        one.clipped, one.unclipped = one.clipped + 1, 0
        if one.clipped >= CLIPPED_HITS and one.fault == SOUND:
            change(joint, one, CLIPS, sample)
        return
    one.unclipped += 1
    if one.unclipped >= UNCLIPPED_HITS:
        one.clipped = 0
        if one.fault == CLIPS:
            change(joint, one, SOUND, sample)


@compiled
def sounds_again(joint: Any, one: Any, sample: int) -> None:
    """The detector of a microphone that fails has fired: it gives something again."""
    if one.fault == SILENT:
        change(joint, one, SOUND, sample)


@compiled
def change(joint: Any, one: Any, fault: int, sample: int) -> None:
    """Tell that a microphone fails from now on, or no longer."""
    one.fault = fault
    slot = claim(joint, MICROPHONE)
    if slot >= 0:
        event = joint.events[slot]
        event.channel = one.number
        event.sample, event.emitted = sample, joint.clock
        event.flags = fault
        commit(joint)


@compiled
def swing(audio: Any) -> Any:
    """Half the range of some samples: an offset is no sound."""
    least = most = audio[0]
    for i in range(1, audio.size):
        least, most = min(least, audio[i]), max(most, audio[i])
    return np.float32(0.5) * (most - least)


@compiled
def clipped_in(audio: Any) -> int:
    """Samples at full scale."""
    count = 0
    for i in range(audio.size):
        count += abs(audio[i]) >= FULL
    return count
