"""The MIDI file, read back by mido."""

from __future__ import annotations

import mido
import pytest

from rtcluster.exports import Wanted, export
from rtcluster.exports.take import read
from tests.exports.conftest import HITS, LENGTH, RATE, lines_of, written


def played(file):
    """Notes of a file as (time in s, note, velocity, length in s), and whether all have ended."""
    tempo = next(m.tempo for m in file.tracks[0] if m.type == "set_tempo")
    now, sounding, notes = 0, {}, []
    for message in mido.merge_tracks(file.tracks):
        now += message.time
        if message.type not in ("note_on", "note_off"):
            continue
        assert message.channel == 9
        at = mido.tick2second(now, file.ticks_per_beat, tempo)
        if message.type == "note_on":
            assert message.note not in sounding
            sounding[message.note] = (at, message.velocity)
        else:
            begin, velocity = sounding.pop(message.note)
            notes.append((begin, message.note, velocity, at - begin))
    assert not sounding
    return sorted(notes)


@pytest.mark.parametrize("bpm", [10, 60, 97.3, 120, 174, 1000])
def test_hits_are_where_they_were_at_any_tempo(exported, bpm):
    path, count = exported("midi", wanted=Wanted(bpm))
    notes = played(mido.MidiFile(path))
    expected = [hit for hit in HITS if hit[1] >= 0]
    assert count == len(notes) == len(expected)
    for (time, _, velocity, _), (sample, _, _, loud) in zip(notes, expected, strict=True):
        assert time == pytest.approx(sample / RATE, abs=0.000126)
        assert velocity == loud


def test_an_hour_does_not_drift(exported):
    hits = [(number * 15876001 // 100, 0, "kick", 90) for number in range(1000)]
    path, _ = exported("midi", hits, Wanted(97.3), samples=hits[-1][0] + RATE)
    for (time, *_), (sample, *_) in zip(played(mido.MidiFile(path)), hits, strict=True):
        assert time == pytest.approx(sample / RATE, abs=0.000126)


def test_drums_are_on_the_notes_of_their_names(exported):
    path, _ = exported("midi")
    assert [note for _, note, _, _ in played(mido.MidiFile(path))] == [36, 38, 42, 36, 42]


def test_given_notes_count_and_bring_in_the_unknown(exported):
    wanted = Wanted(notes={"snare": 40, "0": 35, "unknown": 75})
    path, count = exported("midi", wanted=wanted)
    assert count == 6
    assert [n for _, n, _, _ in played(mido.MidiFile(path))] == [35, 40, 42, 35, 75, 42]


def test_the_file_says_what_it_is_in_its_first_track_as_long_as_the_session(exported):
    path, _ = exported("midi", wanted=Wanted(90), source="/tapes/gröve 鼓.wav")
    file = mido.MidiFile(path, charset="utf-8")
    track = file.tracks[0]
    texts = [m.text for m in track if m.type == "text"]
    assert file.type == 1
    assert track.name == "Drums of gröve 鼓.wav"
    assert texts[0].endswith(": /tapes/gröve 鼓.wav")
    assert texts[1:] == ["kick: note 36", "snare: note 38", "hats: note 42"]
    assert [m.tempo for m in track if m.type == "set_tempo"] == [mido.bpm2tempo(90)]
    assert file.length == pytest.approx(LENGTH / RATE, abs=0.001)


def test_each_drum_has_a_track_of_its_name(exported):
    path, _ = exported("midi")
    head, *drums = mido.MidiFile(path).tracks
    assert [track.name for track in drums] == ["kick", "snare", "hats"]
    assert not [m for m in head if m.type == "note_on"]
    notes = [{m.note for m in track if m.type == "note_on"} for track in drums]
    assert notes == [{36}, {38}, {42}]


def test_a_roll_has_every_stroke_and_each_note_ends_before_the_next(exported):
    hits = [(1000 + 441 * n, 0, "snare", 100) for n in range(50)]
    path, _ = exported("midi", hits)
    notes = played(mido.MidiFile(path))
    assert len(notes) == 50
    assert max(length for *_, length in notes[:-1]) <= 0.0103
    assert notes[-1][3] == pytest.approx(0.05, abs=0.001)


def test_a_session_without_hits_is_a_file_that_plays_silence(exported):
    path, _ = exported("midi", ())
    file = mido.MidiFile(path)
    assert played(file) == []
    assert file.length == pytest.approx(LENGTH / RATE, abs=0.001)


def test_each_of_two_drums_is_where_it_was_struck(tmp_path):
    lines = lines_of([(4410, 0, "kick", 100)])
    lines[2]["parts"] = [
        {"class": 0, "name": "kick", "velocity": 100, "offset": 441},
        {"class": 2, "name": "hihat", "velocity": 60, "offset": 0},
    ]
    target, _ = export("midi", read(written(tmp_path / "events.jsonl", lines)), Wanted())
    notes = played(mido.MidiFile(target))
    assert [(note, loud) for _, note, loud, _ in notes] == [(42, 60), (36, 100)]
    assert [at for at, *_ in notes] == pytest.approx([0.1, 0.11], abs=2e-4)
