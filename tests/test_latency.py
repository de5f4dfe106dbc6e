"""Saved round trips, and what ``--latency-offset`` comes to."""

from __future__ import annotations

import json

import pytest

from rtcluster import RtclusterError, latency
from rtcluster.errors import SettingsError


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """A configuration folder of the test's own."""
    monkeypatch.setattr("typer.get_app_dir", lambda name: str(tmp_path / name))
    return tmp_path


def test_a_round_trip_belongs_to_a_device_a_rate_and_a_block_size():
    latency.save("card", 44100, 64, 12.5)
    assert latency.saved("card", 44100, 64) == 12.5
    assert latency.saved("card", 48000, 64) is None
    assert latency.saved("card", 44100, 128) is None
    assert latency.saved("other", 44100, 64) is None


def test_a_new_round_trip_takes_the_place_of_the_old_one_and_of_no_other():
    latency.save("card", 44100, 64, 12.5)
    latency.save("other", 44100, 64, 20.0)
    path = latency.save("card", 44100, 64, 13.0)
    assert latency.saved("card", 44100, 64) == 13.0
    assert latency.saved("other", 44100, 64) == 20.0
    assert len(json.loads(path.read_text())["round_trips"]) == 2


def test_nothing_but_the_file_is_left_in_the_folder(folder):
    path = latency.save("card", 44100, 64, 12.5)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"version": 2, "round_trips": []}', '{"version": 1, "round_trips": [{}]}'],
)
def test_a_file_that_holds_something_else_is_refused_and_kept(content):
    path = latency.save("card", 44100, 64, 12.5)
    path.write_text(content)
    for attempt in (
        lambda: latency.saved("card", 44100, 64),
        lambda: latency.save("card", 44100, 64, 1.0),
    ):
        with pytest.raises(RtclusterError, match="delete it"):
            attempt()
    assert path.read_text() == content


def test_a_folder_that_cannot_be_made_is_told(folder):
    (folder / "rtcluster").write_text("a file")
    with pytest.raises(RtclusterError, match="Expected"):
        latency.save("card", 44100, 64, 1.0)


@pytest.mark.parametrize(("given", "ms"), [(None, 0), ("12", 12), ("7.5ms", 7.5), ("-3", -3)])
def test_an_offset_is_in_milliseconds(given, ms):
    assert latency.offset_ms(given, "card", 44100, 64) == ms


@pytest.mark.parametrize("given", ["", "ms", "soon", "nan", "inf", "1e9"])
def test_an_offset_that_is_none_is_refused(given):
    with pytest.raises(SettingsError, match="Expected a latency offset"):
        latency.offset_ms(given, "card", 44100, 64)


def test_auto_is_the_saved_one_or_says_how_to_get_it():
    with pytest.raises(RtclusterError, match="run 'rtcluster latency'"):
        latency.offset_ms("auto", "card", 44100, 0)
    latency.save("card", 44100, 0, 9.25)
    assert latency.offset_ms("auto", "card", 44100, 0) == 9.25
