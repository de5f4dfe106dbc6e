from __future__ import annotations

import numpy as np
import pytest

from rtcluster.kernel import rate

RATES = [(48000, 44100), (96000, 44100), (44100, 48000), (22050, 44100), (192000, 44100)]


def resampled(audio, samplerate, kit_rate, before):
    """The audio from sample ``before`` on, at the kit's rate."""
    record = np.zeros(1, rate.KIT_RATE)[0]
    kept = rate.configure(record, samplerate, kit_rate, len(audio))
    out = rate.at_kit_rate(record, audio, before).copy()
    assert kept
    return out


@pytest.mark.parametrize(("samplerate", "kit_rate"), RATES)
def test_a_tone_comes_back_as_the_same_tone(samplerate, kit_rate):
    before, n = 200, samplerate // 11
    for hertz in (50.0, 1000.0, 0.36 * min(samplerate, kit_rate)):
        time = np.arange(-before, n) / samplerate
        tone = np.sin(2 * np.pi * hertz * time + 0.5).astype(np.float32)
        out = resampled(tone, samplerate, kit_rate, before)
        assert len(out) == n * kit_rate // samplerate
        wanted = np.sin(2 * np.pi * hertz * np.arange(len(out)) / kit_rate + 0.5)
        whole = len(out) - 2 * rate.ZEROS  # after that it cannot know what comes
        assert np.abs(out - wanted)[:whole].max() < 2e-3


def test_what_the_lower_rate_cannot_hold_is_gone():
    tone = np.sin(2 * np.pi * 30000 * np.arange(9000) / 96000).astype(np.float32)
    assert np.abs(resampled(tone, 96000, 44100, 200)[:-40]).max() < 1e-3


def test_an_offset_stays_what_it_is_to_the_last_sample():
    out = resampled(np.full(4520, 0.25, np.float32), 48000, 44100, 200)
    assert np.abs(out - 0.25).max() < 1e-6


def test_no_samples_are_none():
    assert len(resampled(np.zeros(200, np.float32), 48000, 44100, 200)) == 0
