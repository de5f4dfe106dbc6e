"""Two classifications of the same hits are held against each other fairly."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import adjusted_rand_score

from rtcluster.notebook import compare
from rtcluster.notebook.compare import drums_of
from rtcluster.notebook.reference import measure_at
from rtcluster.sources.annotations import Annotations


def test_classes_agree_whatever_their_names() -> None:
    agreement = compare.agree(["kick", "kick", "hat"], [1, 1, 0])
    assert agreement.rows == ("hat", "kick")
    assert agreement.columns == ("0", "1")
    np.testing.assert_array_equal(agreement.counts, [[1, 0], [0, 2]])
    assert agreement.adjusted_rand == 1.0
    assert agreement.v_measure == 1.0


def test_a_class_without_a_hit_has_its_row_or_column_and_changes_no_score() -> None:
    agreement = compare.agree(
        ["kick", "kick", "hat"], ["class 10", "class 10", "class 2"],
        ["hat", "kick", "snare"], ["class 0", "class 2", "class 10"],
    )  # fmt: skip
    assert agreement.rows == ("hat", "kick", "snare")
    assert agreement.columns == ("class 0", "class 2", "class 10")
    np.testing.assert_array_equal(agreement.counts, [[0, 1, 0], [0, 0, 2], [0, 0, 0]])
    assert agreement.adjusted_rand == 1.0
    assert agreement.v_measure == 1.0


def test_the_rand_index_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 3, 50), rng.integers(0, 2, 50)
    agreement = compare.agree(a, b)
    assert agreement.adjusted_rand == adjusted_rand_score(a, b)
    assert agreement.counts.sum() == 50


def test_no_hits_agree_in_nothing() -> None:
    agreement = compare.agree([], [])
    assert agreement.counts.shape == (0, 0)
    assert np.isnan(agreement.adjusted_rand)


def test_features_of_the_same_samples_are_found_equal(groove) -> None:
    onsets, spans = np.array([1000, 5000, 9000]), np.array([1984, 500, 0])
    got = measure_at(groove.x, groove.fs, onsets, spans)
    check = compare.check_features(groove.x, groove.fs, onsets, spans, got)
    assert (check.hits, check.equal_zcr, check.energy_error) == (2, 2, 0.0)
    got[1] += 1, 0.1
    check = compare.check_features(groove.x, groove.fs, onsets, spans, got)
    assert check.equal_zcr == 1
    assert check.energy_error > 0.0


def test_classes_are_named_by_the_drum_that_most_of_their_hits_are() -> None:
    times = np.arange(6.0)
    truth = Annotations(times, ("kick", "kick", "snare", "snare", "snare", "hat"), 6)
    labels = np.array([0, 0, 1, 1, 2, -1])
    assert drums_of(truth, times + 0.004, labels) == {0: "kick", 1: "1: snare", 2: "2: snare"}
    assert drums_of(None, times, labels) == {}
