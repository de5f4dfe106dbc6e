"""A truth file is read, merged, and refused where it is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rtcluster.sources import annotations


def write(folder: Path, text: str) -> Path:
    path = folder / "annotations.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_hits_that_fall_together_are_one_onset(tmp_path: Path) -> None:
    read = annotations.read(write(tmp_path, "time,label\n0.500,hat\n0.100,kick\n0.110,hat\n"))
    assert list(read.times) == [0.1, 0.5]
    assert read.labels == ("hat+kick", "hat")
    assert list(read.alone) == [False, True]
    assert read.hits == 3


def test_an_empty_truth_has_no_onset(tmp_path: Path) -> None:
    assert len(annotations.read(write(tmp_path, "time,label\n")).times) == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "got nothing"),
        ("onset,drum\n1,kick\n", "header time,label"),
        ("time,label\n0.1,kick\nsoon,kick\n", "line 3 .* 'soon'"),
        ("time,label\n-1,kick\n", "line 2"),
        ("time,label\nnan,kick\n", "line 2"),
        ("time,label\n0.1\n", "label in line 2"),
        ("time,label\n0.1," + "x" * 200_000 + "\n", "row of a CSV file in line 2"),
    ],
)
def test_what_is_no_truth_is_refused_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        annotations.read(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_file_of_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "annotations.csv"
    path.write_bytes(b"\xff\xfe\x00time")
    with pytest.raises(ValueError, match=r"CSV.* no UTF-8"):
        annotations.read(path)


def test_a_label_has_nothing_in_it_that_a_terminal_would_act_on(tmp_path: Path) -> None:
    read = annotations.read(write(tmp_path, "time,label\n0.1,k\x00\n0.5,sn\x1bare\n"))
    assert read.labels == ("k", "sn are")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"^Expected annotations .*none\.csv, got: No such file"):
        annotations.read(tmp_path / "none.csv")


AUDACITY = (
    "0.100000\t0.190000\tkick + hat\n\\\t100\t200\n0.500000\t0.590000\tsnare\n0.7\t0.8\tunknown\n"
)
VISUALISER = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE sonic-visualiser>
<sv><data><model id="1" sampleRate="1000" type="sparse" dataset="2"/>
<dataset id="2"><point frame="100" label="kick + hat"/><point frame="500" label="snare"/></dataset>
</data></sv>"""
JAMS = json.dumps(
    {
        "annotations": [
            {"namespace": "onset", "data": [{"time": 0.1, "value": None}]},
            {
                "namespace": "tag_open",
                "data": [
                    {"time": 0.1, "duration": 0.09, "value": "kick + hat"},
                    {"time": 0.5, "duration": 0.09, "value": "snare"},
                ],
            },
        ]
    }
)
EVENTS = "\n".join(
    map(
        json.dumps,
        [
            {"event": "session", "samplerate": 1000},
            {
                "event": "final",
                "id": 0,
                "sample": 100,
                "name": "kick",
                "parts": [{"name": "kick"}, {"name": "hat"}],
            },
            {"event": "final", "id": 1, "sample": 500, "name": "", "parts": [{"name": ""}]},
            {"event": "final", "id": 2, "sample": 700, "name": "", "parts": [{"name": ""}]},
            {"event": "relabel", "id": 1, "name": "snare"},
        ],
    )
)
EXPORTED = """id,time,name,parts
0,0.100,kick,kick 100 + hat 40
1,0.500,snare,snare 90
2,0.7,learning,learning 5
"""


@pytest.mark.parametrize("text", [AUDACITY, VISUALISER, JAMS, EVENTS, EXPORTED])
def test_what_other_programs_and_this_one_write_is_read(tmp_path: Path, text: str) -> None:
    read = annotations.read(write(tmp_path, text))
    assert list(read.times) == [0.1, 0.5]
    assert read.labels == ("hat+kick", "snare")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<sv><data>", "Sonic Visualiser"),
        ("<sv><dataset id='1'><point frame='3'/></dataset></sv>", "Sonic Visualiser"),
        ('{"names": 3}', "other JSON"),
        ('{"annotations": [3]}', "other JSON"),
        ("soon\t1.0\tkick\n", "line 1"),
    ],
)
def test_what_is_nearly_such_a_file_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        annotations.read(write(tmp_path, text))
