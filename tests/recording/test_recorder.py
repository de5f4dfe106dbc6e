"""The recorder against disks that stall, fill up, fail and lie."""

from __future__ import annotations

import errno
import time

import numpy as np
import pytest
import soundfile

from rtcluster import Onset, Processor, Settings
from rtcluster.engine import tap
from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.recording.audio import AudioWriter
from rtcluster.recording.log import read
from rtcluster.recording.recorder import Recorder
from rtcluster.session.pump import Pump
from rtcluster.session.session import Session
from rtcluster.sinks.jsonl import JsonLines
from rtcluster.sources import groove
from rtcluster.sources.virtual import VirtualInput
from tests.conftest import Kept
from tests.recording.conftest import events_of, replayed, same

SPACE = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture(scope="module")
def audio():
    return groove.render(3.5).audio


def fail_at(monkeypatch, owner, method, count, error=SPACE):
    """Have the n-th call of a method fail, and all after it."""
    honest, calls = getattr(owner, method), []

    def fails(self, *arguments):
        calls.append(1)
        if len(calls) >= count:
            raise error
        return honest(self, *arguments)

    monkeypatch.setattr(owner, method, fails)


def played_in_real_time(folder, audio, **options):
    """A session with the recorder's own thread and clock."""
    told, kept = [], Kept()
    processor = Processor(Settings(classes=3))
    source = VirtualInput(processor, audio, 44100)
    recorder = Recorder(folder, processor, told.append, **options)
    session = Session(processor, "a test", [kept, recorder], told.append)
    with Pump(session), source:
        while source.active:
            time.sleep(0.01)
    return session.end(), told, kept


def test_nothing_is_lost_when_the_disk_stalls_for_a_second(folder, audio, monkeypatch):
    honest, stalls = AudioWriter.append, iter([0.0, 0.0, 0.0, 1.1])

    def append(self, piece):
        time.sleep(next(stalls, 0.0))
        honest(self, piece)

    monkeypatch.setattr(AudioWriter, "append", append)
    summary, told, _ = played_in_real_time(folder, audio)
    assert told == []
    assert summary["recording"]["lost"] == 0
    assert summary["recording"]["complete"]
    kept, _ = soundfile.read(folder / "audio.wav", dtype="float32")
    assert np.array_equal(kept, audio)
    same(folder)


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_what_a_longer_stall_loses_is_silence_in_its_place_and_counted(
    live, folder, audio, monkeypatch, kind
):
    monkeypatch.setattr(tap, "_SAFE", 22050)
    with live(kind=kind) as session:
        session.play(audio[:44160])
        session.recorder.step()
        session.hear(audio[44160:132480])  # two seconds, of which half a second is still there
        session.recorder.step()
        session.play(audio[132480:])
    lost = 132480 - 44160 - 22050
    [line] = [line for line in events_of(folder) if line["event"] == "lost_audio"]
    assert line == {"event": "lost_audio", "sample": 44160, "frames": lost}
    assert session.summary["recording"] == {
        "folder": str(folder), "samples": len(audio), "lost": lost, "complete": False,
    }  # fmt: skip
    kept, _ = soundfile.read(folder / f"audio.{kind}", dtype="float32")
    assert len(kept) == len(audio)
    assert not kept[44160 : 44160 + lost].any()
    assert np.allclose(kept[44160 + lost :], audio[44160 + lost :], atol=1e-6)
    found = replayed(folder)
    assert found.difference == ""
    assert found.compared >= 5
    assert f"{lost} samples of audio lost at 44160" in found.notes[0]


def test_a_difference_before_what_was_lost_is_still_told(live, folder, audio, monkeypatch):
    monkeypatch.setattr(tap, "_SAFE", 22050)
    with live() as session:
        session.play(audio[:88320])
        session.recorder.step()
        session.hear(audio[88320:])
        session.recorder.step()
    text = (folder / "events.jsonl").read_text()
    (folder / "events.jsonl").write_text(text.replace('"strength": ', '"strength": 1', 1))
    assert '"strength": 1' in replayed(folder).difference


@pytest.mark.parametrize(
    ("owner", "method", "count"),
    [(AudioWriter, "append", 12), (JsonLines, "write", 20)],
    ids=["audio", "events"],
)
def test_a_full_disk_stops_the_recording_and_not_the_session(
    live, folder, audio, monkeypatch, owner, method, count
):
    error = SPACE
    if owner is AudioWriter:
        error = RtclusterError("Expected room to write the audio, got: no space left on the disk.")
    fail_at(monkeypatch, owner, method, count, error)
    with live() as session:
        session.play(audio)
        assert session.session.recording is None
    [line] = session.told
    assert line.startswith("The recording stopped, and the session goes on: Expected room to write")
    assert "o space left on" in line
    assert "\n" not in line
    assert session.summary["hits"] == len([e for e in session.kept.events if isinstance(e, Onset)])
    assert session.summary["samples"] == len(audio)
    assert not session.summary["recording"]["complete"]
    assert session.kept.summary is session.summary
    assert read(folder).summary is None
    found = replayed(folder)
    assert found.difference == ""
    assert found.notes == ("the recording was cut off, and was compared up to there",)
    assert found.samples > 44100


def test_a_device_that_takes_no_bytes_stops_the_recording(live, folder, audio):
    """A real error of the system's: /dev/full, or a file size that may not be passed."""
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with live() as session:
            session.play(audio[:44100])
            session.recorder.step()
            room = (folder / "audio.wav").stat().st_size + 1000
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
            session.play(audio[44100:])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    [line] = session.told
    assert f"Expected room to write {folder / 'audio.wav'}, got: " in line
    kept, _ = soundfile.read(folder / "audio.wav", dtype="float32")
    assert len(kept) >= 43_000
    assert np.array_equal(kept, audio[: len(kept)])
    assert replayed(folder).difference == ""


def test_an_error_nobody_thought_of_stops_the_recording_with_a_line(
    live, folder, audio, monkeypatch
):
    fail_at(monkeypatch, AudioWriter, "append", 3, ZeroDivisionError("surprise"))
    with live() as session:
        session.play(audio)
    [line] = session.told
    assert "ZeroDivisionError surprise" in line
    assert session.summary["hits"] > 10


def test_a_recording_that_cannot_begin_leaves_the_session_alone(live, folder, audio, monkeypatch):
    fail_at(monkeypatch, AudioWriter, "__init__", 1, RtclusterError("Expected room, got none."))
    with live() as session:
        assert session.session.recording is None
        session.play(audio[:44100])
    assert session.told == [
        "The recording failed and gets no more events: Expected room, got none."
    ]
    assert "recording" not in session.summary
    assert session.summary["samples"] == 44100


def test_flac_that_cannot_be_made_leaves_the_wav_file(live, folder, audio, monkeypatch):
    honest = soundfile.SoundFile.write

    def write(self, data):
        if self.format == "FLAC":
            raise SPACE
        honest(self, data)

    monkeypatch.setattr(soundfile.SoundFile, "write", write)
    with live(kind="flac") as session:
        session.play(audio)
    [line] = session.told
    assert "audio.flac" in line
    assert "The recording is whole, in " in line
    assert sorted(path.name for path in folder.iterdir()) == ["audio.wav", "events.jsonl"]
    same(folder)


def test_the_wav_file_counts_where_the_making_of_the_flac_was_cut_off(live, folder, audio):
    with live() as session:
        session.play(audio[:44100])
    (folder / "audio.flac").write_bytes(b"fLaC")
    same(folder)


def test_a_file_is_not_made_longer_than_its_format_allows(folder):
    folder.mkdir()
    writer = AudioWriter(folder, 44100, "wav")
    writer.frames = 1 << 30
    with pytest.raises(RtclusterError, match=r"^Expected at most 4 GB in a WAV file"):
        writer.append(np.zeros(1, np.float32))


def test_a_write_that_was_cut_short_is_an_error(folder, monkeypatch):
    folder.mkdir()
    writer = AudioWriter(folder, 44100, "wav")
    monkeypatch.setattr(soundfile.SoundFile, "write", lambda self, data: None)
    with pytest.raises(RtclusterError, match="cut short"):
        writer.append(np.zeros(10, np.float32))


@pytest.mark.parametrize("what", ["file", "full folder"])
def test_a_folder_in_use_is_refused(tmp_path, what):
    place = tmp_path / "take"
    if what == "file":
        place.write_text("mine")
    else:
        place.mkdir()
        (place / "thesis.txt").write_text("mine")
    with pytest.raises(SettingsError, match="new or empty folder"):
        Recorder(place, Processor(), print)


def test_an_unknown_format_is_refused(folder):
    with pytest.raises(SettingsError, match="wav or flac, got 'mp3'"):
        Recorder(folder, Processor(), print, "mp3")
    assert not folder.exists()


def test_a_folder_that_cannot_be_made_is_told_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RtclusterError, match="Expected to make the folder"):
        Recorder(tmp_path / "file" / "take", Processor(), print)


def test_the_recorder_writes_on_its_own_ten_times_a_second(folder, audio, monkeypatch):
    honest, lengths = AudioWriter.append, []

    def append(self, piece):
        honest(self, piece)
        lengths.append(soundfile.info(str(folder / "audio.wav")).frames)

    monkeypatch.setattr(AudioWriter, "append", append)
    summary, told, _ = played_in_real_time(folder, audio, kind="flac")
    assert told == []
    assert summary["recording"]["samples"] == len(audio)
    turns = 10 * len(audio) / 44100
    assert turns / 2 < len(lengths) < turns + 2  # a busy machine may be late, never early
    assert lengths == sorted(lengths)
    assert len(set(lengths)) >= len(lengths) - 1  # on the disk, each time; but for the last, maybe
    same(folder)
