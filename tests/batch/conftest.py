"""A folder of recordings, and what each of them says alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile

from rtcluster import Settings
from rtcluster.batch.analyst import to_text
from rtcluster.batch.jobs import Job, Task
from rtcluster.sources import groove

CHOSEN = Settings(classes=3)


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    """Five recordings: other lengths, levels, rates and channels."""
    folder = tmp_path_factory.mktemp("archive")
    (folder / "deep" / "er").mkdir(parents=True)
    for number, (name, seconds, gain, rate, channels) in enumerate(
        (
            ("a.wav", 5.0, 0.1, 44100, 1),
            ("b.flac", 4.0, 1.0, 44100, 1),
            ("deep/c.wav", 6.0, 0.5, 48000, 2),
            ("deep/er/d.wav", 3.0, 0.02, 44100, 1),
            ("e.wav", 4.0, 0.9, 44100, 1),
        )
    ):
        tracks = [
            gain * groove.render(seconds, rate, seed=10 * number + c).audio for c in range(channels)
        ]
        soundfile.write(folder / name, np.stack(tracks, axis=1), rate)
    (folder / "notes.txt").write_text("no audio")
    (folder / "deep" / "._a.wav").write_text("what a Mac leaves behind")
    return folder


@pytest.fixture(scope="session")
def paths(archive):
    return [
        str(archive / name) for name in ("a.wav", "b.flac", "deep/c.wav", "deep/er/d.wav", "e.wav")
    ]


@pytest.fixture(scope="session")
def alone(paths):
    """The lines of each recording, each by an analyst that has heard nothing else."""
    found = {}
    for path in paths:
        with ThreadPoolExecutor(1) as thread:  # each thread has an analyst of its own
            found[path] = thread.submit(to_text, Job(path, CHOSEN)).result()[1]
    return found


@pytest.fixture
def tasks(paths, tmp_path):
    return [
        Task(number, Job(path, CHOSEN), str(tmp_path / f"{number}.jsonl"), 1.0 + number)
        for number, path in enumerate(paths)
    ]


@pytest.fixture(scope="session")
def long_one(tmp_path_factory):
    """A recording that takes a second or so."""
    path = tmp_path_factory.mktemp("long") / "long.wav"
    soundfile.write(path, np.tile(groove.render(10.0).audio, 9), 44100)
    return str(path)
