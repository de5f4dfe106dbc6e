"""The table of hits, from audio and from what a session wrote."""

import json

import numpy as np
import pytest
import soundfile

import rtcluster
from rtcluster import Final, Onset, Relabel, Settings
from rtcluster.errors import RtclusterError, SettingsError
from tests.conftest import run


@pytest.fixture(scope="module")
def audio(drums):
    return drums.audio[: 5 * 44100]


@pytest.fixture(scope="module")
def events(audio):
    return run(audio, settings=Settings(classes=3))


@pytest.fixture(scope="module")
def table(audio):
    return rtcluster.hits(audio, 44100, classes=3)


@pytest.fixture
def jsonl(tmp_path, events):
    settings = Settings(classes=3).as_dict()
    session = {"event": "session", "version": 1, "samplerate": 44100, "settings": settings}
    path = tmp_path / "take.jsonl"
    lines = [session, *(event.as_dict() for event in events)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_there_is_a_row_a_hit_with_the_class_that_it_had_in_the_end(table, events):
    onsets = [event for event in events if isinstance(event, Onset)]
    classes = {}
    for event in events:
        if isinstance(event, Final | Relabel):
            classes[event.id] = event.class_
    assert any(isinstance(event, Relabel) for event in events)
    assert table["sample"].tolist() == [onset.sample for onset in onsets]
    assert table["class"].tolist() == [classes[onset.id] for onset in onsets]
    assert np.allclose(table.time, table.sample / 44100)
    assert (table["class"] >= 0).all()
    assert set(table.name) == {"class 0", "class 1", "class 2"}


def test_a_file_of_events_and_the_audio_give_the_same(table, jsonl):
    read = rtcluster.read(jsonl)
    assert read.dtype == table.dtype
    assert read.tobytes() == table.tobytes()


def test_a_file_of_audio_gives_the_same_as_the_array(table, audio, tmp_path):
    path = tmp_path / "drums.wav"
    soundfile.write(path, audio, 44100, subtype="FLOAT")
    assert rtcluster.hits(path, classes=3).tobytes() == table.tobytes()


def test_the_features_that_decided_are_columns(audio):
    chosen = Settings(features="best").features
    found = rtcluster.hits(audio, 44100, classes=3, features="best")
    finals = {e.id: e for e in run(audio, settings=Settings(classes=3, features="best"))
              if isinstance(e, Final)}  # fmt: skip
    for place, name in enumerate(chosen):
        assert found[name].tolist() == [finals[number].features[place] for number in found.id]


def test_a_file_of_events_has_the_features_that_decided_too(audio, tmp_path):
    chosen = Settings(classes=3, features="complexity,air,zcr")
    session = {"event": "session", "version": 1, "samplerate": 44100, "settings": chosen.as_dict()}
    lines = [session, *(event.as_dict() for event in run(audio, settings=chosen))]
    path = tmp_path / "take.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    read = rtcluster.read(path)
    assert read.dtype.names[-2:] == ("complexity", "air")
    wanted = rtcluster.hits(audio, 44100, classes=3, features="complexity,air,zcr")
    assert read.tobytes() == wanted.tobytes()


def test_a_feature_that_is_called_like_a_column_has_one_of_its_own(audio):
    found = rtcluster.hits(audio[:44100], 44100, classes=2, features="zcr,level")
    assert found.dtype.names[-1] == "level_feature"


def test_it_becomes_a_data_frame_and_is_short_to_look_at(table):
    frame = table.to_pandas()
    assert list(frame.columns) == list(table.dtype.names)
    assert frame["time"].tolist() == table.time.tolist()
    assert len(repr(table).splitlines()) <= 22
    assert "class 1" in repr(table)
    assert table._repr_html_().count("<tr>") == min(20, len(table)) + 1
    assert len(table[table.name == "class 1"]) == (table["class"] == 1).sum()


def test_bad_input_is_one_line():
    with pytest.raises(SettingsError, match="Expected the sample rate of an array"):
        rtcluster.hits(np.zeros(100))
    with pytest.raises(RtclusterError, match=r"^Expected a block of numbers"):
        rtcluster.hits(np.zeros((4, 4, 4)), 44100)
