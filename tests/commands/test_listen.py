"""What ``rtcluster listen`` refuses before it looks for a sound card."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def no_card(monkeypatch):
    def opened(*_):
        raise AssertionError("a sound card was opened")

    monkeypatch.setattr("rtcluster.sources.live.LiveInput", opened)


@pytest.mark.parametrize(
    "options",
    [
        ("--record", "take"),
        ("--monitor",),
        ("--click",),
        ("--click-file", "kick=kick.wav"),
        ("--save-kit", "my.kit"),
    ],
    ids=lambda options: options[0],
)
def test_what_needs_one_channel_is_refused_with_all(rtcluster, tmp_path, monkeypatch, options):
    monkeypatch.chdir(tmp_path)
    code, out, err = rtcluster("listen", "-c", "all", *options)
    assert (code, out) == (2, "")
    assert err == (
        f"rtcluster: Expected one channel with {options[0]}, got all; name it with -c.\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("channel", ["0", "-1", "left", "ALL", "1.5", "", "1-", "3-1", "1,1"])
def test_a_channel_that_is_none_is_refused_in_one_line(rtcluster, channel):
    code, out, err = rtcluster("listen", f"--channel={channel}")
    assert (code, out) == (2, "")
    assert err == (
        f"rtcluster: Expected a channel from 1, several (1-8 or 1,2,5), or all, got {channel}.\n"
    )
