"""Recordings in real time: what a killed program leaves, and a session full of trouble."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest
import soundfile

from bench import jackd
from bench import replay as bench
from rtcluster.recording.log import read
from rtcluster.recording.replay import Replay

pytestmark = [pytest.mark.live, pytest.mark.alone]

"""However busy the machine is; nothing here takes so long on its own."""

REACH = 22050
"""Half a second, in samples."""


def whole_lines(path):
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def test_a_killed_program_leaves_audio_and_events_that_open_and_reach_to_the_end(
    dummy_driver, tmp_path, rtcluster
):
    kinds, moments = ("wav", "flac", "wav"), (0.7, 2.15, 3.4)
    programs = []
    for number, kind in enumerate(kinds):
        take, jsonl = tmp_path / f"take {number}", tmp_path / f"{number}.jsonl"
        command = [sys.executable, "-m", "rtcluster", "demo", "--seconds", "60"]
        command += ["--record", str(take), "--record-format", kind, "--jsonl", str(jsonl)]
        programs.append((subprocess.Popen(command, stderr=subprocess.DEVNULL), take, jsonl))
    try:
        for (program, _, jsonl), moment in zip(programs, moments, strict=True):

            def played(jsonl=jsonl):
                return max((line.get("emitted", 0) for line in whole_lines(jsonl)), default=0)

            jackd.wait_until(lambda m=moment: played() > m * 44100, "hits")
            time.sleep(moment % 0.1)  # anywhere between two writes
            program.send_signal(signal.SIGKILL)
            program.wait()
    finally:
        for program, _, _ in programs:
            program.kill()
            program.wait()
    for _, take, jsonl in programs:
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
    result = rtcluster("replay", programs[0][1])
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
