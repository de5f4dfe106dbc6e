from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from rtcluster.kernel import following
from rtcluster.kernel.detector import DETECTOR, configure
from rtcluster.sources import groove
from tests.kernel.test_detector import RATE, hits, level, matched, play, room, strokes, times

HOP, THRESHOLD = 64, 0.08
QUIET, SURE = following.QUIET * THRESHOLD, following.SURE * THRESHOLD
LONG_AGO, JUST_NOW = 1.0, 0.03


@pytest.fixture
def record():
    record = np.zeros(1, DETECTOR)
    configure(record[0], RATE, "balanced", 1024, HOP)
    record["threshold"], record["follows"], record["since"] = THRESHOLD, 1, LONG_AGO
    return record


def follow(record, magnitude, new, count=1):
    """Some hops in which all bands have one magnitude and rise alike; what the next must exceed."""
    bands = int(record["bands"][0])
    record["band"][0, :bands], record["new"][0, :bands] = magnitude, new
    for _ in range(count):
        following.follow(record[0], np.float32(new))
    return float(following.needed_flux(record[0]))


def test_a_fixed_threshold_stays_as_it_is(record):
    record["follows"] = 0
    follow(record, 1.0, 0.0)
    assert follow(record, 0.001, 0.3) == pytest.approx(THRESHOLD)
    assert not following.is_weak(record[0], np.float32(0.01))


def test_the_threshold_is_low_where_little_stirs(record):
    assert follow(record, 0.1, 0.06) == pytest.approx(QUIET)
    assert following.is_weak(record[0], np.float32(0.06))
    assert not following.is_weak(record[0], np.float32(SURE + 1e-6))


def test_soon_after_a_hit_it_is_not_low(record):
    record["since"] = JUST_NOW
    assert follow(record, 0.1, 0.06) == pytest.approx(SURE)


@pytest.mark.parametrize(("down_db", "up"), [(10, 0.0), (15, 0.0), (20, 0.04), (25, 0.08)])
def test_it_rises_with_how_far_down_the_bands_are(record, down_db, up):
    follow(record, 0.5, 0.0)
    assert follow(record, 0.5 * level(-down_db), 0.3) == pytest.approx(QUIET + up, abs=1e-3)


def test_but_no_further_than_to_a_share_of_a_full_hits_flux(record):
    follow(record, 0.5, 0.0)
    most = following.SHARE * following.LOUD
    assert follow(record, 0.5 * level(-60), 0.3) == pytest.approx(most)


def test_what_was_loud_is_forgotten(record):
    follow(record, 0.5, 0.0)
    seconds = 15.0 / following.FORGET_DB_S
    follow(record, 0.0, 0.0, round(seconds * RATE / HOP))
    assert follow(record, 0.5 * level(-30), 0.3) == pytest.approx(QUIET, abs=1e-3)


def test_who_plays_ghost_notes_gets_ghost_notes(record):
    ghosts = [0.5, 0.2, 0.45, 0.2, 0.5, 0.2]
    for peak in ghosts:
        following.learn_peak(record[0], np.float32(peak))
    follow(record, 0.5, 0.0)
    assert follow(record, 0.5 * level(-30), 0.3) == pytest.approx(following.SHARE * 0.2)


def test_two_weak_hits_do_not_bring_it_down(record):
    for peak in [0.5, 0.06, 0.06] + [0.5] * 5:
        following.learn_peak(record[0], np.float32(peak))
    assert record["most"][0] == pytest.approx(following.SHARE * 0.5)


def test_a_flux_that_swings_by_itself_keeps_it_up(record):
    follow(record, 0.1, 0.05, round(2.0 * RATE / HOP))
    assert follow(record, 0.1, 0.05) == pytest.approx(SURE)


# The same in sound.


def ride_over_its_wash():
    """Strokes in a cymbal's wash that fills the very bands in which they rise."""
    rng = np.random.default_rng(11)
    audio, truth = np.zeros(round(12.0 * RATE)), []
    high = butter(4, 5000, "high", fs=RATE, output="sos")
    wash = sosfilt(high, rng.standard_normal(audio.size))
    low = sosfilt(butter(2, 500, fs=RATE, output="sos"), rng.standard_normal(audio.size))
    audio += level(-52) * wash / wash.std() + level(-66) * low / low.std()
    t = np.arange(round(0.25 * RATE)) / RATE
    for i in range(38):
        sound = sosfilt(high, rng.standard_normal(t.size)) * np.exp(-t / 0.06)
        truth.append(play(audio, sound / sound.std(), 0.5 + 0.29 * i, db=-56.0))
    return audio, truth


def test_a_soft_ride_is_found_over_its_own_wash():
    audio, truth = ride_over_its_wash()
    follows, fixed = times(audio), times(audio, threshold=THRESHOLD)
    assert matched(truth, follows) >= 0.9 * len(truth)
    assert len(follows) <= 1.05 * len(truth)
    assert matched(truth, fixed) < 0.6 * len(truth)


def hands(noise_db):
    """Full strokes, and a finger's noise some way after each."""
    rng = np.random.default_rng(12)
    audio, truth = room(11.0, -85.0), []
    for i, sound in enumerate(strokes(groove.snare, 20)):
        truth.append(play(audio, sound, 0.5 + i / 2))
        t = np.arange(round(0.05 * RATE)) / RATE
        rub = rng.standard_normal(t.size) * np.sin(np.pi * t / 0.05) ** 2
        play(audio, rub, 0.5 + i / 2 + 0.25, db=noise_db)
    return audio, truth


def test_noises_of_the_hands_between_full_strokes_are_no_hits():
    audio, truth = hands(-62.0)
    assert len(times(audio, threshold=THRESHOLD)) > 1.5 * len(truth)
    found = times(audio)
    assert matched(truth, found) == len(truth)
    assert len(found) <= 1.15 * len(truth)


@pytest.mark.parametrize("db", [-6, -30])
def test_a_buzz_holds_no_hit(db):
    t = np.arange(20 * RATE) / RATE
    buzz = sum(np.sin(2 * np.pi * 50 * k * t) / k for k in range(1, 30))
    assert hits(level(db) * buzz / np.abs(buzz).max()) == []
