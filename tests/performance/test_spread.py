from __future__ import annotations

import numpy as np
import pytest

from rtcluster.performance import spread


@pytest.mark.parametrize(
    ("name", "drum"),
    [
        ("kick", "kick"), ("Bass Drum", "kick"), ("hi-hat closed", "hat"), ("hihat_open", "hat"),
        ("Floor Tom", "tom"), ("SD", "snare"), ("snare rim", "snare"), ("class 0", ""),
        ("sidestick", "snare"), ("open hats", "hat"), ("bottom", ""), ("that", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_drum_is_known_by_its_name(name, drum):
    assert spread.drum_of(name) == drum


def test_a_hit_beside_another_is_dated_less_exactly():
    found = spread.of_hits(np.array([0.0, 1.0, 1.05, 2.0]), ["kick", "kick", "class 1", "hat"])
    assert 1e3 * found == pytest.approx([0.4, spread.CROWDED_MS, spread.CROWDED_MS, 0.25])


def test_a_given_spread_takes_the_tables_place():
    assert spread.of_hits(np.arange(3.0), ["kick"] * 3, 1.0) == pytest.approx([0.001] * 3)
