"""What is promised when something breaks, where no other test has it: see docs/reliability.md."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from rtcluster import Final, ModelChange, Processor, Relabel, Settings
from rtcluster.session import Pump, Session
from rtcluster.sources.virtual import VirtualInput
from tests.conftest import Kept, run


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


def test_the_clock_of_the_wall_may_jump(drums, monkeypatch):
    audio = drums.audio[: 3 * 44100]
    jumps = iter(np.random.default_rng(0).uniform(-1e9, 1e9, 1 << 20).tolist())
    monkeypatch.setattr(time, "time", lambda: next(jumps))
    monkeypatch.setattr(time, "time_ns", lambda: int(1e9 * next(jumps)))
    kept = Kept()
    summary, _ = performed(audio, [kept])
    assert hits(kept.events) == hits(run(audio))
    assert 0.0 < summary["sink_delay_ms"]["p50"] < 1000.0


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
        "rtcluster: JsonLines failed and gets no more events: "
        "Expected to write events to /dev/full, got: No space left on device."
    )
    assert "11 of 11 strokes" in done.stderr + done.stdout
