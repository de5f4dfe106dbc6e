"""The bar for kits at other rates, on a few of the recordings; ``bench.rates`` takes them all."""

from __future__ import annotations

import pytest

from bench.rates import agreement


@pytest.mark.parametrize(
    ("name", "kit", "rate"),
    [("dev2_rock_full_kit", "red_zeppelin", 48000), ("dev7_humanised", "linndrum", 96000),
     ("dev11_rock_full_kit_loud", "black_pearl", 48000)],
)  # fmt: skip
def test_97_percent_of_the_names_are_the_same_at_48_and_96_khz(data, name, kit, rate):
    hits, both, same = agreement(data, name, kit, rate)
    assert both >= 0.97 * hits
    assert same >= 0.97 * both
