"""Recordings in real time: what a killed program leaves, and a session full of trouble."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest
import soundfile

from bench import replay as bench
from rtcluster.recording.log import read
from rtcluster.recording.replay import Replay
from tests.support import jackd

pytestmark = [pytest.mark.live, pytest.mark.alone]

REACH = 22050
"""Half a second, in samples."""


def whole_lines(path):
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def killed(folder, kind, moment):
    """A recording and its events, of a program that was killed at some moment."""
    folder.mkdir()
    take, jsonl = folder / "take", folder / "events.jsonl"
    command = [sys.executable, "-m", "rtcluster", "demo", "--seconds", "60"]
    command += ["--record", str(take), "--record-format", kind, "--jsonl", str(jsonl)]

    def played():
        done = max((line.get("emitted", 0) for line in whole_lines(jsonl)), default=0)
        return done > moment * 44100

    with jackd.child(command, os.environ, stderr=subprocess.DEVNULL):
        jackd.wait_until(played, "hits")
        time.sleep(moment % 0.1)  # anywhere between two writes
    return take, jsonl


def test_a_killed_program_leaves_audio_and_events_that_open_and_reach_to_the_end(
    tmp_path, rtcluster
):
    programs = [
        killed(tmp_path / f"{moment}", kind, moment)
        for kind, moment in (("wav", 0.7), ("flac", 2.15), ("wav", 3.4))
    ]
    for take, jsonl in programs:
        told = [line for line in whole_lines(jsonl) if "emitted" in line]
        audio, rate = soundfile.read(take / "audio.wav", dtype="float32")
        log = read(take)
        kept = [line for line in log.lines if "emitted" in line]
        assert rate == 44100
        assert len(audio) >= told[-1]["emitted"] - REACH
        assert kept[: len(told)] == told[: len(kept)]
        assert all(line["emitted"] >= told[-1]["emitted"] - REACH for line in told[len(kept) :])
        assert log.summary is None
        with Replay(take) as replay:
            assert sum(replay.play()) == len(audio)
        found = replay.outcome()
        assert found.difference == ""
        assert found.compared > 0
    result = rtcluster("replay", programs[0][0])
    assert result.returncode == 0, result.stderr
    assert "the recording was cut off, and was compared up to there" in result.stderr
    assert "bit for bit" in result.stderr


def test_a_session_with_xruns_and_late_models_is_replayed_bit_for_bit(
    dummy_driver, tmp_path, monkeypatch
):
    monkeypatch.setattr(bench, "EVERY_S", 0.7)
    found = bench.measure(tmp_path / "take", 6.0)
    assert found["difference"] == ""
    assert found["xruns"] > 0
    assert found["controls"] > 0
    assert found["compared"] > 20
    assert found["audio_lost"] == 0
