from __future__ import annotations

import numpy as np
import pytest

from rtcluster import Guess, Onset, Settings
from rtcluster.kernel.state import create
from rtcluster.kernel.velocity import GM, LINEAR, LOG, learn_top, peak_db, velocity
from rtcluster.sources.groove import render
from tests.conftest import run


@pytest.mark.parametrize("curve", [GM, LOG, LINEAR])
def test_the_top_is_127_and_nothing_leaves_the_scale(curve):
    assert velocity(-6.0, curve, -6.0, 40.0) == 127
    assert velocity(20.0, curve, -6.0, 40.0) == 127
    assert velocity(-120.0, curve, -6.0, 40.0) == 1


@pytest.mark.parametrize(
    ("curve", "expected"), [(GM, 64), (LOG, 89), (LINEAR, 32)], ids=["gm", "log", "linear"]
)
def test_the_curves_at_12_db_under_the_top(curve, expected):
    assert velocity(-12.0, curve, 0.0, 40.0) == expected


def test_the_level_is_free_of_any_offset():
    swing = np.array([0.1, 0.6, -0.4], np.float32)
    assert peak_db(swing) == pytest.approx(-6.02, abs=0.01)
    assert peak_db(swing + np.float32(0.2)) == pytest.approx(-6.02, abs=0.01)
    assert peak_db(np.zeros(0, np.float32)) == -120.0


def test_the_top_learns_to_stand_over_nearly_all_hits():
    state, rng = create(), np.random.default_rng(0)
    levels = rng.uniform(-40.0, -10.0, 400)
    for level in levels:
        learn_top(state[0], level)
    assert np.mean(levels > state["velocity_top"][0]) < 0.15
    assert -15.0 < state["velocity_top"][0] < -7.0


def loudness(audio, **options):
    events = run(audio, settings=Settings(classes=3, **options))
    onsets = [event.velocity for event in events if type(event) is Onset]
    return onsets, [event.velocity for event in events if type(event) is Guess]


@pytest.mark.parametrize("gain_db", [-20, 0])
def test_a_learned_range_fills_the_scale_at_any_gain(drums, gain_db):
    audio = (drums.audio * 10 ** (gain_db / 20)).astype(np.float32)
    _, guesses = loudness(audio)
    assert max(guesses[5:]) > 105
    assert min(guesses) > 20


def test_a_range_that_is_set_is_kept():
    quiet = render(4.0).audio * np.float32(0.1)
    _, loud = loudness(quiet, velocity_range="-60,-20")
    _, soft = loudness(quiet, velocity_range="-60,0")
    assert max(loud) > 90
    assert max(soft) < 50


def test_louder_strokes_of_a_drum_have_higher_velocities(drums):
    events = run(drums.audio, settings=Settings(classes=3, velocity_range="-50,0"))
    guesses = [event.velocity for event in events if type(event) is Guess]
    for drum in ("kick", "snare"):
        pairs = [
            (stroke.level, v)
            for stroke, v in zip(drums.strokes, guesses, strict=True)
            if stroke.drum == drum
        ]
        assert np.corrcoef(np.array(pairs).T)[0, 1] > 0.7


@pytest.mark.parametrize("wrong", ["", "-5", "-5,-45", "a,b", "-300,0", "-45 -5"])
def test_a_range_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match="Expected velocity_range"):
        Settings(velocity_range=wrong)
