"""What a player is told of an input that gives nothing, or too much."""

from __future__ import annotations

import numpy as np
import pytest

from rtcluster import Processor, Settings
from rtcluster.session.levels import (
    CLIPPED_POLLS,
    PAUSE_POLLS,
    QUIET_POLLS,
    UNCLIPPED_POLLS,
    Levels,
)

LOOK = 64 * 34  # samples from one look to the next, about 50 ms


class Input:
    """An input whose level is looked at, and what was told of it."""

    def __init__(self, channels=1, **settings):
        self.processors = [Processor(Settings(classes=3, **settings)) for _ in range(channels)]
        for processor in self.processors:
            processor.prepare(44100, 64)
        self.reported, self.said = [], []
        self.levels = Levels("mic", self.processors, self.reported.append, self.said.append)

    def hear(self, looks, peak=0.0, offset=0.0, channel=0):
        """So many looks at a noise of this peak."""
        noise = np.random.default_rng(0).uniform(-1, 1, LOOK).astype(np.float32)
        noise = np.float32(offset) + np.float32(peak) * noise / np.abs(noise).max()
        for _ in range(looks):
            for place, processor in enumerate(self.processors):
                processor.process(noise if place == channel else np.zeros_like(noise))
            self.levels.look()


def test_five_seconds_of_nothing_are_told_of_once_with_the_level_and_what_to_check():
    mic = Input()
    mic.hear(QUIET_POLLS - 1, 1e-4)
    assert mic.reported == []
    mic.hear(3 * QUIET_POLLS, 1e-4)
    (line,) = mic.reported
    assert "-80 dBFS" in line
    assert "cable" in line and "rtcluster devices" in line
    mic.hear(1, 0.1)
    assert mic.said == ["mic: sound comes in, -20 dBFS."]
    mic.hear(9, 0.1)
    assert len(mic.said) == len(mic.reported) == 1


def test_silence_is_told_as_a_level_too():
    mic = Input()
    mic.hear(QUIET_POLLS)
    assert "-120 dBFS" in mic.reported[0]


def test_an_offset_is_no_sound():
    mic = Input()
    mic.hear(QUIET_POLLS, offset=0.05)
    assert len(mic.reported) == 1


def test_a_pause_is_no_silence_but_a_long_one_is():
    mic = Input()
    mic.hear(1, 0.1)
    mic.hear(PAUSE_POLLS - 1)
    assert mic.reported == []
    mic.hear(1)
    assert len(mic.reported) == 1


def test_what_no_hit_can_reach_is_nothing():
    mic = Input(silence=-30.0)
    mic.hear(QUIET_POLLS, 0.01)
    assert "-40 dBFS" in mic.reported[0]


def test_one_microphone_of_several_is_something():
    mics = Input(channels=2)
    mics.hear(QUIET_POLLS, 0.1, channel=1)
    assert mics.reported == []


def test_without_audio_there_is_nothing_to_see():
    mic = Input()
    for _ in range(2 * QUIET_POLLS):
        mic.levels.look()
    assert mic.reported == []


@pytest.mark.parametrize("peak", [1.0, 1.5])
def test_clipping_is_told_of_once_and_that_it_is_over(peak):
    mic = Input()
    mic.hear(CLIPPED_POLLS - 1, peak)
    assert mic.reported == []
    mic.hear(20, peak)
    (line,) = mic.reported
    assert f"{20 * np.log10(peak):.0f} dBFS" in line and "gain" in line
    mic.hear(UNCLIPPED_POLLS - 1, 0.5)
    assert mic.said == []
    mic.hear(50, 0.5)
    assert mic.said == ["mic: the input no longer clips."]


def test_a_hit_at_full_scale_now_and_then_is_no_clipping():
    mic = Input()
    for _ in range(3 * CLIPPED_POLLS):
        mic.hear(1, 1.0)
        mic.hear(QUIET_POLLS // CLIPPED_POLLS + 5, 0.5)
    assert mic.reported == []


def test_of_several_microphones_the_one_that_clips_is_named():
    processor = Processor(microphones=(1, 2, 5))
    processor.prepare(44100, 64, channels=5)
    told = []
    levels = Levels("desk", [processor], told.append, told.append)
    audio = 0.1 * np.random.default_rng(0).standard_normal((LOOK, 5)).astype(np.float32)
    audio[::50, 4] = 1.0
    for _ in range(CLIPPED_POLLS):
        processor.process(audio)
        levels.look()
    (line,) = told
    assert line.startswith("desk: the input clips on channel 5, the peak is 0 dBFS.")
