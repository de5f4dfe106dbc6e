from __future__ import annotations

import csv

import numpy as np
import pytest
import soundfile
from scipy.stats import spearmanr

from rtcluster import Final, Guess, Onset, Settings
from rtcluster.kernel.velocity import (
    EXCEEDED,
    FIRST_HEADROOM_DB,
    GM,
    HEADROOM_DB,
    LINEAR,
    LOG,
    MEMORY,
    PEAK_S,
    SCALE,
    learn_top,
    level_of,
    velocity,
)
from rtcluster.recording.dynamics import rescale
from rtcluster.recording.log import Hit
from rtcluster.sources.groove import render
from tests.conftest import run

NOTHING = np.zeros(0, np.float32)


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
    assert level_of(swing, NOTHING) == pytest.approx(-6.02, abs=0.01)
    assert level_of(swing + np.float32(0.2), NOTHING) == pytest.approx(-6.02, abs=0.01)
    assert level_of(NOTHING, NOTHING) == -120.0


def test_the_level_leaves_out_what_sounded_before():
    ring = np.array([0.3, -0.3], np.float32)
    both = np.array([0.5, -0.5], np.float32)
    assert level_of(both, ring) == pytest.approx(20 * np.log10(0.4), abs=0.01)
    hidden = level_of(ring, both)
    assert hidden == pytest.approx(20 * np.log10(0.3 / 4), abs=0.01)


def learned(levels):
    """The top after each of some levels."""
    scale = np.zeros(1, SCALE)
    tops = []
    for level in levels:
        learn_top(scale[0], level)
        tops.append(float(scale["top"][0]))
    return np.array(tops)


def test_the_top_stands_over_the_level_that_one_hit_in_twenty_exceeds():
    levels = np.random.default_rng(0).uniform(-40.0, -10.0, 2 * MEMORY)
    tops = learned(levels)
    for count in (20, 100, MEMORY, MEMORY + 1, 2 * MEMORY):
        heard = levels[max(0, count - MEMORY) : count]
        over = np.mean(heard > tops[count - 1] - HEADROOM_DB)
        assert over == pytest.approx(EXCEEDED, abs=1 / len(heard))


def test_levels_that_come_again_are_forgotten_one_at_a_time():
    levels = np.array([-10.0] * MEMORY + [-30.0] * MEMORY)
    tops = learned(levels)
    assert tops[2 * MEMORY - 30] == pytest.approx(-10.0 + HEADROOM_DB)
    assert tops[-1] == pytest.approx(-30.0 + HEADROOM_DB)


def test_the_first_hit_is_not_taken_for_the_loudest():
    tops = learned([-20.0] * 9)
    assert tops[0] == -20.0 + FIRST_HEADROOM_DB
    assert tops[-1] == -20.0 + HEADROOM_DB


@pytest.mark.parametrize("kind", [Onset, Guess, Final])
def test_full_strokes_whose_peak_comes_late_are_not_cut_off(kind):
    """Of each an onset knows only the click of the beater, far under the peak of the skin."""
    rng, t = np.random.default_rng(0), np.arange(13230) / 44100
    click = 0.1 * rng.standard_normal(t.size) * np.exp(-t / 0.002)
    kick = click + 0.8 * np.sin(2 * np.pi * 50 * t) * np.exp(-t / 0.05) * (1 - np.exp(-t / 0.004))
    gains = 10 ** (rng.uniform(-0.5, 0.0, 60) / 20)
    audio = np.concatenate([np.zeros(4410), *(gain * kick for gain in gains)]).astype(np.float32)
    velocities = np.array([e.velocity for e in run(audio) if type(e) is kind])
    assert len(velocities) == 60
    assert np.mean(velocities == 127) <= 0.08
    assert np.percentile(velocities, 90) > 110


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


NOMINAL_DB = {
    "kick": 0.0, "snare": -1.0, "sidestick": -5.0, "tom_high": -3.0, "tom_mid": -3.0,
    "tom_low": -3.0, "clap": -4.0, "crash": -6.0, "ride": -10.0, "hihat_open": -9.0,
    "hihat_closed": -11.0, "hihat_pedal": -14.0, "tambourine": -5.0, "cowbell": -5.0, "conga": -5.0,
}  # fmt: skip
"""Peak of each drum's full stroke in the rendered recordings, under the kick's."""

EARLIER_S = 0.010
"""Strokes so long before a hit are heard in it, as are those within its peak; their powers add."""

ROLLS = "dev4_roll_to_32nds"
"""Drums that sound over their own next stroke, with strokes that differ by 1.5 dB: those are heard
by halves, whatever the scale is."""

SAID, WHOLE = "said", "whole"
"""Velocities as a file run says them, and as they are among all hits of the take."""


def true_levels(path, times):
    """Level of what was struck at each time; NaN where nothing was."""
    with path.open() as file:
        rows = list(csv.DictReader(file))
    struck = np.array([float(row["time"]) for row in rows])
    levels = np.array([float(row["level_db"]) + NOMINAL_DB[row["label"]] for row in rows])
    begin, following = times - EARLIER_S, np.append(times[1:] - EARLIER_S, np.inf)
    end = np.minimum(times + PEAK_S, following)
    near = (struck >= begin[:, None]) & (struck < end[:, None])
    with np.errstate(divide="ignore"):
        power = 10 * np.log10((near * 10 ** (levels / 10)).sum(axis=1))
    return np.where(near.any(axis=1), power, np.nan)


@pytest.fixture(scope="module")
def taken(data):
    """Of each development recording with 40 hits or more, the hits and both velocities of each."""
    found = {}
    with (data / "recordings.csv").open() as file:
        recordings = list(csv.DictReader(file))
    for row in recordings:
        audio, rate = soundfile.read(data / row["file"], dtype="float32", always_2d=True)
        events = run(audio.mean(axis=1), rate, settings=Settings(classes=3))
        finals = [event for event in events if type(event) is Final]
        if len(finals) < 40:
            continue
        hits = [Hit(f.id, f.sample, 0.0, 0, f.velocity, level=f.level) for f in finals]
        rescale(hits, Settings(classes=3).as_dict())
        velocities = {
            Onset: np.array([event.velocity for event in events if type(event) is Onset]),
            SAID: np.array([final.velocity for final in finals]),
            WHOLE: np.array([hit.velocity for hit in hits]),
        }
        truth = (data / row["file"]).with_suffix(".hits.csv")
        times = np.array([final.sample / rate for final in finals])
        found[row["name"]] = velocities, true_levels(truth, times) if truth.exists() else None
    assert len(found) > 20
    return found


@pytest.mark.parametrize("by", [Onset, SAID, WHOLE])
def test_few_hits_of_a_real_take_are_cut_off(taken, by):
    shares = {name: np.mean(velocities[by] == 127) for name, (velocities, _) in taken.items()}
    assert max(shares.values()) <= 0.08, shares


@pytest.mark.parametrize("by", [SAID, WHOLE])
def test_velocities_rank_as_the_strokes_do(taken, by):
    found = {}
    for name, (velocities, levels) in taken.items():
        if levels is not None:
            heard = np.isfinite(levels)
            found[name] = spearmanr(velocities[by][heard], levels[heard]).statistic
    assert len(found) == 12
    assert found.pop(ROLLS) > 0.7
    assert min(found.values()) >= 0.9, found
