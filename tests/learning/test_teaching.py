from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rtcluster import Final, Guess, Processor, Settings
from rtcluster.learning.lesson import Pairs
from rtcluster.learning.separation import separation, spreads_apart, verdict
from rtcluster.learning.teaching import PATIENCE, Teacher, measuring
from rtcluster.settings import FEATURE_SETS, MAX_FEATURES
from rtcluster.sources import groove

TAUGHT = Settings(features="taught")


@pytest.fixture(scope="module")
def hits(drums):
    """Guess and final of every stroke, by drum."""
    processor = Processor(measuring(TAUGHT))
    processor.prepare(44100, 64)
    events = [*processor.process(drums.audio), *processor.flush()]
    out = {drum: [] for drum in groove.DRUMS}
    for stroke, pair in zip(drums.strokes, Pairs().of(events), strict=True):
        out[stroke.drum].append(pair)
    return out


def taught(hits, names=groove.DRUMS, count=5):
    teacher = Teacher(TAUGHT, names)
    for class_, name in enumerate(names):
        for guess, final in hits[name][:count]:
            assert teacher.offer(class_, guess, final).taken
    return teacher


def test_the_engine_measures_the_chosen_features_first_and_all_sets_with_a_name():
    assert measuring(TAUGHT).features[:3] == FEATURE_SETS["taught"]
    for chosen in ("notebook", "best", "log_zcr,log_energy,level,brightness,attack"):
        measured = measuring(Settings(features=chosen)).features
        assert len(measured) <= MAX_FEATURES
        assert measured[: len(Settings(features=chosen).features)] == (
            Settings(features=chosen).features
        )


def test_a_taught_kit_names_every_hit_from_the_first_one_on(hits, drums):
    kit = taught(hits).kit(44100)
    processor = Processor(kit=kit)
    processor.prepare(44100, 64)
    events = [*processor.process(drums.audio), *processor.flush()]
    for kind in (Guess, Final):
        names = [event.name for event in events if type(event) is kind]
        assert names == [stroke.drum for stroke in drums.strokes]


def test_a_taught_drum_owns_a_centre_for_each_of_its_hits(hits):
    owner = taught(hits).kit(44100).learned["centres"]["owner"]
    assert np.bincount(owner).tolist() == [5, 5, 5]


def test_a_hit_that_is_plainly_another_drum_is_refused(hits):
    teacher = Teacher(TAUGHT, ["kick", "snare"])
    for guess, final in hits["kick"][:5]:
        assert teacher.offer(0, guess, final).taken
    for guess, final in hits["snare"][:3]:
        assert teacher.offer(1, guess, final).taken
    verdict = teacher.offer(1, *hits["kick"][5])
    assert (verdict.taken, verdict.like) == (False, "kick")
    assert teacher.count(1) == 3
    assert teacher.offer(1, *hits["snare"][3]).taken


@pytest.mark.parametrize("drum", groove.DRUMS)
def test_the_stroke_that_is_another_drum_stands_out_and_no_other_does(hits, drum):
    for other in set(groove.DRUMS) - {drum}:
        teacher = Teacher(TAUGHT, [drum])
        for guess, final in hits[drum][:3]:
            teacher.offer(0, guess, final)
        assert teacher.unlike(0) is None, "of three it is not told"
        teacher.offer(0, *hits[other][0], believe=True)
        teacher.offer(0, *hits[drum][3])
        assert teacher.unlike(0) == 4
        teacher.keep(0, 4)
        assert teacher.unlike(0) is None
        teacher.remove(0, 4)
        assert (teacher.count(0), teacher.unlike(0)) == (4, None)
        teacher.offer(0, *hits[other][0], believe=True)
        assert teacher.unlike(0) == 5, "another one was kept"


def test_strokes_are_not_held_against_those_of_another_drum(hits):
    teacher = taught(hits)
    assert [teacher.unlike(class_) for class_ in range(3)] == [None] * 3


def test_strokes_whose_spectrum_was_not_measured_are_taken_as_they_are(hits):
    teacher = taught(hits, count=4)
    teacher._measured = FEATURE_SETS["notebook"]
    assert teacher.unlike(0) is None


def test_the_first_hit_of_a_drum_is_refused_where_another_drum_has_its_like(hits):
    teacher = Teacher(TAUGHT, ["kick", "snare"])
    for guess, final in hits["kick"][:5]:
        teacher.offer(0, guess, final)
    assert teacher.offer(1, *hits["kick"][2]).like == "kick"
    assert teacher.offer(1, *hits["snare"][0]).taken


def test_a_player_who_insists_is_believed(hits):
    teacher = Teacher(TAUGHT, ["kick", "other"])
    for guess, final in hits["kick"][:5]:
        teacher.offer(0, guess, final)
    taken = [teacher.offer(1, *hits["kick"][2]).taken for _ in range(PATIENCE + 1)]
    assert taken == [False] * PATIENCE + [True]


def test_the_first_drum_and_whoever_is_believed_are_never_refused(hits):
    teacher = Teacher(TAUGHT, ["kick", "snare"])
    for name in groove.DRUMS:
        assert teacher.offer(0, *hits[name][0]).taken
    assert teacher.offer(1, *hits["kick"][0], believe=True).taken


def test_drums_that_sound_different_are_not_confused(hits):
    teacher = taught(hits)
    found = teacher.separation()
    assert (found.right, found.hits, found.pairs()) == (15, 15, [])
    assert {*teacher.sets()} == {*FEATURE_SETS}


def test_two_names_for_one_drum_are_told_as_confused(hits):
    names = ["kick", "same", "hat"]
    teacher = Teacher(TAUGHT, names)
    for class_, own in enumerate((hits["kick"][:5], hits["kick"][2:7], hits["hat"][:5])):
        for guess, final in own:
            teacher.offer(class_, guess, final, believe=True)
    [(a, b, times)] = teacher.separation().pairs()
    assert (names[a], names[b]) == ("kick", "same")
    assert times >= 6


def test_the_set_that_separates_best_comes_first(hits):
    """Energy alone tells these apart: only the notebook's set has it."""
    teacher = Teacher(TAUGHT, ["soft", "loud"])
    measured = measuring(TAUGHT).features
    rng = np.random.default_rng(0)
    for class_ in (0, 1):
        for number in range(5):
            row = rng.normal(0, 1, len(measured))
            row[measured.index("energy")] = 10.0 * class_ + 0.1 * number
            row[measured.index("zcr")] = number
            pair = (replace(event, features=tuple(row)) for event in hits["kick"][0])
            teacher.offer(class_, *pair, believe=True)
    assert next(iter(teacher.sets())) == "notebook"


def test_a_class_of_one_hit_is_not_judged():
    found = separation(np.array([[0.0], [0.1], [5.0]]), np.array([0, 0, 1]), 2)
    assert found.confusion.tolist() == [[2, 0], [0, 0]]


def test_spreads_apart_is_the_distance_of_the_means_in_spreads():
    rng = np.random.default_rng(1)
    one = rng.normal(0, 1, (4000, 2))
    assert spreads_apart(one, one + np.array([3.0, 4.0])) == pytest.approx(5.0, rel=0.05)
    assert spreads_apart(one, one) == 0.0
    assert spreads_apart(one[:1], one[:1] + 1.0) == np.inf
    assert [verdict(x) for x in (0.5, 3.0, 9.0)] == ["hardly apart", "apart", "clearly apart"]
