"""Which class has which sound, and the sounds themselves."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
import soundfile

from rtcluster import Processor, Settings
from rtcluster.errors import SettingsError, SourceError
from rtcluster.kernel.click import SILENT
from rtcluster.notebook import sonify
from rtcluster.playback.clicks import Clicks, bank
from rtcluster.playback.tones import PITCHES, add_clicks, read, resampled

RATE = 44100
FILE = PITCHES  # the first file's place, after the tones


@pytest.fixture
def wav(tmp_path):
    """Write a sound; return its path."""

    def write(x, rate=RATE):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.wav"
        soundfile.write(path, x, rate, subtype="FLOAT")
        return str(path)

    return write


@pytest.fixture
def processor(drums):
    """One that knows three classes."""
    made = Processor(Settings(classes=3))
    made.prepare(RATE, 64)
    made.process(drums.audio)
    return made


def sounds(processor, count=4):
    return processor.record["click"]["of_class"][0, 0, :count].tolist()


def test_each_class_has_the_pitch_that_it_has_in_the_report(processor):
    clicks = Clicks()
    clicks.prepare(processor, 2)
    assert sounds(processor) == [0, 1, 2, 3]
    assert sonify.add_clicks is add_clicks


def test_a_file_is_for_a_class_by_its_name_or_its_number(processor, wav):
    processor.rename(2, "hat")
    one, two = wav(np.ones(10)), wav(np.ones(20))
    Clicks({"hat": one, "0": two}).prepare(processor, 2)
    assert sounds(processor) == [FILE + 1, 1, FILE, 3]


def test_without_tones_the_other_classes_are_silent(processor, wav):
    Clicks({"1": wav(np.ones(10))}, tones=False).prepare(processor, 2)
    assert sounds(processor) == [SILENT, FILE, SILENT, SILENT]


def test_a_class_gets_its_sound_with_its_name(processor, wav):
    clicks = Clicks({"kick": wav(np.ones(10))}, tones=False)
    clicks.prepare(processor, 2)
    assert sounds(processor) == [SILENT] * 4
    assert clicks.waiting(processor.learner.names) == ["kick"]
    processor.rename(0, "kick")
    assert sounds(processor) == [FILE, SILENT, SILENT, SILENT]
    assert clicks.waiting(processor.learner.names) == []
    processor.rename(0, "tom")
    assert sounds(processor) == [SILENT] * 4


def test_classes_that_form_while_running_get_their_sounds(drums, wav):
    processor = Processor(Settings(classes="auto"))
    processor.prepare(RATE, 64)
    Clicks({"class 1": wav(np.ones(10))}, tones=False).prepare(processor, 2)
    assert sounds(processor) == [SILENT] * 4
    processor.process(drums.audio)
    assert sounds(processor) == [SILENT, FILE, SILENT, SILENT]


def test_what_was_muted_is_heard_again_when_the_classes_are_forgotten(processor):
    Clicks().prepare(processor, 2)
    processor.mute(1, True)
    processor.reset()
    assert processor.record["click"]["muted"] == 2
    processor.reset(forget=True)
    assert processor.record["click"]["muted"] == 0


def test_the_bank_holds_the_sounds_one_after_the_other(processor, wav):
    x = np.random.default_rng(0).normal(0, 0.1, 300).astype(np.float32)
    clicks = Clicks({"0": wav(x)})
    clicks.prepare(processor, 2)
    record = processor.record[0]["click"][0]
    start, length = record["start"][FILE], record["length"][FILE]
    bank = (ctypes.c_float * int(record["samples"])).from_address(int(record["bank"]))
    np.testing.assert_array_equal(bank[start : start + length], x)


def test_a_sound_of_integers_is_scaled_by_its_type(processor):
    steps = np.array([-32768, 0, 16384], np.int16)
    held = bank(processor.record[0]["click"][0], [steps, np.float64([0.25])])
    np.testing.assert_array_equal(held, np.float32([-1.0, 0.0, 0.5, 0.25]))


@pytest.mark.parametrize("rate", [22050, 48000, 96000])
def test_a_sample_of_another_rate_keeps_its_pitch_and_its_length(wav, rate):
    t = np.arange(rate) / rate
    path = wav(np.stack([np.sin(2 * np.pi * 440 * t), np.zeros(rate)], axis=1), rate)
    x = resampled(*read(path), RATE)
    assert len(x) == RATE
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    np.testing.assert_allclose(x[1000:-1000], expected[1000:-1000], atol=1e-3)


def test_what_is_no_sound_of_a_drum_is_refused_in_one_line(tmp_path, wav):
    text = tmp_path / "kick.txt"
    text.write_text("boom")
    for path, words in (
        (wav(np.zeros(11 * RATE)), "at most 10 s"),
        (wav(np.array([0.0, np.nan])), "got NaN or Inf"),
        (wav(np.zeros(0)), "at least one sample"),
        (str(tmp_path), "a folder"),
        (str(text), "libsndfile"),
    ):
        with pytest.raises(SourceError, match=words) as told:
            Clicks({"kick": path})
        assert "\n" not in str(told.value)


def test_options_are_taken_apart_or_refused(wav):
    assert Clicks.of(False, None, "guess") is None
    assert Clicks.of(False, [], "guess") is None
    assert Clicks.of(True, None, "final") is not None
    path = wav(np.ones(10))
    assert Clicks.of(False, [f"kick={path}"], "guess").waiting([]) == ["kick"]
    with pytest.raises(SettingsError, match="Expected one click file for 'kick', got two"):
        Clicks.of(False, [f"kick={path}", f"kick ={path}"], "guess")
