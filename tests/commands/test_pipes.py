"""Pipes and devices in place of files: every command answers at once, in one line."""

from __future__ import annotations

import os

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")


@pytest.fixture
def pipes(wav, tmp_path, monkeypatch):
    """A pipe by every name under which something is read."""
    os.mkfifo(tmp_path / "pipe")
    for folder in ("events", "kit"):
        (tmp_path / folder).mkdir()
    os.mkfifo(tmp_path / "events" / "events.jsonl")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("thing", ["pipe", "/dev/zero"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["report", "IT"],
        ["report", "events"],
        ["export", "IT", "--to", "csv"],
        ["export", "events", "--to", "csv"],
        ["replay", "IT"],
        ["replay", "events"],
        ["kit", "show", "IT"],
        ["run", "IT"],
        ["run", "IT", "--out", "out"],
        ["run", "drums.wav", "--kit", "IT"],
        ["run", "drums.wav", "--kit", "IT", "--out", "out"],
        ["analyze", "IT"],
        ["analyze", "drums.wav", "--truth", "IT"],
        ["teach", "--from", "kick=IT", "--save-kit", "new.kit"],
        ["teach", "--from", "drums.wav", "--truth", "IT", "--save-kit", "new.kit"],
        ["tune", "IT", "--save-kit", "new.kit"],
        ["tune", "drums.wav", "--kit", "IT", "--save-kit", "new.kit"],
        ["tune", "drums.wav", "--save-kit", "IT"],
        ["run", "drums.wav", "--save-kit", "IT"],
        ["report", "events", "-o", "IT"],
        ["analyze", "drums.wav", "-o", "IT"],
        ["listen", "--click-file", "kick=IT"],
    ],
)
@pytest.mark.timeout(50)
def test_it_is_refused_in_one_line(rtcluster, pipes, arguments, thing):
    code, _, err = rtcluster(*(argument.replace("IT", thing) for argument in arguments))
    assert code in (1, 2)
    [line] = [one for one in err.splitlines() if one.startswith("rtcluster: ")]
    assert "pipe" in line or "device" in line or "no folder" in line or ".html" in line


@pytest.mark.parametrize("name", ["pipe", "/dev/stdin"])
def test_a_pipe_of_audio_is_read_from_standard_input(rtcluster, pipes, name, monkeypatch):
    out, into = os.pipe()
    os.close(into)
    saved = os.dup(0)
    os.dup2(out, 0)
    try:
        code, _, err = rtcluster("run", name)
    finally:
        os.dup2(saved, 0)
        for one in (out, saved):
            os.close(one)
    assert code == 1
    assert f"Expected an audio file at {name}, got a pipe instead of a file; - reads" in err
    assert f"rtcluster run - < {name}" in err
