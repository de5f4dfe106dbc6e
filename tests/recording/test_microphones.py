"""A recording of a kit with several microphones: all of them in one file, replayed bit for bit."""

from __future__ import annotations

import time

import numpy as np
import pytest
import soundfile

from rtcluster import Final, Processor, Settings
from rtcluster.recording.recorder import Recorder
from rtcluster.session.pump import Pump
from rtcluster.session.session import Session
from rtcluster.sources.virtual import VirtualInput
from tests.conftest import Kept
from tests.recording.conftest import events_of, same
from tests.support.microphones import ALL, MICROPHONES, RATE, performance, taught_kit


@pytest.mark.alone
@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_all_microphones_are_in_one_file_and_replayed_bit_for_bit(folder, kind):
    kit = taught_kit()
    audio, _ = performance(ALL, np.random.default_rng(9), apart=0.3)
    told, kept = [], Kept()
    processor = Processor(Settings(), kit=kit)
    source = VirtualInput(processor, audio, RATE)
    recorder = Recorder(folder, processor, told.append, kind)
    session = Session(processor, "a test", [kept, recorder], told.append)
    with Pump(session), source:
        while source.active:
            time.sleep(0.01)
    summary = session.end()
    assert told == []
    assert summary["recording"]["complete"]
    assert events_of(folder)[0]["microphones"] == list(MICROPHONES)
    written, _ = soundfile.read(folder / f"audio.{kind}", dtype="float32")
    assert np.allclose(written, audio[: len(written)], atol=1e-6)
    same(folder, at_least=3 * len(ALL))
    finals = [event for event in kept.events if isinstance(event, Final)]
    assert [{part.name for part in event.parts} for event in finals] == [{*one} for one in ALL]
    if kind == "wav":  # the engine heard what came in: so it is a file's, too
        again = Processor(Settings(), kit=kit)
        again.prepare(RATE, channels=3)
        offline = [e for e in [*again.process(audio), *again.flush()] if isinstance(e, Final)]
        assert [(e.sample, e.name, e.parts) for e in offline] == [
            (e.sample, e.name, e.parts) for e in finals
        ]
