from __future__ import annotations

import pytest

from rtcluster.batch.plan import endings, find, measured, outputs
from rtcluster.errors import SettingsError, SourceError


def test_a_folder_gives_its_recordings_by_name_and_leaves_the_rest(archive):
    assert [one.relative for one in find([str(archive)])] == [
        "a.wav", "b.flac", "deep/c.wav", "deep/er/d.wav", "e.wav",
    ]  # fmt: skip


def test_the_order_is_that_of_the_arguments(archive):
    given = [str(archive / "e.wav"), str(archive / "deep"), str(archive / "a.wav")]
    assert [one.relative for one in find(given)] == ["e.wav", "c.wav", "er/d.wav", "a.wav"]


def test_what_is_not_there_stays_in_its_place():
    assert [(one.path, one.size) for one in find(["none.wav"])] == [("none.wav", 0)]


def test_a_folder_without_audio_is_refused(tmp_path):
    (tmp_path / "readme.txt").write_text("nothing to hear")
    with pytest.raises(SourceError, match="Expected audio files in the folder"):
        find([str(tmp_path)])


def test_lengths_are_those_of_the_headers(archive, tmp_path):
    text = tmp_path / "text.wav"
    text.write_text("this is not audio")
    found = measured(find([str(archive), str(text), "none.wav"]))
    assert [one.seconds for one in found] == [5.0, 4.0, 6.0, 3.0, 4.0, 0.0, 0.0]


def test_usual_endings_are_known_and_what_is_no_audio_is_not():
    known = endings()
    assert {"wav", "flac", "ogg", "mp3", "aif", "aiff", "w64", "caf"} <= known
    assert not {"raw", "mat", "txt", "jsonl"} & known


def test_each_output_has_the_recordings_name(archive):
    assert outputs(find([str(archive)]))[3] == "deep/er/d.wav.jsonl"


def test_two_recordings_of_one_name_are_refused_in_one_line(archive):
    twice = find([str(archive), str(archive / "a.wav")])
    with pytest.raises(SettingsError, match=r"^Expected a name of its own .* a\.wav\.jsonl"):
        outputs(twice)
