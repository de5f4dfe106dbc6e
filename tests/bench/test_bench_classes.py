"""The figures of ``bench/classes``, on labels made up for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from bench.classes import left_out
from bench.classes.__main__ import rounded
from bench.classes.figures import beginning
from bench.classes.heard import gather
from bench.classes.rivals import kmeans, nearest_hits, nearest_mean, stream
from bench.classes.truth import Annotations, explained, matched, truth_of
from bench.classes.worth import agreement, halves, names_of, v_and_rand
from bench.recordings import Recording, join
from rtcluster import Settings
from rtcluster.events import Final, Guess, Onset, Relabel
from rtcluster.learning.lesson import Lesson


def recording(times: list[float], optional: list[float] | None = None) -> Recording:
    return Recording(
        "made up", "exact", 1000, np.zeros(10, np.float32), np.array(times),
        np.array(optional or []), None,
    )  # fmt: skip


def two_drums(n: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Hits of two drums in turn, far apart, and which drum each one is."""
    which = np.arange(n) % 2
    return which[:, None] * 10.0 + np.random.default_rng(0).normal(size=(n, 2)), which


def test_drums_struck_together_are_a_label_of_their_own() -> None:
    rows = [(1.0, "kick"), (1.002, "hihat_open"), (2.0, "sidestick"), (3.0, "kick")]
    truth = truth_of(recording([1.0, 2.0, 3.0]), rows)
    assert truth.names == ("hihat+kick", "snare", "kick")
    assert truth.alone.tolist() == [False, True, True]
    assert truth.drums == ["kick", "snare"]
    assert truth.classes == 2
    assert not truth.one_voice


def test_strokes_of_different_drums_are_one_hit_and_those_of_one_drum_are_two() -> None:
    times = np.array([1.0, 1.02, 2.0, 2.02, 3.0, 3.02, 3.035])
    drums = [{"kick"}, {"hihat"}, {"snare"}, {"snare"}, {"kick"}, {"snare"}, {"hihat"}]
    firsts, joined = join(times, drums)
    assert firsts.tolist() == [1.0, 2.0, 2.02, 3.0, 3.035]
    assert joined.tolist() == [1.02, 3.02]


def test_a_stroke_of_the_hit_before_is_named_with_it() -> None:
    heard = replace(recording([1.0, 2.0], [1.02]), joined=np.array([1.02]))
    truth = truth_of(heard, [(1.0, "kick"), (1.02, "hihat_open"), (2.0, "kick")])
    assert truth.names == ("hihat+kick", "kick")


def test_a_recording_of_one_drum_is_asked_for_two_classes() -> None:
    truth = Annotations(np.array([0.0, 1.0]), ("tom", "tom"))
    assert truth.classes == 2
    assert truth.one_voice


def test_hits_that_only_a_masked_one_explains_are_left_out() -> None:
    found = np.array([1.01, 2.01, 3.0])
    assert explained(recording([1.0], [2.0]), found).tolist() == [True, False, True]
    assert explained(recording([1.0]), found).all()


def test_nothing_found_is_no_error() -> None:
    i, j = matched(np.array([1.0]), np.zeros(0))
    assert len(i) == len(j) == 0
    assert np.isnan(v_and_rand([], np.zeros(0, bool), np.zeros(0, np.int64))).all()


def test_the_names_of_classes_do_not_matter() -> None:
    alone = np.ones(4, dtype=bool)
    for labels in ([0, 0, 1, 1], [7, 7, 2, 2]):
        found = v_and_rand(["a", "a", "b", "b"], alone, np.array(labels))
        assert found == (1.0, 1.0)


def test_rand_counts_only_hits_that_sound_alone() -> None:
    alone = np.array([True, True, True, True, False])
    labels = np.array([0, 0, 1, 1, 0])
    v, rand = v_and_rand(["a", "a", "b", "b", "a+b"], alone, labels)
    assert rand == 1.0
    assert v < 1.0


def test_agreement_is_over_hits_with_a_guess() -> None:
    assert agreement(np.array([-1, 0, 1, 1]), np.array([0, 0, 1, 0])) == 2 / 3
    assert np.isnan(agreement(np.array([-1]), np.array([0])))


def test_a_class_has_the_name_of_the_drum_it_holds_most_of() -> None:
    labels = np.array([0, 0, 0, 1, 1, 1])
    drums = ["kick", "kick", "hat", "hat", "hat", "kick"]
    assert names_of(labels, drums) == {0: "kick", 1: "hat"}


def test_halves_are_split_by_margin() -> None:
    margins = np.array([0.9, 0.1, 0.8, 0.2, 0.5])
    right = np.array([True, False, True, True, False])
    assert halves(margins, right) == (1.0, 0.5)


@pytest.mark.parametrize("method", [kmeans, stream])
def test_clear_drums_are_told_apart_by_the_rivals(method: Callable[..., object]) -> None:
    hits, which = two_drums()
    names = [str(n) for n in which]
    found = v_and_rand(names, np.ones(len(names), bool), np.asarray(method(hits, 2)))
    assert found == (1.0, 1.0)


@pytest.mark.parametrize("judge", [nearest_mean, nearest_hits])
def test_no_hit_is_judged_by_itself(judge: Callable[..., object]) -> None:
    hits, which = two_drums()
    own = np.arange(len(hits))
    assert np.array_equal(judge(hits, hits, which, own), which)
    lone = np.array([[0.0, 0.0], [9.0, 9.0], [9.0, 8.0], [8.0, 9.0]])
    labels = np.array([0, 1, 1, 1])
    assert np.asarray(judge(lone, lone, labels, np.arange(4)))[0] == 1


def test_the_first_hits_of_each_drum_are_taught() -> None:
    names = ["a", "b", "a", "a+b", "a", "b"]
    alone = np.array([True, True, True, False, True, True])
    assert beginning(names, alone, 2) == [0, 1, 2, 5]


def test_relabels_change_the_final_and_not_what_was_told() -> None:
    common = {"margin": 0.5, "zcr": 3, "energy": 1.0, "span": 90, "name": "", "velocity": 9}
    events = [
        Onset(id=0, sample=500, time=0.5, emitted=510, velocity=9, strength=1.0),
        Guess(id=0, sample=500, emitted=530, class_=-1, features=(1.0,), **common),
        Final(id=0, sample=500, emitted=590, class_=-1, features=(2.0,), **common),
        Guess(id=1, sample=700, emitted=730, class_=0, features=(3.0,), **common),
        Relabel(id=0, class_=1, name="b"),
    ]
    heard = gather(events, 1000, 2)
    assert heard.times.tolist() == [0.5]
    assert heard.final.tolist() == [1]
    assert heard.told["final"].tolist() == [-1]
    assert heard.features["guess"].tolist() == [[1.0]]
    assert heard.lessons[0].taught is None


def test_figures_that_do_not_apply_are_null_in_json() -> None:
    assert rounded({"a": [np.nan, 0.123456], "b": 3}) == {"a": [None, 0.1235], "b": 3}


def test_a_choice_is_made_without_what_it_is_measured_on() -> None:
    worth = {
        "one": {"a": 1.0, "b": 1.0, "song": 0.0, "other": 0.0},
        "two": {"a": 0.0, "b": 0.0, "song": 0.6, "other": 0.6},
    }
    assert left_out.chosen(worth, {"a": "kit", "b": "kit"}) == {
        "a": "two", "b": "two", "song": "one", "other": "one",
    }  # fmt: skip


def test_spectra_are_of_length_one_and_stop_at_the_next_hit() -> None:
    noise = np.random.default_rng(0).normal(size=4410).astype(np.float32)
    louder = noise.copy()
    louder[2000:] *= 100.0
    times = np.array([1000, 2000]) / 44100
    first = []
    for audio in (noise, louder):
        made = Recording("made up", "exact", 44100, audio, times, np.zeros(0), None)
        found = left_out.shapes(made, times)
        assert {hits.shape for hits in found.values()} == {(2, 20)}
        assert np.allclose([np.linalg.norm(hits, axis=1) for hits in found.values()], 1.0)
        first.append(found[left_out.SHAPE_NOW][0])
    assert np.allclose(*first)


def test_the_learner_alone_counts_clear_drums() -> None:
    hits, which = two_drums(60)
    lessons = [Lesson(n, hit, hit, hit[0], whole=True) for n, hit in enumerate(hits)]
    labels, found = left_out.alone_learned(lessons, Settings(classes="auto"))
    assert found == 2
    assert np.array_equal(labels, which)
