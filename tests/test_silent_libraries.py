from __future__ import annotations

import os

import numpy as np
import pytest
import soundfile

from rtcluster.libraries import silent_libraries
from rtcluster.notebook.audio import load
from rtcluster.sources.file import FileSource


def prints(text):
    os.write(2, text)


def test_the_last_one_that_leaves_ends_the_silence(capfd):
    first, second = silent_libraries(), silent_libraries()
    with first:
        second.__enter__()
        prints(b"both")
    prints(b"one")
    second.__exit__(None, None, None)
    prints(b"none")
    assert capfd.readouterr().err == "none"


@pytest.fixture
def damaged(tmp_path):
    """An MP3 of which libmpg123 has much to say."""
    path = tmp_path / "damaged.mp3"
    noise = np.random.default_rng(0).normal(0, 0.1, 3 * 44100)
    soundfile.write(path, noise, 44100, format="MP3")
    content = bytearray(path.read_bytes())
    content[2000:4000:7] = bytes(len(content[2000:4000:7]))
    path.write_bytes(content[:-1000])
    return path


def test_what_a_decoder_mutters_is_not_said(damaged, capfd):
    with soundfile.SoundFile(damaged) as file:
        file.read()
    assert capfd.readouterr().err  # it does mutter
    with FileSource(str(damaged)) as source:
        assert sum(map(len, source.blocks()))
    assert len(load(damaged).samples)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("level", [3e38, 1e20, np.nan])
def test_levels_that_are_no_audio_are_refused_before_numpy_warns_of_them(tmp_path, level):
    path = tmp_path / "loud.wav"
    soundfile.write(path, np.full((1000, 2), level, np.float32), 44100, subtype="FLOAT")
    with pytest.raises(ValueError, match="Expected finite samples within ±1e"):
        load(path)
