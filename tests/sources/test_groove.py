from __future__ import annotations

import numpy as np
import pytest
import soundfile

from rtcluster.sources import annotations
from rtcluster.sources.groove import DRUMS, render, write


@pytest.mark.parametrize("rate", [22050, 44100, 96000])
def test_the_truth_is_where_the_sound_starts(rate):
    drums = render(4.0, rate, noise_dbfs=-200.0)
    for stroke in drums.strokes:
        before = np.abs(drums.audio[stroke.sample - 20 : stroke.sample]).max()
        after = np.abs(drums.audio[stroke.sample : stroke.sample + rate // 200]).max()
        assert after > 0.3 * stroke.level
        assert before < 0.2 * after


def test_every_drum_is_played_and_never_two_at_once():
    drums = render(6.0)
    assert {stroke.drum for stroke in drums.strokes} == set(DRUMS)
    gaps = np.diff([stroke.sample for stroke in drums.strokes])
    assert gaps.min() > 0.1 * 44100


def test_the_same_seed_plays_the_same():
    assert np.array_equal(render(2.0, seed=3).audio, render(2.0, seed=3).audio)
    assert not np.array_equal(render(2.0, seed=3).audio, render(2.0, seed=4).audio)


def test_nothing_clips():
    assert np.abs(render(10.0).audio).max() < 1.0


def test_what_is_written_is_read_again(tmp_path):
    drums = render(3.0)
    write(drums, tmp_path / "groove.wav", tmp_path / "groove.csv")
    audio, rate = soundfile.read(tmp_path / "groove.wav", dtype="float32")
    assert rate == drums.samplerate
    assert np.array_equal(audio, drums.audio)
    hits = annotations.read(tmp_path / "groove.csv")
    assert hits.labels == tuple(stroke.drum for stroke in drums.strokes)
    assert np.abs(hits.times * rate - [stroke.sample for stroke in drums.strokes]).max() < 0.05
