"""What PortAudio has the address of stays there as long as it may be used."""

from __future__ import annotations

import gc
import weakref
from types import SimpleNamespace

import pytest

from rtcluster import Processor, RtclusterError, Settings
from rtcluster.engine.channels import Channels
from rtcluster.sources import live
from rtcluster.sources.devices import Device
from rtcluster.sources.live import LiveInput

CARD = Device(0, "a card", "ALSA", 2, 0, 44100, 5.0, default=True)


class Stream:
    """A stream of PortAudio's that calls nothing back."""

    latency, active, blocksize = 0.005, True, 64

    def __init__(self, *_, **__):
        pass

    def start(self):
        pass

    def abort(self, _):
        pass

    def close(self, **_):
        pass


@pytest.fixture(autouse=True)
def card(monkeypatch):
    ffi = SimpleNamespace(cast=lambda *_: None)
    sd = SimpleNamespace(PortAudioError=OSError, _StreamBase=Stream, _ffi=ffi)
    monkeypatch.setattr(live, "portaudio", lambda: sd)
    monkeypatch.setattr(live, "find_input", lambda _: CARD)


@pytest.mark.parametrize(
    "make", [lambda: Processor(Settings(classes=2)), lambda: Channels(Processor)]
)
def test_a_processor_is_not_changed_under_its_stream(make):
    ear = make()
    more = {"channels": 2} if isinstance(ear, Channels) else {}
    source = LiveInput(ear)
    for call in (ear.close, ear.reset, lambda: ear.prepare(44100, **more)):
        with source, pytest.raises(RtclusterError, match=r"^A stream runs on this processor"):
            call()
    ear.close()


def test_a_stream_that_runs_has_its_state_whoever_lets_go_of_it():
    source = LiveInput(Processor(Settings(classes=2)))
    state = weakref.ref(source._engine.record)
    source.start()
    del source
    gc.collect()
    assert state() is not None
    [running] = live._RUNNING
    running.stop()
    del running
    gc.collect()
    assert state() is None


def test_a_stream_that_is_let_go_of_has_its_state_too():
    source = LiveInput(Processor(Settings(classes=2)))
    state, stream = weakref.ref(source._engine.record), source._stream
    del source
    gc.collect()
    assert state() is not None
    del stream
    gc.collect()
    assert state() is None
