from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.events import Control, Final, Guess, Onset, Part, Relabel
from rtcluster.sinks import midi, midi_ports
from rtcluster.sinks.jack_midi import JackOutput
from rtcluster.sinks.midi import LENGTH_S, MidiOut
from rtcluster.sinks.midi_ports import CLIENT, MidiPort, find, open_port
from rtcluster.sinks.rtmidi_output import RtMidiOutput, systems
from rtcluster.sinks.sending import KEPT, Latest
from rtcluster.timing import clock_ns as clock_ns

RATE = 44100
ON, OFF = 0x99, 0x89
SESSION = {"samplerate": RATE}


class FakeOut:
    """An opened output."""

    def __init__(self):
        self.sent, self.times, self.closed, self.broken = [], [], False, False

    def send(self, message):
        if self.broken:
            raise OSError("the synth was unplugged")
        self.sent.append(tuple(message))
        self.times.append(time.monotonic())

    def close(self):
        self.closed = True

    def struck(self):
        return [(note, velocity) for kind, note, velocity in self.sent if kind == ON]


def threads():
    """Those of sinks, which end notes."""
    return [one for one in threading.enumerate() if one.name == "rtcluster-note-offs"]


@pytest.fixture
def out():
    return FakeOut()


@pytest.fixture
def begin(out):
    """A sink in a session on the fake output."""
    begun = []

    def start(**options):
        sink = MidiOut(MidiPort(out, "fake"), **options)
        sink.begin(SESSION)
        begun.append(sink)
        return sink

    yield start
    for sink in begun:
        if not out.closed:
            sink.close()


def onset(number=0, velocity=90, stamp=0):
    return Onset(number, 1000, 1000 / RATE, 1441, velocity, 1.5, stamp)


def judged(kind, class_, name, number=0, velocity=90, stamp=0):
    return kind(number, 1000, 3205, class_, name, 0.5, 120, 4.0, 1323, velocity, (), stamp)


def guess(class_, name, **more):
    return judged(Guess, class_, name, **more)


def final(class_, name, **more):
    return judged(Final, class_, name, **more)


def one_hit(class_, name):
    return [onset(), guess(class_, name, velocity=91), final(class_, name, velocity=91)]


def test_a_hit_is_one_note_on_channel_10_at_its_guess(begin, out):
    sink = begin()
    sink.event(onset())
    assert out.sent == []
    sink.event(guess(1, "snare", velocity=91))
    assert out.sent == [(ON, 38, 91)]
    sink.event(final(2, "closed hat"))
    sink.event(Relabel(0, 0, "kick"))
    assert out.struck() == [(38, 91)]


def test_two_drums_at_once_are_two_notes_each_with_its_velocity(begin, out):
    sink = begin()
    parts = (Part(1, "snare", 88), Part(3, "closed hat", 40))
    both = replace(guess(1, "snare", velocity=91), parts=parts)
    sink.event(both)
    assert out.struck() == [(38, 88), (42, 40)]
    assert sink.sent == 1
    sink.event(Control(2000, "mute", {"class": 1, "muted": True}))
    sink.event(replace(both, id=1))
    assert out.struck()[2:] == [(42, 40)]


def test_two_drums_of_one_note_are_the_stronger_one(begin, out):
    sink = begin()
    parts = (Part(1, "snare", 88), Part(2, "snare", 40))
    sink.event(replace(guess(1, "snare"), parts=parts))
    assert out.struck() == [(38, 88)]


@pytest.mark.parametrize(("send", "expected"), [("onset", (38, 90)), ("final", (36, 91))])
def test_the_note_is_sent_with_the_event_that_was_chosen(begin, out, send, expected):
    sink = begin(send=send)
    for event in one_hit(0, "kick"):
        sink.event(event)
    assert out.struck() == [expected]


def test_a_person_gives_the_notes_of_onsets_and_classes(begin, out):
    sink = begin(send="onset", notes={"onset": 60})
    sink.event(onset())
    assert out.struck() == [(60, 90)]
    sink = begin(notes={"snare": 40, "learning": 77})
    sink.event(guess(1, "snare"))
    sink.event(guess(-1, ""))
    assert out.struck()[1:] == [(40, 90), (77, 90)]


@pytest.mark.parametrize("event", [guess(-1, ""), guess(-2, "unknown")])
def test_a_hit_without_a_class_is_silent(begin, out, event):
    begin().event(event)
    assert out.sent == []


def wait_for(out, messages):
    deadline = time.monotonic() + 5.0
    while len(out.times) < messages and time.monotonic() < deadline:
        time.sleep(0.005)


def test_a_note_ends_by_itself(begin, out):
    sink = begin()
    sink.event(guess(0, "kick"))
    wait_for(out, 2)
    assert out.sent == [(ON, 36, 90), (OFF, 36, 64)]
    assert out.times[1] - out.times[0] >= 0.9 * LENGTH_S


def test_a_note_struck_again_is_ended_first_and_then_has_its_whole_length(begin, out, monkeypatch):
    monkeypatch.setattr(midi, "LENGTH_S", 0.2)
    sink = begin()
    sink.event(guess(0, "kick"))
    time.sleep(0.1)
    sink.event(guess(0, "kick", number=1))
    assert [kind for kind, *_ in out.sent] == [ON, OFF, ON]
    wait_for(out, 4)
    assert out.times[3] - out.times[2] >= 0.9 * 0.2
    sink.end({})
    assert [kind for kind, *_ in out.sent] == [ON, OFF, ON, OFF]


def test_the_end_of_a_session_ends_every_note_and_close_closes_the_port(begin, out, monkeypatch):
    monkeypatch.setattr(midi, "LENGTH_S", 60.0)
    before = threads()
    sink = begin()
    sink.event(guess(0, "kick"))
    sink.event(guess(1, "snare"))
    began = time.monotonic()
    sink.end({})
    assert sorted(out.sent[2:]) == [(OFF, 36, 64), (OFF, 38, 64)]
    sink.close()
    assert time.monotonic() - began < 30.0, "it does not wait for the notes' own ends"
    assert len(out.sent) == 4
    assert out.closed
    assert threads() == before


def test_a_session_that_broke_off_leaves_no_note_sounding(begin, out, monkeypatch):
    monkeypatch.setattr(midi, "LENGTH_S", 60.0)
    sink = begin()
    sink.event(guess(0, "kick"))
    sink.close()
    assert out.sent == [(ON, 36, 90), (OFF, 36, 64)]


def test_another_session_counts_anew_and_has_nothing_muted(begin, out):
    sink = begin()
    sink.event(guess(0, "kick", stamp=clock_ns()))
    sink.event(Control(0, "mute", {"class": 1, "muted": True}))
    sink.end({})
    sink.begin(SESSION)
    assert sink.figures() == {"midi": {"sent": 0}}
    sink.event(guess(1, "snare"))
    assert out.struck() == [(36, 90), (38, 90)]


def test_a_new_name_gives_a_new_note(begin, out):
    sink = begin()
    sink.event(guess(2, "class 2"))
    sink.event(Control(0, "rename", {"class": 2, "name": "cowbell"}))
    sink.event(guess(2, "cowbell", number=1))
    assert out.struck() == [(42, 90), (56, 90)]


def test_a_muted_class_is_silent_until_it_is_unmuted(begin, out):
    sink = begin()
    sink.event(Control(0, "mute", {"class": 1, "muted": True}))
    sink.event(guess(1, "snare"))
    sink.event(guess(0, "kick"))
    sink.event(Control(0, "mute", {"class": 1, "muted": False}))
    sink.event(guess(1, "snare", velocity=5))
    assert out.struck() == [(36, 90), (38, 5)]


def test_the_figures_tell_the_delay_of_live_events_only(begin):
    sink = begin(offset_s=0.010)
    sink.event(guess(0, "kick"))
    assert sink.figures() == {"midi": {"sent": 1}}
    sink.event(guess(0, "kick", number=1, stamp=clock_ns() - 3_000_000))
    figures = sink.figures()["midi"]
    assert figures["sent"] == 2
    assert 3.0 <= figures["delay_ms"]["p50"] < 1000.0
    from_the_hit = 1e3 * (3205 - 1000) / RATE
    expected = figures["delay_ms"]["max"] + from_the_hit + 10.0
    assert figures["after_hit_ms"]["max"] == pytest.approx(expected, abs=0.01)


def test_a_port_that_fails_at_a_note_off_is_told_at_the_next_event(begin, out):
    before = threads()
    sink = begin()
    sink.event(guess(0, "kick"))
    out.broken = True
    end = time.monotonic() + 5.0
    while threads() != before and time.monotonic() < end:
        time.sleep(0.01)
    with pytest.raises(RtclusterError, match="unplugged"):
        sink.event(onset(1))


def test_values_kept_for_percentiles_are_the_latest():
    latest = Latest()
    assert latest.percentiles() == {}
    for value in range(KEPT + 100):
        latest.add(value)
    assert latest.percentiles()["max"] == KEPT + 99
    assert latest.percentiles()["p50"] == pytest.approx(100 + KEPT / 2, abs=1)


PORTS = ["synth:in", "Synth:in 2", "Midi Through:Midi Through Port-0 14:0"]


def test_a_port_is_found_by_part_of_its_name_in_any_case():
    assert find(PORTS, "through") == 2
    assert find(PORTS, "SYNTH:IN") == 0, "a whole name comes first"
    assert find(PORTS, "drums") is None


def test_a_name_that_fits_several_ports_is_refused_with_their_names():
    with pytest.raises(SettingsError) as refused:
        find(PORTS, "synth")
    assert "'synth:in', 'Synth:in 2'" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_empty_name_and_an_unknown_moment_are_refused():
    with pytest.raises(SettingsError, match="MIDI port"):
        open_port(" ")
    with pytest.raises(SettingsError, match="onset, guess, final"):
        MidiOut.open("x", send="later")


class FakeClient:
    """A system of two synths, one of which may be opened; virtual ports are made without end."""

    def __init__(self, ports, opened):
        self._ports, self._opened = ports, opened

    def names(self):
        return self._ports

    def connect(self, number, name):
        self._opened.append((number, name))
        return name

    def create(self, name):
        self._opened.append(name)
        return f"{CLIENT}:{name}"

    def close(self):
        self._opened.append("closed")


def without(name):
    raise RtclusterError("Expected a JACK server, got none.")


@pytest.fixture
def two_systems(monkeypatch):
    """The first with two synths, the second with a drum machine; what each opened."""
    opened = {"first": [], "second": []}
    monkeypatch.setattr(midi_ports, "systems", lambda: ["first"])
    monkeypatch.setattr(
        midi_ports,
        "RtMidiOutput",
        lambda name, system: FakeClient(["synth:in", "Synth:in 2"], opened[system]),
    )
    monkeypatch.setattr(
        midi_ports, "JackOutput", lambda name: FakeClient(["drum machine:in"], opened["second"])
    )
    return opened


def test_the_first_system_with_the_port_opens_it(two_systems):
    assert open_port("in 2").name == "Synth:in 2"
    assert two_systems == {"first": [(1, "Synth:in 2")], "second": []}
    port = open_port("DRUM")
    assert (port.name, port.virtual) == ("drum machine:in", False)
    assert two_systems["first"][1:] == ["closed"], "of one that is not used nothing is left"
    assert two_systems["second"] == [(0, "drum machine:in")]


def test_a_new_port_is_made_in_the_first_system(two_systems):
    port = open_port("kit")
    assert (port.name, port.virtual) == (f"{CLIENT}:kit", True)
    assert two_systems == {"first": ["kit"], "second": ["closed"]}


def test_where_only_the_second_system_is_there_it_serves(two_systems, monkeypatch):
    monkeypatch.setattr(midi_ports, "RtMidiOutput", lambda name, system: without(name))
    assert open_port("kit").virtual
    assert two_systems == {"first": [], "second": ["kit"]}


@pytest.fixture
def rtmidi(monkeypatch):
    """The binding, on a machine without JACK."""
    monkeypatch.setattr(midi_ports, "JackOutput", without)
    return pytest.importorskip("supriya_midi")


def test_neither_jack_nor_the_system_that_does_nothing_is_asked_for_through_rtmidi(
    rtmidi, monkeypatch
):
    monkeypatch.setattr(rtmidi, "get_compiled_apis", lambda: list(rtmidi.RtMidiAPI))
    assert {"UNIX_JACK", "RTMIDI_DUMMY"}.isdisjoint(api.name for api in systems())
    assert {"LINUX_ALSA", "MACOSX_CORE", "WINDOWS_MM"} <= {api.name for api in systems()}


def test_the_binding_is_called_as_it_wants_to_be(rtmidi, capfd):
    """On RtMidi's own system without ports: it is there on every machine."""
    out = RtMidiOutput(CLIENT, rtmidi.RtMidiAPI.RTMIDI_DUMMY)
    assert out.names() == []
    assert out.create("kit") == f"{CLIENT}:kit"
    out.send((ON, 36, 1))
    with pytest.raises(ValueError, match="empty"):
        out.send(())
    out.close()
    out = RtMidiOutput(CLIENT, rtmidi.RtMidiAPI.RTMIDI_DUMMY)
    assert out.connect(0, "synth:in") == "synth:in"
    out.close()


def test_a_system_without_virtual_ports_says_which_there_are(rtmidi, monkeypatch):
    class Windows:
        def __init__(self, api, client_name):
            pass

        def get_ports(self):
            return PORTS

        def close_port(self):
            pass

        delete = close_port

    monkeypatch.setattr(rtmidi, "get_compiled_apis", lambda: [rtmidi.RtMidiAPI.WINDOWS_MM])
    monkeypatch.setattr(rtmidi, "MidiOut", Windows)
    with pytest.raises(SettingsError, match=r"There are 'synth:in', 'Synth:in 2'"):
        open_port("drums")


def test_a_machine_without_libjack_has_no_jack(tmp_path, monkeypatch):
    (tmp_path / "jack.py").write_text("raise OSError('JACK library not found')")
    monkeypatch.delitem(sys.modules, "jack", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RtclusterError, match="library not found"):
        JackOutput(CLIENT)


def test_what_jack_calls_is_compiled_for_nobody_else():
    seen = "import sys, rtcluster.sinks.midi; print('rtcluster.kernel.jack_midi' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
