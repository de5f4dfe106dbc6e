from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtcluster import Settings
from rtcluster.learning.learner import SETTLED, Learner
from rtcluster.learning.lesson import Lesson

DRUMS = np.array([[20, 12.0], [400, 5.0], [1500, 1.0]])


def play(order, seed=0, spread=0.1, drums=DRUMS):
    """Lessons of drums that are struck in an order, with a spread in each feature."""
    rng = np.random.default_rng(seed)
    hits = drums[order] * np.exp(rng.normal(0, spread, (len(order), 2)))
    return [
        Lesson(number, hit / 3, hit, zcr=hit[0], whole=True, class_=0)
        for number, hit in enumerate(hits)
    ]


def follow(learner, lessons):
    """The class of each hit, relabels applied, as a listener has it; and the models."""
    classes, models = {}, []
    for lesson in lessons:
        stage = learner._final_stage() if learner.ready else None
        class_ = -1 if stage is None else int(stage.classes_of(lesson.final[None])[0])
        classes[lesson.id] = class_
        update = learner.learn(replace(lesson, class_=class_))
        classes |= {relabel.id: relabel.class_ for relabel in update.relabels}
        models += [] if update.model is None else [update.model]
    return [classes[lesson.id] for lesson in lessons], models


def orders(count, seed=0, k=3):
    return np.random.default_rng(seed).integers(0, k, count)


def test_the_warm_up_is_collected_and_then_relabelled_by_rising_zcr():
    learner, order = Learner(Settings(classes=3)), orders(8)
    order[:3] = [2, 1, 0]
    updates = [learner.learn(replace(lesson, class_=-1)) for lesson in play(order)]
    assert all(update.model is None and not update.relabels for update in updates[:7])
    assert [relabel.class_ for relabel in updates[7].relabels] == order.tolist()
    assert updates[7].model is not None


@given(st.permutations([0, 1, 2] * 12), st.integers(0, 5))
@settings(max_examples=12)
def test_class_numbers_never_permute(order, seed):
    """Whatever the order of the hits: once the classes have settled, a drum keeps its number."""
    learner = Learner(Settings(classes=3))
    follow(learner, play(order, seed))
    before = learner._final_stage().classes_of(DRUMS)
    assert sorted(before) == [0, 1, 2]
    follow(learner, play(order, seed + 1))
    assert learner._final_stage().classes_of(DRUMS).tolist() == before.tolist()


@pytest.mark.parametrize("at", [0, 3, 30, 80])
@pytest.mark.parametrize("far", [[10, 10], [10, 1], [1, 10]])
def test_a_bad_start_heals(at, far):
    """An outlier ten times out of range: within 100 hits each drum has a class of its own."""
    lessons = play(orders(at + 101))
    outlier = DRUMS.max(axis=0) * far
    lessons[at] = Lesson(at, outlier / 3, outlier, outlier[0], True)
    learner = Learner(Settings(classes=3))
    follow(learner, lessons)
    assert sorted(learner._final_stage().classes_of(DRUMS)) == [0, 1, 2]
    assert sorted(learner._guess_stage().classes_of(DRUMS / 3)) == [0, 1, 2]


def test_a_drum_far_from_the_others_is_a_drum_once_it_has_been_struck_a_few_times():
    """Three hits make a drum, however far away: they are no outliers any more."""
    learner, far = Learner(Settings(classes=2)), np.array([[400, 5.0], [9000, 90.0]])
    order = np.zeros(60, int)
    order[[30, 40, 50]] = 1
    follow(learner, play(order, drums=far))
    assert len(set(learner._final_stage().classes_of(far).tolist())) == 2


def test_hits_that_the_next_one_cut_move_no_final_centre():
    learner = Learner(Settings(classes=3))
    follow(learner, play(orders(SETTLED + 10)))
    learner.heard += 1 - learner.heard % 8  # no look is due
    before = learner._centres.raw.copy()
    cut = Lesson(99, np.array([30.0, 2.0]), np.array([90.0, 7.0]), 90, whole=False, class_=0)
    assert learner.learn(cut).model is not None
    assert np.array_equal(learner._centres.raw, before)


def test_frozen_learning_forms_classes_and_then_rests():
    learner = Learner(Settings(classes=3, freeze=True))
    _, models = follow(learner, play(orders(40)))
    assert len(models) == 1


def test_forgetting_follows_a_drum_that_moves():
    drift = [DRUMS * [1.0, 1.0 - 0.006 * step] for step in range(120)]
    lessons = [
        play([step % 3], seed=step, spread=0.03, drums=drums)[0] for step, drums in enumerate(drift)
    ]
    lessons = [Lesson(n, x.guess, x.final, x.zcr, True, x.class_) for n, x in enumerate(lessons)]
    error = {}
    for memory in (0, 8):
        learner = Learner(Settings(classes=3, memory=memory))
        learner.heard = 1  # so that no look at the held hits mends it instead
        follow(learner, lessons)
        error[memory] = np.abs(learner._centres.raw[:, 1] / drift[-1][:, 1] - 1).max()
    assert error[8] < 0.6 * error[0]


def test_auto_finds_how_many_drums_there_are_and_later_ones():
    learner = Learner(Settings(classes="auto"))
    follow(learner, play(orders(48, k=2)))
    assert len(learner.names) == 2
    standing = learner._final_stage().classes_of(DRUMS[:2]).tolist()
    follow(learner, play(orders(64, seed=1, k=3), seed=1))
    assert len(learner.names) == 3
    assert learner._final_stage().classes_of(DRUMS).tolist() == [*standing, 2]


def taught(seed=0):
    learner = Learner(Settings(classes=3, reject=4.0))
    lessons = play(np.repeat([2, 0, 1], 5), seed)
    for lesson, class_ in zip(lessons, np.repeat([0, 1, 2], 5), strict=True):
        learner.learn(
            Lesson(lesson.id, lesson.guess, lesson.final, lesson.zcr, True, -1, taught=int(class_))
        )
    return learner


def test_taught_drums_are_named_from_the_first_hit_on():
    learner = taught()
    assert learner._final_stage().classes_of(DRUMS).tolist() == [1, 2, 0]
    assert learner._guess_stage().classes_of(DRUMS / 3).tolist() == [1, 2, 0]


def test_a_taught_class_owns_a_centre_for_each_hit():
    assert np.bincount(taught()._centres.owner).tolist() == [5, 5, 5]


@pytest.mark.parametrize("scaling", ["minmax", "robust"])
@pytest.mark.parametrize("make", ["learned", "taught"])
def test_a_learner_that_went_through_json_gives_the_same_classes_bit_for_bit(make, scaling):
    chosen = Settings(classes=3, scaling=scaling)
    if make == "learned":
        learner = Learner(chosen)
        follow(learner, play(orders(60)))
    else:
        learner = taught()
    again = Learner.from_dict(json.loads(json.dumps(learner.as_dict())), chosen)
    one, other = learner.model(), again.model()
    for name in ("scale", "offset", "centres", "owner", "n_centres", "spread"):
        if name == "spread":
            np.testing.assert_allclose(one[name], other[name], rtol=1e-9)
        else:
            assert np.array_equal(one[name], other[name]), name


def test_fewer_different_hits_than_classes_form_none():
    learner = Learner(Settings(classes=3))
    for lesson in play([0] * 2):
        learner.learn(lesson)
    assert learner.end().model is None
    assert not learner.ready


def test_the_same_seed_learns_the_same():
    results = [follow(Learner(Settings(classes=3, seed=4)), play(orders(80)))[0] for _ in range(2)]
    assert results[0] == results[1]


def test_two_classes_that_are_one_drum_are_offered_for_merging_and_never_merged():
    learner, two = Learner(Settings(classes="auto")), DRUMS[[0, 2]]
    follow(learner, play(orders(24, k=2), spread=0.01, drums=two))
    counts, offers = [len(learner.names)], []
    for lesson in play(orders(200, seed=2, k=2), seed=2, spread=0.5, drums=two):
        offers += learner.learn(lesson).merges
        counts.append(len(learner.names))
    assert offers
    assert all(first < second < counts[-1] for first, second in offers)
    assert counts == sorted(counts)
