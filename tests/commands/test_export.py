"""``rtcluster export``, from a recording to files that other programs open."""

from __future__ import annotations

import json

import mido
import numpy as np
import pytest
import soundfile

from rtcluster.exports import FORMATS

NAMES = (
    "session.mid", "session.labels.txt", "session.svl", "session.csv", "session.clicks.wav",
    "session.jams",
)  # fmt: skip


@pytest.fixture
def recording(rtcluster, wav, tmp_path):
    """A recording's folder, of a session of the engine."""
    code, events, _ = rtcluster("run", wav, "-k", "3")
    assert code == 0
    folder = tmp_path / "recording"
    folder.mkdir()
    (folder / "events.jsonl").write_text(events)
    (folder / "audio.wav").write_bytes((tmp_path / "drums.wav").read_bytes())
    return folder


def test_every_format_is_written_beside_the_events(rtcluster, recording, drums):
    arguments = [part for name in FORMATS for part in ("--to", name)]
    code, out, err = rtcluster("export", recording, *arguments)
    assert (code, out) == (0, "")
    count = len(drums.strokes)
    assert err.splitlines() == [f"Wrote {recording / name}: {count} hits." for name in NAMES]
    assert sorted(p.name for p in recording.iterdir()) == sorted(
        ["audio.wav", "events.jsonl", *NAMES]
    )


def test_the_midi_file_has_every_stroke_that_was_played(rtcluster, recording, drums):
    rtcluster("export", recording, "--to", "midi", "--bpm", "100", "--note", "1=40,2=44")
    now, times, notes = 0.0, [], set()
    for message in mido.MidiFile(recording / "session.mid"):
        now += message.time
        if message.type == "note_on":
            times.append(now)
            notes.add(message.note)
    played = [stroke.sample / 44100 for stroke in drums.strokes]
    np.testing.assert_allclose(times, played, atol=0.005)
    assert notes == {36, 40, 44}


def test_the_midi_file_has_the_tempo_that_was_played(rtcluster, recording, monkeypatch):
    def tempo():
        (found,) = [m.tempo for m in mido.MidiFile(recording / "session.mid").tracks[0]
                    if m.type == "set_tempo"]  # fmt: skip
        return mido.tempo2bpm(found)

    code, _, err = rtcluster("export", recording, "--to", "midi", "--bpm", "auto")
    assert code == 0
    assert err.startswith("Tempo of the MIDI file: 104")
    assert abs(tempo() - 104.0) < 0.5
    monkeypatch.setattr("rtcluster.performance.measures.pulses.FEWEST", 10**6)
    _, _, err = rtcluster("export", recording, "--to", "midi", "--bpm", "auto", "--overwrite")
    assert err.startswith("No steady tempo: ")
    assert tempo() == 120.0


def test_a_file_of_events_is_as_good_as_a_folder(rtcluster, recording, tmp_path):
    events = (recording / "events.jsonl").rename(tmp_path / "monday.jsonl")
    code, _, err = rtcluster("export", events, "--to", "csv,audacity")
    assert code == 0
    assert str(tmp_path / "monday.csv") in err
    assert (tmp_path / "monday.labels.txt").is_file()


def test_output_names_the_file_and_an_old_one_is_replaced_if_asked(rtcluster, recording, tmp_path):
    target = tmp_path / "mine.csv"
    target.write_text("old")
    code, _, err = rtcluster("export", recording, "--to", "csv", "-o", target)
    assert (code, target.read_text()) == (1, "old")
    assert "mine.csv: it is there already; name another file, or replace it with --over" in err
    code, _, _ = rtcluster("export", recording, "--to", "csv", "-o", target, "--overwrite")
    assert code == 0
    assert target.read_text().startswith("id,time,")
    assert not (recording / "session.csv").exists()


def test_a_session_that_was_killed_is_exported_too(rtcluster, recording):
    events = recording / "events.jsonl"
    text = events.read_text()
    events.write_text(text[: len(text) * 2 // 3])
    code, _, err = rtcluster("export", recording, "--to", ",".join(FORMATS))
    assert code == 0
    assert len(err.splitlines()) == len(FORMATS)


def test_hits_that_never_got_a_class_are_left_out_of_midi_and_counted(rtcluster, recording):
    events = recording / "events.jsonl"
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    wanted = [line for line in lines if line["event"] in ("session", "onset")]
    events.write_text("".join(json.dumps(line) + "\n" for line in [*wanted, lines[-1]]))
    _, _, err = rtcluster("export", recording, "--to", "midi,csv")
    hits = len(wanted) - 1
    assert f"session.mid: 0 of {hits} hits; those without a class are left out.\n" in err
    assert f"session.csv: {hits} hits.\n" in err
    _, _, err = rtcluster(
        "export", recording, "--to", "midi", "--note", "learning=37", "--overwrite"
    )
    assert f"session.mid: {hits} hits.\n" in err


def test_a_session_without_hits_is_told(rtcluster, tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(44100), 44100)
    _, events, _ = rtcluster("run", tmp_path / "silence.wav")
    (tmp_path / "events.jsonl").write_text(events)
    code, out, err = rtcluster("export", tmp_path, "--to", ",".join(FORMATS))
    assert (code, out) == (0, "")
    assert err.splitlines() == [
        f"Wrote {tmp_path / name}: no hits, as the session has none." for name in NAMES
    ]
    assert soundfile.info(tmp_path / "session.clicks.wav").frames == 44100


def test_clicks_go_over_the_audio(rtcluster, recording):
    code, _, _ = rtcluster("export", recording, "--to", "clicks.wav", "--mix")
    assert code == 0
    mixed, _ = soundfile.read(recording / "session.clicks.wav")
    audio, _ = soundfile.read(recording / "audio.wav")
    assert len(mixed) == len(audio)
    before = slice(0, 10000)  # before the first hit
    assert np.corrcoef(mixed[before], audio[before])[0, 1] > 0.9


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["none", "--to", "csv"], 1, "Expected a recording's folder or a file of events"),
        (["WAV", "--to", "csv"], 1, "Expected"),
        (["EMPTY", "--to", "csv"], 1, "Expected"),
        (["DIR"], 2, "Expected --to midi, audacity, sonic-visualiser, csv, clicks.wav, jams"),
        (["DIR", "--to", "mp3"], 2, "got 'mp3'"),
        (["DIR", "--to", "csv,midi", "-o", "x"], 2, "Expected one format with -o, got 2"),
        (["DIR", "--to", "midi", "--bpm", "0"], 2, "Expected a tempo from 10 to 1000"),
        (["DIR", "--to", "midi", "--bpm", "fast"], 2, "a number or auto, got 'fast'"),
        (["DIR", "--to", "midi", "--note", "snare=200"], 2, "Expected NAME=NOTE"),
        (["DIR", "--to", "csv", "--bpm", "90"], 2, "Expected --to midi with --bpm, got csv"),
        (["DIR", "--to", "csv", "--mix"], 2, "Expected --to clicks.wav with --mix, got csv"),
        (["DIR", "--to", "csv", "-o", "none/x.csv"], 1, "none/x.csv: its folder is missing"),
        (["DIR", "--to", "csv", "-o", "DIR"], 1, "it is a folder; name a file to write to"),
        (["DIR", "--to", "csv", "-o", "EVENTS"], 2, "it is an input; name another file"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    rtcluster, recording, wav, tmp_path, arguments, code, told
):
    (tmp_path / "empty.jsonl").touch()
    before = sorted(recording.iterdir())
    names = {
        "DIR": recording,
        "EVENTS": recording / "events.jsonl",
        "WAV": wav,
        "EMPTY": tmp_path / "empty.jsonl",
    }
    got, out, err = rtcluster("export", *[names.get(a, a) for a in arguments])
    assert (got, out) == (code, "")
    assert err.startswith("rtcluster: ")
    assert told in err
    assert len(err.splitlines()) == 1
    assert sorted(recording.iterdir()) == before
