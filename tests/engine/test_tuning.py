from __future__ import annotations

import numpy as np
import pytest

from rtcluster import RtclusterError, Settings
from rtcluster.engine.tuning import Trial, _choose, _Engine, tune
from rtcluster.learning.detection import Detection
from rtcluster.sources import groove

RATE = 44100


def played(levels_db, gaps_s, noise_dbfs=-80.0, seed=0):
    """Snares of some levels, so far apart, over noise; and where they begin."""
    rng = np.random.default_rng(seed)
    at = (np.cumsum(gaps_s) * RATE).astype(int)
    audio = rng.normal(0, 10 ** (noise_dbfs / 20), at[-1] + RATE // 2).astype(np.float32)
    for begin, level in zip(at, levels_db, strict=True):
        sound = groove.snare(RATE, rng) * np.float32(10 ** (level / 20))
        audio[begin : begin + sound.size] += sound[: audio.size - begin]
    return audio, at


@pytest.fixture(scope="module")
def soft_and_loud():
    levels = np.tile([-6.0, -12.0, -25.0, -35.0], 6)
    return played(levels, np.full(levels.size, 0.4))


def test_every_hit_soft_or_loud_is_found_with_what_was_chosen(soft_and_loud):
    audio, at = soft_and_loud
    tuning = tune(audio, RATE)
    own = tuning.detection
    engine = _Engine(audio, RATE, Settings())
    hits = engine.hits(own.threshold, float(own.mask.removesuffix("ms")), own.silence)
    assert len(hits) == len(at)
    assert np.abs(hits - at).max() < 0.010 * RATE


def test_the_silence_floor_lies_over_the_noise_and_under_the_softest_hit(soft_and_loud):
    tuning = tune(soft_and_loud[0], RATE)
    assert tuning.noise_db + 3.0 < tuning.detection.silence < tuning.softest_db - 3.0


def test_the_velocity_range_is_that_of_the_hits(soft_and_loud):
    own = tune(soft_and_loud[0], RATE).detection
    assert own.velocity_floor_db == pytest.approx(-35.0, abs=3.0)
    assert own.velocity_ceiling_db == pytest.approx(-6.0, abs=3.0)


def test_integers_are_scaled_by_their_type(soft_and_loud):
    steps = np.round(soft_and_loud[0] * 2.0**15).astype(np.int16)
    assert tune(steps, RATE) == tune(steps / np.float32(2.0**15), RATE)


def test_noise_alone_brings_no_hit_with_what_was_chosen():
    audio, _ = played(np.full(20, -8.0), np.full(20, 0.4), noise_dbfs=-50.0)
    own = tune(audio, RATE).detection
    quiet = np.random.default_rng(1).normal(0, 10 ** (-50 / 20), 10 * RATE).astype(np.float32)
    engine = _Engine(quiet, RATE, Settings())
    assert not len(engine.hits(own.threshold, 32.0, own.silence))


def test_what_was_given_is_kept(soft_and_loud):
    settings = Settings(threshold=0.11, silence=-44.0, mask="25ms")
    tuning = tune(soft_and_loud[0], RATE, settings)
    own = tuning.detection
    assert (own.threshold, own.silence, own.mask) == (0.11, -44.0, "25ms")
    assert len(tuning.thresholds) == len(tuning.masks) == 1


def test_another_method_is_tuned_round_its_own_threshold(soft_and_loud):
    tuning = tune(soft_and_loud[0], RATE, Settings(method="specdiff"))
    assert tuning.detection.method == "specdiff"
    assert 0.9 in [trial.value for trial in tuning.thresholds]


@pytest.mark.parametrize("audio", [np.zeros(RATE, np.float32), np.zeros(0, np.float32)])
def test_too_few_hits_are_refused_in_one_line(audio):
    with pytest.raises(RtclusterError) as caught:
        tune(audio, RATE)
    assert str(caught.value).startswith("Expected at least 8 hits that stand out of the noise")
    assert len(str(caught.value).splitlines()) == 1


def chosen(*trials):
    """The value taken of (value, notes, doubles) where 1 is usual."""
    return _choose([Trial(*one) for one in trials], 1.0)[1]


def test_the_threshold_is_raised_until_doubles_vanish():
    assert chosen((1, 40, 12), (2, 40, 4), (4, 40, 0), (8, 40, 0)) == 4
    assert chosen((1, 40, 12), (2, 40, 0), (4, 30, 0)) == 2


def test_the_threshold_is_not_raised_until_notes_drop():
    assert chosen((1, 40, 12), (2, 30, 0), (4, 10, 0)) == 1
    assert chosen((1, 200, 6), (2, 199, 3), (4, 190, 0)) == 2


def test_the_usual_threshold_stays_where_there_are_no_doubles():
    assert chosen((1, 40, 0), (2, 40, 0), (4, 40, 0)) == 1


def test_lower_thresholds_than_the_usual_one_are_never_taken():
    assert chosen((0.5, 60, 0), (1, 40, 0), (2, 40, 0)) == 1


def engine_over(levels_db, gaps_s):
    audio, at = played(levels_db, gaps_s)
    return _Engine(audio, RATE, Settings()), at


def test_the_strokes_of_flams_and_rolls_are_no_doubles():
    engine, at = engine_over([-20, -8] * 3 + [-8] * 6, [0.5, 0.03] * 3 + [0.5] + [0.05] * 5)
    assert not engine.doubles(at).any()


def test_a_much_softer_onset_just_after_a_hit_is_a_double():
    engine, at = engine_over([-6, -6], [0.5, 0.5])
    again = np.array([at[0], at[0] + int(0.050 * RATE), at[1]])
    assert engine.doubles(again).tolist() == [False, True, False]


def test_a_tuned_kit_sets_the_velocity_range_unless_another_is_asked_for():
    detection = Detection(velocity_floor_db=-40.0, velocity_ceiling_db=-6.0)
    assert detection.overrides(Settings(), ())["velocity_range"] == "-40,-6"
    assert "velocity_range" not in detection.overrides(Settings(), ("velocity_range",))
