"""Files whose names are no Unicode: old archives are full of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rtcluster.exports import FORMATS
from rtcluster.text import visible

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="names are Unicode there"),
    pytest.mark.usefixtures("coarse_pictures"),
]

CAFE = os.fsdecode(b"caf\xe9")
"""Latin-1, which is no UTF-8."""


@pytest.fixture
def folder(wav, tmp_path):
    """A folder with one recording; both are called by such a name."""
    made = tmp_path / CAFE
    made.mkdir()
    Path(wav).rename(made / f"{CAFE}.wav")
    return made


def lines_of(text):
    """The events, read as strictly as other programs read them."""
    return [json.loads(line.encode("ascii")) for line in text.splitlines()]


def test_run_hears_it_and_says_its_name_in_text(rtcluster, folder):
    code, events, err = rtcluster("run", folder / f"{CAFE}.wav", "-k", "3")
    assert (code, err) == (0, "")
    session = lines_of(events)[0]
    assert session["source"].endswith("caf\\udce9.wav")
    assert session["source"].isprintable()


def test_a_folder_of_them_is_heard_once(rtcluster, folder, tmp_path):
    out = tmp_path / "out"
    assert rtcluster("run", folder, "-k", "3", "--out", out)[0] == 0
    assert [path.name for path in out.glob("[!.]*.jsonl")] == [f"{CAFE}.wav.jsonl"]
    code, _, err = rtcluster("run", folder, "-k", "3", "--out", out)
    assert code == 0
    assert "1 were there already" in err


def test_a_kit_is_kept_and_taken_under_it(rtcluster, folder):
    recording, kit = folder / f"{CAFE}.wav", folder / f"{CAFE}.kit"
    assert rtcluster("run", recording, "-k", "3", "--save-kit", kit)[0] == 0
    assert rtcluster("run", recording, "--kit", kit)[0] == 0
    assert rtcluster("kit", "show", kit)[0] == 0


def test_a_recording_in_it_is_replayed_exported_and_reported(rtcluster, folder):
    take = folder / CAFE
    code, _, err = rtcluster("demo", "--seconds", "4", "--record", take, "--record-format", "flac")
    assert code == 0, err
    assert (take / "audio.flac").is_file()
    assert rtcluster("replay", take)[0] == 0
    code, _, err = rtcluster("export", take, "--to", ",".join(FORMATS), "--mix")
    assert code == 0, err
    assert rtcluster("report", take)[0] == 0
    assert f"<title>{visible(CAFE)}" in (take / "performance.html").read_text(encoding="utf-8")


def test_analyze_writes_its_report(rtcluster, folder):
    code, _, err = rtcluster("analyze", folder / f"{CAFE}.wav", "-o", folder / "report")
    assert code == 0, err
    page = (folder / "report" / "report.html").read_text(encoding="utf-8")
    assert f"<h1>{visible(CAFE)}.wav</h1>" in page


def test_one_that_is_not_there_is_refused_in_a_line(rtcluster, folder):
    code, _, err = rtcluster("run", folder / f"no {CAFE}.wav")
    assert code == 1
    assert err.count("\n") == 1
    assert "no caf\\udce9.wav, got nothing there" in err


def test_a_name_that_the_terminal_cannot_spell_is_escaped(rtcluster, wav, tmp_path):
    kit = tmp_path / "a.kit"
    assert rtcluster("run", wav, "-k", "3", "--save-kit", kit)[0] == 0
    assert rtcluster("kit", "rename", kit, "0", "\u9f13")[0] == 0
    shown = subprocess.run(
        [sys.executable, "-m", "rtcluster", "kit", "show", str(kit)],
        env=os.environ | {"PYTHONIOENCODING": "ascii"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert re.search(r"^0 +\\u9f13 ", shown.stdout, re.M)
    assert shown.stderr == ""
