"""Files are read as librosa reads them, in blocks."""

from __future__ import annotations

from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

from rtcluster.notebook import audio


def write(folder: Path, x: np.ndarray, fs: int) -> Path:
    path = folder / "sound.wav"
    soundfile.write(path, x, fs, subtype="FLOAT")
    return path


@pytest.mark.parametrize("fs", [8000, 22050, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_samples_are_those_of_librosa_load(tmp_path: Path, fs: int, channels: int) -> None:
    x = np.random.default_rng(fs).uniform(-0.5, 0.5, (3 * fs + 17, channels))
    path = write(tmp_path, x, fs)
    expected, _ = librosa.load(path, sr=22050)
    sound = audio.load(path)
    assert sound.samples.dtype == np.float32
    np.testing.assert_allclose(sound.samples, expected, rtol=0, atol=1e-6)
    assert (sound.source_rate, sound.channels) == (fs, channels)


def test_a_long_file_is_mapped_and_has_the_same_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, np.random.default_rng(0).uniform(-1, 1, 50_000), 44100)
    short = audio.load(path)
    monkeypatch.setattr(audio, "IN_MEMORY", 1000)
    long = audio.load(path, scratch=tmp_path)
    assert isinstance(long.samples, np.memmap)
    np.testing.assert_array_equal(long.samples, short.samples)
    assert [entry.name for entry in tmp_path.iterdir()] == ["sound.wav"]


def test_block_size_does_not_change_the_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, np.random.default_rng(0).uniform(-1, 1, 50_000), 44100)
    whole = audio.load(path)
    monkeypatch.setattr(audio, "BLOCK", 777)
    np.testing.assert_allclose(audio.load(path).samples, whole.samples, rtol=0, atol=1e-6)


def test_progress_ends_at_the_whole(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    audio.load(write(tmp_path, np.zeros(1000), 22050), tick=lambda a, b: told.append((a, b)))
    assert told[-1] == (1000, 1000)


def test_a_file_that_is_no_audio_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "notes.wav"
    path.write_text("no audio", encoding="utf-8")
    with pytest.raises(ValueError, match=r"libsndfile reads, got 'notes\.wav'") as caught:
        audio.load(path)
    assert "\n" not in str(caught.value)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="0 samples"):
        audio.load(write(tmp_path, np.zeros(0), 22050))


def test_samples_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    x = np.zeros(1000)
    x[500] = np.inf
    with pytest.raises(ValueError, match="finite"):
        audio.load(write(tmp_path, x, 22050))


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"none\.wav"):
        audio.load(tmp_path / "none.wav")


@pytest.mark.parametrize("rate", [0, -1, 7999, 192_001])
def test_a_rate_out_of_range_is_refused(tmp_path: Path, rate: int) -> None:
    with pytest.raises(ValueError, match="Hz"):
        audio.load(write(tmp_path, np.zeros(1000), 22050), rate)
