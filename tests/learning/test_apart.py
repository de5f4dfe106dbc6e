"""When each of two drums of a hit was struck."""

from __future__ import annotations

import numpy as np
import pytest

from rtcluster import Final, Guess
from rtcluster.learning import apart
from rtcluster.learning.strokes import LEAD_S, Stroke, read
from tests.support.taught import PAIR, RATE, heard, pairs, stroke, taught_kit


@pytest.fixture(scope="module")
def kit():
    return taught_kit()


def told(events, starts):
    """By hit: the offsets in samples, by name, of those finals that tell two drums."""
    finals = [e for e in events if isinstance(e, Final)]
    near = [min(finals, key=lambda e: abs(e.sample - start)) for start in starts]
    return [
        {one.name: one.offset for one in hit.parts}
        for hit in near
        if {one.name for one in hit.parts} == {*PAIR}
    ]


@pytest.mark.parametrize("rate", [44100, 96000])
@pytest.mark.parametrize("distance", [-0.018, -0.012, 0.012, 0.018])
def test_the_later_of_two_drums_has_its_own_attack(kit, rate, distance):
    audio, starts = pairs([distance] * 12, rate)
    offsets = told(heard(kit, audio, rate), starts)
    assert len(offsets) >= 6
    later, first = reversed(PAIR) if distance > 0 else PAIR
    known = [one for one in offsets if one[later] is not None]
    assert len(known) >= 0.8 * len(offsets)
    assert all(one[first] == 0 for one in known)
    errors = [abs(one[later] / rate - abs(distance)) for one in known]
    assert np.median(errors) < 0.002


def test_drums_that_are_struck_together_have_none_and_their_line_no_offset(kit):
    audio, starts = pairs(np.linspace(-0.002, 0.002, 24))
    events = heard(kit, audio)
    offsets = told(events, starts)
    assert len(offsets) >= 20
    assert sum(None not in one.values() for one in offsets) <= 1
    lone = [e for e in events if isinstance(e, Guess | Final) and len(e.parts) == 1]
    assert all(one.offset is None for e in lone for one in e.parts)
    assert all(one.offset is None for e in events if isinstance(e, Guess) for one in e.parts)


def test_a_hit_that_is_cut_before_all_of_it_was_heard_tells_none(kit):
    audio, starts = pairs([0.012] * 6)
    random = np.random.default_rng(3)
    for start in starts:
        own = 0.5 * stroke("snare", RATE, random)
        at = start + int(0.033 * RATE)
        audio[at : at + len(own)] += own.astype(np.float32)
    finals = [e for e in heard(kit, audio, mask="20ms") if isinstance(e, Final)]
    cut = [e for e in finals if e.span < int(0.036 * RATE)]
    assert cut
    assert all(one.offset is None for e in cut for one in e.parts)


@pytest.mark.parametrize("block", [1, 64, 1000])
def test_any_block_size_gives_the_same_offsets(kit, block):
    audio, _ = pairs([0.012, -0.015])
    assert heard(kit, audio, block=block) == heard(kit, audio)


def test_training_is_deterministic_and_few_drums_alone_are_learned(kit):
    strokes = read(kit.strokes, RATE)
    once, twice = (apart.train(strokes, 3, RATE, 16000.0) for _ in range(2))
    np.testing.assert_array_equal(once.weights, twice.weights)
    random = np.random.default_rng(3)
    own = np.concatenate([np.zeros(int(LEAD_S * RATE)), stroke("kick", RATE, random)])
    many = [Stroke(n, own.astype(np.float32)) for n in range(apart.DRUMS[-1] + 1)]
    assert apart.train(many, len(many), RATE, 16000.0) is None
    assert apart.train(many[:1], 1, RATE, 16000.0) is None
    several = [Stroke(n, np.stack([one.audio] * 2, axis=1)) for n, one in enumerate(many[:3])]
    assert apart.train(several, 3, RATE, 16000.0) is None
