"""The optima of KMeans are found, counted and named."""

from __future__ import annotations

import numpy as np
import pytest

from rtcluster.notebook import analyze, load, optima, survey

PRINTED = [int(label) for label in "0001010001100101000110010100010101100"]
"""The labels printed in the notebook."""


def test_both_optima_of_125_bounce_are_found_as_often_as_they_are(data) -> None:
    sound = load(data / "loops" / "125_bounce.wav")
    best = analyze(sound.samples, sound.rate)
    assert best.model.inertia_ == pytest.approx(11.640, abs=5e-4)

    found = survey(best.scaled, 2)
    assert found.starts == 200
    assert found.find(best.labels) is found.optima[0]
    assert found.optima[0].inertia == pytest.approx(11.640, abs=5e-4)

    printed = found.find(PRINTED)
    assert printed is not None
    assert printed.inertia == pytest.approx(13.381, abs=5e-4)
    assert len(printed.seeds) == 15
    assert 10 in printed.seeds


def test_seed_10_shows_the_labels_printed_in_the_notebook(data) -> None:
    sound = load(data / "loops" / "125_bounce.wav")
    result = analyze(sound.samples, sound.rate, seed=10)
    assert optima.partition(result.labels) == optima.partition(PRINTED)
    assert result.model.inertia_ == pytest.approx(13.381, abs=5e-4)


def test_every_start_ends_in_one_of_the_optima() -> None:
    scaled = np.random.default_rng(0).uniform(-1, 1, (40, 2))
    found = survey(scaled, 4, starts=30)
    seeds = sorted(seed for optimum in found.optima for seed in optimum.seeds)
    assert seeds == list(range(30))
    inertias = [optimum.inertia for optimum in found.optima]
    assert inertias == sorted(inertias)


def test_the_numbers_of_the_classes_do_not_matter() -> None:
    assert optima.partition([0, 0, 1, 2]) == optima.partition([2, 2, 0, 1])
    assert optima.partition([0, 0, 1, 2]) != optima.partition([0, 1, 1, 2])


def test_many_hits_get_fewer_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    scaled = np.random.default_rng(0).uniform(-1, 1, (40, 2))
    monkeypatch.setattr(optima, "WORK", 40 * 20)
    assert survey(scaled, 2).starts == 20
    monkeypatch.setattr(optima, "WORK", 40)
    assert survey(scaled, 2).starts == 10


def survey_of(*inertias: float) -> optima.Survey:
    labels = np.zeros(1, np.int64)
    return optima.Survey(tuple(optima.Optimum(one, (0,), labels) for one in inertias), 200)


def test_inertias_are_written_with_as_many_places_as_tell_them_apart() -> None:
    assert survey_of(9.0, 9.5).places == 3
    assert survey_of(9.056558, 9.056802, 9.071731).places == 4
    assert survey_of(9.0, 9.0 + 1e-12).places == 6


def test_of_optima_that_no_figure_tells_apart_none_is_better() -> None:
    found = survey_of(9.0, 9.0 + 1e-12, 9.1)
    assert found.is_best(found.optima[0])
    assert found.is_best(found.optima[1])
    assert not found.is_best(found.optima[2])
    assert not found.is_best(None)


def test_labels_that_no_start_found_are_not_an_optimum() -> None:
    scaled = np.array([[-1, -1], [-1, -0.9], [1, 1], [1, 0.9]])
    assert survey(scaled, 2, starts=5).find([0, 1, 0, 1]) is None
