from __future__ import annotations

import io
import os
import sys

import numpy as np
import pytest
import soundfile

from rtcluster.errors import SourceError
from rtcluster.sources.file import FileSource


def read(path):
    with FileSource(str(path)) as source:
        return source.samplerate, np.concatenate([*source.blocks()])


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff", "au", "ogg"])
def test_a_file_comes_back_in_blocks(tmp_path, drums, suffix):
    path = tmp_path / f"drums.{suffix}"
    soundfile.write(path, drums.audio, 44100)
    rate, audio = read(path)
    assert rate == 44100
    assert audio.shape == (len(drums.audio), 1)
    assert np.abs(audio[:, 0] - drums.audio).max() < (0.3 if suffix == "ogg" else 1e-3)


def test_channels_are_kept_apart(tmp_path):
    path = tmp_path / "two.wav"
    soundfile.write(path, np.tile([0.25, -0.5], (100, 1)), 48000)
    assert read(path)[1][7].tolist() == [0.25, -0.5]


@pytest.mark.parametrize("rate", [22050, 44100, 96000])
def test_a_file_can_be_read_at_another_rate(tmp_path, rate):
    path, seconds = tmp_path / "tones.wav", 3.0

    def tones(samplerate):
        time = np.arange(int(seconds * samplerate)) / samplerate
        return np.stack([np.sin(2 * np.pi * hertz * time) for hertz in (440, 3000)], axis=1)

    soundfile.write(path, tones(48000), 48000, "FLOAT")
    with FileSource(str(path), rate) as source:
        assert (source.samplerate, source.channels) == (rate, 2)
        audio = np.concatenate([*source.blocks()])
        assert len(audio) == source.frames
    assert np.abs(audio - tones(rate))[2000:-2000].max() < 1e-4  # and no sample late


def as_standard_input(monkeypatch, content):
    stream = io.TextIOWrapper(io.BufferedReader(io.BytesIO(content)))
    monkeypatch.setattr(sys, "stdin", stream)


@pytest.mark.parametrize(("suffix", "known"), [("wav", False), ("au", False), ("flac", True)])
def test_standard_input_is_read(tmp_path, monkeypatch, drums, suffix, known):
    path = tmp_path / f"drums.{suffix}"
    soundfile.write(path, drums.audio, 44100)
    as_standard_input(monkeypatch, path.read_bytes())
    with FileSource("-") as source:
        assert (source.frames is not None) == known
        audio = np.concatenate([*source.blocks()])
    assert np.array_equal(audio, read(path)[1])


@pytest.mark.parametrize("content", [b"", b"not audio at all", b"RIFF\x00\x00\x00\x00WAVEjunk"])
def test_what_is_not_audio_is_refused_in_one_line(tmp_path, monkeypatch, content):
    path = tmp_path / "no.wav"
    path.write_bytes(content)
    as_standard_input(monkeypatch, content)
    for name in (str(path), "-"):
        with pytest.raises(SourceError, match=r"^Expected audio that libsndfile reads") as refusal:
            FileSource(name)
        assert "\n" not in str(refusal.value)


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(SourceError, match="nothing there"):
        FileSource(str(tmp_path / "none.wav"))
    with pytest.raises(SourceError, match="a folder"):
        FileSource(str(tmp_path))


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_a_file_that_grows_or_goes_while_it_is_read_is_read_as_it_was(tmp_path, drums, suffix):
    path = tmp_path / f"drums.{suffix}"
    soundfile.write(path, drums.audio, 44100)
    whole = read(path)[1]

    def grow():
        with path.open("ab") as file:
            file.write(bytes(1 << 20))

    for happens in (grow, path.unlink):
        with FileSource(str(path)) as source:
            blocks = source.blocks()
            begun = next(blocks)
            happens()
            assert np.array_equal(np.concatenate([begun, *blocks]), whole)


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff"])
@pytest.mark.parametrize("rate", [None, 48000])
def test_a_file_that_is_cut_off_while_it_is_read_is_told(tmp_path, drums, suffix, rate):
    path = tmp_path / f"drums.{suffix}"
    soundfile.write(path, drums.audio, 44100)
    with FileSource(str(path), rate) as source:
        blocks = source.blocks()
        next(blocks)
        os.truncate(path, path.stat().st_size // 2)
        with pytest.raises(SourceError, match=r"^Expected [^\n]* while [^\n]*\.$"):
            list(blocks)
