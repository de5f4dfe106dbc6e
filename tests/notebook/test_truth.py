"""A truth file is read, merged, and refused where it is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtcluster.notebook import truth


def write(folder: Path, text: str) -> Path:
    path = folder / "truth.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_hits_that_fall_together_are_one_onset(tmp_path: Path) -> None:
    read = truth.read(write(tmp_path, "time,label\n0.500,hat\n0.100,kick\n0.110,hat\n"))
    assert list(read.times) == [0.1, 0.5]
    assert read.labels == ("hat+kick", "hat")
    assert list(read.alone) == [False, True]
    assert read.hits == 3


def test_an_empty_truth_has_no_onset(tmp_path: Path) -> None:
    assert len(truth.read(write(tmp_path, "time,label\n")).times) == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "got nothing"),
        ("onset,drum\n1,kick\n", "header time,label"),
        ("time,label\n0.1,kick\nsoon,kick\n", "line 3 .* 'soon'"),
        ("time,label\n-1,kick\n", "line 2"),
        ("time,label\nnan,kick\n", "line 2"),
    ],
)
def test_what_is_no_truth_is_refused_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        truth.read(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_file_of_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_bytes(b"\xff\xfe\x00time")
    with pytest.raises(ValueError, match="CSV"):
        truth.read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"none\.csv"):
        truth.read(tmp_path / "none.csv")
