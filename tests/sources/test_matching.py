"""Found onsets and true ones are paired as well as can be."""

from __future__ import annotations

import mir_eval.onset
import mir_eval.util
import numpy as np
import pytest

from rtcluster.sources.matching import pair


def test_a_list_matches_itself_without_difference() -> None:
    times = [0.1, 0.5, 0.9]
    pairing = pair(times, times)
    assert pairing.f_measure == 1.0
    assert not pairing.missed.size
    assert not pairing.extra.size
    np.testing.assert_array_equal(pairing.differences, 0.0)


@pytest.mark.parametrize("seed", range(30))
def test_as_many_pairs_as_mir_eval_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = np.sort(rng.uniform(0, 3, rng.integers(1, 120)))  # up to two within a window
    b = np.sort(np.concatenate((a + rng.normal(0, 0.03, len(a)), rng.uniform(0, 3, 10))))
    pairing = pair(a, b, 0.05)
    assert len(pairing.other) == len(mir_eval.util.match_events(a, b, 0.05))
    for places, missing, times in (
        (pairing.reference, pairing.missed, a),
        (pairing.other, pairing.extra, b),
    ):
        assert sorted([*places, *missing]) == list(range(len(times)))  # each once
    assert np.abs(pairing.differences).max(initial=0) <= 0.05


def test_scores_are_those_of_mir_eval() -> None:
    a, b = [0.1, 0.4, 0.5, 1.0], [0.11, 0.52, 0.53, 0.9, 2.0]
    pairing = pair(a, b, 0.05)
    f, precision, recall = mir_eval.onset.f_measure(np.array(a), np.array(b), window=0.05)
    assert 0 < f < 1
    assert (pairing.f_measure, pairing.precision, pairing.recall) == pytest.approx(
        (f, precision, recall)
    )


def test_a_hit_between_two_strokes_leaves_none_of_them_out() -> None:
    pairing = pair([1000, 1030], [980, 1010], 30)  # had 1000 its nearest, none were left for 1030
    assert list(pairing.reference) == list(pairing.other) == [0, 1]


def test_of_two_close_hits_the_nearer_one_is_the_partner() -> None:
    pairing = pair([0.100, 0.130], [0.131])
    assert list(pairing.reference) == [1]
    assert list(pairing.missed) == [0]
    pairing = pair([0.131], [0.100, 0.130])
    assert list(pairing.other) == [1]
    assert list(pairing.extra) == [0]


def test_what_has_no_partner_is_missed_or_extra() -> None:
    pairing = pair([0.1, 0.5], [0.51, 0.9])
    assert list(pairing.missed) == [0]
    assert list(pairing.extra) == [1]
    assert pairing.differences == pytest.approx([0.01])


@pytest.mark.parametrize(("a", "b"), [([], []), ([0.1], []), ([], [0.1])])
def test_empty_lists_match_nothing(a, b) -> None:
    pairing = pair(a, b)
    assert pairing.f_measure == 0.0
    assert len(pairing.missed) == len(a)
    assert len(pairing.extra) == len(b)


def test_times_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="rising"):
        pair([0.2, 0.1], [0.1])
