"""The size of the blocks and the driver change nothing, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtcluster import Processor, Settings
from rtcluster.presets import METHODS
from rtcluster.sources.groove import render
from tests.conftest import run

DRUMS = render(3.0)
WHOLE = run(DRUMS.audio)


def test_there_is_something_to_compare():
    kinds = {type(event).__name__ for event in WHOLE}
    assert kinds == {"Onset", "Guess", "Final", "Relabel", "ModelChange"}


@pytest.mark.parametrize("size", [1, 17, 64, 441, 4096])
def test_any_block_size_gives_the_same_events(size):
    audio = DRUMS.audio if size > 1 else DRUMS.audio[:44100]
    whole = WHOLE if size > 1 else run(audio)
    assert run(audio, cuts=range(size, len(audio), size)) == whole


@given(st.lists(st.integers(0, len(DRUMS.audio)), max_size=60).map(sorted))
@settings(max_examples=25)
def test_any_chunking_gives_the_same_events(cuts):
    assert run(DRUMS.audio, cuts=cuts) == WHOLE


@pytest.mark.parametrize("method", METHODS)
def test_both_drivers_give_the_same_events(method):
    chosen = Settings(classes=3, method=method)
    compiled = run(DRUMS.audio, settings=chosen, driver="compiled")
    python = run(DRUMS.audio, settings=chosen, driver="python", cuts=[1000, 50000])
    assert compiled
    assert python == compiled


@pytest.mark.parametrize("driver", ["compiled", "python"])
def test_reset_equals_fresh(driver):
    processor = Processor(Settings(classes=3), driver=driver)
    processor.prepare(44100, 64)
    for _ in range(2):
        events = processor.process(DRUMS.audio) + processor.flush()
        assert events == WHOLE
        processor.reset(forget=True)


def test_reset_keeps_the_classes_unless_asked_to_forget_them():
    processor = Processor(Settings(classes=3))
    processor.prepare(44100, 64)
    processor.process(DRUMS.audio)
    processor.reset()
    classes = {e.class_ for e in processor.process(DRUMS.audio) if hasattr(e, "class_")}
    assert classes == {0, 1, 2}


@pytest.mark.parametrize("channels", [2, 3])
def test_several_channels_are_averaged_as_librosa_does(channels):
    rng = np.random.default_rng(0)
    audio = DRUMS.audio[:, None] * rng.uniform(0.5, 1.0, channels).astype(np.float32)
    processor = Processor(Settings(classes=3))
    processor.prepare(44100, channels=channels)
    mean = np.mean(audio.T, axis=0)  # librosa.to_mono
    assert processor.process(audio) + processor.flush() == run(mean)


def test_one_channel_can_be_picked():
    audio = np.stack([np.zeros_like(DRUMS.audio), DRUMS.audio], axis=1)
    processor = Processor(Settings(classes=3))
    processor.prepare(44100, channels=2, channel=1)
    assert processor.process(audio) + processor.flush() == WHOLE
