"""``rtcluster latency``: what it refuses. That it measures is shown in ``tests/live``."""

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setattr(
        "rtcluster.playback.saved.user_config_dir", lambda name, **_: str(tmp_path / name)
    )
    return tmp_path / "rtcluster"


def fails_in_one_line(result, code):
    assert result[0] == code
    assert result[1] == ""
    [line] = [line for line in result[2].splitlines() if line.startswith("rtcluster: ")]
    return line


@pytest.mark.parametrize("interval", ["soon", "50ms", "11s", "", "nan"])
def test_an_interval_out_of_range_is_refused(rtcluster, interval):
    line = fails_in_one_line(rtcluster("latency", "--interval", interval), 2)
    assert "Expected an interval of 100ms to 10s" in line


def test_a_channel_under_one_is_refused(rtcluster):
    assert "channel from 1" in fails_in_one_line(rtcluster("latency", "-c", "0"), 2)


def test_silence_says_what_to_connect_and_saves_nothing(rtcluster, card, folder):
    card(np.zeros(3 * 44100, np.float32))
    line = fails_in_one_line(rtcluster("latency", "--count", "3", "--interval", "250ms"), 1)
    assert "got none of 3; connect an output of" in line
    assert not folder.exists()


def test_a_device_that_is_lost_is_waited_for_until_ctrl_c(rtcluster, card, folder):
    card(np.zeros(44100, np.float32))
    code, out, said = rtcluster("latency", "--count", "3")
    assert (code, out) == (130, "")
    assert "fake card is gone; waiting for it." in said
    assert not folder.exists()


def test_noise_in_which_the_clicks_cannot_be_told_is_refused(rtcluster, card, folder, drums):
    card(np.tile(drums.audio, 2)[: 8 * 44100])
    line = fails_in_one_line(rtcluster("latency", "--count", "5", "--interval", "1s"), 1)
    assert "Expected one hit for each click" in line
    assert not folder.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--click-file", "kick"], "Expected CLASS=FILE"),
        (["--click-file", "=kick.wav"], "Expected CLASS=FILE"),
        (["--click-file", "kick=/nowhere/kick.wav"], "Expected an audio file at"),
        (["--click", "--send", "later"], "Expected --send onset or guess or final"),
        (["--send", "onset", "--click-file", "kick=kick.wav"], "before the class is known"),
    ],
)
def test_clicks_that_cannot_be_are_told_before_a_device_is_opened(rtcluster, options, words):
    code, _, err = rtcluster("listen", *options)
    assert code in (1, 2)
    [line] = err.splitlines()
    assert words in line
