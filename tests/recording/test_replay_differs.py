"""A recording that was spoilt: the first difference is shown; what cannot be read is one line."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import soundfile

from rtcluster.errors import RtclusterError, SourceError
from rtcluster.recording import recorder as recorders
from rtcluster.recording.replay import Replay
from tests.recording.conftest import Live, edit, events_of, kit_of, replayed


@pytest.fixture(scope="module")
def recorded(audio, tmp_path_factory):
    folder = tmp_path_factory.mktemp("takes") / "take"
    with Live(folder) as session:
        session.play(audio)
    return folder


@pytest.fixture
def take(recorded, folder):
    """A recording that a test may spoil."""
    return shutil.copytree(recorded, folder)


def spoilt(kind, place, **fields):
    def change(lines):
        [*of_kind] = [line for line in lines if line["event"] == kind]
        of_kind[place].update(fields)
        return lines

    return change


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("onset", {"velocity": 128}),
        ("guess", {"energy": 0.5}),
        ("final", {"zcr": 7}),
        ("final", {"margin": 2.5}),
        ("final", {"name": "cowbell"}),
        ("relabel", {"class": 9}),
        ("model", {"version": 99}),
    ],
)
def test_the_first_difference_is_shown_with_both_values(take, kind, fields):
    [(field, value)] = fields.items()
    true = [line for line in events_of(take) if line["event"] == kind][2][field]
    edit(take, spoilt(kind, 2, **fields))
    text = replayed(take).difference
    if kind != "model":
        assert f'"{field}": {json.dumps(value)}' in text.partition("replayed")[0]
        assert f'"{field}": {json.dumps(true)}' in text.partition("replayed")[2]
    else:
        assert "model" in text


def test_a_line_that_is_missing_is_a_difference(take):
    edit(take, lambda lines: [x for x in lines if (x["event"], x.get("id")) != ("guess", 9)])
    assert '"guess"' in replayed(take).difference


def test_a_line_that_was_added_at_the_end_is_a_difference(take):
    def add(lines):
        last = max((x for x in lines if x["event"] == "onset"), key=lambda x: x["id"])
        return [*lines[:-1], last | {"id": 99}, lines[-1]]

    edit(take, add)
    assert replayed(take).difference.startswith("the replay ends before")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hits", 7),
        ("samples", 99),
        ("seconds", 1.5),
        ("classes", {"class 0": 1}),
        ("unclassified", 3),
        ("late_models", 2),
        ("xruns", 1),
        ("onset_latency_ms", {}),
    ],
)
def test_a_summary_that_says_something_else_is_a_difference(take, field, value):
    edit(take, lambda lines: [*lines[:-1], lines[-1] | {field: value}])
    assert f'"{field}": {json.dumps(value)}' in replayed(take).difference


def test_a_summary_of_an_earlier_version_may_say_less(take):
    edit(take, lambda lines: [*lines[:-1], {"event": "summary", "hits": lines[-1]["hits"]}])
    assert replayed(take).difference == ""


@pytest.mark.parametrize(
    "line",
    [
        {"event": "xrun", "sample": -5, "kind": "input_overflow"},
        {"event": "xrun", "sample": 1 << 40, "kind": "input_overflow"},
        {"event": "control", "sample": -1, "what": "freeze", "value": False},
    ],
    ids=["before the start", "after the end", "a control"],
)
def test_what_lies_outside_the_recording_is_a_difference(take, line):
    edit(take, lambda lines: [*lines[:9], line, *lines[9:]])
    text = replayed(take).difference
    assert f'"sample": {line["sample"]}' in text
    assert "is not within the 220500 samples" in text


def test_an_event_that_this_version_does_not_know_is_told(take):
    edit(take, lambda x: [*x[:5], {"event": "aurora", "sample": 9}, {"event": "aurora"}, *x[5:]])
    found = replayed(take)
    assert found.difference == ""
    assert found.notes == (
        "2 events of a kind that this version does not know, 'aurora', could not be compared",
    )


@pytest.mark.parametrize("hops", [1, -1, 5])
def test_a_model_that_took_effect_when_it_was_not_due_is_a_difference(take, hops):
    """Also where no hit was near, so that none has another class for it."""
    for place in (0, 3, -1):
        shutil.copy(take / "events.jsonl", take / "kept")
        [*models] = [line for line in events_of(take) if line["event"] == "model"]
        moved = models[place]["effective"] + 64 * hops
        edit(take, spoilt("model", place, effective=moved))
        assert "model" in replayed(take).difference
        shutil.move(take / "kept", take / "events.jsonl")


def test_a_model_that_was_in_time_cannot_have_come_late(take):
    edit(take, spoilt("model", 3, late=True))
    assert "late, where it was due at" in replayed(take).difference


def test_lines_that_are_missing_at_the_end_are_a_difference(take):
    edit(take, lambda lines: [x for x in lines if x.get("id", 0) < 15])
    assert replayed(take).difference


def test_audio_that_ends_early_is_a_difference(take):
    audio, rate = soundfile.read(take / "audio.wav", dtype="float32")
    soundfile.write(take / "audio.wav", audio[: len(audio) // 2], rate, subtype="FLOAT")
    assert replayed(take).difference
    soundfile.write(take / "audio.wav", audio[:-7], rate, subtype="FLOAT")
    found = replayed(take).difference
    assert found


def test_a_recording_that_was_cut_off_anywhere_is_the_same_up_to_there(take):
    text = (take / "events.jsonl").read_bytes()
    audio, rate = soundfile.read(take / "audio.wav", dtype="float32")
    rng = np.random.default_rng(1)
    first = text.index(b"\n") + 1
    for _ in range(6):
        (take / "events.jsonl").write_bytes(text[: rng.integers(first, len(text) - 400)])
        part = audio[: rng.integers(1, len(audio))]
        soundfile.write(take / "audio.wav", part, rate, subtype="FLOAT")
        found = replayed(take)
        assert found.difference == ""
        assert found.notes == ("the recording was cut off, and was compared up to there",)


def test_a_recording_that_was_cut_off_and_changed_is_a_difference(take):
    edit(take, lambda lines: spoilt("final", 5, energy=1.0)(lines)[:-1])
    assert '"energy": 1.0' in replayed(take).difference


def one_line(error):
    text = str(error.value)
    assert "\n" not in text
    assert text.startswith("Expected ")
    return text


def refused(take):
    with pytest.raises(RtclusterError) as error, Replay(take) as replay:
        list(replay.play())
    return one_line(error)


def test_missing_audio_is_told_in_one_line(take):
    (take / "audio.wav").unlink()
    assert "audio.wav or audio.flac" in refused(take)


def test_missing_events_are_told_in_one_line(take):
    (take / "events.jsonl").unlink()
    assert "events.jsonl" in refused(take)


def test_audio_of_another_rate_is_told_in_one_line(take):
    audio, _ = soundfile.read(take / "audio.wav", dtype="float32")
    soundfile.write(take / "audio.wav", audio, 48000, subtype="FLOAT")
    assert "48000" in refused(take)
    soundfile.write(take / "audio.wav", np.stack([audio, audio], 1), 44100, subtype="FLOAT")
    assert "got 2" in refused(take)


@pytest.mark.parametrize(
    "settings",
    [{"colour": "red"}, {"classes": "many"}, {"threshold": "high"}, {"window": []}, {"seed": None}],
)
def test_settings_that_this_version_does_not_know_are_told_in_one_line(take, settings):
    edit(take, lambda x: [x[0] | {"settings": x[0]["settings"] | settings}, *x[1:]])
    assert "settings" in refused(take)


@pytest.mark.parametrize("settings", [None, [], "none", 3])
def test_settings_that_are_none_are_told_in_one_line(take, settings):
    edit(take, lambda x: [x[0] | {"settings": settings}, *x[1:]])
    assert "settings" in refused(take)


@pytest.mark.parametrize(
    "control",
    [
        {"what": "threshold", "value": "high"},
        {"what": "mask", "value": -1},
        {"what": "mask", "value": 1e9},
        {"what": "freeze", "value": "yes"},
        {"what": "rename", "value": {"class": 1}},
        {"what": "rename", "value": {"class": 77, "name": "far"}},
        {"what": "mute", "value": 3},
    ],
    ids=str,
)
def test_a_control_that_could_not_have_been_asked_for_is_told_in_one_line(take, control):
    edit(take, lambda x: [x[0], {"event": "control", "sample": 0, **control}, *x[1:]])
    refused(take)


def test_a_kit_that_does_not_fit_is_told_in_one_line(take, audio):
    from rtcluster.learning import kit_file

    kit_file.save(take / recorders.KIT_FILE, kit_of(audio, classes=2))
    assert "classes" in refused(take)
    (take / recorders.KIT_FILE).write_text("{")
    assert "kit" in refused(take)


def test_a_file_that_is_no_folder_is_told_in_one_line(take):
    with pytest.raises(SourceError, match="neither"):
        Replay(take / "events.jsonl")
