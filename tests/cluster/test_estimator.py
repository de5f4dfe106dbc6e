"""The estimator keeps scikit-learn's contract, and is the learner of a session."""

from __future__ import annotations

import doctest
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import check_estimator

from rtcluster import Final, Processor, Settings
from rtcluster.cluster import OnlineDrumKMeans, estimator
from rtcluster.settings import BAND_FEATURES
from rtcluster.sources.groove import render

DRUMS = np.array([[20, 12.0], [400, 5.0], [1500, 1.0]])


def struck(count, seed=0):
    """Samples of three drums, and which each is of."""
    rng = np.random.default_rng(seed)
    order = rng.integers(0, 3, count)
    return DRUMS[order] * np.exp(rng.normal(0, 0.1, (count, 2))), order


@pytest.mark.parametrize(
    "make", [partial(OnlineDrumKMeans, 3), partial(OnlineDrumKMeans, "auto", reject=4.0)]
)
def test_it_keeps_the_contract_of_scikit_learn(make):
    """None of the checks fails; one is for those who accept arrays that are not NumPy's."""
    done = check_estimator(make(), on_skip=None)
    assert {one["status"] for one in done} <= {"passed", "skipped"}
    assert [one["check_name"] for one in done if one["status"] == "skipped"] in (
        [], ["check_array_api_input"],
    )  # fmt: skip
    assert len(done) > 40


def test_it_learns_as_a_session_does_to_the_last_bit():
    """Columns' names tell what a session's features do: numbering, and one factor for all bands."""
    groove = render(24.0, 44100)
    features = ("zcr", *BAND_FEATURES)
    processor = Processor(Settings(classes=3, features=features, window="50ms", seed=7))
    processor.prepare(groove.samplerate)
    events = [*processor.process(groove.audio), *processor.flush()]
    finals = [event for event in events if isinstance(event, Final)]
    assert len(finals) > 90
    assert not any(final.overlapped for final in finals)
    table = pd.DataFrame([final.features for final in finals], columns=features)
    ours = OnlineDrumKMeans(3, random_state=7).fit(table)
    assert np.array_equal(ours.cluster_centers_, processor.learner.centres()[0])
    bare = OnlineDrumKMeans(3, random_state=7).fit(table.to_numpy())
    assert not np.array_equal(bare.cluster_centers_, ours.cluster_centers_)


def test_batches_of_any_size_give_the_same_clusters():
    samples, _ = struck(100)
    at_once = OnlineDrumKMeans(3).fit(samples)
    for size in (1, 7):
        by_parts = OnlineDrumKMeans(3)
        for start in range(0, len(samples), size):
            by_parts.partial_fit(samples[start : start + size])
        assert np.array_equal(by_parts.cluster_centers_, at_once.cluster_centers_)
        assert by_parts.labels_.tolist() == at_once.labels_[start:].tolist()


def test_clusters_are_numbered_by_zcr_and_keep_their_numbers():
    samples, order = struck(100)
    turned = pd.DataFrame(samples[:, ::-1], columns=["energy", "zcr"])
    ours = OnlineDrumKMeans(3)
    assert ours.fit_predict(turned).tolist() == order.tolist()
    assert OnlineDrumKMeans(3).fit_predict(turned.to_numpy()).tolist() == (2 - order).tolist()
    assert ours.partial_fit(turned[::-1]).labels_.tolist() == order[::-1].tolist()


def test_the_warm_up_has_no_clusters():
    samples, order = struck(20)
    ours = OnlineDrumKMeans(3, warmup=10)
    with pytest.raises(NotFittedError, match="no clusters after 0 samples"):
        ours.predict(samples)
    assert ours.partial_fit(samples[:9]).labels_.tolist() == [-1] * 9
    assert not hasattr(ours, "cluster_centers_")
    with pytest.raises(NotFittedError, match="no clusters after 9 samples"):
        ours.predict(samples)
    assert ours.partial_fit(samples[9:10]).predict(samples).tolist() == order.tolist()


def test_it_counts_the_drums_and_rejects_what_is_none_of_them():
    samples, _ = struck(150)
    ours = OnlineDrumKMeans("auto", reject=4.0).fit(samples)
    assert ours.cluster_centers_.shape == (3, 2)
    *drums, other = ours.predict([*DRUMS, [800, 30.0]])
    assert sorted(drums) == [0, 1, 2]
    assert other == -1


def test_its_example_is_true():
    assert doctest.testmod(estimator) == (0, 4)


def test_numbers_may_be_those_of_numpy():
    samples, _ = struck(30)
    assert len(OnlineDrumKMeans(np.int64(3), random_state=np.int64(1)).fit(samples).labels_) == 30


def test_a_fit_forgets_and_draws_as_it_is_told():
    samples, _ = struck(60)
    ours = OnlineDrumKMeans(3, random_state=np.random.RandomState(0)).fit(samples * 7)
    assert np.array_equal(
        ours.fit(samples).cluster_centers_, OnlineDrumKMeans(3).fit(samples).cluster_centers_
    )
    assert clone(OnlineDrumKMeans(5, memory=9)).get_params() == {
        "n_clusters": 5, "warmup": None, "scaling": "minmax", "memory": 9, "reject": 0.0,
        "random_state": 0,
    }  # fmt: skip


def test_what_the_caller_does_with_the_samples_later_changes_nothing():
    samples, _ = struck(40)
    kept = samples.copy()
    ours = OnlineDrumKMeans(3).partial_fit(samples[:30])
    samples[:30] = 0.0
    ours.partial_fit(samples[30:])
    assert np.array_equal(ours.cluster_centers_, OnlineDrumKMeans(3).fit(kept).cluster_centers_)


@pytest.mark.parametrize(
    ("options", "samples", "wrong"),
    [
        ({"n_clusters": 0}, DRUMS, "Expected n_clusters to be 1 to 32 or auto, got 0"),
        ({"scaling": "none"}, DRUMS, "Expected scaling to be one of minmax, robust"),
        ({"n_clusters": 4}, DRUMS, "Expected 4 samples or more that differ, got n_samples = 3"),
        ({"n_clusters": 2}, np.ones((5, 2)), "Expected 2 samples or more that differ"),
        ({}, np.zeros((9, 33)), "Expected 1 to 32 features, got 33"),
    ],
)
def test_bad_input_gets_one_clear_line(options, samples, wrong):
    with pytest.raises(ValueError, match=wrong) as told:
        OnlineDrumKMeans(**options).fit(samples)
    assert "\n" not in str(told.value)
