"""What exports are made of."""

from __future__ import annotations

import json

import pytest

from rtcluster.errors import SourceError
from rtcluster.exports.take import end, label, read
from tests.exports.conftest import HITS, LENGTH, lines_of, written


def test_a_session_is_as_long_as_its_summary_says(take_of):
    take = take_of()
    assert (take.samples, take.seconds) == (LENGTH, 4.0)


def test_a_session_that_was_cut_off_ends_with_its_last_hit(take_of):
    assert take_of(summary=False).samples == 99999 + 3969


def test_a_torn_last_line_is_left_out(tmp_path):
    path = written(tmp_path / "events.jsonl", lines_of(HITS, summary=False))
    path.write_text(path.read_text() + '{"event":"onset","id":6,"sam')
    assert len(read(path).hits) == 6


def test_a_summary_never_cuts_a_hit_off(take_of):
    assert take_of(samples=10).samples == 100000


def test_hits_without_a_class_have_names_of_their_own(take_of):
    take = take_of(((100, -1, "", 9), (9000, -2, "unknown", 9), (20000, 3, "", 9)))
    assert [label(hit) for hit in take.hits] == ["learning", "unknown", "class 3"]


def test_a_rename_holds_for_every_hit(tmp_path):
    lines = lines_of(HITS)
    value = {"class": 1, "name": "rim\tshot\n\x00\ud800"}
    lines.insert(-1, {"event": "control", "sample": 1, "what": "rename", "value": value})
    take = read(written(tmp_path / "take.jsonl", lines))
    assert label(take.hits[1]) == "rim shot"


def test_a_hit_ends_where_its_measurement_did(take_of):
    take = take_of(((100, 0, "kick", 9), (9000, -1, "", 9)))
    assert [end(hit, 44100) - hit.sample for hit in take.hits] == [3969, 3969]
    take.hits[0].line["span"] = 40
    assert end(take.hits[0], 44100) == 140


def test_the_audio_of_a_recording_is_found_and_that_of_another_is_not(tmp_path):
    (tmp_path / "audio.flac").touch()
    written(tmp_path / "events.jsonl", lines_of(HITS))
    other = written(tmp_path / "other.jsonl", lines_of(HITS))
    assert read(tmp_path).audio == tmp_path / "audio.flac"
    assert read(other).audio is None


@pytest.mark.parametrize("sample", [-5, 1 << 62])
def test_hits_before_or_after_all_time_are_refused(tmp_path, sample):
    path = written(tmp_path / "events.jsonl", lines_of([(sample, 0, "kick", 9)]))
    with pytest.raises(SourceError, match="Expected hits at samples from 0"):
        read(path)


def test_what_is_no_session_is_refused(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text(json.dumps({"event": "hello"}) + "\n")
    with pytest.raises(SourceError, match="Expected the session line"):
        read(path)
