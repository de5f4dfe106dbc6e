from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path

import pytest

from rtcluster import RtclusterError
from rtcluster.batch.jobs import Job, Outcome
from rtcluster.batch.journal import NAME, Journal, kit_digest, made_of
from rtcluster.batch.outputs import Folder, InOrder
from rtcluster.batch.plan import QueuedFile
from rtcluster.recording.targets import Guard
from tests.batch.conftest import CHOSEN

GOOD = Outcome(1.0, "compiled", complete=True)


def write(outputs, number, text):
    Path(outputs.spool(number)).write_text(text)


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "out", ["a.jsonl", "deep/b.jsonl"], ["A", "B"])


def test_an_output_has_its_name_only_once_it_is_whole(folder):
    part = Path(folder.spool(1))
    part.write_text("half")
    assert not (folder.folder / "deep" / "b.jsonl").exists()
    part.write_text("whole")
    folder.accept(1, GOOD)
    assert (folder.folder / "deep" / "b.jsonl").read_text() == "whole"


def test_nothing_is_left_of_what_is_not_done(folder):
    write(folder, 0, "half")
    write(folder, 1, "failed")
    folder.accept(1, Outcome(problem="no audio"))
    folder.close()
    assert [path for path in folder.folder.rglob("*") if path.is_file()] == []


def test_a_file_of_the_users_is_not_replaced(folder):
    theirs = folder.folder / "a.jsonl"
    theirs.write_text("what the user wrote")
    with pytest.raises(RtclusterError, match=r"a\.jsonl: it holds something else"):
        folder.spool(0)
    part = folder.folder / "deep" / ".b.jsonl.part"
    part.parent.mkdir()
    part.write_text("what the user wrote")
    with pytest.raises(RtclusterError, match=r"b\.jsonl\.part: it holds something else"):
        folder.spool(1)
    folder.close()
    assert (theirs.read_text(), part.read_text()) == ("what the user wrote",) * 2


@pytest.mark.parametrize("left", ["", '{"event": "session", "vers'])
def test_what_a_run_that_was_killed_left_is_no_hindrance(folder, left):
    part = Path(folder.spool(0))
    part.write_text(left)
    assert folder.spool(0) == str(part)


def test_a_later_run_finds_what_is_done(folder):
    write(folder, 0, "lines")
    folder.accept(0, GOOD)
    folder.close()
    later = Folder(folder.folder, ["a.jsonl", "deep/b.jsonl"], ["A", "B"])
    assert [later.done(0), later.done(1)] == [True, False]
    later.close()
    assert not Folder(folder.folder, ["a.jsonl"], ["otherwise"]).done(0)


def test_an_output_that_was_touched_or_is_gone_is_made_again(folder):
    write(folder, 0, "lines")
    folder.accept(0, GOOD)
    (folder.folder / "a.jsonl").write_text("line")
    assert not Journal(folder.folder).has("a.jsonl", "A")
    (folder.folder / "a.jsonl").unlink()
    assert not Journal(folder.folder).has("a.jsonl", "A")


def test_what_has_a_problem_is_kept_and_told_again_next_time(folder):
    write(folder, 0, "lines")
    folder.accept(0, replace(GOOD, problem="too few hits"))
    assert (folder.folder / "a.jsonl").read_text() == "lines"
    assert not Journal(folder.folder).has("a.jsonl", "A")


def test_a_journal_that_was_cut_off_goes_on(folder):
    for number in (0, 1):
        write(folder, number, "lines")
        folder.accept(number, GOOD)
    journal = folder.folder / NAME
    journal.write_text(journal.read_text()[:-30])
    torn = Journal(folder.folder)
    assert [torn.has("a.jsonl", "A"), torn.has("deep/b.jsonl", "B")] == [True, False]
    torn.add("deep/b.jsonl", "B")
    mended = Journal(folder.folder)
    assert [mended.has("a.jsonl", "A"), mended.has("deep/b.jsonl", "B")] == [True, True]


@pytest.mark.parametrize("content", [b"my own notes\n", b'{"mine": 1}\n', b"\xff\xfe", b"["])
def test_a_file_of_the_users_in_the_journals_place_is_not_added_to(tmp_path, content):
    (tmp_path / NAME).write_bytes(content)
    for _ in range(2):  # the lock is given back
        with pytest.raises(RtclusterError, match="it holds something else"):
            Folder(tmp_path, ["a.jsonl"], ["A"])
    assert (tmp_path / NAME).read_bytes() == content
    replaced = Folder(tmp_path, ["a.jsonl"], ["A"], Guard(overwrite=True))
    write(replaced, 0, "lines")
    replaced.accept(0, GOOD)
    replaced.close()
    assert Journal(tmp_path).has("a.jsonl", "A")


def test_a_pipe_in_the_journals_place_is_refused(tmp_path):
    os.mkfifo(tmp_path / NAME)
    with pytest.raises(RtclusterError, match="it is a pipe"):
        Folder(tmp_path, ["a.jsonl"], ["A"])


def test_all_that_decides_an_output_is_in_its_digest(tmp_path, monkeypatch):
    job, one = Job("a.wav", CHOSEN), QueuedFile("a.wav", "a.wav", 1.0, 100, 7)
    kit = tmp_path / "kit"
    kit.write_text("snare")
    digests = {
        made_of(job, one, ""),
        made_of(replace(job, path="b.wav"), one, ""),
        made_of(replace(job, settings=replace(CHOSEN, seed=1)), one, ""),
        made_of(replace(job, explicit=frozenset({"seed"})), one, ""),
        made_of(replace(job, channel="all"), one, ""),
        made_of(replace(job, samplerate=48000), one, ""),
        made_of(job, replace(one, size=101), ""),
        made_of(job, replace(one, changed_ns=8), ""),
        made_of(job, one, kit_digest(str(kit))),
    }
    kit.write_text("kick")
    digests.add(made_of(job, one, kit_digest(str(kit))))
    monkeypatch.setattr("rtcluster.batch.journal.__version__", "another")
    digests.add(made_of(job, one, ""))
    assert len(digests) == 11
    assert kit_digest(str(tmp_path / "none")) == "unreadable"


def test_a_file_in_the_folders_place_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RtclusterError, match="Expected a folder to write to"):
        Folder(tmp_path / "file", ["a.jsonl"], ["A"]).spool(0)


def test_standard_output_gets_each_in_its_turn():
    stream = io.StringIO()
    outputs = InOrder(stream)
    for number in (2, 0):
        write(outputs, number, f"lines of {number}\n")
        outputs.accept(number, GOOD)
    assert stream.getvalue() == "lines of 0\n"
    outputs.accept(1, Outcome(problem="it had none"))
    assert stream.getvalue() == "lines of 0\nlines of 2\n"
    spools = Path(outputs.spool(0)).parent
    outputs.close()
    assert not spools.exists()


def test_a_reader_that_left_is_told():
    class Left(io.StringIO):
        def write(self, text):
            raise BrokenPipeError(32, "Broken pipe")

    outputs = InOrder(Left())
    write(outputs, 0, "lines")
    with pytest.raises(RtclusterError, match="standard output, got: Broken pipe"):
        outputs.accept(0, GOOD)
    outputs.close()
