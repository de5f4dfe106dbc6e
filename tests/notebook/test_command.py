"""One command, one folder: a report and its parts."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtcluster.notebook import run_analyze

pytestmark = pytest.mark.usefixtures("small_pictures")


def test_a_folder_with_the_report_and_all_its_parts(groove, report) -> None:
    folder = report.parent
    assert report.name == "report.html"
    with (folder / "features.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16
    assert set(rows[0]) >= {"time", "frame", "sample", "zcr", "energy", "kmeans", "affinity"}
    labels = (folder / "labels.txt").read_text().splitlines()
    assert len(labels) == 16
    start, end, name = labels[0].split("\t")
    assert float(end) - float(start) == pytest.approx(0.09)
    assert name == f"class {rows[0]['kmeans']}"
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    assert (events[0]["event"], events[-1]["event"]) == ("session", "summary")
    assert events[-1]["hits"] == 16
    pictures = {path.name for path in (folder / "pictures").iterdir()}
    assert {"waveform.png", "waveform-dark.png", "kmeans.png", "affinity-time.png"} <= pictures
    sounds = {path.name for path in (folder / "sounds").iterdir()}
    assert {"sound.wav", "onsets.wav", "kmeans-class-0.wav", "kmeans-class-1.wav"} <= sounds
    x, fs = soundfile.read(folder / "sounds" / "onsets.wav")
    assert (len(x), fs) == (len(groove.x), groove.fs)


def test_the_report_names_what_it_found(report) -> None:
    text = report.read_text(encoding="utf-8")
    assert "A table of shape (16, 2)" in text
    assert "16 of 16 hits" in text  # the engine's features are equal
    assert "adjusted Rand index of 1.000" in text
    assert "of 200 single starts end" in text


def test_nothing_in_the_report_points_elsewhere(report) -> None:
    text = report.read_text(encoding="utf-8")
    assert "http://" not in text
    assert "https://" not in text
    assert "default-src 'none'" in text


def test_hits_are_scored_against_a_truth(report) -> None:
    text = report.read_text(encoding="utf-8")
    assert "Against the truth" in text
    row = text[text.index('<th scope="row">F-measure') :].split("</tr>")[0]
    assert row.count("<td>1.000</td>") == 3


def test_without_the_engine_the_rest_is_still_there(groove_file, tmp_path, no_engine) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "events.jsonl").write_text("of an earlier run")
    text = run_analyze(groove_file, tmp_path / "out").read_text(encoding="utf-8")
    assert "no engine here" in text
    assert not (tmp_path / "out" / "events.jsonl").exists()


@pytest.mark.parametrize("algorithm", ["kmeans", "affinity", "both"])
def test_silence_gives_a_report_that_says_so(tmp_path, no_engine, algorithm) -> None:
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(22050), 22050)
    text = run_analyze(path, tmp_path / "out", algorithm=algorithm).read_text(encoding="utf-8")
    assert "No onset was found: the file is silent" in text
    assert (tmp_path / "out" / "features.csv").read_text().count("\n") == 1


def test_one_onset_gives_a_report_that_says_so(groove, tmp_path, no_engine) -> None:
    path = tmp_path / "one.wav"
    soundfile.write(path, groove.x[: int(0.3 * groove.fs)], groove.fs)
    text = run_analyze(path, tmp_path / "out").read_text(encoding="utf-8")
    assert "1 onset, where" in text
    assert "Only 1 onset found: too few for 2 classes" in text
    assert (tmp_path / "out" / "labels.txt").read_text().endswith("\tonset\n")


def test_fewer_onsets_than_classes_give_a_report_that_says_so(
    groove_file, tmp_path, no_engine
) -> None:
    text = run_analyze(groove_file, tmp_path / "out", classes=17).read_text(encoding="utf-8")
    assert "Only 16 onsets found: too few for 17 classes" in text


def test_a_file_of_three_samples_gives_a_report(tmp_path, no_engine) -> None:
    path = tmp_path / "tiny.wav"
    soundfile.write(path, np.array([0.1, -0.1, 0.1]), 22050)
    assert run_analyze(path, tmp_path / "out").is_file()


def test_a_second_run_leaves_nothing_of_the_first(groove_file, tmp_path, no_engine) -> None:
    run_analyze(groove_file, tmp_path / "out", classes=3)
    run_analyze(groove_file, tmp_path / "out", classes=2, algorithm="kmeans")
    sounds = {path.name for path in (tmp_path / "out" / "sounds").iterdir()}
    assert sounds == {"sound.wav", "onsets.wav", "kmeans-class-0.wav", "kmeans-class-1.wav"}


def test_progress_goes_to_standard_error_only(groove_file, tmp_path, no_engine, capsys) -> None:
    run_analyze(groove_file, tmp_path / "out", algorithm="kmeans")
    out, err = capsys.readouterr()
    assert out == ""
    assert "reading" in err
    assert "pictures" in err


@pytest.mark.parametrize(
    "options",
    [
        {"classes": 0},
        {"algorithm": "all"},
        {"rate": 100},
        {"delta": -1.0},
        {"wait": -1},
        {"seed": -1},
        {"truth": __file__},
    ],
)
def test_wrong_usage_is_one_line_and_writes_nothing(groove_file, tmp_path, options) -> None:
    with pytest.raises(ValueError, match="Expected") as caught:
        run_analyze(groove_file, tmp_path / "out", **options)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_missing_file_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"none\.wav"):
        run_analyze(tmp_path / "none.wav", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_hits_without_a_class_agree_with_nothing(groove, tmp_path, fake_engine) -> None:
    path = tmp_path / "groove.wav"
    soundfile.write(path, groove.x, groove.fs, subtype="FLOAT")
    text = run_analyze(path, tmp_path / "out", classes=17).read_text(encoding="utf-8")
    assert "KMeans had too few hits" in text
    assert "adjusted Rand index of" not in text


def test_a_long_file_is_cut_for_players_only(
    groove_file, tmp_path, no_engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rtcluster.notebook import audio, reference, sonify

    monkeypatch.setattr(sonify, "EXCERPT_S", 2.0)
    monkeypatch.setattr(audio, "IN_MEMORY", 1000)
    monkeypatch.setattr(reference, "WHOLE", 1000)
    text = run_analyze(groove_file, tmp_path / "out").read_text(encoding="utf-8")
    assert "hold its first 2.00 s" in text
    assert "16 onsets" in text
    sound = soundfile.info(tmp_path / "out" / "sounds" / "onsets.wav")
    assert sound.duration == pytest.approx(2.0)
