"""``rtcluster.listen(record=...)``: what a program hears is kept, as the command keeps it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rtcluster
from rtcluster.errors import SettingsError, SourceError
from rtcluster.recording.log import read
from rtcluster.sources.virtual import VirtualInput
from tests.recording.conftest import same

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "program.md"


@pytest.fixture
def plays(monkeypatch):
    """A card that plays some audio in real time, once, into the compiled callback."""

    def play(audio):
        class Card(VirtualInput):
            def __init__(self, engine, *_):
                super().__init__(engine, audio, 44100)

            def close(self):
                pass

        monkeypatch.setattr("rtcluster.sources.live.LiveInput", Card)
        monkeypatch.setattr("rtcluster.session.takes.came_back", lambda *_: False)

    return play


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_the_hits_are_kept_and_replayed_bit_for_bit(plays, audio, folder, kind):
    plays(audio[: 3 * 44100])
    with rtcluster.listen(classes=3, record=folder, record_format=kind) as hits:
        found = list(hits)
    assert len(found) > 5
    assert hits.summary["recording"]["complete"]
    table = rtcluster.read(folder)
    assert table.sample.tolist() == [hit.sample for hit in found]
    assert table.energy.tolist() == [hit.energy for hit in found]
    same(folder, 3 * len(found))


def test_an_interrupted_program_keeps_all_that_it_heard(plays, audio, folder):
    plays(audio)
    found = []
    with pytest.raises(KeyboardInterrupt), rtcluster.listen(classes=3, record=folder) as hits:
        for hit in hits:
            found.append(hit.sample)
            if len(found) == 4:
                raise KeyboardInterrupt
    assert read(folder).summary is not None
    assert rtcluster.read(folder).sample.tolist()[:4] == found
    same(folder, 12)


def test_what_was_learned_is_forgotten_into_another_take(plays, audio, folder):
    plays(audio)
    with rtcluster.listen(classes=3, record=folder) as hits:
        for number, _ in enumerate(hits):
            if number == 4:
                hits.forget()
    assert hits.summary["recording"]["folder"] == str(folder) + " take 2"
    for take in (folder, folder.with_name(folder.name + " take 2")):
        same(take, 3)


def test_no_recording_is_written_over(monkeypatch, folder):
    folder.mkdir()
    (folder / "events.jsonl").write_text("mine")
    monkeypatch.setattr("rtcluster.sources.live.LiveInput", None)  # nothing is opened for it
    with pytest.raises(SettingsError, match="a new or empty folder to record in"):
        rtcluster.listen(record=folder)
    assert (folder / "events.jsonl").read_text() == "mine"


def test_what_cannot_be_recorded_is_refused_before_anything_runs(monkeypatch, folder):
    monkeypatch.setattr("rtcluster.sources.live.LiveInput", None)
    with pytest.raises(SettingsError, match="one channel with record, got all"):
        rtcluster.listen(channel="all", record=folder)
    with pytest.raises(SettingsError, match="got 'mp3'"):
        rtcluster.listen(record=folder, record_format="mp3")
    assert not folder.exists()


def test_without_a_device_no_folder_is_made(monkeypatch, folder):
    def absent(*_):
        raise SourceError("Expected an input device, got none.")

    monkeypatch.setattr("rtcluster.sources.live.LiveInput", absent)
    with pytest.raises(SourceError):
        rtcluster.listen(record=folder)
    assert not folder.exists()


def test_the_programs_of_the_page_run(plays, audio, tmp_path, monkeypatch, capsys):
    plays(audio[: 3 * 44100])
    monkeypatch.chdir(tmp_path)
    programs = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(programs) == 3
    for program in programs:
        exec(compile(program, str(PAGE), "exec"), {})
        assert len(capsys.readouterr().out.splitlines()) > 5
    assert len(rtcluster.read("take")) > 5
