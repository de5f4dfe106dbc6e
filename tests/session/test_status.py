"""What a status tells of a live session."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from rtcluster import Processor, Settings
from rtcluster.session.pump import Pump
from rtcluster.session.session import Session
from rtcluster.session.status import FLOOR_DB, PERIOD_S, StatusReader
from rtcluster.sinks import Sink
from rtcluster.sources import groove
from rtcluster.sources.virtual import VirtualInput

FIELDS = {
    "samples", "seconds", "peak_db", "rms_db", "clipped", "hits", "xruns", "late_models",
    "events_dropped", "frozen", "threshold", "warmup", "ready", "recording", "names", "counts",
    "features", "centres", "owner", "onset_latency_ms", "sink_delay_ms", "callback_load",
}  # fmt: skip


class Watching(Sink):
    def __init__(self):
        self.seen = []

    wants_status = True

    def status(self, status):
        self.seen.append((time.monotonic(), status))


@pytest.fixture
def session():
    processor = Processor(Settings(classes=3))
    processor.prepare(44100, 64)
    return Session(processor, "a test", [], [].append)


def sine(level_db, seconds=0.05, hertz=441.0):
    t = np.arange(round(seconds * 44100)) / 44100
    return (10 ** (level_db / 20) * np.sin(2 * np.pi * hertz * t)).astype(np.float32)


def test_all_fields_are_there_before_the_first_sample_and_json_can_carry_them(session):
    status = StatusReader(session).read()
    assert status.keys() == FIELDS
    assert json.loads(json.dumps(status, allow_nan=False)) == json.loads(json.dumps(status))
    assert (status["peak_db"], status["rms_db"], status["clipped"]) == (FLOOR_DB, FLOOR_DB, False)
    assert (status["warmup"], status["ready"], status["recording"]) == ([0, 8], False, None)
    assert (status["centres"], status["owner"], status["counts"]) == ([], [], {})


def test_the_levels_are_those_of_the_audio_since_the_last_status(session):
    reader = StatusReader(session)
    for level in (-20.0, -6.0, -40.0):
        session.processor.process(sine(level, 64 * 200 / 44100))
        status = reader.read()
        assert status["peak_db"] == pytest.approx(level, abs=0.1)
        assert status["rms_db"] == pytest.approx(level - 3.01, abs=0.1)
        assert not status["clipped"]
    assert reader.read()["peak_db"] == FLOOR_DB


@pytest.mark.parametrize(("peak", "clipped"), [(0.99, False), (1.0, True), (-1.0, True)])
def test_full_scale_of_either_sign_is_told(session, peak, clipped):
    audio = np.zeros(640, np.float32)
    audio[300] = peak
    session.processor.process(audio)
    assert StatusReader(session).read()["clipped"] is clipped


def test_silence_nan_and_inf_have_a_level_that_json_can_carry(session):
    reader = StatusReader(session)
    for value in (0.0, np.nan, np.inf, 3e38):
        session.processor.process(np.full(640, value, np.float32))
        json.dumps(reader.read(), allow_nan=False)


def test_the_rest_tells_how_the_session_stands(session):
    audio = groove.render(6.0).audio
    session.handle(session.processor.process(audio))
    session.processor.rename(2, "hat")
    session.processor.frozen = True
    session.processor.threshold = 0.75
    status = StatusReader(session).read()
    assert status["samples"] == len(audio)
    assert status["seconds"] == 6.0
    assert status["hits"] == session.processor.counts.hits > 15
    assert status["warmup"] == [session.processor.learner.heard, 8]
    assert status["ready"] is status["frozen"] is True
    assert status["threshold"] == 0.75
    assert status["names"] == ["class 0", "class 1", "hat"]
    assert sum(status["counts"].values()) <= status["hits"]
    assert set(status["counts"]) == {0, 1, 2}
    assert status["features"] == ["zcr", "energy"]
    assert np.shape(status["centres"]) == (3, 2)
    assert status["owner"] == [0, 1, 2]
    assert status["onset_latency_ms"]["p50"] > 0


def test_a_sink_that_watches_sees_a_status_twenty_times_a_second():
    watching = Watching()
    processor = Processor(Settings(classes=3))
    source = VirtualInput(processor, groove.render(1.5).audio, 44100)
    session = Session(processor, source.name, [watching], [].append)
    with Pump(session), source:
        while source.active:
            time.sleep(0.01)
    session.end()
    times = np.array([when for when, _ in watching.seen])
    assert len(times) <= (times[-1] - times[0]) / PERIOD_S + 2  # no more often than that
    assert np.median(np.diff(times)) < 2 * PERIOD_S
    samples = [status["samples"] for _, status in watching.seen]
    assert samples == sorted(samples)


def test_without_a_sink_that_watches_no_status_is_made(session):
    assert not session.watched
    assert Session(session.processor, "a test", [Watching()], [].append).watched
