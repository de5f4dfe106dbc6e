from __future__ import annotations

import socket
import time
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from pythonosc.osc_bundle import OscBundle

from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.events import Control, Final, Guess, Onset, Part, Relabel, Xrun
from rtcluster.sinks import osc
from rtcluster.sinks.osc import OscOut, SampleClock, parse_address
from rtcluster.timing import clock_ns as clock_ns

RATE = 44100
SESSION = {"version": 1, "samplerate": RATE, "source": "drums", "warmup": 8}
SUMMARY = {"hits": 3, "seconds": 2.5, "xruns": 0}
IMMEDIATELY = 0  # python-osc's word for OSC's time tag of 63 zeros and a one


@pytest.fixture
def receiver():
    """A socket, and what has come to it: time tag, address and arguments of each bundle."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(0.05)
        yield Receiver(sock)


class Receiver:
    def __init__(self, sock):
        self.sock, self.port = sock, sock.getsockname()[1]

    def messages(self):
        found = []
        while True:
            try:
                bundle = OscBundle(self.sock.recv(4096))
            except TimeoutError:
                return found
            assert bundle.num_contents == 1
            message = bundle.content(0)
            found.append((bundle.timestamp, message.address, list(message.params)))


@pytest.fixture
def sink(receiver):
    sink = OscOut.open(f"127.0.0.1:{receiver.port}")
    sink.begin(SESSION)
    assert receiver.messages() == [(IMMEDIATELY, "/rtcluster/session", [1, RATE, "drums", 8])]
    yield sink
    sink.close()


def onset(number=0, sample=44100, stamp=0):
    return Onset(number, sample, sample / RATE, sample + 441, 90, 1.5, stamp)


def guess(class_=1, name="snare", number=0, sample=44100, stamp=0):
    return Guess(
        number, sample, sample + 2205, class_, name, 0.5, 120, 4.0, 1323, 91, (1.0, 2.0), stamp
    )


def final(class_=1, name="snare", number=0, sample=44100, stamp=0):
    return Final(
        number, sample, sample + 4851, class_, name, 0.25, 240, 5.0, 3969, 92, (), stamp, True
    )


def test_the_messages_carry_what_the_table_says(sink, receiver):
    for event in (onset(), guess(), final(), Relabel(0, 2, "hat")):
        sink.event(event)
    sink.end(SUMMARY)
    assert [(address, values) for _, address, values in receiver.messages()] == [
        ("/rtcluster/onset", [0, 1.0, 90, 1.5]),
        ("/rtcluster/guess", [0, 1, "snare", 0.5, 91, 120, 4.0, 1.0]),
        ("/rtcluster/final", [0, 1, "snare", 0.25, 92, 240, 5.0, 1.0, 1, 0]),
        ("/rtcluster/relabel", [0, 2, "hat"]),
        ("/rtcluster/summary", [3, 2.5, 0]),
    ]


def test_the_messages_of_a_hit_end_with_its_channel_where_there_are_several(sink, receiver):
    for event in (onset(), guess(), final(), Relabel(0, 2, "hat")):
        sink.event(replace(event, channel=3))
    assert [(address, values) for _, address, values in receiver.messages()] == [
        ("/rtcluster/onset", [0, 1.0, 90, 1.5, 3]),
        ("/rtcluster/guess", [0, 1, "snare", 0.5, 91, 120, 4.0, 1.0, 3]),
        ("/rtcluster/final", [0, 1, "snare", 0.25, 92, 240, 5.0, 1.0, 1, 0, 3]),
        ("/rtcluster/relabel", [0, 2, "hat", 3]),
    ]


def test_each_drum_of_several_has_a_message_after_the_hits(sink, receiver):
    parts = (Part(1, "snare", 88), Part(2, "hat", 40))
    sink.event(replace(guess(), parts=parts))
    sink.event(Control(2000, "mute", {"class": 1, "muted": True}))
    sink.event(replace(final(), parts=parts))
    assert [(address, values) for _, address, values in receiver.messages()] == [
        ("/rtcluster/guess", [0, 1, "snare", 0.5, 91, 120, 4.0, 1.0]),
        ("/rtcluster/part", [0, 1, "snare", 88, 0, "guess"]),
        ("/rtcluster/part", [0, 2, "hat", 40, 1, "guess"]),
        ("/rtcluster/final", [0, 1, "snare", 0.25, 92, 240, 5.0, 1.0, 1, 0]),
        ("/rtcluster/part", [0, 2, "hat", 40, 1, "final"]),
    ]


def test_other_features_follow_the_hit_by_their_names_and_the_session_by_their_units(
    sink, receiver
):
    sink.begin(SESSION | {"units": {"air": "dB", "complexity": "octaves"}})
    measured = {"features": (0.5, -3.25, 120.0), "feature_names": ("complexity", "air", "zcr")}
    sink.event(replace(guess(), **measured))
    sink.event(replace(final(), **measured, channel=3))
    sink.event(final())
    (_, *said), units, _, *guessed = receiver.messages()[0:4]
    assert said[0] == "/rtcluster/session"
    assert units[1:] == ("/rtcluster/units", ["air", "dB", "complexity", "octaves"])
    assert [one[1:] for one in guessed] == [
        ("/rtcluster/features", [0, "guess", "complexity", 0.5, "air", -3.25])
    ]


def test_the_table_in_the_manual_is_what_is_sent():
    for address, types, _ in osc._MESSAGES.values():
        row = next(line for line in osc.__doc__.splitlines() if f"/rtcluster/{address}`" in line)
        documented = "".join(part.split()[-1] for part in row.split("``")[2].split(", "))
        if address == "final":
            continue  # told as the guess's and two more
        assert documented == types + "f" * (address == "guess")


def test_without_a_clock_the_time_tag_is_immediately(sink, receiver):
    sink.event(onset())
    assert receiver.messages()[0][0] == IMMEDIATELY


def test_the_three_messages_of_a_hit_have_the_time_of_its_first_sample(sink, receiver):
    stamp, now = clock_ns(), time.time()
    sink.event(onset(stamp=stamp))
    sink.event(guess(stamp=stamp + 40_000_000))
    sink.event(final(stamp=stamp + 100_000_000))
    tags = [tag for tag, *_ in receiver.messages()]
    assert tags[0] == tags[1] == tags[2]
    assert tags[0] == pytest.approx(now - 0.010, abs=0.005)


def test_hits_of_one_number_in_two_channels_have_each_its_own_time(sink, receiver):
    stamp, now = clock_ns(), time.time()
    for channel, sample in ((1, 44100), (2, 2 * 44100)):
        sink.event(replace(onset(sample=sample, stamp=stamp + channel * 10**9), channel=channel))
    for channel, sample in ((1, 44100), (2, 2 * 44100)):
        late = stamp + 100_000_000 + channel * 10**9
        sink.event(replace(final(sample=sample, stamp=late), channel=channel))
    first, second, *finals = [tag for tag, *_ in receiver.messages()]
    assert finals == [first, second]
    assert second - first == pytest.approx(1.0, abs=0.005)
    assert first - now == pytest.approx(0.990, abs=0.005)


def test_the_offset_dates_a_hit_back(receiver):
    sink = OscOut.open(f"127.0.0.1:{receiver.port}", offset_s=5.0)
    sink.begin(SESSION)
    sink.event(onset(stamp=clock_ns()))
    sink.close()
    tag = receiver.messages()[1][0]
    assert tag == pytest.approx(time.time() - 5.010, abs=1.0)


def test_times_of_hits_do_not_jitter_with_the_blocks(sink, receiver):
    """Blocks of 1024: an event's last sample came up to 23 ms before its block arrived."""
    start = clock_ns()
    hits = [44100 + 4410 * n for n in range(40)]
    for number, sample in enumerate(hits):
        emitted = sample + 441
        arrival = -(-emitted // 1024) * 1024
        stamp = start + round(1e9 * (arrival - hits[0]) / RATE)
        sink.event(onset(number, sample, stamp))
    tags = [tag for tag, *_ in receiver.messages()]
    steps = np.diff(tags[16:])
    assert steps == pytest.approx(0.1, abs=0.004)


def test_after_lost_audio_the_clock_begins_again():
    clock = SampleClock(RATE)
    now = clock_ns()
    clock.hear(44100, now)
    before = clock.time_of(44100)
    clock.forget()
    clock.hear(44100, now + 500_000_000)
    assert clock.time_of(44100) - before == pytest.approx(0.5, abs=0.05)


def test_an_xrun_makes_the_sink_forget_its_clock(sink, receiver):
    stamp = clock_ns()
    sink.event(onset(stamp=stamp))
    sink.event(Xrun(44100, "input_overflow"))
    sink.event(onset(1, stamp=stamp + 500_000_000))  # as many samples, and half a second
    before, after = [tag for tag, *_ in receiver.messages()]
    assert after - before == pytest.approx(0.5, abs=0.05)


def test_time_tags_of_hits_that_never_end_are_dropped(sink):
    for number in range(osc._REMEMBERED + 10):
        sink.event(onset(number, stamp=clock_ns()))
    assert len(sink._tags) == osc._REMEMBERED  # how much it holds, nothing tells from outside


def test_another_session_begins_anew(sink, receiver):
    stamp = clock_ns()
    sink.event(onset(stamp=stamp))
    sink.event(Control(0, "mute", {"class": 1, "muted": True}))
    sink.end(SUMMARY)
    before = receiver.messages()[0][0]
    sink.begin(SESSION)
    assert (sink.sent, sink.lost) == (0, 0)
    sink.event(guess(stamp=stamp + 10 * 10**9))
    messages = receiver.messages()
    # The hit of this number was another session's, and so was its time.
    assert messages[-1][0] - before == pytest.approx(10.0, abs=0.1)
    assert [address for _, address, _ in messages] == [
        "/rtcluster/session",
        "/rtcluster/guess",
    ]


def test_a_muted_class_is_not_sent(sink, receiver):
    sink.event(Control(0, "mute", {"class": 1, "muted": True}))
    for event in (onset(), guess(), final(), Relabel(3, 1, "snare"), guess(0, "kick")):
        sink.event(event)
    sent = [address for _, address, _ in receiver.messages()]
    assert sent == ["/rtcluster/onset", "/rtcluster/guess"]


def test_a_name_that_osc_cannot_hold_is_sent_as_far_as_it_can(sink, receiver):
    sink.event(guess(name="sna\0re\ud800"))
    assert receiver.messages()[0][2][2] == "snare?"


def test_a_receiver_that_is_not_there_is_counted_and_may_come_later(sink, receiver):
    port = receiver.port
    receiver.sock.close()
    for number in range(3):
        sink.event(onset(number))
        time.sleep(0.02)  # for the answer that there is nobody
    assert sink.lost > 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", port))
        sock.settimeout(1.0)
        sink.event(onset(7))
        assert OscBundle(sock.recv(4096)).content(0).params[0] == 7


def test_what_comes_back_is_neither_read_nor_in_the_way(sink, receiver):
    """More than the socket holds of it."""
    for number in range(2000):
        receiver.sock.sendto(bytes(range(256)) * 4, sink._socket.getsockname())
        if number % 200 == 0:
            sink.event(onset(number // 200))
    assert len(receiver.messages()) == 10
    assert sink.figures()["osc"]["lost"] == 0


def test_a_network_that_takes_nothing_is_counted_and_does_not_wait(monkeypatch, receiver):
    class Full(socket.socket):
        def send(self, packet):
            assert not self.getblocking()
            raise BlockingIOError

    monkeypatch.setattr(socket, "socket", Full)
    with closing(OscOut.open(f"127.0.0.1:{receiver.port}")) as sink:
        sink.event(onset())
        assert sink.figures() == {"osc": {"sent": 0, "lost": 1}}


def test_the_figures_tell_the_delay_of_live_events(sink):
    sink.event(onset(stamp=clock_ns() - 3_000_000))
    figures = sink.figures()["osc"]
    assert figures["sent"] == 1
    assert figures["lost"] == 0
    assert 3.0 <= figures["delay_ms"]["p50"] < 1000.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:9000", ("127.0.0.1", 9000)),
        ("synth.local:1", ("synth.local", 1)),
        ("[::1]:57120", ("::1", 57120)),
    ],
)
def test_host_and_port_are_read(text, expected):
    assert parse_address(text) == expected


@pytest.mark.parametrize(
    "text", ["", "9000", ":9000", "host:", "host:0", "host:65536", "::1:9", "a b:9"]
)
def test_what_is_no_host_and_port_is_refused(text):
    with pytest.raises(SettingsError, match="Expected host:port"):
        OscOut.open(text)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "x" * 70, "[::zz]"])
def test_a_host_that_is_not_known_is_one_line(host):
    with pytest.raises(RtclusterError, match="Expected a host") as refused:
        OscOut.open(f"{host}:9000")
    assert "\n" not in str(refused.value)


def test_a_name_with_both_addresses_is_sent_to_by_ipv4(monkeypatch, receiver):
    """What listens at localhost often listens at 127.0.0.1 only."""
    both = [
        (socket.AF_INET6, socket.SOCK_DGRAM, 17, "", ("::1", receiver.port, 0, 0)),
        (socket.AF_INET, socket.SOCK_DGRAM, 17, "", ("127.0.0.1", receiver.port)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with closing(OscOut.open(f"localhost:{receiver.port}")) as sink:
        sink.event(onset())
        assert len(receiver.messages()) == 1
