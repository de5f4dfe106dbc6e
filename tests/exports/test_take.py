"""What exports are made of."""

from __future__ import annotations

import json

import mido
import pytest

from rtcluster.errors import SourceError
from rtcluster.events import Part
from rtcluster.exports import Wanted, audacity, midi, table
from rtcluster.exports.take import drums, end, label, names, read
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


def of_two(tmp_path):
    """A session of one hit in which two drums sound."""
    lines = lines_of([(4410, 1, "snare", 100)])
    lines[2]["parts"] = [
        {"class": 1, "name": "snare", "velocity": 98},
        {"class": 2, "name": "hats", "velocity": 40},
    ]
    return read(written(tmp_path / "events.jsonl", lines))


def test_each_drum_of_a_hit_keeps_its_name_and_its_velocity(tmp_path):
    (hit,) = of_two(tmp_path).hits
    assert drums(hit) == [Part(1, "snare", 98), Part(2, "hats", 40)]
    assert names(hit) == "snare + hats"


def test_a_hit_of_two_drums_is_two_notes_a_label_and_a_row(tmp_path):
    take, out = of_two(tmp_path), tmp_path / "out"
    assert midi.write(out, take, Wanted()) == 1
    notes = [m for m in mido.merge_tracks(mido.MidiFile(out).tracks) if m.type == "note_on"]
    assert {(m.note, m.velocity) for m in notes} == {(38, 98), (42, 40)}
    audacity.write(out, take, Wanted())
    assert out.read_text().endswith("\tsnare + hats\n")
    table.write(out, take, Wanted())
    assert out.read_text().rstrip().endswith(",snare 98 + hats 40")


def test_a_session_that_tells_no_parts_has_one_drum_a_hit(take_of):
    assert [drums(hit) for hit in take_of().hits[:2]] == [
        [Part(0, "kick", 100)],
        [Part(1, "snare", 64)],
    ]


@pytest.mark.parametrize(
    "parts", [1, [1], [{"class": 1}], [{"class": "x", "name": "", "velocity": 1}]]
)
def test_parts_that_are_none_are_refused(tmp_path, parts):
    lines = lines_of([(4410, 1, "snare", 100)])
    lines[2]["parts"] = parts
    with pytest.raises(SourceError, match=r"\$\.parts"):
        read(written(tmp_path / "events.jsonl", lines))
