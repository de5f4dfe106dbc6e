"""Scaling: bands of one spectrum have one factor, other features one each."""

from __future__ import annotations

import numpy as np
import pytest

from rtcluster.learning.scaling import SCALINGS, scaling_for, scaling_from

FEATURES = ("zcr", "band1", "band2")
HITS = np.array([[100.0, 0.1, 0.30], [300.0, 0.5, 0.32], [200.0, 0.2, 0.31], [150.0, 0.3, 0.34]])


@pytest.mark.parametrize("name", [*SCALINGS])
def test_the_widest_band_sets_the_factor_of_all(name):
    together, apart = scaling_for(name, FEATURES), SCALINGS[name]()
    together.learn(HITS)
    apart.learn(HITS)
    assert together.scale == pytest.approx([*apart.scale[:2], apart.scale[1]])
    assert together.scaled(HITS)[:, :2] == pytest.approx(apart.scaled(HITS)[:, :2])
    assert np.ptp(together.scaled(HITS)[:, 2]) < 0.3 * np.ptp(apart.scaled(HITS)[:, 2])


@pytest.mark.parametrize("name", [*SCALINGS])
def test_what_a_kit_has_of_it_gives_the_same_scale_to_the_bit(name):
    scaling = scaling_for(name, FEATURES)
    scaling.learn(HITS)
    again = scaling_from(scaling.as_dict(), FEATURES)
    assert again.scaled(HITS).tolist() == scaling.scaled(HITS).tolist()


def test_bands_that_are_all_alike_stay_finite():
    scaling = scaling_for("minmax", FEATURES)
    scaling.learn(np.ones((3, 3)))
    assert np.isfinite(scaling.scaled(np.ones((1, 3)))).all()
