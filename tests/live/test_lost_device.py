"""A sound card that goes away while it is listened to, and comes back.

One module, because its tests share the same card and the same programs that hear it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import soundfile

from rtcluster.errors import SourceError
from rtcluster.sources import groove, live, portaudio
from rtcluster.sources.probe import look
from tests.support import jackd

pytestmark = [pytest.mark.live, pytest.mark.alone]

GONE = "is gone; waiting for it"


class Said:
    """Standard error of a process, line by line as it comes."""

    def __init__(self, stream):
        self.lines = []
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream):
        for line in iter(stream.readline, ""):
            self.lines.append(line)
            print(line, end="")  # for a failed test's account

    def wait_for(self, words):
        def there():
            return any(words in line for line in self.lines)

        jackd.wait_until(there, f"{words!r} in {self.lines}")

    def count(self, words):
        return sum(words in line for line in self.lines)


@contextmanager
def listening(rtcluster_command, server, jsonl):
    command = [*rtcluster_command, "listen", "-k", "2", "--warmup", "4", "--jsonl", str(jsonl)]
    with jackd.child(command, server.environment, stderr=subprocess.PIPE) as process:
        yield process, Said(process.stderr)


@pytest.fixture(scope="module")
def command():
    return [sys.executable, "-m", "rtcluster"]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "groove.wav"
    soundfile.write(path, groove.render(3.0, bpm=160.0).audio, 44100, subtype="FLOAT")
    return str(path)


@contextmanager
def player(server, file):
    command = [sys.executable, "-m", "tests.support.player", server.name, file]
    with jackd.child(command, dict(os.environ)):
        yield


def lines_of(path, kind):
    text = path.read_text() if path.exists() else ""
    whole = text[: text.rfind("\n") + 1].splitlines()
    return [line for line in map(json.loads, whole) if line["event"] == kind]


def classified(path, since=0):
    return [final for final in lines_of(path, "final")[since:] if final["class"] >= 0]


def end(process, number=signal.SIGINT):
    process.send_signal(number)
    return process.wait(jackd.TIMEOUT_S)


def test_hits_and_classes_go_on_when_the_device_is_back(command, dummy_driver, file, tmp_path):
    jsonl = tmp_path / "live.jsonl"
    with jackd.Server() as first, listening(command, first, jsonl) as (process, said):
        with player(first, file):
            jackd.wait_until(lambda: len(classified(jsonl)) >= 3, "hits with classes")
            first.kill()
            said.wait_for(GONE)
        before = len(lines_of(jsonl, "final"))
        with jackd.Server(48000, name=first.name):
            said.wait_for("44100 Hz")
            time.sleep(1.5)  # it tries three times more
            assert process.poll() is None
        assert said.count("Still waiting") == 1
        with jackd.Server(name=first.name) as second:
            said.wait_for("is back")
            with player(second, file):
                jackd.wait_until(lambda: len(classified(jsonl, before)) >= 5, "hits")
                assert end(process) == 130
    ids = [line["id"] for line in lines_of(jsonl, "onset")]
    assert ids == list(range(len(ids)))
    samples = [line["sample"] for line in lines_of(jsonl, "onset")]
    assert samples == sorted(samples)
    names = {(final["class"], final["name"]) for final in classified(jsonl)}
    assert names <= {(0, "class 0"), (1, "class 1")}
    assert [line["kind"] for line in lines_of(jsonl, "xrun")].count("device_lost") == 1
    assert len(lines_of(jsonl, "session")) == 1
    [summary] = lines_of(jsonl, "summary")
    assert summary["hits"] == len(ids)
    assert said.count(GONE) == said.count("is back") == 1


def test_a_server_that_comes_and_goes_again_while_it_is_waited_for_does_no_harm(
    command, dummy_driver, tmp_path
):
    jsonl = tmp_path / "live.jsonl"
    with jackd.Server() as first, listening(command, first, jsonl) as (process, said):
        said.wait_for("Listening to")
        jackd.wait_until(lambda: lines_of(jsonl, "session"), "the session")
        time.sleep(0.5)
        first.kill()
        said.wait_for(GONE)
        for stays_s in (0.3, 0.5, 0.7, 0.9, 1.1, 1.3):  # it is looked for every half a second
            with jackd.Server(48000, name=first.name):
                time.sleep(stays_s)
        with jackd.Server(name=first.name):
            said.wait_for("is back")
            assert end(process) == 130
    assert len(lines_of(jsonl, "summary")) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_while_it_is_waited_for_ends_with_a_summary(
    command, dummy_driver, tmp_path, number
):
    jsonl = tmp_path / "live.jsonl"
    with jackd.Server() as server, listening(command, server, jsonl) as (process, said):
        said.wait_for("Listening to")
        jackd.wait_until(lambda: lines_of(jsonl, "session"), "the session")
        time.sleep(0.5)
        server.kill()
        said.wait_for(GONE)
        began = time.monotonic()
        assert end(process, number) == 130
        assert time.monotonic() - began < 10.0
    assert len(lines_of(jsonl, "summary")) == 1


def test_a_server_that_stands_still_is_told_of_and_does_not_keep_the_program_from_ending(
    command, dummy_driver, file, tmp_path
):
    jsonl = tmp_path / "live.jsonl"
    with jackd.Server() as server, listening(command, server, jsonl) as (process, said):
        with player(server, file):
            jackd.wait_until(lambda: len(classified(jsonl)) >= 3, "hits with classes")
        with server.stopped():
            said.wait_for("gives no audio; waiting")
        said.wait_for("gives audio again")
        with server.stopped():
            said.wait_for("gives no audio; waiting")
            assert end(process) == 130
    [summary] = lines_of(jsonl, "summary")
    assert summary["hits"] == len(lines_of(jsonl, "onset")) == len(lines_of(jsonl, "final"))


# Without a server.


class Library:
    """A sounddevice that is not there."""

    def __init__(self, devices=(), error=None):
        self._lib, self._initialized, self._libname = object(), 1, "libportaudio.so.2"
        self.PortAudioError, self._error = OSError, error
        self.loaded, self.calls = [], []
        self._ffi = SimpleNamespace(dlopen=self._dlopen)

    def _dlopen(self, path):
        assert Path(path).is_file()
        self.loaded.append(path)
        return object()

    def _initialize(self):
        self.calls.append("initialize")
        self._initialized += 1
        if self._error:
            raise self._error

    def _terminate(self):
        self.calls.append("terminate")
        self._initialized -= 1


@pytest.fixture
def library(monkeypatch, tmp_path):
    made, file = Library(), tmp_path / "libportaudio.so"
    file.write_text("")
    monkeypatch.setattr(portaudio, "portaudio", lambda: made)
    monkeypatch.setattr(portaudio, "_left", [])
    monkeypatch.setattr(portaudio, "_library", lambda sd: str(file))
    return made


def test_portaudio_begins_anew_by_ending_and_starting(library):
    assert portaudio.begin_anew() is library
    assert library.calls == ["terminate", "initialize"]
    assert library.loaded == []


def test_an_instance_that_was_let_go_of_is_never_ended_and_another_copy_is_loaded(library):
    dead = library._lib
    portaudio.let_go("a stream")
    assert library._initialized == 0  # so that nothing ends it when the program does
    portaudio.begin_anew()
    assert library.calls == ["initialize"]
    assert library._lib is not dead
    [copy] = library.loaded
    assert not Path(copy).exists()
    portaudio.begin_anew()  # the copy is alive, and can be ended
    assert library.calls == ["initialize", "terminate", "initialize"]
    assert len(library.loaded) == 1
    portaudio.let_go("another stream")
    portaudio.begin_anew()
    assert len(library.loaded) == 2


class Stream:
    """A stream of a sound server that stands still until it is told to go on."""

    active = True

    def __init__(self, goes_on):
        self._goes_on = goes_on

    def abort(self, ignore_errors):
        assert self._goes_on.wait(jackd.TIMEOUT_S)


@pytest.mark.parametrize("stands_still", [True, False])
def test_a_stream_that_does_not_stop_is_let_go_of(monkeypatch, stands_still):
    goes_on, left = threading.Event(), []
    if not stands_still:
        goes_on.set()
    monkeypatch.setattr(live, "let_go", left.append)
    monkeypatch.setattr(live, "STOP_S", 0.05 if stands_still else jackd.TIMEOUT_S)
    card = live.LiveInput.__new__(live.LiveInput)
    card._engine = SimpleNamespace(running=True)
    card.device, card._portaudio_error = device(3, "system", live.JACK), OSError
    card._running, card._stream = True, (stream := Stream(goes_on))
    card.stop()
    assert not card._engine.running
    goes_on.set()
    assert left == [stream] * stands_still
    assert card.active is not stands_still
    card.stop()  # it has stopped already
    assert left == [stream] * stands_still


def test_an_input_that_was_let_go_of_starts_as_one_that_is_lost():
    card = live.LiveInput.__new__(live.LiveInput)
    card._engine = SimpleNamespace(running=True)
    card._stream, card._running = None, False
    card.start()
    assert not card.active


@pytest.fixture
def lost(monkeypatch):
    """A live input whose device is gone, and the devices there are.

    Put together by hand, as in the tests above: to open one takes a card that can be pulled out.
    """
    there = []
    made = live.LiveInput.__new__(live.LiveInput)
    made._engine = SimpleNamespace(running=True)
    made.device = device(3, "Drum In", "ALSA")
    made._running, made._stream, made._portaudio_error = False, None, OSError
    made._target = None
    made._options = {"samplerate": 44100}
    made.begun = []
    monkeypatch.setattr(live, "look", lambda: list(there))
    monkeypatch.setattr(live, "begin_anew", lambda: made.begun.append(1))
    monkeypatch.setattr(live, "devices", lambda: there)
    monkeypatch.setattr(made, "_open", lambda sd: made.device, raising=False)
    monkeypatch.setattr(made, "start", lambda: None, raising=False)
    return made, there


def device(number, name, api, inputs=2):
    return live.Device(number, name, api, inputs, 0, 44100, 5.0, False)


def test_a_device_that_is_not_back_is_told_as_such(lost):
    card, there = lost
    there += [device(0, "Other", "ALSA"), device(1, "Drum In", "JACK")]
    there += [device(2, "Drum In", "ALSA", inputs=0)]
    assert card.reopen() is False
    assert card.device.number == 3
    assert card.begun == []  # PortAudio aborts where a server dies that it only looked at


def test_a_device_that_is_back_may_have_another_number(lost):
    card, there = lost
    there += [device(0, "Drum In", "JACK"), device(7, "Drum In", "ALSA")]
    assert card.reopen() is True
    assert card.device.number == 7
    assert card.begun == [1]


def test_a_device_that_goes_again_as_it_is_taken_up_is_waited_for(lost, monkeypatch):
    card, there = lost
    there.append(device(3, "Drum In", "ALSA"))
    monkeypatch.setattr(live, "begin_anew", there.clear)
    assert card.reopen() is False


def test_a_jack_server_of_another_rate_is_refused_before_portaudio_is_touched(lost):
    card, there = lost
    card.device = device(3, "system", live.JACK)
    there.append(replace(card.device, samplerate=48000))
    with pytest.raises(SourceError, match=r"^Expected 'system' to be back at 44100 Hz, got 48000 "):
        card.reopen()
    assert card.begun == []


def test_an_instance_that_failed_on_jack_is_let_go_of(lost, monkeypatch):
    def refuse(_):
        raise SourceError("Expected an answer, got none.")

    card, there = lost
    card.device = device(3, "system", live.JACK)
    there.append(card.device)
    left = []
    monkeypatch.setattr(card, "_open", refuse)
    monkeypatch.setattr(live, "let_go", left.append)
    with pytest.raises(SourceError):
        card.reopen()
    assert left == [None]


def test_a_device_that_cannot_be_used_is_left_alone_at_once(lost, monkeypatch):
    def refuse(_):
        raise SourceError("Expected 44100 Hz, got 48000 Hz.")

    card, there = lost
    there.append(device(3, "Drum In", "ALSA"))
    monkeypatch.setattr(card, "_open", refuse)
    with pytest.raises(SourceError, match="48000"):
        card.reopen()
    assert card.device.number == 3


def test_what_portaudio_cannot_do_is_told_in_one_line(lost, monkeypatch):
    def fail():
        raise OSError("no\nsuch library")

    card, there = lost
    there.append(card.device)
    monkeypatch.setattr(live, "begin_anew", fail)
    with pytest.raises(SourceError, match=r"^Expected PortAudio to look .*: no such library\.$"):
        card.reopen()


# The process that looks.


def test_the_devices_are_seen_by_another_process(server, monkeypatch):
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    [system] = [one for one in look() if one.name == jackd.DEVICE]
    assert (system.api, system.samplerate) == (live.JACK, 44100)


def test_one_that_gives_no_answer_has_seen_nothing():
    assert look(patience_s=0.01) == []


def test_one_that_dies_has_seen_nothing(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert look() == []


@pytest.mark.parametrize(
    ("words", "early"),
    [
        (("teach", "drum", "--hits", "40"), "drum 2 of 40"),
        (("tune", "--seconds", "10"), "play for"),
    ],
    ids=["teach", "tune"],
)
def test_teaching_and_tuning_go_on_when_the_device_is_back(
    command, dummy_driver, file, tmp_path, words, early
):
    arguments = [*command, *words, "--save-kit", str(tmp_path / "my.kit")]
    with (
        jackd.Server() as first,
        jackd.child(arguments, first.environment, stderr=subprocess.PIPE) as process,
    ):
        said = Said(process.stderr)
        said.wait_for("Listening to")
        with player(first, file):
            said.wait_for(early)
            time.sleep(3.0)  # the stream runs by now
            first.kill()
            said.wait_for(GONE)
        assert process.poll() is None
        with jackd.Server(name=first.name) as second:
            said.wait_for("is back")
            with player(second, file):
                assert process.wait(jackd.TIMEOUT_S) == 0
    assert (tmp_path / "my.kit").exists()
