"""``rtcluster demo --record`` and ``rtcluster replay``, as a person types them."""

from __future__ import annotations

import json
import shutil
import time

import numpy as np
import pytest
import soundfile

from rtcluster import Settings
from rtcluster.errors import SourceError
from rtcluster.sinks.jsonl import JsonLines
from rtcluster.sources import groove
from tests.recording.conftest import Live, events_of


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("takes") / "take"
    with Live(folder, Settings(classes=3)) as session:
        session.play(groove.render(3.0).audio)
    return folder


@pytest.fixture
def take(recorded, tmp_path):
    return shutil.copytree(recorded, tmp_path / "take")


def change(take, kind, **fields):
    lines = events_of(take)
    next(line for line in lines if line["event"] == kind).update(fields)
    (take / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_recording_is_replayed_and_said_to_be_the_same(rtcluster, take):
    code, out, err = rtcluster("replay", take)
    assert (code, out) == (0, "")
    [line] = err.splitlines()
    assert line.startswith("Replayed 3.0 s of audio: ")
    assert line.endswith(" events, every one the same, bit for bit.")


def test_a_difference_is_shown_with_both_values_and_exit_code_1(rtcluster, take):
    [*finals] = [line for line in events_of(take) if line["event"] == "final"]
    change(take, "final", zcr=12345)
    code, out, err = rtcluster("replay", take)
    assert (code, out) == (1, "")
    [line] = err.splitlines()
    assert line.startswith("rtcluster: Expected the events of ")
    assert '"zcr": 12345' in line
    assert f'"zcr": {finals[0]["zcr"]}' in line


def test_a_recording_that_was_cut_off_is_a_note_and_no_failure(rtcluster, take):
    text = (take / "events.jsonl").read_text()
    (take / "events.jsonl").write_text(text[: 2 * len(text) // 3])
    code, _, err = rtcluster("replay", take)
    assert code == 0
    note, line = err.splitlines()
    assert note == "Note: the recording was cut off, and was compared up to there."
    assert line.startswith("Replayed 3.0 s")


def test_the_replayed_events_can_be_written_again(rtcluster, take):
    code, out, _ = rtcluster("replay", take, "--jsonl", "-")
    assert code == 0
    again, first = [json.loads(line) for line in out.splitlines()], events_of(take)
    assert again[0]["settings"] == first[0]["settings"]
    assert [x for x in again if x["event"] == "final"] == [
        x for x in first if x["event"] == "final"
    ]
    assert again[-1]["event"] == "summary"


def test_realtime_takes_as_long_as_the_recording(rtcluster, take):
    audio, rate = soundfile.read(take / "audio.wav", dtype="float32")
    soundfile.write(take / "audio.wav", audio[:22050], rate, subtype="FLOAT")
    text = (take / "events.jsonl").read_text()
    (take / "events.jsonl").write_text(text[: text.rindex("\n", 0, -1) + 1])
    began = time.monotonic()
    code, _, _ = rtcluster("replay", take, "--realtime")
    assert code == 0
    assert time.monotonic() - began >= 0.49


@pytest.mark.parametrize("missing", ["audio.wav", "events.jsonl"])
def test_what_is_no_recording_is_refused_in_one_line_and_nothing_is_written(
    rtcluster, take, tmp_path, missing
):
    (take / missing).unlink()
    code, out, err = rtcluster("replay", take, "--jsonl", tmp_path / "again.jsonl")
    assert (code, out) == (1, "")
    [line] = err.splitlines()
    assert line.startswith("rtcluster: Expected ")
    assert not (tmp_path / "again.jsonl").exists()


def test_settings_of_another_version_are_refused_in_one_line(rtcluster, take):
    change(take, "session", settings={"colour": "red"})
    code, _, err = rtcluster("replay", take)
    assert code == 1
    [line] = err.splitlines()
    assert "colour" in line


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_what_listen_records_is_replayed(rtcluster, card, drums, tmp_path, kind):
    card(drums.audio[: 2 * 44100])
    take = tmp_path / "take"
    code, _, err = rtcluster("listen", "-k", "3", "--record", take, "--record-format", kind)
    assert code == 130
    assert f"Recorded in {take}; 'rtcluster replay {take}' replays it." in err
    assert (take / f"audio.{kind}").is_file()
    code, _, err = rtcluster("replay", take)
    assert code == 0, err
    assert "bit for bit" in err


def test_a_record_format_that_there_is_none_of_is_wrong_usage(rtcluster, card, drums, tmp_path):
    card(drums.audio[:44100])
    take = tmp_path / "take"
    code, _, err = rtcluster("listen", "--record", take, "--record-format", "mp3")
    assert code == 2
    assert "wav or flac" in err
    assert not take.exists()


def test_a_folder_in_use_is_wrong_usage(rtcluster, card, drums, tmp_path):
    card(drums.audio[:44100])
    (tmp_path / "thesis.txt").write_text("mine")
    code, _, err = rtcluster("listen", "--record", tmp_path)
    assert code == 2
    assert "new or empty folder" in err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_device_that_does_not_open_leaves_no_folder(rtcluster, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise SourceError("Expected a device, got none.")

    monkeypatch.setattr("rtcluster.sources.live.LiveInput", refuse)
    code, _, err = rtcluster("listen", "--record", tmp_path / "take", "--jsonl", tmp_path / "x")
    assert code == 1
    assert "Expected a device" in err
    assert list(tmp_path.iterdir()) == []


def test_outputs_are_closed_though_one_of_them_fails_at_it(rtcluster, card, monkeypatch, tmp_path):
    def fail(self):
        self._stream.close()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(JsonLines, "close", fail)
    card(np.zeros(4410, np.float32))
    code, _, err = rtcluster("listen", "--jsonl", tmp_path / "x.jsonl")
    assert code == 130
    assert "JSON Lines output could not be closed: " in err


def test_a_demo_without_a_hit_ends_well(rtcluster, monkeypatch):
    quiet = groove.Groove(np.zeros(22050, np.float32), (), 44100)
    monkeypatch.setattr(groove, "render", lambda *_, **__: quiet)
    code, _, err = rtcluster("demo", "--seconds", "1")
    assert code == 0, err
    assert "0 of 0 strokes" in err
