"""Two lists of hits are held against each other fairly."""

from __future__ import annotations

import mir_eval.onset
import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from rtcluster.notebook import compare
from rtcluster.notebook.reference import measure_at


def test_a_list_matches_itself_without_difference() -> None:
    times = [0.1, 0.5, 0.9]
    pairing = compare.pair(times, times)
    assert pairing.f_measure == 1.0
    assert not pairing.missed.size
    assert not pairing.extra.size
    np.testing.assert_array_equal(pairing.differences, 0.0)


@pytest.mark.parametrize("seed", range(30))
def test_as_many_pairs_as_mir_eval_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = np.sort(rng.uniform(0, 3, rng.integers(1, 60)))
    b = np.sort(np.concatenate((a + rng.normal(0, 0.03, len(a)), rng.uniform(0, 3, 10))))
    b = np.maximum(b, 0)
    pairing = compare.pair(a, b)
    f, precision, recall = mir_eval.onset.f_measure(a, b, window=0.05)
    assert pairing.precision == pytest.approx(precision)
    assert pairing.recall == pytest.approx(recall)
    assert pairing.f_measure == pytest.approx(f)
    assert np.abs(pairing.differences).max(initial=0) <= 0.05
    assert len(set(pairing.other)) == len(pairing.other)


def test_of_two_close_hits_the_nearer_one_is_the_partner() -> None:
    pairing = compare.pair([0.100, 0.130], [0.131])
    assert list(pairing.reference) == [1]
    assert list(pairing.missed) == [0]
    pairing = compare.pair([0.131], [0.100, 0.130])
    assert list(pairing.other) == [1]
    assert list(pairing.extra) == [0]


def test_what_has_no_partner_is_missed_or_extra() -> None:
    pairing = compare.pair([0.1, 0.5], [0.51, 0.9])
    assert list(pairing.missed) == [0]
    assert list(pairing.extra) == [1]
    assert pairing.differences == pytest.approx([0.01])


@pytest.mark.parametrize(("a", "b"), [([], []), ([0.1], []), ([], [0.1])])
def test_empty_lists_match_nothing(a, b) -> None:
    pairing = compare.pair(a, b)
    assert pairing.f_measure == 0.0
    assert len(pairing.missed) == len(a)
    assert len(pairing.extra) == len(b)


def test_times_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="rising"):
        compare.pair([0.2, 0.1], [0.1])


def test_classes_agree_whatever_their_names() -> None:
    agreement = compare.agree(["kick", "kick", "hat"], [1, 1, 0])
    assert agreement.rows == ("hat", "kick")
    assert agreement.columns == ("0", "1")
    np.testing.assert_array_equal(agreement.counts, [[1, 0], [0, 2]])
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
