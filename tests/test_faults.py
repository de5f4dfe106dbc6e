"""What is promised when something breaks, where no other test has it.

See docs/explanation/reliability.md.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import soundfile

from rtcluster import Final, ModelChange, Processor, Relabel, Settings
from rtcluster.errors import RtclusterError
from rtcluster.recording.recorder import Recorder
from rtcluster.recording.replay import Replay
from rtcluster.session import pump
from rtcluster.session.pump import Pump
from rtcluster.session.session import Session
from rtcluster.sources.virtual import VirtualInput
from tests.conftest import Kept, run
from tests.support.unread import ended_by_two_ctrl_c, unread

pytestmark = pytest.mark.long


class Blocking(Kept):
    """Takes a second over its tenth event."""

    def event(self, event):
        super().event(event)
        if len(self.events) == 10:
            time.sleep(1.0)


def performed(audio, sinks, **changes):
    """A session on the virtual sound card; what it reported."""
    processor = Processor(Settings(classes=3), **changes)
    source = VirtualInput(processor, audio, 44100)
    complaints = []
    session = Session(processor, source.name, sinks, complaints.append)
    with Pump(session), source:
        while source.active:
            time.sleep(0.02)
    return session.end(), complaints


def hits(events):
    """The finals, without what depends on when a model was there."""
    return [
        (e.id, e.sample, e.emitted, e.zcr, e.energy, e.span, e.velocity)
        for e in events
        if isinstance(e, Final)
    ]


def test_a_sink_that_blocks_delays_the_others_and_loses_no_hit(drums):
    audio = drums.audio[: 4 * 44100]
    blocking, other = Blocking(), Kept()
    summary, complaints = performed(audio, [blocking, other])
    assert not complaints
    assert summary["events_dropped"] == 0
    assert hits(other.events) == hits(blocking.events) == hits(run(audio))
    assert summary["sink_delay_ms"]["max"] > 500.0  # it was told, and not hidden


def test_a_sink_that_never_returns_does_not_keep_the_session_from_ending(drums, monkeypatch):
    monkeypatch.setattr(pump, "PATIENCE_S", 0.5)
    goes_on = threading.Event()

    class Stuck(Kept):
        def event(self, event):
            goes_on.wait()

    processor = Processor(Settings(classes=3))
    source = VirtualInput(processor, drums.audio[:44100], 44100)
    session = Session(processor, source.name, [Stuck()], [].append)
    try:
        with pytest.raises(RtclusterError, match=r"^Stuck has not returned for 0\.5 s; "):  # noqa: SIM117  # two lines
            with Pump(session), source:
                while source.active:
                    time.sleep(0.02)
        assert session.end()["samples"] == 44100
    finally:
        goes_on.set()


def test_the_clock_of_the_wall_may_jump(drums, monkeypatch):
    audio = drums.audio[: 3 * 44100]
    jumps = iter(np.random.default_rng(0).uniform(-1e9, 1e9, 1 << 20).tolist())
    monkeypatch.setattr(time, "time", lambda: next(jumps))
    monkeypatch.setattr(time, "time_ns", lambda: int(1e9 * next(jumps)))
    kept = Kept()
    summary, _ = performed(audio, [kept])
    assert hits(kept.events) == hits(run(audio))
    assert 0.0 < summary["sink_delay_ms"]["p50"] < 1000.0


def test_the_clock_of_the_wall_may_jump_under_a_recording(drums, monkeypatch, tmp_path):
    audio = drums.audio[: 3 * 44100]
    jumps = iter(np.random.default_rng(1).uniform(0, 4e9, 1 << 20).tolist())
    monkeypatch.setattr(time, "time", lambda: next(jumps))
    monkeypatch.setattr(time, "time_ns", lambda: int(1e9 * next(jumps)))
    processor, complaints, kept = Processor(Settings(classes=3)), [], Kept()
    source = VirtualInput(processor, audio, 44100)
    recorder = Recorder(tmp_path / "take", processor, complaints.append)
    session = Session(processor, source.name, [kept, recorder], complaints.append)
    with Pump(session), source:
        while source.active:
            time.sleep(0.02)
    summary = session.end()
    assert complaints == []
    assert summary["recording"]["samples"] == summary["samples"] >= len(audio)
    assert summary["recording"]["complete"]
    assert hits(kept.events) == hits(run(audio))
    with Replay(tmp_path / "take") as playing:
        for _ in playing.play([], complaints.append):
            pass
        assert playing.outcome().difference == ""


def test_a_learner_that_takes_a_second_delays_models_and_nothing_else(drums, monkeypatch):
    audio = drums.audio[: 6 * 44100]
    from rtcluster.learning.learner import Learner

    learn, delays = Learner.learn, [1.0]

    def delayed(self, lesson):
        if self.ready and delays:
            time.sleep(delays.pop())
        return learn(self, lesson)

    monkeypatch.setattr(Learner, "learn", delayed)
    kept = Kept()
    summary, complaints = performed(audio, [kept])
    assert not complaints
    monkeypatch.undo()
    assert hits(kept.events) == hits(run(audio))
    assert summary["late_models"] == sum(
        event.late for event in kept.events if isinstance(event, ModelChange)
    )
    classes = {e.id: e.class_ for e in kept.events if isinstance(e, Final | Relabel)}
    assert set(classes.values()) == {0, 1, 2}


PLAYED = [sys.executable, "-m", "rtcluster", "demo", "--seconds", "20"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
@pytest.mark.parametrize("after_s", [0.0, 0.3, 1.1])
def test_a_signal_at_any_moment_leaves_whole_lines_and_a_summary(number, after_s, tmp_path):
    path = tmp_path / "events.jsonl"
    with subprocess.Popen([*PLAYED, "--jsonl", str(path)], stderr=subprocess.PIPE) as process:
        while not (path.exists() and path.stat().st_size):  # the session has begun
            assert process.poll() is None
            time.sleep(0.005)
        time.sleep(after_s)
        process.send_signal(number)
        process.communicate(timeout=60)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert process.returncode == 130
    assert [lines[0]["event"], lines[-1]["event"]] == ["session", "summary"]
    found = [line["id"] for line in lines if line["event"] == "onset"]
    assert found == list(range(lines[-1]["hits"]))
    assert found == [line["id"] for line in lines if line["event"] == "final"]


def test_a_full_disk_ends_the_events_file_and_not_the_session():
    """/dev/full is the system's own full disk."""
    command = [sys.executable, "-m", "rtcluster", "demo", "--seconds", "3", "--jsonl", "/dev/full"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0
    [line] = [line for line in done.stderr.splitlines() if "No space left on device" in line]
    assert line == (
        "rtcluster: JSON Lines output failed and gets no more events: "
        "Expected to write events to /dev/full, got: No space left on device."
    )
    assert "11 of 11 strokes" in done.stderr + done.stdout


# A reader that stops reading.


def test_who_does_not_read_the_events_keeps_them_from_nobody_else():
    with unread("demo", "--seconds", "8", "--jsonl", "-") as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert re.search(r"(\d+) of \1 strokes", err)
    [line] = [line for line in err.splitlines() if "lines of events were not written" in line]
    assert line.startswith("rtcluster: Nobody reads <stdout>: ")


@pytest.fixture
def recording(tmp_path, drums):
    path = tmp_path / "drums.wav"
    soundfile.write(path, np.tile(drums.audio, 10), 44100)
    return path


@pytest.mark.parametrize("command", [("demo", "--seconds", "60", "--jsonl", "-"), ("run",)])
def test_two_ctrl_c_end_it_though_nobody_reads(command, recording):
    more = [recording] if command == ("run",) else []
    with unread(*command, *more) as process:
        assert ended_by_two_ctrl_c(process) < 5.0
    assert process.returncode == 130


def test_a_run_waits_for_a_slow_reader_who_gets_every_line(recording):
    whole = subprocess.run(
        [sys.executable, "-m", "rtcluster", "run", recording], capture_output=True, check=True
    ).stdout
    command = [sys.executable, "-m", "rtcluster", "run", recording]
    read = b""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while piece := process.stdout.read1(4096):
            read += piece
            time.sleep(0.02)
    assert read == whole
