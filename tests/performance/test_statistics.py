from __future__ import annotations

import numpy as np
import pytest

from rtcluster.performance import statistics
from rtcluster.performance.figures import plain


@pytest.mark.parametrize(
    ("dof", "point"),
    [(1, 12.7062), (2, 4.3027), (3, 3.1824), (10, 2.2281), (30, 2.0423), (1e6, 1.9600)],
)
def test_students_t_is_that_of_the_tables(dof, point):
    assert statistics.t_quantile(dof) == pytest.approx(point, abs=1e-4)
    assert statistics.t_quantile(0.5) == np.inf


def test_outliers_have_no_say_in_a_regression():
    rng = np.random.default_rng(0)
    x = np.linspace(-1, 1, 200)
    y = 3 + 2 * x + rng.normal(0, 0.1, 200)
    y[::10] += 5
    fitted = statistics.regress(np.stack([np.ones(200), x], axis=1), y)
    assert fitted.coefficients == pytest.approx([3, 2], abs=0.05)
    assert (fitted.weights[::10] == 0).all()


def test_neighbours_that_are_alike_make_a_fit_less_sure():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, 4000)
    alike = np.convolve(noise, np.ones(10) / 10, mode="same")
    assert statistics.correlation_time(noise) == pytest.approx(1, abs=0.2)
    assert statistics.correlation_time(alike) == pytest.approx(10, rel=0.3)


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_quantiles_are_covered(q):
    inside = 0
    for seed in range(200):
        found = statistics.quantile(np.random.default_rng(seed).uniform(0, 1, 60), q)
        inside += abs(found.value - q) <= found.uncertainty
    assert inside >= 180


def test_what_is_not_known_is_null_in_json():
    assert plain(statistics.mean(np.zeros(0))) == {"value": None, "uncertainty": None}
    assert plain(statistics.mean(np.ones(1))) == {"value": 1.0, "uncertainty": None}
