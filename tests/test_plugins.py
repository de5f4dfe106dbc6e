from __future__ import annotations

import importlib.metadata
import sys

import numpy as np
import pytest
from sklearn.cluster import MiniBatchKMeans
from threadpoolctl import threadpool_info, threadpool_limits

from rtcluster import Final, Processor, Settings
from rtcluster.checks import check_clusterer, check_feature
from rtcluster.errors import SettingsError
from rtcluster.kernel import features
from rtcluster.learning.centres import MiniBatch
from rtcluster.learning.kit import Kit
from rtcluster.plugins import Feature, feature
from rtcluster.settings import FEATURES
from rtcluster.sources import groove
from tests.conftest import run


def crest_source(x, samplerate):
    peak, power = 0.0, 1e-12
    for i in range(x.size):
        peak = max(peak, abs(x[i]))
        power += x[i] * x[i]
    return peak / (power / max(1, x.size)) ** 0.5


def duration_source(x, samplerate):
    return x.size / samplerate


def sluggish(centres, random):
    """A clusterer that is k-means, made here."""
    return MiniBatchKMeans(
        len(centres), init=centres, n_init=1, reassignment_ratio=0.0, random_state=random
    )


@pytest.fixture(scope="module")
def crest() -> Feature:
    return feature(unit="ratio")(crest_source)


@pytest.fixture
def installed(monkeypatch, crest):
    """Entry points as an installed package would bring them."""

    class Point:
        def __init__(self, name, thing):
            self.name, self.load = name, lambda: thing

    points = {
        "rtcluster.features": [
            Point("crest", crest),
            Point("duration", feature(duration_source)),
            Point("broken", "no feature at all"),
        ],
        "rtcluster.clusterers": [Point("sluggish", sluggish)],
    }
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: points.get(group, []))
    monkeypatch.setattr("rtcluster.plugins.entry_points", lambda group: points[group])


@pytest.mark.parametrize("number", range(len(FEATURES)), ids=FEATURES)
def test_every_feature_of_ours_keeps_the_contract(number):
    def one_of_ours(x, samplerate):
        crossings, norm = features.zero_crossings(x), features.energy(x)
        return features.feature(number, x, crossings, norm, samplerate)

    check_feature(one_of_ours)


def test_a_feature_of_somebody_elses_keeps_the_contract(crest):
    check_feature(crest)


def test_a_feature_that_is_not_finite_breaks_the_contract():
    with pytest.raises(AssertionError, match="Expected a finite value"):
        check_feature(feature(lambda x, samplerate: 1.0 / x.size if x.size else np.inf))


@pytest.mark.parametrize("make", [MiniBatch, sluggish])
def test_a_clusterer_keeps_the_contract(make):
    check_clusterer(make)


def test_a_clusterer_that_does_not_learn_breaks_the_contract():
    class Still:
        def __init__(self, centres, random):
            self.cluster_centers_ = centres

        def partial_fit(self, x, sample_weight=None):
            return self

    with pytest.raises(AssertionError, match="draw their centre near"):
        check_clusterer(Still)


@pytest.mark.parametrize("driver", ["compiled", "python"])
def test_an_installed_feature_is_measured_by_the_kernel(installed, drums, driver):
    chosen = Settings(classes=3, features="crest,complexity")
    audio = drums.audio[: 3 * 44100]
    finals = [e for e in run(audio, settings=chosen, driver=driver) if isinstance(e, Final)]
    for final in finals:
        x = audio[final.sample : final.sample + final.span]
        assert final.features[0] == pytest.approx(crest_source(x, 44100.0), rel=1e-5)
        assert final.as_dict()["features"]["crest"] == final.features[0]
    assert chosen.units == {"crest": "ratio", "complexity": "octaves"}


def test_an_installed_clusterer_learns(installed, drums):
    events = run(drums.audio, settings=Settings(classes=3, clusterer="sluggish"))
    assert {e.class_ for e in events if isinstance(e, Final)} >= {0, 1, 2}


def test_an_installed_clusterer_learns_in_one_thread_of_openmp(installed, drums, monkeypatch):
    """Left alone, OpenMP's team costs tens of milliseconds now and then."""
    seen = []

    class Watched(MiniBatchKMeans):
        def partial_fit(self, X, y=None, sample_weight=None):  # scikit-learn's name
            seen.append({one["num_threads"] for one in openmp()})
            return super().partial_fit(X, y, sample_weight)

    def openmp():
        return [one for one in threadpool_info() if one["user_api"] == "openmp"]

    monkeypatch.setattr(sys.modules[__name__], "MiniBatchKMeans", Watched)
    with threadpool_limits(limits=2, user_api="openmp"):
        run(drums.audio[: 6 * 44100], settings=Settings(classes=3, clusterer="sluggish"))
        assert {one["num_threads"] for one in openmp()} == {2}
    assert seen
    assert all(threads == {1} for threads in seen)


@pytest.mark.parametrize(
    "wrong", [{"features": "zcr,nothing"}, {"features": "broken"}, {"clusterer": "nothing"}]
)
def test_what_is_not_installed_is_refused_in_one_line(installed, wrong):
    with pytest.raises(SettingsError, match=r"^Expected "):
        Settings(**wrong)


def test_a_kit_with_a_feature_of_somebody_elses_works_at_another_rate(installed, drums):
    def processor_at(rate, kit=None):
        processor = Processor(Settings(classes=3, features="zcr,crest"), kit=kit)
        processor.prepare(rate)
        return processor

    learned = processor_at(44100)
    learned.process(drums.audio)
    kit = Kit.of(learned.learner, learned.settings, 44100)
    high = groove.render(8.0, samplerate=96000)
    for audio, rate in ((drums.audio, 44100), (high.audio, 96000)):
        processor = processor_at(rate, kit)
        finals = [e for e in processor.process(audio) if isinstance(e, Final)]
        pairs = {(s.drum, f.class_) for s, f in zip(drums.strokes, finals, strict=False)}
        assert len(pairs) == 3


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_a_feature_is_given_the_window_at_the_kits_rate_and_that_rate(installed, drums, rate):
    chosen = Settings(classes=3, features="zcr,duration")
    learned = Processor(chosen)
    learned.prepare(44100)
    learned.process(drums.audio)
    processor = Processor(chosen, kit=Kit.of(learned.learner, chosen, 44100))
    processor.prepare(rate)
    events = processor.process(groove.render(3.0, samplerate=rate).audio)
    finals = [event for event in events if isinstance(event, Final)]
    assert finals
    for final in finals:
        assert final.features[1] == pytest.approx(final.span / rate, abs=2 / 44100)


def test_a_feature_can_still_be_called(crest):
    x = np.array([0.5, -1.0, 0.25], np.float32)
    assert crest(x, 44100.0) == pytest.approx(crest_source(x, 44100.0))
