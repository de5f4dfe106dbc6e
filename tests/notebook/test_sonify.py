"""Clicks sound where hits are, and players hold what they should."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from rtcluster.notebook import sonify
from rtcluster.playback.tones import click

FS = 22050


def test_a_click_begins_at_its_hit_and_nowhere_else() -> None:
    mixed = sonify.with_clicks(np.zeros(FS, np.float32), FS, [0.5])
    assert not mixed[: FS // 2].any()
    assert np.abs(mixed[FS // 2 : FS // 2 + 100]).max() > 0.01
    assert not mixed[FS // 2 + FS // 10 + 1 :].any()


def test_each_class_clicks_at_its_own_pitch() -> None:
    peaks = {int(np.abs(np.fft.rfft(click(FS, label))).argmax()) for label in range(8)}
    assert len(peaks) == 8


def test_a_loud_mix_is_turned_down_and_not_clipped() -> None:
    mixed = sonify.with_clicks(np.ones(FS, np.float32), FS, [0.1, 0.5])
    assert np.abs(mixed).max() == pytest.approx(0.98, abs=1e-3)


def test_clicks_outside_the_signal_are_left_out() -> None:
    x = np.zeros(FS, np.float32)
    np.testing.assert_array_equal(sonify.with_clicks(x, FS, [1.5, -0.1]), x)


def test_a_short_player_is_lossless() -> None:
    x = np.random.default_rng(0).uniform(-0.9, 0.9, FS).astype(np.float32)
    player = sonify.player(x, FS)
    assert player.mime == "audio/flac"
    back, fs = soundfile.read(io.BytesIO(player.data), dtype="float32")
    assert fs == FS
    np.testing.assert_allclose(back, x, atol=1 / 32768)


def test_a_long_player_is_small() -> None:
    x = np.random.default_rng(0).uniform(-0.9, 0.9, 40 * FS).astype(np.float32)
    player = sonify.player(x, FS)
    assert player.mime == "audio/mpeg"
    assert len(player.data) < 2 * len(x) / 3
    assert soundfile.info(io.BytesIO(player.data)).duration == pytest.approx(40, abs=0.2)


def test_a_rate_that_mp3_lacks_stays_flac() -> None:
    player = sonify.player(np.zeros(31 * 96000, np.float32), 96000)
    assert player.mime == "audio/flac"


def test_an_excerpt_of_a_very_long_file_is_two_minutes() -> None:
    x = np.broadcast_to(np.float32(0.5), (200 * 8000,))
    assert len(sonify.excerpt(x, 8000)) == 120 * 8000
