from __future__ import annotations

import json
import time

import numpy as np
import pytest

from rtcluster.errors import SettingsError
from rtcluster.performance import Further, measure
from rtcluster.performance.measures import PAUSE_S
from rtcluster.performance.words import lines
from tests.performance import grooves


def measured(played, **options):
    return measure(played.times, played.classes, names=played.names, **options)


def test_no_hits_are_no_performance():
    found = measure([])
    assert (found.hits, found.basis, found.tempo, found.drums) == (0, "none", None, ())
    assert found.reason == "there are no hits"
    json.dumps(found.as_dict(), allow_nan=False)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_three_hits_have_no_tempo_and_it_says_why(count):
    found = measure(np.arange(count) * 0.5)
    assert found.tempo is None
    assert found.timing is None
    assert found.reason == f"a tempo takes 4 hits, there are {count}"


def test_eight_even_strokes_on_one_drum_have_a_tempo():
    found = measure(1 + np.arange(8) * 0.6)
    assert found.tempo.bpm.value == pytest.approx(100, abs=0.01)
    assert found.tempo.drift is None  # too few to tell


def test_one_hit_is_not_told_as_several():
    told = lines(measure([1.0, 1.5, 2.0], [0, 0, 1], [80, 80, 120], ["kick", "kick", "crash"]))
    assert any(line.startswith("crash      1 hit; ") for line in told)
    assert any(line.startswith("kick       2 hits; ") for line in told)


def test_a_drum_that_sounds_with_a_stronger_one_counts_with_its_own_velocity():
    """Kick and hat on every beat, told as kick with a hat in it; snares between."""
    times = 1 + 0.5 * np.arange(40)
    classes, loud = np.tile([0, 1], 20), np.full(40, 100.0)
    names = ["kick", "snare"] * 20
    hats = [Further(place, 2, 40.0 + place, "hat") for place in range(0, 40, 2)]
    found = measure(times[::-1], classes[::-1], loud, names[::-1], further=hats_of(hats, 40))
    plain = measure(times, classes, loud, names)
    drums = {drum.name: drum for drum in found.drums}
    assert {name: drum.hits for name, drum in drums.items()} == {"kick": 20, "snare": 20, "hat": 20}
    assert drums["hat"].dynamics.p50.value == pytest.approx(59.0)
    assert drums["kick"].dynamics.p50.value == 100.0
    assert drums["hat"].timing.hits == drums["kick"].timing.hits == 20
    assert (found.hits, found.tempo, found.timing) == (plain.hits, plain.tempo, plain.timing)


def hats_of(further, count):
    """The same where the hits are given in reverse."""
    return [one._replace(hit=count - 1 - one.hit) for one in further]


@pytest.mark.parametrize("count", [8, 16, 40])
def test_hits_at_random_have_no_steady_tempo(count):
    steady = 0
    for seed in range(5):
        rng = np.random.default_rng(seed)
        found = measure(np.cumsum(0.05 + rng.exponential(0.25, count)), rng.integers(0, 3, count))
        steady += found.tempo is not None
        if found.tempo is None and len(found.stretches) == 1:
            assert found.reason
            assert np.isnan(found.deviations).all()
    assert steady <= 1


def test_a_late_drum_is_called_late_and_the_others_are_not():
    played = grooves.play(late={"snare": 0.025}, jitter=0.004, bar="KhhhShhh")
    drums = {drum.name: drum.timing for drum in measured(played).drums}
    assert drums["snare"].verdict == "late"
    assert drums["snare"].mean_ms.value - drums["hat"].mean_ms.value == pytest.approx(25, abs=3)


def test_a_hit_within_its_uncertainty_is_on_time():
    played = grooves.play(jitter=0.0005, beats=40)
    found = measured(played, spread_ms=3.0)
    assert found.timing.early == found.timing.late == 0
    exact = measured(played, spread_ms=0.0)
    assert exact.timing.early > 0
    assert exact.timing.late > 0
    off = 1e3 * np.abs(exact.deviations)
    for verdict, late, half in zip(exact.verdicts, off, 1e3 * exact.uncertainties, strict=True):
        assert (verdict == "on time") == (late <= half)


def test_triplets_and_straight_notes_are_told_apart():
    rng = np.random.default_rng(0)
    beats = np.repeat(np.arange(40), 3) + np.tile([0, 1 / 3, 2 / 3], 40)
    classes = np.tile([0, 2, 2, 1, 2, 2], 20)
    found = measure(0.6 * beats + rng.normal(0, 0.005, 120), classes)
    assert found.grid == "triplets"
    assert found.tempo.bpm.value == pytest.approx(100, abs=0.1)
    assert found.swing is None


def test_straight_playing_is_not_called_swung():
    heard = [measured(grooves.play(seed=seed, beats=40)).swing.heard for seed in range(8)]
    assert sum(heard) <= 2


def test_a_given_tempo_is_what_hits_are_held_against():
    played = grooves.play(bpm=105.0, beats=64, jitter=0.003)
    own, given = measured(played), measured(played, bpm=104.0)
    assert (own.basis, given.basis) == ("estimated", "given")
    assert given.tempo.bpm.value == pytest.approx(105, abs=0.1)  # as it was played
    assert own.timing.sd_ms.value < 5
    slope = np.polyfit(played.times, given.deviations, 1)[0]
    assert slope == pytest.approx(-1 / 105, rel=0.05)  # runs ahead of 104


def test_a_given_tempo_settles_the_octave():
    played = grooves.play(bpm=104.0, beats=40)
    for bpm in (52.0, 104.0, 208.0):
        found = measured(played, bpm=bpm)
        assert found.tempo.bpm.value == pytest.approx(bpm, rel=0.01)
    assert measured(played).tempo.halved == pytest.approx(52, abs=0.2)


def test_a_grid_with_a_beat_is_absolute_and_the_offset_counts():
    played = grooves.play(bpm=120.0, beats=40, jitter=0.002, start=1.0)
    late = played.times + 0.020
    found = measure(late, played.classes, bpm=120.0, beat_at=1.0)
    assert found.basis == "absolute"
    assert found.timing.mean_ms.value == pytest.approx(20, abs=1)
    again = measure(late, played.classes, bpm=120.0, beat_at=1.0, latency_offset_ms=20.0)
    assert again.timing.mean_ms.value == pytest.approx(0, abs=1)
    plain = measure(late, played.classes, bpm=120.0, latency_offset_ms=20.0)
    assert plain.timing.mean_ms.value == pytest.approx(0, abs=1)


def test_grace_notes_are_off_the_grid_and_spoil_no_figure():
    played = grooves.play(bar="K...S...", beats=80, jitter=0.004)
    graces = played.times[1::8] - 0.035
    times = np.concatenate([played.times, graces])
    found = measure(times, np.concatenate([played.classes, np.full(len(graces), 1)]))
    assert found.timing.stray >= 0.8 * len(graces)
    assert found.drums[0].timing.sd_ms.value == pytest.approx(4, abs=1.5)


def test_a_pause_ends_a_stretch_and_each_has_its_pulse():
    first = grooves.play(bpm=100, beats=48)
    second = grooves.play(bpm=108, beats=24, seed=1)
    times = np.concatenate([first.times, second.times + first.times[-1] + PAUSE_S + 1.3])
    found = measure(times, np.concatenate([first.classes, second.classes]))
    assert [round(one.tempo.bpm.value) for one in found.stretches] == [100, 108]
    assert found.tempo.bpm.value == pytest.approx(100, abs=0.2)
    assert found.timing.sd_ms.value < 8
    assert not np.isnan(found.deviations).any()


def test_learning_and_unknown_hits_come_last_by_name():
    played = grooves.play(beats=40)
    classes = played.classes.copy()
    classes[:8], classes[20:24] = -1, -2
    found = measure(played.times, classes)
    assert [drum.class_ for drum in found.drums] == [0, 1, 2, -1, -2]
    assert [drum.name for drum in found.drums[-2:]] == ["still learning", "class -2"]


def test_a_wandering_tempo_is_the_pulse_and_no_lateness():
    rng = np.random.default_rng(0)
    beats = np.arange(0, 300, 0.5)
    times = 0.55 * beats + 0.25 * np.sin(2 * np.pi * beats / 150) + rng.normal(0, 0.005, 600)
    found = measure(times)
    assert found.timing.sd_ms.value == pytest.approx(5, abs=1.0)
    assert np.abs(found.tempo.drift.value) <= found.tempo.drift.uncertainty + 0.5
    assert np.ptp(found.curve[:, 1]) > 2  # bpm: the curve follows


def test_the_fastest_run_is_found_and_followed():
    slow = np.arange(20) * 0.5
    fast = 10.3 + np.arange(9) * 0.08
    after = 11.5 + np.arange(4) * 0.5
    found = measure(np.concatenate([slow, fast, after]), spread_ms=0.2)
    assert found.fastest.strokes == 9
    assert found.fastest.begin == pytest.approx(10.3)
    assert found.fastest.rate.value == pytest.approx(12.5)
    assert 0 < found.fastest.rate.uncertainty < 0.02


def test_dynamics_are_percentiles_with_their_order_statistics():
    rng = np.random.default_rng(0)
    loud = rng.integers(40, 100, 200).astype(float)
    found = measure(np.arange(200) * 0.3, velocities=loud).drums[0].dynamics
    assert found.p50.value == np.median(loud)
    assert abs(found.p50.value - 69.5) <= found.p50.uncertainty
    assert found.accents == (loud >= np.median(loud) + 16).sum()


def test_a_long_session_is_not_quadratic():
    def seconds(count):
        rng = np.random.default_rng(0)
        times = np.arange(count) * 0.14 + rng.normal(0, 0.004, count)
        begin = time.process_time()
        found = measure(times, np.arange(count) % 4)
        assert found.timing.sd_ms.value == pytest.approx(4, abs=0.3)
        return time.process_time() - begin

    seconds(2_000)
    short, long = seconds(5_000), seconds(40_000)
    assert long < 30 * short + 1  # 64 times if it were quadratic


@pytest.mark.parametrize(
    "options",
    [
        {"bpm": 0.0},
        {"bpm": float("nan")},
        {"beat_at": 1.0},
        {"bpm": 120.0, "beat_at": float("nan")},
        {"bpm": 120.0, "beat_at": 1e20},
        {"bpm": 120.0, "beat_at": 0.0, "latency_offset_ms": float("nan")},
        {"bpm": 120.0, "beat_at": 0.0, "latency_offset_ms": 1e300},
        {"spread_ms": -1.0},
        {"classes": [1, 2]},
        {"velocities": [1.0]},
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(options):
    with pytest.raises(SettingsError) as refused:
        measure([0.0, 1.0, 2.0], **options)
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith("Expected")


def test_times_that_are_no_numbers_are_refused():
    with pytest.raises(SettingsError):
        measure([0.0, float("nan")])


def test_the_figures_are_json():
    found = measured(grooves.play(beats=24))
    text = json.dumps(found.as_dict(), allow_nan=False)
    assert json.loads(text)["tempo"]["bpm"].keys() == {"value", "uncertainty"}
    assert len(json.loads(json.dumps(found.hit_rows(), allow_nan=False))) == found.hits
