"""Assignment and learning agree with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.preprocessing import MinMaxScaler

from rtcluster.events import MAX_FEATURES
from rtcluster.kernel.classify import classify
from rtcluster.kernel.state import MODEL
from rtcluster.learning.clustering import OnlineKMeans
from rtcluster.learning.learner import Learner, Lesson


def model_of(scaler, centres):
    model = np.zeros(1, MODEL)
    k, n = centres.shape
    model["n_features"], model["n_centres"] = n, k
    model["scale"][0, 1, :n], model["offset"][0, 1, :n] = scaler.scale_, scaler.min_
    model["centres"][0, 1, :k, :n] = centres
    model["owner"][0, :k] = np.arange(k)
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


def test_margin_is_one_on_a_centre_and_zero_between_two():
    scaler = MinMaxScaler(feature_range=(-1, 1)).fit([[-1.0, -1.0], [1.0, 1.0]])
    model = model_of(scaler, np.array([[-0.5, 0.0], [0.5, 0.0]]))
    assert judge(model, np.array([-0.5, 0.0])) == (0, 1.0)
    assert judge(model, np.array([0.0, 0.3])) == (0, 0.0)
    assert judge(model, np.array([0.25, 0.0])) == (1, pytest.approx(0.5))


def test_without_a_model_the_class_is_learning():
    assert judge(np.zeros(1, MODEL)[0], np.zeros(2)) == (-1, 0.0)


def drum_hits(count, seed=0):
    """Three drums in units of zcr and energy."""
    rng = np.random.default_rng(seed)
    centres = np.array([[20, 12.0], [400, 5.0], [1500, 1.0]])
    return centres[rng.integers(0, 3, count)] * rng.uniform(0.7, 1.4, (count, 2))


def plain_loop(warm, later, k, seed):
    """The same in scikit-learn's own calls and nothing else."""
    random = np.random.RandomState(seed)
    scaler = MinMaxScaler(feature_range=(-1, 1)).fit(warm)
    start = KMeans(k, n_init=10, random_state=random).fit(scaler.transform(warm))
    by_zcr = np.argsort(scaler.inverse_transform(start.cluster_centers_)[:, 0])
    online = MiniBatchKMeans(
        k, init=start.cluster_centers_[by_zcr], n_init=1, reassignment_ratio=0, random_state=random
    ).partial_fit(scaler.transform(warm))
    for hit in later:
        raw = scaler.inverse_transform(online.cluster_centers_)
        scaler.partial_fit(hit[None])
        online.cluster_centers_ = scaler.transform(raw)
        online.partial_fit(scaler.transform(hit[None]))
    return scaler, online


@pytest.mark.parametrize("seed", range(3))
def test_scaler_and_centres_equal_a_plain_loop_over_scikit_learn(seed):
    hits = drum_hits(150, seed)
    ours = OnlineKMeans(hits[:8], 3, np.random.RandomState(seed), order=0)
    for hit in hits[8:]:
        ours.learn(hit)
    scaler, online = plain_loop(hits[:8], hits[8:], 3, seed)
    np.testing.assert_allclose(ours.scaler.scale, scaler.scale_, rtol=1e-12)
    np.testing.assert_allclose(ours.scaler.offset, scaler.min_, rtol=1e-12)
    np.testing.assert_allclose(ours.centres, online.cluster_centers_, rtol=1e-9, atol=1e-12)
    assert ours.classes_of(hits).tolist() == online.predict(scaler.transform(hits)).tolist()


def test_the_published_model_is_the_learners_own():
    hits = drum_hits(60)
    learner = Learner(classes=3, warmup=8, seed=0)
    for number, hit in enumerate(hits):
        update = learner.learn(Lesson(number, hit / 3, hit, clean=True))
    scaler, online = plain_loop(hits[:8], hits[8:], 3, 0)
    given = [judge(update.model[0], hit)[0] for hit in hits]
    assert given == online.predict(scaler.transform(hits)).tolist()
