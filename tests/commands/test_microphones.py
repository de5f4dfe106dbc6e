"""Several microphones from the command line: teach, run, listen."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import soundfile

from rtcluster.commands.options import channel_of
from rtcluster.learning.kit_file import load, save
from tests.support.microphones import ALL, NAMES, RATE, performance, taught_kit


@pytest.fixture(scope="module")
def take(tmp_path_factory):
    """A take of lone strokes on three channels, its annotations, and a performance."""
    folder = tmp_path_factory.mktemp("take")
    sets = [(name,) for name in NAMES for _ in range(5)]
    audio, starts = performance(sets, np.random.default_rng(0), apart=0.5)
    soundfile.write(folder / "take.wav", audio, RATE, subtype="FLOAT")
    rows = [f"{start / RATE},{drums[0]}" for start, drums in zip(starts, sets, strict=True)]
    (folder / "take.csv").write_text("\n".join(["time,label", *rows, ""]))
    audio, _ = performance(ALL, np.random.default_rng(6))
    soundfile.write(folder / "song.wav", audio, RATE, subtype="FLOAT")
    return folder


def finals(out):
    return [e for e in map(json.loads, out.splitlines()) if e["event"] == "final"]


def test_a_kit_taught_on_all_channels_names_each_stroke_once(rtcluster, take, tmp_path):
    kit, song = tmp_path / "my.kit", take / "song.wav"
    code, _, err = rtcluster(
        "teach", "--from", take / "take.wav", "--truth", take / "take.csv", "--save-kit", kit,
        "-c", "all",
    )  # fmt: skip
    assert code == 0, err
    assert load(kit).microphones == (1, 2, 3)
    code, out, _ = rtcluster("run", song, "--kit", kit, "-c", "all")
    told = finals(out)
    assert code == 0
    assert [{part["name"] for part in one["parts"]} for one in told] == [{*one} for one in ALL]
    assert [one["channel"] for one in told] == [1 + NAMES.index(one["name"]) for one in told]
    # The kit's microphones are heard without -c too, and may be named.
    for channels in ((), ("-c", "1-3"), ("-c", "1,2,3")):
        assert rtcluster("run", song, "--kit", kit, *channels)[1] == out
    saved = tmp_path / "played.kit"
    assert rtcluster("run", song, "--kit", kit, "-c", "all", "--save-kit", saved)[0] == 0
    assert load(saved).microphones == (1, 2, 3)
    code, _, err = rtcluster("run", song, "--kit", kit, "-c", "2")
    assert (code, err) == (
        2,
        f"rtcluster: Expected the 3 microphones of {kit}, got channel 2; leave -c out, or name as "
        "many.\n",
    )
    code, out, _ = rtcluster("kit", "show", kit)
    assert code == 0
    assert "microphones: channels 1, 2, 3" in out


def test_several_channels_need_a_kit_that_was_taught_on_them(rtcluster, take):
    code, _, err = rtcluster("run", take / "song.wav", "-c", "1,3")
    assert code == 2
    assert err.startswith(
        "rtcluster: Expected a kit that was taught on 2 microphones, got none; "
        "'rtcluster teach ... -c 1,3' makes one."
    )


@pytest.mark.parametrize(
    ("given", "channels"),
    [(None, None), ("all", "all"), ("3", 3), ("1-4", (1, 2, 3, 4)), ("1,2, 5-6", (1, 2, 5, 6))],
)
def test_channels_are_read(given, channels):
    assert channel_of(given) == channels


def test_kit_show_and_the_report_have_the_bleed(rtcluster, take, tmp_path):
    folder = tmp_path / "take"
    folder.mkdir()
    kit = folder / "start.kit"  # where a recording keeps what it began with
    save(kit, taught_kit())
    code, out, _ = rtcluster("kit", "show", kit)
    assert code == 0
    [row] = [line for line in out.splitlines() if line.startswith("snare") and "own" in line]
    assert re.fullmatch(r"snare +▓▓▓ -1\d +███ own +▓▓▓ -\d", row)

    code, out, _ = rtcluster("run", take / "song.wav", "--kit", kit)
    (folder / "events.jsonl").write_text(out)
    assert rtcluster("report", folder)[0] == 0
    page = (folder / "performance.html").read_text()
    assert '<figure class="wide" id="picture-bleed">' in page
    assert "kick on channel 1; snare on channel 2; hat on channel 3." in page
    assert page.count('<span class="n">8</span>') == 1
    kit.write_text("no kit")
    code, _, err = rtcluster("report", folder)
    assert code == 0
    assert "The report is without its picture of the bleed." in err
    assert "picture-bleed" not in (folder / "performance.html").read_text()
