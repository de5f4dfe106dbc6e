"""A recording of a kit with several microphones: all of them in one file, replayed bit for bit."""

from __future__ import annotations

import time

import numpy as np
import pytest
import soundfile

from rtcluster import Final, Microphone, Processor, Settings
from rtcluster.recording.recorder import Recorder
from rtcluster.session.pump import Pump
from rtcluster.session.session import Session
from rtcluster.sources.virtual import VirtualInput
from tests.conftest import Kept
from tests.recording.conftest import events_of, same
from tests.support.microphones import ALL, MICROPHONES, RATE, performance, taught_kit


def recorded(folder, processor, audio, kind="wav"):
    """Record it live; the events, the summary and what was told."""
    told, kept = [], Kept()
    source = VirtualInput(processor, audio, RATE)
    recorder = Recorder(folder, processor, told.append, kind)
    session = Session(processor, "a test", [kept, recorder], told.append)
    with Pump(session), source:
        while source.active:
            time.sleep(0.01)
    return kept.events, session.end(), told


@pytest.mark.alone
@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_all_microphones_are_in_one_file_and_replayed_bit_for_bit(folder, kind):
    kit = taught_kit()
    audio, _ = performance(ALL, np.random.default_rng(9), apart=0.3)
    events, summary, told = recorded(folder, Processor(Settings(), kit=kit), audio, kind)
    assert told == []
    assert summary["recording"]["complete"]
    assert events_of(folder)[0]["microphones"] == list(MICROPHONES)
    written, _ = soundfile.read(folder / f"audio.{kind}", dtype="float32")
    assert np.allclose(written, audio[: len(written)], atol=1e-6)
    same(folder, at_least=3 * len(ALL))
    finals = [event for event in events if isinstance(event, Final)]
    assert [{part.name for part in event.parts} for event in finals] == [{*one} for one in ALL]
    if kind == "wav":  # the engine heard what came in: so it is a file's, too
        again = Processor(Settings(), kit=kit)
        again.prepare(RATE, channels=3)
        offline = [e for e in [*again.process(audio), *again.flush()] if isinstance(e, Final)]
        assert [(e.sample, e.name, e.parts) for e in offline] == [
            (e.sample, e.name, e.parts) for e in finals
        ]


@pytest.mark.alone
def test_a_microphone_that_fails_is_told_live_and_replayed(folder):
    kit = taught_kit()
    audio, starts = performance(ALL, np.random.default_rng(9), apart=0.3)
    begin, end = (starts[n] - int(0.1 * RATE) for n in (2, 4))
    audio[begin:end, 0] = 0.0
    events, summary, told = recorded(folder, Processor(Settings(), kit=kit), audio)
    assert [(e.channel, e.state) for e in events if isinstance(e, Microphone)] == [
        (1, "silent"),
        (1, "back"),
    ]
    assert len(told) == 2
    assert "the microphone on channel 1 gives nothing where others hear a hit" in told[0]
    assert summary["recording"]["complete"]
    same(folder, at_least=3 * len(ALL) + 2)
