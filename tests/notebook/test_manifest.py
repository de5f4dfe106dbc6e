"""A report replaces and takes away what an earlier one wrote, and nothing else."""

from __future__ import annotations

import json

import pytest

from rtcluster import RtclusterError
from rtcluster.notebook.manifest import NAME, ReportFolder
from rtcluster.recording.targets import Guard


@pytest.fixture
def report(tmp_path):
    """Write a report of some files; return its folder."""

    def write(files, overwrite=False, broken=False):
        with ReportFolder(tmp_path, Guard(overwrite=overwrite)).written() as made:
            (made / "sounds").mkdir()
            for name, text in files.items():
                (made / name).write_text(text)
            if broken:
                raise ZeroDivisionError
        return tmp_path

    return write


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and path.name != NAME
    }


def test_an_earlier_report_is_replaced_and_what_is_left_of_it_goes(report):
    report({"labels.txt": "one", "sounds/a.wav": "a", "sounds/b.wav": "b"})
    folder = report({"labels.txt": "two", "sounds/a.wav": "a"})
    assert contents(folder) == {"labels.txt": "two", "sounds/a.wav": "a"}


def test_what_the_user_put_beside_it_stays(report):
    folder = report({"labels.txt": "one", "sounds/a.wav": "a"})
    (folder / "sounds" / "mine.wav").write_text("mine")
    assert contents(report({"labels.txt": "two"})) == {
        "labels.txt": "two",
        "sounds/mine.wav": "mine",
    }


def test_a_file_in_the_way_leaves_all_as_it_is(report):
    folder = report({"labels.txt": "one"})
    (folder / "sounds").mkdir()
    (folder / "sounds" / "a.wav").write_text("mine")
    with pytest.raises(RtclusterError, match=r"a\.wav: it holds something else"):
        report({"labels.txt": "two", "sounds/a.wav": "a"})
    assert contents(folder) == {"labels.txt": "one", "sounds/a.wav": "mine"}
    report({"labels.txt": "two", "sounds/a.wav": "a"}, overwrite=True)
    assert contents(folder) == {"labels.txt": "two", "sounds/a.wav": "a"}


def test_a_file_that_the_user_has_changed_is_not_replaced_and_not_taken_away(report):
    folder = report({"labels.txt": "one", "features.csv": "1"})
    (folder / "features.csv").write_text("mine")
    with pytest.raises(RtclusterError, match="or it was changed since"):
        report({"labels.txt": "two"})
    report({"labels.txt": "two"}, overwrite=True)
    assert contents(folder) == {"labels.txt": "two", "features.csv": "mine"}


def test_one_that_breaks_off_leaves_the_earlier_one(report):
    folder = report({"labels.txt": "one"})
    with pytest.raises(ZeroDivisionError):
        report({"labels.txt": "two"}, broken=True)
    assert contents(folder) == {"labels.txt": "one"}


def test_one_that_breaks_off_between_two_files_is_gone_on_from(report, monkeypatch, tmp_path):
    report({"labels.txt": "one", "features.csv": "1"})
    moved = type(tmp_path).replace

    def full(path, target):
        if target.name == "features.csv":
            raise OSError(28, "No space left on device")
        return moved(path, target)

    monkeypatch.setattr(type(tmp_path), "replace", full)
    with pytest.raises(OSError, match="No space"):
        report({"labels.txt": "two", "features.csv": "2"})
    monkeypatch.undo()
    folder = report({"labels.txt": "three", "features.csv": "3"})
    assert contents(folder) == {"labels.txt": "three", "features.csv": "3"}


@pytest.mark.parametrize("name", ["../mine", "/mine", "sounds/../../mine", "deep/mine"])
def test_a_manifest_does_not_lead_out_of_the_folder(report, tmp_path, name):
    folder = report({"labels.txt": "one"})
    listed = json.loads((folder / NAME).read_text())
    listed["files"][name] = listed["files"]["labels.txt"]
    (folder / NAME).write_text(json.dumps(listed))
    assert [*ReportFolder(folder, Guard())._earlier] == ["labels.txt"]
