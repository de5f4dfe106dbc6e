"""The program in this process, and recordings for it."""

from __future__ import annotations

import csv
import sys

import numpy as np
import pytest
import soundfile

from rtcluster.cli import main
from rtcluster.sources import groove


@pytest.fixture
def rtcluster(monkeypatch, capsys):
    """The program in this process: its exit code, its standard output and its standard error."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["rtcluster", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code
        out, err = capsys.readouterr()
        return code or 0, out, err

    return call


@pytest.fixture
def wav(tmp_path, drums):
    path = tmp_path / "drums.wav"
    soundfile.write(path, drums.audio, 44100, subtype="FLOAT")
    return str(path)


@pytest.fixture
def truth(tmp_path, drums):
    path = tmp_path / "drums.csv"
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["time", "label"])
        table.writerows([stroke.sample / 44100, stroke.drum] for stroke in drums.strokes)
    return str(path)


def strokes(drum, count=6, seed=0, gap_s=0.4, rate=44100):
    """One drum, struck a few times a little differently."""
    rng = np.random.default_rng(seed)
    voice = getattr(groove, drum)
    step = int(gap_s * rate)
    audio = rng.normal(0, 1e-4, (count + 1) * step).astype(np.float32)
    for number in range(count):
        sound = np.float32(rng.uniform(0.3, 0.6)) * voice(rate, rng)
        begin = step // 2 + number * step
        audio[begin : begin + sound.size] += sound[: audio.size - begin]
    return audio


@pytest.fixture
def one_drum(tmp_path):
    """Write a file of one drum; return its path."""

    def write(drum, name=None, rate=44100, **options):
        path = tmp_path / f"{name or drum}.wav"
        soundfile.write(path, strokes(drum, rate=rate, **options), rate, subtype="FLOAT")
        return str(path)

    return write
