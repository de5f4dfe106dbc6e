"""Takes: what begins one, what it keeps of the one before, and a device that is lost."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rtcluster import Processor, Settings
from rtcluster.engine.channels import Channels
from rtcluster.errors import RtclusterError, SourceError
from rtcluster.learning.detection import Detection
from rtcluster.learning.kit import Kit
from rtcluster.recording import recorder as recorders
from rtcluster.recording.audio import AudioWriter
from rtcluster.recording.log import read
from rtcluster.recording.recorder import Recorder
from rtcluster.session import takes
from rtcluster.session.controls import Controls, Request
from rtcluster.session.takes import Takes, next_folder
from rtcluster.sinks import Sink
from rtcluster.sinks.jsonl import JsonLines
from rtcluster.sources import groove
from rtcluster.timing import Stop
from tests.recording.conftest import same

STEP = 2205


class Card:
    """A sound card whose time goes on when it is looked at; things happen at set seconds."""

    name = "a card"

    def __init__(self, stage, audio):
        self._stage, self._audio, self._heard = stage, audio, 0
        self.happen, self.lost, self.answers, self.starts = [], False, [], 0
        self.still = 0  # looks without audio

    @property
    def active(self):
        if self.lost:
            return False
        if self.still:
            self.still -= 1
            return True
        if self._heard >= len(self._audio):
            return False
        if all(r._written > self._stage.processor.clock - 90_000 for r in self._stage.recorders):
            block = self._audio[self._heard : self._heard + STEP]
            self._stage.processor.advance(np.ascontiguousarray(block[:, None]))
            self._heard += len(block)
            for second, act in [*self.happen]:
                if self._heard >= second * 44100:
                    self.happen.remove((second, act))
                    act()
        return True

    def reopen(self):
        answer = self.answers.pop(0) if self.answers else False
        if isinstance(answer, Exception):
            raise answer
        self.lost = not answer
        return answer

    def __enter__(self):
        self.starts += 1

    def __exit__(self, *_):
        self._stage.recorders = []


class Stage:
    """A performance on a card, and what it said."""

    def __init__(self, tmp_path, audio, **settings):
        self.processor = Processor(Settings(**{"classes": 3, **settings}))
        self.processor.prepare(44100, 64)
        self.processor.record["synchronous"] = 0
        self.card, self.recorders = Card(self, audio), []
        self.said, self.reported, self.text = [], [], io.StringIO()
        self.tmp_path = tmp_path
        self.takes = Takes(
            engine=self.processor,
            source=self.card,
            sinks=[JsonLines(self.text)],
            recorder=self.recorder,
            report=self.reported.append,
            say=self.said.append,
            controls=Controls(),
            stop=Stop(),
        )

    def recorder(self, folder):
        made = Recorder(folder, self.processor, self.reported.append)
        self.recorders = [made]
        return made

    def at(self, second, what, value):
        """Ask for something when so much has been heard."""
        ask = self.takes.controls.ask
        self.card.happen.append((second, lambda: ask(Request(what, value))))

    def play(self):
        summary = self.takes.play()
        self.processor.close()
        return summary

    @property
    def sessions(self):
        """The lines of each take."""
        out = []
        for line in map(json.loads, self.text.getvalue().splitlines()):
            if line["event"] == "session":
                out.append([])
            out[-1].append(line)
        return out

    @property
    def folders(self):
        return [Path(line.split("Recorded in ")[1].split("; ")[0]) for line in self.said]


@pytest.fixture(scope="module")
def audio():
    return groove.render(6.0).audio


@pytest.fixture
def stage(tmp_path, audio, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(takes, "POLL_S", 0.001)
    monkeypatch.setattr(takes, "RETRY_S", 0.01)
    monkeypatch.setattr(recorders, "PERIOD_S", 0.01)
    return Stage(tmp_path, audio)


def test_a_recording_started_while_playing_is_a_take_that_begins_with_the_classes(stage):
    stage.at(3.5, "rename", {"class": 0, "name": "bass"})
    stage.at(4.0, "record", True)
    stage.at(5.0, "record", False)
    summary = stage.play()
    assert [lines[-1]["event"] for lines in stage.sessions] == ["summary"] * 3
    assert [lines[0]["event"] for lines in stage.sessions] == ["session"] * 3
    first, second, third = stage.sessions
    assert summary == third[-1]
    finals = [line for line in second if line["event"] == "final"]
    assert finals[0]["id"] == 0
    assert all(line["class"] >= 0 for line in finals)
    assert "bass" in {line["name"] for line in second + third if "name" in line}
    [folder] = stage.folders
    assert folder.name.startswith("rtcluster 20")
    assert (folder / "start.kit").is_file()
    assert read(folder).lines == second[1:-1]
    same(folder, len(finals))
    assert first[-1]["hits"] > 8
    assert stage.reported == []


def test_settings_changed_before_a_take_hold_in_it_and_are_told_at_its_start(stage):
    stage.at(3.0, "threshold", 0.125)
    stage.at(3.0, "freeze", True)
    stage.card.happen.append((3.0, lambda: setattr(stage.processor, "mask", 3000)))
    stage.at(4.0, "record", True)
    stage.play()
    controls = [line for line in stage.sessions[1] if line["event"] == "control"]
    told = {line["what"]: (line["sample"], line["value"]) for line in controls}
    assert told["threshold"] == (0, 0.125)
    assert told["mask"] == (0, 3000)
    assert told["freeze"] == (0, True)
    assert stage.processor.frozen
    [folder] = stage.folders
    same(folder)


def test_a_class_stays_muted_when_a_recording_starts_and_stops(stage):
    stage.at(3.5, "mute", {"class": 1, "muted": True})
    stage.at(4.0, "record", True)
    stage.at(5.0, "record", False)
    stage.play()
    assert stage.processor.changed() == [("mute", {"class": 1, "muted": True})]
    mute = {"event": "control", "sample": 0, "what": "mute", "value": {"class": 1, "muted": True}}
    for lines in stage.sessions[1:]:
        assert [line for line in lines if line["event"] == "control"] == [mute]
    assert read(stage.folders[0]).lines[0] == mute
    same(stage.folders[0])


def test_a_reset_forgets_the_classes_and_records_into_another_folder(stage, tmp_path):
    stage.takes.record = tmp_path / "take"
    stage.at(4.0, "reset", True)
    stage.play()
    assert stage.folders == [tmp_path / "take", tmp_path / "take take 2"]
    first, second = map(read, stage.folders)
    assert [line for line in first.lines if line["event"] == "final"][-1]["class"] >= 0
    assert next(line for line in second.lines if line["event"] == "final")["class"] == -1
    assert not (tmp_path / "take take 2" / "start.kit").exists()
    for folder in stage.folders:
        same(folder)


def test_a_recording_begun_again_goes_beside_the_first(stage, tmp_path):
    stage.takes.record = tmp_path / "evening"
    stage.at(1.0, "record", False)
    stage.at(2.0, "record", True)
    stage.play()
    assert stage.folders == [tmp_path / "evening", tmp_path / "evening take 2"]
    assert len(stage.sessions) == 3


def test_what_is_so_already_begins_no_take(stage, tmp_path):
    stage.at(1.0, "record", False)
    stage.at(1.5, "reset", False)
    stage.play()
    assert len(stage.sessions) == 1


def test_a_recording_that_runs_is_not_begun_again(stage, tmp_path):
    stage.takes.record = tmp_path / "take"
    stage.at(1.0, "record", True)
    stage.play()
    assert stage.folders == [tmp_path / "take"]


def test_names_given_before_there_are_classes_last_into_the_next_take(stage):
    stage.at(0.5, "rename", {"class": 2, "name": "hat"})
    stage.at(1.0, "record", True)
    stage.play()
    [folder] = stage.folders
    finals = [line for line in read(folder).lines if line["event"] in ("final", "relabel")]
    assert "hat" in {line["name"] for line in finals}
    same(folder)


def test_what_the_detector_was_tuned_to_stays_in_the_kit(stage, audio):
    detection = Detection(method="drums", threshold=0.5, silence=-60.0, mask="20ms")
    stage.at(3.0, "record", True)
    plain = Processor(Settings(classes=3))
    plain.prepare(44100, 64)
    plain.process(audio)
    kit = Kit.of(plain.learner, plain.settings, 44100, detection)
    stage.processor = Processor(Settings(classes=3), kit=kit)
    stage.processor.prepare(44100, 64)
    stage.processor.record["synchronous"] = 0
    stage.takes.engine = stage.processor
    stage.play()
    assert stage.processor.kit.detection == detection
    same(stage.folders[0])


def test_a_first_recording_that_cannot_be_made_ends_it(stage, tmp_path):
    stage.takes.record = tmp_path
    (tmp_path / "mine").write_text("")
    with pytest.raises(RtclusterError, match="new or empty folder"):
        stage.play()


def test_a_later_recording_that_cannot_be_made_leaves_the_session_going(stage, tmp_path):
    stage.takes.record = tmp_path / "take"
    stage.at(1.0, "record", False)
    stage.at(2.0, "record", True)
    honest = stage.recorder

    def recorder(folder):
        if folder.endswith("take 2"):
            raise RtclusterError("Expected to make the folder, got: no.")
        return honest(folder)

    stage.takes.recorder = recorder
    stage.play()
    assert stage.reported == [
        "Expected to make the folder, got: no. The session goes on without a recording."
    ]
    assert len(stage.sessions) == 3
    assert sum(lines[-1]["samples"] for lines in stage.sessions) == 6 * 44100
    assert len(stage.folders) == 1


def test_a_recording_that_had_to_stop_is_not_told_as_made_and_can_be_begun_again(
    stage, tmp_path, monkeypatch
):
    stage.takes.record = tmp_path / "take"
    honest, full = AudioWriter.append, [True]

    def append(self, audio):
        if full and self.frames > 44100:
            full.clear()
            raise RtclusterError("Expected room, got: none.")
        honest(self, audio)

    monkeypatch.setattr(AudioWriter, "append", append)
    stage.card.happen.append((2.0, lambda: setattr(stage, "recorders", [])))
    stage.at(4.0, "record", True)
    stage.play()
    assert [line[:22] for line in stage.reported] == ["The recording stopped,"]
    assert stage.folders == [tmp_path / "take take 2"]
    same(stage.folders[0])


def test_a_source_that_does_not_start_ends_the_session_with_a_summary(stage, monkeypatch):
    def refuse(self):
        raise SourceError("Expected the card to start, got no.")

    monkeypatch.setattr(Card, "__enter__", refuse)
    with pytest.raises(SourceError):
        stage.play()
    [lines] = stage.sessions
    assert [line["event"] for line in lines] == ["session", "summary"]


def test_a_pump_that_fails_ends_the_session_with_a_summary(stage, monkeypatch):
    def fail(events):
        if events:
            raise ZeroDivisionError("in the learner")
        return []

    monkeypatch.setattr(stage.processor, "learn", fail)
    with pytest.raises(ZeroDivisionError):
        stage.play()
    assert stage.sessions[0][-1]["event"] == "summary"


def test_a_pump_that_fails_while_a_device_is_waited_for_ends_the_session_too(stage, monkeypatch):
    lose(stage, 2.0)
    fail = lambda events: 1 / 0  # noqa: E731
    stage.takes.report = lambda _: monkeypatch.setattr(stage.processor, "learn", fail)
    with pytest.raises(ZeroDivisionError):
        stage.play()


def test_classes_that_cannot_be_kept_are_told_and_the_session_goes_on(stage, monkeypatch):
    def refuse(*_, **__):
        raise RtclusterError("Expected a kit, got none.")

    monkeypatch.setattr(Kit, "of", refuse)
    stage.at(4.0, "record", True)
    stage.play()
    assert stage.reported == ["Expected a kit, got none. The next take begins without them."]
    same(stage.folders[0])


def test_a_request_that_comes_with_the_end_begins_no_empty_take(stage):
    stage.at(1.0, "record", True)
    stage.card.happen.append((1.0, stage.takes.stop.set))
    stage.play()
    assert len(stage.sessions) == 1


def test_a_sink_that_fails_to_record_is_left_out_of_the_status(stage, tmp_path):
    class Watching(Sink):
        def __init__(self):
            self.seen = []

        wants_status = True

        def status(self, status):
            self.seen.append(status["recording"])

    stage.takes.sinks = [watching := Watching()]
    stage.takes.record = tmp_path / "take"
    stage.at(1.0, "record", False)
    stage.card.happen.append((1.5, lambda: threading.Event().wait(0.2)))
    stage.play()
    assert watching.seen[0] == str(tmp_path / "take")
    assert watching.seen[-1] is None


# A device that is lost.


def lose(stage, second, *answers):
    def happen():
        stage.card.lost = True
        stage.card.answers = list(answers)

    stage.takes.waits = True
    stage.card.happen.append((second, happen))
    stage.card.happen.append((5.9, stage.takes.stop.set))


def test_a_lost_device_is_waited_for_and_hits_and_classes_go_on(stage, tmp_path):
    stage.takes.record = tmp_path / "take"
    lose(stage, 3.0, False, False, True)
    stage.play()
    assert stage.reported == ["a card is gone; waiting for it. Ctrl-C ends the session."]
    assert stage.said[0] == "a card is back; hits and classes go on."
    [lines] = stage.sessions
    onsets = [line["id"] for line in lines if line["event"] == "onset"]
    assert onsets == list(range(len(onsets)))
    assert len(onsets) > 18
    [xrun] = [line for line in lines if line["event"] == "xrun"]
    assert xrun["kind"] == "device_lost"
    assert abs(xrun["sample"] - 3 * 44100) <= STEP + 64
    same(tmp_path / "take")


def test_why_it_is_still_waited_for_is_told_once_for_each_reason(stage):
    rate, busy = SourceError("Expected 44100 Hz, got 48000."), SourceError("Expected it, got busy.")
    lose(stage, 2.0, False, rate, rate, rate, busy, busy, rate, True)
    stage.play()
    assert stage.reported[1:] == [
        "Expected 44100 Hz, got 48000. Still waiting.",
        "Expected it, got busy. Still waiting.",
        "Expected 44100 Hz, got 48000. Still waiting.",
    ]


def test_the_end_comes_at_once_while_it_is_waited_for(stage):
    lose(stage, 2.0)
    stage.takes.report = lambda _: threading.Timer(0.1, stage.takes.stop.set).start()
    summary = stage.play()
    assert summary["samples"] == pytest.approx(2 * 44100, abs=STEP)
    assert stage.sessions[0][-1] == summary


def test_what_the_pump_is_asked_for_is_done_while_it_waits(stage):
    lose(stage, 4.0)

    def told(_):
        stage.takes.controls.ask(Request("rename", {"class": 0, "name": "bass"}))
        threading.Timer(0.2, stage.takes.stop.set).start()

    stage.takes.report = told
    stage.play()
    assert stage.processor.learner.names[0] == "bass"


def test_a_source_that_is_not_waited_for_ends_the_session(stage):
    lose(stage, 2.0)
    stage.takes.waits = False
    assert stage.play()["samples"] < 3 * 44100


@pytest.mark.parametrize("more", [-1, 0, 60])
def test_a_source_that_stands_still_is_told_of_once_and_that_it_goes_on(stage, more):
    stage.takes.waits = True
    stage.card.happen.append((2.0, lambda: setattr(stage.card, "still", takes.STILL_POLLS + more)))
    stage.card.happen.append((5.9, stage.takes.stop.set))
    stage.play()
    told = more >= 0
    assert stage.reported == ["a card gives no audio; waiting. Ctrl-C ends the session."] * told
    assert stage.said == ["a card gives audio again."] * told


def test_an_input_without_sound_is_told_of_and_that_sound_comes(stage, audio):
    stage.card._audio = np.concatenate([np.zeros(6 * 44100, np.float32), audio])
    stage.takes.waits = True
    stage.card.happen.append((8.0, stage.takes.stop.set))
    stage.play()
    assert [line.split(" comes")[0] for line in stage.reported] == [
        "a card: nothing louder than -120 dBFS"
    ]
    assert [line.rsplit(",")[0] for line in stage.said] == ["a card: sound comes in"]


def test_channels_go_on_when_a_lost_device_is_back_and_nothing_is_asked_of_them(stage):
    channels = Channels(lambda: Processor(Settings(classes=3)))
    channels.prepare(44100, channels=2)
    channels.record["synchronous"] = 0

    def advance(block):
        channels.advance(np.repeat(block, 2, axis=1))

    stage.processor = SimpleNamespace(advance=advance, close=channels.close)
    stage.takes.engine = channels
    stage.at(1.0, "record", True)
    stage.at(1.5, "reset", True)
    stage.at(2.0, "freeze", True)
    lose(stage, 3.0, False, True)
    stage.play()
    assert stage.said == ["a card is back; hits and classes go on."]
    [lines] = stage.sessions
    assert not [line for line in lines if line["event"] == "control"]
    [xrun] = [line for line in lines if line["event"] == "xrun"]
    assert xrun["kind"] == "device_lost"
    assert "channel" not in xrun
    onsets = [line for line in lines if line["event"] == "onset"]
    first, second = ([o for o in onsets if o["channel"] == n] for n in (1, 2))
    assert second == [onset | {"channel": 2} for onset in first]
    assert [onset["id"] for onset in first] == list(range(len(first)))
    assert first[-1]["sample"] > 4 * 44100


# Names of folders.


@pytest.mark.parametrize(
    ("last", "following"),
    [
        ("evening", "evening take 2"),
        ("evening take 2", "evening take 3"),
        ("take", "take take 2"),
        ("my take on it", "my take on it take 2"),
        ("a/b c", "a/b c take 2"),
    ],
)
def test_the_next_folder_is_named_after_the_last(tmp_path, last, following):
    (tmp_path / last).mkdir(parents=True)
    if last == "evening take 2":
        (tmp_path / "evening").mkdir()
    assert next_folder(tmp_path / last) == tmp_path / following


def test_a_folder_that_is_there_is_passed_over(tmp_path, monkeypatch):
    for name in ("a", "a take 2", "a take 3"):
        (tmp_path / name).mkdir()
    assert next_folder(tmp_path / "a") == tmp_path / "a take 4"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(takes.time, "strftime", lambda _: "now")
    assert next_folder(None) == Path("now")
    Path("now").mkdir()
    assert next_folder(None) == Path("now take 2")
