"""Assignment and learning agree with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import AffinityPropagation, KMeans, MiniBatchKMeans
from sklearn.preprocessing import MinMaxScaler

from rtcluster.kernel.classify import classify
from rtcluster.kernel.state import MODEL
from rtcluster.learning.affinity import propagate
from rtcluster.learning.assignment import assign
from rtcluster.learning.centres import Centres, MiniBatch
from rtcluster.learning.kmeans import kmeans, settle
from rtcluster.learning.scaling import MinMaxScaling
from rtcluster.settings import MAX_FEATURES


def model_of(scaler, centres, spread=1.0, reject=0.0):
    model = np.zeros(1, MODEL)
    k, n = centres.shape
    model["n_features"], model["n_centres"], model["reject"] = n, k, reject
    model["scale"][0, 1, :n], model["offset"][0, 1, :n] = scaler.scale_, scaler.min_
    model["centres"][0, 1, :k, :n] = centres
    model["owner"][0, :, :k] = np.arange(k)
    model["spread"] = spread
    return model[0]


def judge(model, x):
    raw = np.zeros(MAX_FEATURES)
    raw[: x.size] = x
    return classify(model, 1, raw, np.zeros(MAX_FEATURES))


@pytest.mark.parametrize("k", [1, 2, 5, 20])
@pytest.mark.parametrize("features", [1, 2, 4])
def test_the_class_is_the_one_that_scikit_learn_predicts(k, features):
    rng = np.random.default_rng(k)
    hits = rng.standard_normal((500, features)) * np.logspace(0, 3, features)
    scaler = MinMaxScaler(feature_range=(-1, 1)).fit(hits)
    trained = MiniBatchKMeans(n_clusters=k, n_init=1, random_state=0).fit(scaler.transform(hits))
    wanted = trained.predict(scaler.transform(hits))
    model = model_of(scaler, trained.cluster_centers_)
    given = [judge(model, x) for x in hits]
    assert [class_ for class_, _ in given] == wanted.tolist()
    assert all(0.0 <= margin <= 1.0 for _, margin in given)


@pytest.fixture
def square():
    return MinMaxScaler(feature_range=(-1, 1)).fit([[-1.0, -1.0], [1.0, 1.0]])


def test_margin_is_one_on_a_centre_and_zero_between_two(square):
    model = model_of(square, np.array([[-0.5, 0.0], [0.5, 0.0]]))
    assert judge(model, np.array([-0.5, 0.0])) == (0, 1.0)
    assert judge(model, np.array([0.0, 0.3])) == (0, 0.0)
    assert judge(model, np.array([0.25, 0.0])) == (1, pytest.approx(0.5))


def test_a_class_may_own_several_centres(square):
    model = model_of(square, np.array([[-0.9, 0.0], [0.9, 0.0], [0.0, 0.0]]))
    model["owner"][1, :3] = [0, 0, 1]
    assert judge(model, np.array([0.8, 0.0]))[0] == 0
    assert judge(model, np.array([-0.8, 0.0]))[0] == 0
    assert judge(model, np.array([0.1, 0.0]))[0] == 1


def test_a_hit_beyond_its_class_spread_is_unknown(square):
    model = model_of(square, np.array([[-0.5, 0.0], [0.5, 0.0]]), spread=0.05, reject=4.0)
    assert judge(model, np.array([0.5, 0.19]))[0] == 1
    assert judge(model, np.array([0.5, 0.21]))[0] == -2


def test_without_a_model_the_class_is_learning():
    assert judge(np.zeros(1, MODEL)[0], np.zeros(2)) == (-1, 0.0)


def drum_hits(count, seed=0):
    """Three drums in units of zcr and energy."""
    rng = np.random.default_rng(seed)
    centres = np.array([[20, 12.0], [400, 5.0], [1500, 1.0]])
    return centres[rng.integers(0, 3, count)] * rng.uniform(0.7, 1.4, (count, 2))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("k", [2, 3, 5])
def test_k_means_finds_the_optimum_that_scikit_learn_finds(k, seed):
    hits = MinMaxScaler((-1, 1)).fit_transform(drum_hits(80, seed))
    ours = kmeans(hits, k, 10, np.random.RandomState(seed))
    theirs = KMeans(k, n_init=10, random_state=seed).fit(hits)
    assert ours.inertia <= theirs.inertia_ * 1.02 + 1e-12
    assert ours.inertia == pytest.approx(((hits - ours.centres[ours.labels]) ** 2).sum())


@pytest.mark.parametrize("seed", range(5))
def test_lloyds_iterations_end_where_scikit_learns_do(seed):
    hits = MinMaxScaler((-1, 1)).fit_transform(drum_hits(80, seed))
    start = hits[:3]
    ours = settle(hits, start)
    theirs = KMeans(3, init=start, n_init=1, tol=0.0).fit(hits)
    np.testing.assert_allclose(ours.centres, theirs.cluster_centers_, rtol=1e-9, atol=1e-12)
    assert ours.labels.tolist() == theirs.labels_.tolist()


@pytest.mark.parametrize("seed", range(3))
def test_scaler_and_centres_equal_a_plain_loop_over_scikit_learn(seed):
    warm, later = np.split(drum_hits(150, seed), [10])
    start = kmeans(MinMaxScaler((-1, 1)).fit_transform(warm), 3, 10, np.random.RandomState(0))

    scaling = MinMaxScaling()
    scaling.learn(warm)
    raw = (start.centres - scaling.offset) / scaling.scale
    counts = np.bincount(start.labels, minlength=3).astype(float)
    ours = Centres(raw, counts, np.arange(3), np.zeros((3, 2)), 0, np.random.RandomState(0))

    # The same in scikit-learn's own calls and nothing else.
    scaler = MinMaxScaler(feature_range=(-1, 1)).fit(warm)
    online = MiniBatchKMeans(
        3, init=start.centres, n_init=1, reassignment_ratio=0, random_state=np.random.RandomState(0)
    ).partial_fit(scaler.transform(warm))
    for hit in later:
        scaling.learn(hit[None])
        ours.learn(hit, scaling)
        centres = scaler.inverse_transform(online.cluster_centers_)
        scaler.partial_fit(hit[None])
        online.cluster_centers_ = scaler.transform(centres)
        online.partial_fit(scaler.transform(hit[None]))
    np.testing.assert_allclose(scaling.scale, scaler.scale_, rtol=1e-12)
    np.testing.assert_allclose(scaling.offset, scaler.min_, rtol=1e-12)
    np.testing.assert_allclose(ours.scaled(scaling), online.cluster_centers_, rtol=1e-9, atol=1e-12)
    assert ours.counts.sum() == 150


@pytest.mark.parametrize("seed", range(3))
def test_a_step_is_scikit_learns_to_the_last_bit(seed):
    rng = np.random.default_rng(seed)
    centres, weights = rng.normal(size=(4, 3)), rng.integers(1, 90, 4).astype(float)
    theirs = MiniBatchKMeans(4, init=centres, n_init=1, reassignment_ratio=0, random_state=0)
    ours = MiniBatch(centres.copy())
    for one in (ours, theirs):
        one.partial_fit(centres, sample_weight=weights)
    for _ in range(200):
        hit = rng.normal(size=(1, 3))
        ours.partial_fit(hit)
        theirs.partial_fit(hit)
        assert np.array_equal(ours.cluster_centers_, theirs.cluster_centers_)


@pytest.mark.parametrize("seed", range(3))
def test_the_scaling_is_scikit_learns_to_the_last_bit(seed):
    rng = np.random.default_rng(seed)
    ours, theirs = MinMaxScaling(), MinMaxScaler(feature_range=(-1, 1))
    for count in (1, 1, 5, 1, 30):  # the third feature is the same throughout
        hits = np.column_stack([rng.normal(0.0, 100.0, (count, 2)), np.full(count, 0.7)])
        ours.learn(hits)
        theirs.partial_fit(hits)
        assert np.array_equal(ours.scale, theirs.scale_)
        assert np.array_equal(ours.offset, theirs.min_)
        assert np.array_equal(ours.scaled(hits), theirs.transform(hits))


@pytest.mark.parametrize("preference", [0.02, 0.5, 2.0, 40.0])
@pytest.mark.parametrize("count", [3, 8, 40, 96])
@pytest.mark.filterwarnings("ignore:Affinity propagation did not converge")
def test_affinity_propagation_is_scikit_learns(count, preference):
    hits = drum_hits(count, seed=count)
    scaled = MinMaxScaler((-1, 1)).fit_transform(hits)
    similarity = -((scaled[:, None] - scaled[None]) ** 2).sum(axis=2)
    wanted = preference * similarity.min()
    theirs = AffinityPropagation(
        preference=wanted, damping=0.8, max_iter=300, affinity="precomputed", random_state=0
    ).fit(similarity)
    ours = propagate(similarity, wanted)
    assert (-1 if ours is None else ours.tolist()) == (
        -1 if theirs.labels_.min() < 0 else theirs.labels_.tolist()
    )


@pytest.mark.parametrize("shape", [(1, 1), (2, 5), (5, 2), (7, 7), (3, 12), (12, 11)])
def test_the_assignment_is_scipys(shape):
    rng = np.random.default_rng(sum(shape))
    for number in range(20):
        cost = rng.normal(size=shape) if number % 2 else -rng.integers(0, 4, shape)
        ours, theirs = assign(cost), linear_sum_assignment(cost)
        assert cost[ours].sum() == pytest.approx(cost[theirs].sum(), abs=1e-12)
        if number % 2:  # else several are as good
            assert ours[0].tolist() == theirs[0].tolist()
            assert ours[1].tolist() == theirs[1].tolist()
