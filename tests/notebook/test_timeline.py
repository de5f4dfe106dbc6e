"""Waveforms are reduced to their extremes, and close-ups stay short."""

from __future__ import annotations

import numpy as np

from rtcluster.notebook import timeline
from rtcluster.pages.canvas import LIGHT, NARROW, WIDE


def test_no_extreme_is_lost_in_an_envelope() -> None:
    x = np.random.default_rng(0).standard_normal(100_000).astype(np.float32)
    centres, low, high = timeline.envelope(x, 0, len(x), 300)
    assert len(centres) == len(low) == len(high) == 300
    assert low.min() == x.min()
    assert high.max() == x.max()


def test_a_stretch_shorter_than_the_columns_is_drawn_sample_by_sample() -> None:
    centres, low, high = timeline.envelope(np.arange(5, dtype=np.float32), 0, 5, 300)
    np.testing.assert_array_equal(low, np.arange(5))
    np.testing.assert_array_equal(low, high)
    assert len(centres) == 5


def test_a_short_file_is_shown_whole_and_a_long_one_from_its_first_onset() -> None:
    assert timeline.close_up(7.68, np.array([0.1])) == (0.0, 7.68)
    assert timeline.close_up(100.0, np.array([30.4])) == (30.0, 46.0)
    assert timeline.close_up(100.0, np.array([99.0])) == (84.0, 100.0)
    assert timeline.close_up(100.0, np.array([])) == (0.0, 16.0)


def test_a_phone_gets_more_and_shorter_rows() -> None:
    x = np.zeros(8 * 8000, np.float32)
    lane = timeline.Lane("onset", np.array([1.0, 5.0]))
    wide = timeline.timeline(x, 8000, (0.0, 8.0), [lane], LIGHT, WIDE)
    narrow = timeline.timeline(x, 8000, (0.0, 8.0), [lane], LIGHT, NARROW)
    assert len(wide.axes) == 2  # one row: marks and waveform
    assert len(narrow.axes) == 4
