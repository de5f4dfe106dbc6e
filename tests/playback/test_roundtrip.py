"""Pings among hits: which came back, and when."""

from __future__ import annotations

import numpy as np
import pytest

from rtcluster import Onset, Processor, Settings
from rtcluster.errors import SettingsError
from rtcluster.playback import roundtrip
from rtcluster.playback.clicks import Pings
from rtcluster.playback.roundtrip import bias, match

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


class Slow:
    """A stream that gives a piece of silence each so many looks, and the stop that is never set."""

    name, active = "a card", True

    def __init__(self, processor, looks):
        self._processor, self._polls, self._n = processor, looks, 0

    def __enter__(self):
        self._processor.record["synchronous"] = 0

    def __exit__(self, *_):
        pass

    def wait(self, _):
        self._n += 1
        if self._n % self._polls == 0:
            self._processor.advance(np.zeros((2205, 1), np.float32))
        return False


@pytest.mark.parametrize(("looks", "whole"), [(3, True), (10**9, False)])
def test_a_slow_stream_is_waited_for_and_one_that_stands_still_is_not(monkeypatch, looks, whole):
    monkeypatch.setattr(roundtrip, "STILL_S", 0.5)
    processor = Processor(Settings())
    processor.prepare(RATE)
    pings = Pings(2, 0.5, 0.25, -6.0)
    stream = Slow(processor, looks)
    trip = roundtrip.measure(processor, stream, pings, 0.25, stream, print, print)
    assert trip.missing == 2
    assert bool(processor.clock > pings.frames(RATE)[-1]) is whole


def test_pings_too_soft_for_the_detector_are_refused():
    with pytest.raises(SettingsError, match="raise --level"):
        bias(Pings(1, 0.5, 0.25, -140.0), Settings(), RATE)
