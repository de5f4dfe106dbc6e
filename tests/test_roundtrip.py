"""Pings among hits: which came back, and when."""

from __future__ import annotations

import numpy as np
import pytest

from rtcluster import Onset, Processor, Settings
from rtcluster.clicks import Pings
from rtcluster.errors import SettingsError
from rtcluster.roundtrip import bias, match

RATE, EVERY = 44100, 11025
FRAMES = 44100 + EVERY * np.arange(5)


def heard(*samples):
    return [Onset(n, int(s), s / RATE, int(s) + 100, 100, 2.0) for n, s in enumerate(samples)]


def test_each_ping_is_found_and_the_detectors_bias_taken_off():
    trip = match(FRAMES, heard(*(FRAMES + 503)), 3, EVERY, RATE)
    assert trip.samples.tolist() == [500] * 5
    assert trip.own.tolist() == [100] * 5
    assert trip.missing == trip.ambiguous == 0
    assert trip.milliseconds(trip.samples)["p50"] == pytest.approx(1e3 * 500 / RATE, abs=1e-3)


def test_a_ping_that_is_not_heard_is_missing():
    trip = match(FRAMES, heard(*(FRAMES[1:] + 500)), 0, EVERY, RATE)
    assert (trip.samples.size, trip.missing) == (4, 1)


def test_a_ping_with_two_hits_is_ambiguous_and_dropped():
    trip = match(FRAMES, heard(*(FRAMES + 500), FRAMES[2] + 4000), 0, EVERY, RATE)
    assert (trip.samples.size, trip.ambiguous) == (4, 1)


def test_a_loop_without_delay_may_seem_a_little_early():
    assert match(FRAMES, heard(*(FRAMES - 2)), 0, EVERY, RATE).samples.tolist() == [-2] * 5


@pytest.mark.parametrize("rate", [22050, 44100, 96000])
@pytest.mark.parametrize("level", [-30.0, -6.0])
def test_a_digital_loop_is_found_to_the_sample(rate, level):
    pings = Pings(6, 0.5, 0.25, level)
    late = bias(pings, Settings(), rate)
    sound, frames = pings.sound(rate), pings.frames(rate)
    audio = np.random.default_rng(0).normal(0, 1e-5, 3 * rate).astype(np.float32)
    for frame in frames:
        audio[frame + 777 : frame + 777 + sound.size] += sound
    processor = Processor(Settings())
    processor.prepare(rate)
    onsets = [event for event in processor.process(audio) if isinstance(event, Onset)]
    trip = match(frames, onsets, late, round(0.25 * rate), rate)
    assert trip.samples.tolist() == pytest.approx([777] * 6, abs=2)


def test_pings_too_soft_for_the_detector_are_refused():
    with pytest.raises(SettingsError, match="raise --level"):
        bias(Pings(1, 0.5, 0.25, -140.0), Settings(), RATE)
