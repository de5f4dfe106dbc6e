"""The clicks, found again in the sound."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from rtcluster.errors import RtclusterError, SourceError
from rtcluster.exports import Wanted, clicks
from rtcluster.playback import tones
from tests.exports.conftest import HITS, LENGTH, RATE


def starts(sound):
    """First sample of each stretch that is not silent."""
    loud = np.flatnonzero(np.abs(sound) > 1e-4)
    return loud[np.diff(loud, prepend=-RATE) > RATE // 20]


def test_a_click_begins_at_every_hit(exported):
    path, count = exported("clicks.wav")
    sound, rate = soundfile.read(path)
    assert (rate, sound.shape) == (RATE, (LENGTH,))
    assert count == len(HITS)
    # The first sample of a sine is 0, so a click is heard one sample later.
    np.testing.assert_array_equal(starts(sound) - 1, [sample for sample, *_ in HITS])


def test_each_class_has_its_pitch(exported):
    path, _ = exported("clicks.wav")
    sound, _ = soundfile.read(path)
    pitch = [
        np.abs(np.fft.rfft(sound[sample : sample + 4410])).argmax() * 10
        for sample, class_, *_ in HITS
        if class_ >= 0
    ]
    assert pitch[0] == pitch[3] == 1000
    assert pitch[2] == pitch[4]
    assert len(set(pitch)) == 3


@pytest.mark.parametrize("block", [1000, 4411, 1 << 18])
def test_blocks_of_any_size_give_the_same_sound(exported, monkeypatch, block):
    whole, _ = soundfile.read(exported("clicks.wav")[0])
    monkeypatch.setattr(clicks, "BLOCK", block)
    sound, _ = soundfile.read(exported("clicks.wav")[0])
    np.testing.assert_array_equal(sound, whole)


def test_clicks_are_heard_over_the_audio_and_nothing_clips(exported, tmp_path):
    audio = np.full((LENGTH - 5000, 2), 0.9)
    soundfile.write(tmp_path / "audio.wav", audio, RATE, subtype="FLOAT")
    path, _ = exported("clicks.wav", wanted=Wanted(mix=True))
    sound, _ = soundfile.read(path)
    level = tones.level(0.9)
    gain = 0.98 / (0.9 + level)
    assert len(sound) == LENGTH
    assert np.abs(sound).max() <= 0.98 + 1e-4
    assert sound[0] == pytest.approx(0.9 * gain, abs=1e-4)
    assert sound[-1] == 0.0
    click = tones.click(RATE, 0)
    heard = sound[HITS[0][0] : HITS[0][0] + 4410] - sound[0]
    np.testing.assert_allclose(heard, gain * level * click, atol=2e-4)


def test_mixing_needs_the_audio_of_this_session(exported, tmp_path):
    with pytest.raises(SourceError, match=r"Expected audio.wav or audio.flac .* got neither"):
        exported("clicks.wav", wanted=Wanted(mix=True))
    soundfile.write(tmp_path / "audio.flac", np.zeros(100), 8000)
    with pytest.raises(SourceError, match="at the session's 44100 Hz, got 8000 Hz"):
        exported("clicks.wav", wanted=Wanted(mix=True))
    (tmp_path / "audio.flac").write_text("no audio")
    with pytest.raises(RtclusterError, match=r"^Expected audio in \S+, got: (?!Error opening)"):
        exported("clicks.wav", wanted=Wanted(mix=True))
    assert not (tmp_path / "session.clicks.wav").exists()


def test_a_session_without_hits_is_silence_of_its_length(exported):
    sound, _ = soundfile.read(exported("clicks.wav", ())[0])
    assert sound.shape == (LENGTH,)
    assert not sound.any()
