from __future__ import annotations

import io
import json
import sys
import time

import numpy as np
import pytest
import soundfile

from bench.soak import resident_mb
from rtcluster import Onset, Processor, Settings
from rtcluster.events import DEVICE_LOST, Xrun
from rtcluster.session.pump import Pump
from rtcluster.session.session import Session, run_file
from rtcluster.sinks.jsonl import JsonLines
from rtcluster.sources.file import FileSource
from rtcluster.sources.groove import render
from rtcluster.sources.virtual import VirtualInput
from rtcluster.timing import percentiles
from tests.conftest import Kept, run


class Broken(Kept):
    """A sink that fails at the fifth event."""

    def event(self, event):
        super().event(event)
        if len(self.events) == 5:
            raise RuntimeError("out of paper")


@pytest.fixture
def wav(tmp_path, drums):
    path = tmp_path / "drums.wav"
    soundfile.write(path, drums.audio, 44100, subtype="FLOAT")
    return path


def session_on(wav, *sinks, complaints=None):
    source = FileSource(str(wav))
    processor = Processor(Settings(classes=3))
    processor.prepare(source.samplerate)
    return Session(processor, source.name, sinks, (complaints or []).append), source


def test_a_file_gives_the_events_of_its_samples(wav, drums):
    kept = Kept()
    session, source = session_on(wav, kept)
    with source:
        summary = run_file(session, source)
    assert kept.events == run(drums.audio)
    assert kept.session["samplerate"] == 44100
    assert kept.summary is summary
    assert summary["hits"] == sum(summary["classes"].values()) == len(drums.strokes)
    assert summary["seconds"] == 8.0


def test_each_line_is_a_json_object_of_the_schema(wav):
    text = io.StringIO()
    session, source = session_on(wav, JsonLines(text))
    with source:
        run_file(session, source)
    lines = [json.loads(line) for line in text.getvalue().splitlines()]
    assert [lines[0]["event"], lines[-1]["event"]] == ["session", "summary"]
    assert lines[0]["version"] == 1
    assert lines[0]["settings"]["window"] == "90ms"


def test_a_sink_that_fails_is_left_out_and_the_rest_go_on(wav):
    kept, broken, complaints = Kept(), Broken(), ["before"]
    session, source = session_on(wav, broken, kept, complaints=complaints)
    with source:
        run_file(session, source)
    assert len(broken.events) == 5
    assert len(kept.events) > 50
    assert complaints[1:] == ["Broken failed and gets no more events: out of paper"]


def test_a_run_that_breaks_off_keeps_what_it_had(wav):
    kept = Kept()
    session, source = session_on(wav, kept)

    def interrupt(frames):
        raise KeyboardInterrupt

    with source, pytest.raises(KeyboardInterrupt):
        run_file(session, source, interrupt)
    assert any(isinstance(event, Onset) for event in kept.events)
    assert kept.summary["samples"] == 32768


@pytest.mark.parametrize("driver", ["compiled", "python"])
def test_a_live_run_gives_the_events_of_a_file_run(drums, driver):
    audio, kept = drums.audio[: 3 * 44100], Kept()
    processor = Processor(Settings(classes=3), driver=driver)
    source = VirtualInput(processor, audio, 44100)
    session = Session(processor, source.name, [kept], [].append)
    with Pump(session), source:
        while source.active:
            time.sleep(0.01)
    summary = session.end()

    def timeless(events):
        return sorted(
            (event.as_dict() for event in events if hasattr(event, "sample")),
            key=lambda event: (event["id"], event["event"]),
        )

    if summary["late_models"] == 0:
        assert timeless(kept.events) == timeless(run(audio, driver=driver))
    found = [event for event in timeless(kept.events) if event["event"] == "onset"]
    assert found == [e for e in timeless(run(audio)) if e["event"] == "onset"]
    assert summary["events_dropped"] == 0


def test_every_note_that_comes_with_the_end_is_handed_over(drums):
    kept = Kept()
    processor = Processor(Settings(classes=3))
    source = VirtualInput(processor, drums.audio[:4410], 44100)
    pump = Pump(Session(processor, source.name, [kept], [].append))
    notes = [Xrun(number, DEVICE_LOST) for number in range(3)]
    with pump, source:
        pump._stop.set()
        pump._thread.join()  # whatever comes from now on is the end's
        for note in notes:
            pump.note(note)
    assert kept.events[:3] == notes


def test_percentiles_of_nothing_are_empty():
    assert percentiles([]) == {}
    assert percentiles(np.arange(101))["p95"] == 95.0


def grown_mb() -> float:
    """By how much memory grows from the 5th to the 15th minute of a stream.

    At 8 kHz, so that it is soon over: what could grow grows with the hits.
    """
    minute = render(60.0, 8000).audio
    session = Session(Processor(Settings(classes=3)), "long", [], [].append)
    processor = session.processor
    processor.prepare(8000)
    for count in range(15):
        for block in np.array_split(minute, 20):
            session.handle(processor.process(block))
        if count == 4:
            first = resident_mb()
    assert processor.counts.hits > 3000
    return resident_mb() - first


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_long_stream_takes_no_more_memory_than_its_first_minutes(weighed):
    assert weighed.submit(grown_mb).result(timeout=120) < 0.5
