"""The table of formats, and files that are there whole or not at all."""

from __future__ import annotations

import stat
import sys

import pytest

from rtcluster import exports
from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.exports import FORMATS, Wanted, export
from rtcluster.files import atomic_write
from rtcluster.libraries import install


def test_formats_are_named_once_or_several_with_commas():
    assert exports.names_of(["midi,csv", "csv", " jams "]) == ["midi", "csv", "jams"]


@pytest.mark.parametrize("given", [[], ["midi,mp3"], ["MIDI"], [","]])
def test_an_unknown_format_is_answered_with_the_list(given):
    with pytest.raises(SettingsError) as error:
        exports.names_of(given)
    assert all(name in str(error.value) for name in FORMATS)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("bpm", [0, 9.9, -120, 1001, float("nan"), float("inf")])
def test_a_tempo_outside_its_range_is_refused(bpm):
    with pytest.raises(SettingsError, match="Expected a tempo from 10 to 1000 bpm"):
        Wanted(bpm)


@pytest.mark.parametrize("name", FORMATS)
def test_a_session_without_hits_gives_a_file(exported, name):
    path, count = exported(name, ())
    assert count == 0
    assert path.is_file()


@pytest.mark.parametrize("name", FORMATS)
def test_an_export_made_again_is_the_same_file(exported, name):
    path, _ = exported(name)
    first = path.read_bytes()
    exported(name)
    assert path.read_bytes() == first


def test_files_beside_other_events_are_named_after_them(take_of, tmp_path):
    take = take_of()
    take.path.rename(tmp_path / "tuesday.jsonl")
    take = exports.take.read(tmp_path / "tuesday.jsonl")
    assert exports.target_of("midi", take) == tmp_path / "tuesday.mid"
    assert exports.target_of("audacity", take) == tmp_path / "tuesday.labels.txt"


@pytest.mark.parametrize(("name", "package"), [("midi", "mido"), ("jams", "jams")])
def test_a_missing_package_is_named_with_its_extra(take_of, monkeypatch, name, package):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"rtcluster.exports.{FORMATS[name].module}", raising=False)
    with pytest.raises(RtclusterError) as error:
        export(name, take_of(), Wanted())
    assert str(error.value).startswith(f"{package} is not installed.")
    assert str(error.value).endswith(install(FORMATS[name].extra))
    assert len(str(error.value).splitlines()) == 1


def test_a_file_that_fails_half_way_leaves_the_old_one(tmp_path):
    target = tmp_path / "labels.txt"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_write(target) as path:
        path.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_who_reads_the_old_file_reads_it_to_its_end(tmp_path):
    target = tmp_path / "labels.txt"
    target.write_text("old")
    with target.open() as old:
        with atomic_write(target) as path:
            path.write_text("new")
        assert old.read() == "old"
    assert target.read_text() == "new"


def test_a_file_that_is_replaced_keeps_its_link_and_its_permissions(tmp_path):
    target, link = tmp_path / "labels.txt", tmp_path / "link.txt"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to("labels.txt")
    with atomic_write(link) as path:
        path.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    with atomic_write(tmp_path / "new") as path:
        path.write_text("new")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_what_is_no_file_is_not_replaced(tmp_path):
    for target in (tmp_path, tmp_path / "none" / "file"):
        with pytest.raises(RtclusterError, match="Expected"), atomic_write(target):
            pass
    with pytest.raises(RtclusterError, match="which is none"), atomic_write(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
