"""Saved round trips, and what ``--latency-offset`` comes to."""

from __future__ import annotations

import json

import pytest

from rtcluster import RtclusterError
from rtcluster.errors import SettingsError
from rtcluster.playback import saved


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """A configuration folder of the test's own."""
    monkeypatch.setattr(saved, "user_config_dir", lambda name, **_: str(tmp_path / name))
    monkeypatch.setattr("typer.get_app_dir", lambda name: str(tmp_path / "before" / name))
    return tmp_path


def test_a_round_trip_belongs_to_a_device_a_rate_and_a_block_size():
    saved.save("card", 44100, 64, 12.5)
    assert saved.saved("card", 44100, 64) == 12.5
    assert saved.saved("card", 48000, 64) is None
    assert saved.saved("card", 44100, 128) is None
    assert saved.saved("other", 44100, 64) is None


def test_a_new_round_trip_takes_the_place_of_the_old_one_and_of_no_other():
    saved.save("card", 44100, 64, 12.5)
    saved.save("other", 44100, 64, 20.0)
    path = saved.save("card", 44100, 64, 13.0)
    assert saved.saved("card", 44100, 64) == 13.0
    assert saved.saved("other", 44100, 64) == 20.0
    assert len(json.loads(path.read_text())["round_trips"]) == 2


def test_without_a_home_nothing_is_made_in_the_current_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(saved, "user_config_dir", lambda name, **_: f"~/.config/{name}")
    monkeypatch.chdir(tmp_path)
    assert saved.saved("card", 44100, 64) is None
    with pytest.raises(RtclusterError, match="no home directory"):
        saved.save("card", 44100, 64, 12.5)
    assert list(tmp_path.iterdir()) == []


def test_what_an_older_version_kept_elsewhere_is_read_until_it_is_written_anew(folder):
    path = saved.save("card", 44100, 64, 12.5)
    before = folder / "before" / "rtcluster" / "latency.json"
    before.parent.mkdir(parents=True)
    path.rename(before)
    assert saved.saved("card", 44100, 64) == 12.5
    saved.save("other", 44100, 64, 20.0)
    before.unlink()
    assert saved.saved("card", 44100, 64) == 12.5


def test_nothing_but_the_file_is_left_in_the_folder(folder):
    path = saved.save("card", 44100, 64, 12.5)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"version": 2, "round_trips": []}', '{"version": 1, "round_trips": [{}]}'],
)
def test_a_file_that_holds_something_else_is_refused_and_kept(content):
    path = saved.save("card", 44100, 64, 12.5)
    path.write_text(content)
    for attempt in (
        lambda: saved.saved("card", 44100, 64),
        lambda: saved.save("card", 44100, 64, 1.0),
    ):
        with pytest.raises(RtclusterError, match="delete it"):
            attempt()
    assert path.read_text() == content


def test_a_folder_that_cannot_be_made_is_told(folder):
    (folder / "rtcluster").write_text("a file")
    with pytest.raises(RtclusterError, match="Expected"):
        saved.save("card", 44100, 64, 1.0)


@pytest.mark.parametrize(("given", "ms"), [(None, 0), ("12", 12), ("7.5ms", 7.5), ("-3", -3)])
def test_an_offset_is_in_milliseconds(given, ms):
    assert saved.offset_ms(given, "card", 44100, 64) == ms


@pytest.mark.parametrize("given", ["", "ms", "soon", "nan", "inf", "1e9"])
def test_an_offset_that_is_none_is_refused(given):
    with pytest.raises(SettingsError, match="Expected a latency offset"):
        saved.offset_ms(given, "card", 44100, 64)


def test_auto_is_the_saved_one_or_says_how_to_get_it():
    with pytest.raises(RtclusterError, match="run 'rtcluster latency'"):
        saved.offset_ms("auto", "card", 44100, 0)
    saved.save("card", 44100, 0, 9.25)
    assert saved.offset_ms("auto", "card", 44100, 0) == 9.25
