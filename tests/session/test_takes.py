"""Takes: what begins one, and what it keeps of the one before."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from rtcluster import Processor, Settings
from rtcluster.errors import RtclusterError, SourceError
from rtcluster.learning.detection import Detection
from rtcluster.learning.kit import Kit
from rtcluster.recording.audio import AudioWriter
from rtcluster.recording.log import hits, read
from rtcluster.session import takes
from rtcluster.session.takes import next_folder
from rtcluster.sinks import Sink
from tests.recording.conftest import same
from tests.session.conftest import Card, lose


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


def test_classes_that_were_merged_are_one_in_the_summary_and_the_next_take(stage):
    stage.at(3.0, "rename", {"class": 0, "name": "bass"})
    stage.at(3.2, "merge", {"class": 1, "into": 0})
    stage.at(3.4, "mute", {"class": 1, "muted": True})
    stage.at(3.6, "save", True)
    stage.at(4.0, "record", True)
    stage.play()
    assert stage.processor.learner.names[:2] == ["bass", "bass"]
    assert stage.reported == []
    first, second = stage.sessions
    for summary in (first[-1], second[-1]):
        assert set(summary["classes"]) == {"bass", stage.processor.learner.names[2]}
        assert sum(summary["classes"].values()) == summary["hits"] - summary["unclassified"]
    told = [(x["what"], x["value"], x["sample"]) for x in second if x["event"] == "control"]
    assert ("rename", {"class": 1, "name": "bass"}, 0) in told
    assert {value["class"] for what, value, _ in told if what == "mute"} == {0, 1}
    [folder] = stage.folders
    same(folder)
    classes = {hit.class_ for hit in hits(read(folder))}
    assert classes <= {0, 2}
    [kit] = stage.kits
    assert kit.names == ("bass", stage.processor.learner.names[2])
    assert {*kit.learned["centres"]["owner"]} == {0, 1}
    assert f"Saved {', '.join(kit.names)} in kept.kit." in stage.said


def test_what_was_merged_is_taken_back_in_a_later_take_and_not_after_a_reset(stage):
    stage.at(3.0, "rename", {"class": 0, "name": "bass"})
    stage.at(3.2, "merge", {"class": 1, "into": 0})
    stage.at(3.4, "record", True)
    stage.at(4.0, "undo", True)
    stage.at(5.0, "reset", True)
    stage.at(5.5, "undo", True)
    stage.play()
    assert stage.reported == ["Expected a naming or a merge to take back, got none."]
    told = [line for line in stage.sessions[1] if line["event"] == "control"]
    assert [(x["value"]["class"], x["value"]["name"]) for x in told if x["sample"]] == [
        (1, "class 1")
    ]
    assert "class 1" in stage.sessions[1][-1]["classes"]
    same(stage.folders[0])


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
    def fail(_):
        raise ZeroDivisionError("in the learner")

    lose(stage, 2.0)
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
