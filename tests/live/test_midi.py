"""MIDI on a real system, JACK's: received by another program, and matched to the events."""

from __future__ import annotations

import threading
import time

import pytest

from rtcluster import Guess, Processor, Settings
from rtcluster.errors import RtclusterError
from rtcluster.kernel.jack_midi import ROOM
from rtcluster.session.pump import Pump
from rtcluster.session.session import Session
from rtcluster.sinks import Sink, midi_ports
from rtcluster.sinks.drum_map import note_of
from rtcluster.sinks.midi import MidiOut
from rtcluster.sinks.midi_ports import open_port
from rtcluster.sources.groove import render
from rtcluster.sources.virtual import VirtualInput
from tests.support.listener import Listener
from tests.support.loads import load

pytestmark = [pytest.mark.live, pytest.mark.alone]

ON, OFF = 0x99, 0x89
SECONDS = 5.0


class Guesses(Sink):
    def __init__(self):
        self.heard = []

    def event(self, event):
        if type(event) is Guess and event.class_ >= 0:
            self.heard.append(event)


@pytest.fixture
def on_jack(patient_server, monkeypatch):
    """The server, for the clients of this process; no other MIDI system is seen."""
    for name in ("JACK_DEFAULT_SERVER", "JACK_NO_START_SERVER"):
        monkeypatch.setenv(name, patient_server.environment[name])
    monkeypatch.setattr(midi_ports, "systems", list)
    return patient_server


@pytest.fixture
def synth(on_jack):
    """Another program with a MIDI input."""
    with Listener("midi", "synth", environment=on_jack.environment) as running:
        yield running


def play(midi):
    """Play a groove through the live path; the guesses that had a class, complaints, summary."""
    guesses, complaints = Guesses(), []
    processor = Processor(Settings(classes=3))
    source = VirtualInput(processor, render(SECONDS).audio, 44100)
    session = Session(processor, source.name, [midi, guesses], complaints.append)
    with Pump(session), source:
        while source.active:
            time.sleep(0.02)
    summary = session.end()
    midi.close()
    return guesses.heard, complaints, summary


def check(came, guesses):
    """Every guess is one note, in order, and every note ends."""
    messages = [tuple(data) for _, data in came]
    struck = [(note, velocity) for kind, note, velocity in messages if kind == ON]
    assert struck == [(note_of(g.class_, g.name, {}), g.velocity) for g in guesses]
    assert len({note for note, _ in struck}) == 3
    sounding = set()
    for kind, note, _ in messages:
        assert (note in sounding) == (kind == OFF)
        (sounding.add if kind == ON else sounding.remove)(note)
    assert not sounding


def test_each_guess_of_a_groove_reaches_another_program_as_one_note(synth):
    midi = MidiOut.open("SYNTH")
    assert (midi.port.name, midi.port.virtual) == (synth.where, False)
    guesses, complaints, summary = play(midi)
    synth.close()
    assert complaints == []
    assert len(guesses) > 10
    check(synth.came(), guesses)
    assert summary["midi"]["sent"] == len(guesses)
    assert 0 < summary["midi"]["delay_ms"]["p50"] < 1000.0
    assert summary["midi"]["after_hit_ms"]["p50"] > 30.0


def test_a_new_port_is_there_for_other_programs_to_connect_to(on_jack, synth):
    import jack

    midi = MidiOut.open("drums")
    assert midi.port.virtual
    with jack.Client("patchbay", servername=on_jack.name, no_start_server=True) as patchbay:
        patchbay.connect(midi.port.name, synth.where)
        guesses, complaints, _ = play(midi)
    synth.close()
    assert complaints == []
    assert len(guesses) > 10
    check(synth.came(), guesses)


def test_a_port_that_several_names_fit_is_refused_with_them(on_jack, synth):
    with (
        Listener("midi", "synth two", environment=on_jack.environment),
        pytest.raises(RtclusterError, match="'synth:in', 'synth two:in'"),
    ):
        open_port("synth")


def paced(port, count):
    """Send more than the ring holds, no faster than JACK takes it."""
    for number in range(count):
        port.send((ON, number & 127, 1))
        if number % 64 == 63:
            time.sleep(0.01)


def test_more_than_the_ring_holds_arrives_whole_and_in_order(on_jack, synth):
    port = open_port("synth")
    paced(port, 2 * ROOM + 100)
    port.close()
    synth.close()
    assert [data for _, data in synth.came()] == [[ON, n & 127, 1] for n in range(2 * ROOM + 100)]


@pytest.mark.parametrize("end", ["close", "kill"])
def test_a_server_that_goes_away_ends_the_sink_and_not_the_program(on_jack, synth, end):
    port = open_port("synth")
    port.send((ON, 36, 1))
    synth.close()
    getattr(on_jack, end)()

    def sends_on():
        for _ in range(ROOM // 2):  # it is told before the ring is full
            port.send((ON, 36, 1))
            time.sleep(0.005)

    with pytest.raises(RtclusterError, match="no answer from JACK"):
        sends_on()
    port.close()


def test_a_server_that_stands_still_holds_nobody_up(on_jack, synth):
    port = open_port("synth")
    with on_jack.stopped():
        time.sleep(0.1)
        began = time.monotonic()
        for _ in range(ROOM):
            port.send((ON, 36, 1))
        with pytest.raises(RtclusterError, match="no answer from JACK"):
            port.send((ON, 36, 1))
        port.close()
        assert time.monotonic() - began < 30.0


def test_without_a_midi_system_it_says_so_in_one_line(on_jack, monkeypatch, capfd):
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "no such server")
    with pytest.raises(RtclusterError, match="a running JACK server") as refused:
        MidiOut.open("drums")
    assert "\n" not in str(refused.value)
    assert capfd.readouterr() == ("", ""), "the libraries' own words are kept back"


def test_a_port_that_vanishes_under_load_takes_its_notes_and_nothing_else(on_jack, synth):
    """What it was connected to has gone; the port itself is there, and others may connect."""
    gone = threading.Timer(SECONDS / 2, synth.close)
    with load("busy2"):
        gone.start()
        guesses, complaints, summary = play(MidiOut(open_port("synth")))
    gone.join()
    assert complaints == []
    assert len(guesses) > 10
    assert summary["midi"]["sent"] == len(guesses)
    assert summary["hits"] > len(guesses)  # the warm-up's have no class
