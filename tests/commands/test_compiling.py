"""The first use says how far it is on a terminal; with what is compiled already it says nothing."""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtcluster.commands.progress import OfCompiling
from rtcluster.kernel import joint


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def on_a_terminal(cache, *arguments):
    """Run the program with standard error on a terminal; its exit code and what is shown there."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "rtcluster", *arguments],
        stdout=subprocess.DEVNULL, stderr=theirs,
        env=os.environ | {"NUMBA_CACHE_DIR": str(cache)},
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 4096):
                shown += piece
        except OSError:  # what a terminal says when nobody writes any more
            pass
        os.close(ours)
    return process.returncode, shown.decode()


@pytest.fixture(scope="module")
def first(place, drums):
    """What the first use says."""
    file = place / "take.wav"
    soundfile.write(file, drums.audio, 44100, subtype="FLOAT")
    return on_a_terminal(place, "run", file, "--jsonl", "-")


def test_it_tells_how_far_it_is_and_leaves_no_trace(place, first, wav):
    code, shown = first
    assert code == 0
    lines = [line for line in shown.split("\r") if line.startswith("Compiling")]
    shares = [int(share) for line in lines for share in re.findall(r"\] (\d+) %", line)]
    assert len(shares) == len(lines) > 10
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert 85 <= shares[-1] <= 99, "as many functions are compiled as it was told to expect"
    assert "s left" in lines[-1]
    assert shown.split("Compiling")[-1].split("\r")[1].strip() == ""
    code, shown = on_a_terminal(place, "run", wav, "--jsonl", "-")
    assert (code, "Compiling" in shown) == (0, False)
    assert list(place.rglob("advance._advance-*.nbc"))
    assert list(place.rglob("due._settle-*.nbc"))
    assert not list(place.rglob("*joint-*.nbc")), "of several microphones nothing is compiled"


@pytest.mark.parametrize("out", [[], ["--out"]], ids=["straight", "to files"])
@pytest.mark.usefixtures("first")
def test_into_a_pipe_it_says_so_once_with_several_microphones_too(place, tmp_path, drums, out):
    file = tmp_path / "two.wav"
    soundfile.write(file, np.stack([drums.audio, 0.5 * drums.audio], 1), 44100, subtype="FLOAT")
    (folder,) = place.glob("kernel_*")
    for kept in Path(joint.__file__).parent.glob("__pycache__/*joint*.nb?"):
        shutil.copy(kept, folder)
    for cached in folder.glob("entry.advance_joint-*.nb?"):  # a small part stands for all
        cached.unlink()

    def said():
        done = subprocess.run(
            [sys.executable, "-m", "rtcluster", "run", file, "-c", "all", "--together",
             *out, *(tmp_path / "events" for _ in out), *("--again" for _ in out)],
            env=os.environ | {"NUMBA_CACHE_DIR": str(place)},
            capture_output=True, text=True, timeout=300, check=True,
        )  # fmt: skip
        return done.stderr.count("Compiling the audio kernel for this machine")

    assert [said(), said()] == [1, 0]


def test_the_line_is_written_over_itself(monkeypatch, capsys):
    now = iter([10.0, 10.1, 12.0, 13.0])
    monkeypatch.setattr("rtcluster.commands.progress.time.monotonic", lambda: next(now))
    told = OfCompiling()
    for share in (0.0, 0.1, 0.5, 1.0):
        told(share)
    first, second, gone = capsys.readouterr().err.split("\r")[1:4]
    assert first.endswith("[............] 0 %")
    assert second.endswith("[######......] 50 %, 2 s left")
    assert (gone.strip(), len(gone)) == ("", len(second))
