"""The link as a code for a phone, and in a browser."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path

import pytest
import segno

from rtcluster.monitor import link

from .conftest import wait_until

LINK = "http://192.168.1.20:8000/?token=abcdefghijklmnopqrstuvwxyz012345"


def test_the_code_is_what_a_camera_reads_light_on_dark_with_a_border() -> None:
    lines = link.qr_code(LINK)
    halves = {"█": (0, 0), "▀": (0, 1), "▄": (1, 0), " ": (1, 1)}
    rows = []
    for line in lines:
        assert line.startswith(link.WHITE_ON_BLACK)
        assert line.endswith(link.AS_BEFORE)
        cells = line[len(link.WHITE_ON_BLACK) : -len(link.AS_BEFORE)]
        assert len(cells) == link.width_of(lines)
        rows += [[halves[cell][half] for cell in cells] for half in (0, 1)]
    code = [list(row) for row in segno.make(LINK, micro=False).matrix]
    size, border = len(code), link.BORDER
    inner = [row[border : border + size] for row in rows[border : border + size]]
    assert inner == code
    assert not any(any(row[:border]) or any(row[border + size :]) for row in rows[:size])
    assert not any(map(any, rows[:border]))


@pytest.fixture
def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A browser that writes down what it is given, and much to its standard output."""
    program = tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho noise\necho "$1" > {tmp_path}/opened\n')
    program.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(program))
    return tmp_path / "opened"


@pytest.mark.skipif(os.name != "posix", reason="its browser is a shell script")
def test_a_browser_is_given_the_link_and_its_noise_goes_nowhere(
    browser: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(webbrowser, "get", lambda: webbrowser.GenericBrowser("browser"))
    assert link.browse(LINK)
    wait_until(lambda: browser.exists() and browser.read_text(), "the browser")
    assert browser.read_text() == LINK + "\n"
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have a window")
def test_without_a_window_there_is_no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not link.browse(LINK)
    monkeypatch.setenv("DISPLAY", ":0")

    def none() -> object:
        raise webbrowser.Error

    monkeypatch.setattr(webbrowser, "get", none)
    assert not link.browse(LINK)
    # One that would take the terminal.
    monkeypatch.setattr(webbrowser, "get", lambda: webbrowser.GenericBrowser("lynx"))
    assert not link.browse(LINK)
