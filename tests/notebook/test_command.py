"""One command, one folder: a report and its parts."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtcluster.notebook import engine, run_analyze
from tests.notebook.conftest import FakeEngine, make_groove

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("coarse_pictures")]


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


def test_the_engine_runs_at_the_files_own_rate_and_the_report_says_so(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = make_groove(fs=44100)
    soundfile.write(tmp_path / "fast.wav", fast.x, fast.fs, subtype="FLOAT")
    real, heard = engine.run, FakeEngine(fast)
    monkeypatch.setattr(engine, "run", lambda *a, **options: real(*a, **options, engine=heard))
    text = run_analyze(tmp_path / "fast.wav", tmp_path / "out").read_text(encoding="utf-8")
    assert heard.fs == 44100
    np.testing.assert_array_equal(np.concatenate(heard.blocks), fast.x)
    assert "The file at its own 44\u202f100 Hz" in text
    assert "saw the whole file, at 22\u202f050 Hz, before" in text
    session = json.loads((tmp_path / "out" / "events.jsonl").read_text().splitlines()[0])
    assert session["samplerate"] == 44100
    assert "has 16 within 50 ms" in text


def test_a_rate_that_the_engine_does_not_run_at_is_resampled_for_it(
    groove, fake_engine, tmp_path
) -> None:
    soundfile.write(tmp_path / "slow.wav", groove.x[::8], 2756)
    text = run_analyze(tmp_path / "slow.wav", tmp_path / "out").read_text(encoding="utf-8")
    assert "at 22\u202f050 Hz (the engine does not run at its own 2\u202f756 Hz)" in text


def columns_of(text: str, caption: str) -> list[str]:
    table = text[text.index(f"<caption>{caption}") :].split("</table>")[0]
    return re.findall(r'<th scope="col" aria-label="([^"]+)"', table)


def test_a_class_without_a_matched_hit_has_its_column(
    groove, groove_file, tmp_path, fake_engine
) -> None:
    (tmp_path / "truth.csv").write_text("time,label\n0.1,kick\n0.35,hat\n90,gong\n")
    page = run_analyze(groove_file, tmp_path / "out", classes=3, truth=tmp_path / "truth.csv")
    text = page.read_text(encoding="utf-8")
    three = ["class 0", "class 1", "class 2"]
    assert columns_of(text, "Matched hits by class") == three
    assert columns_of(text, "engine: matched hits") == three
    assert '<th scope="row">gong</th>' in text


def test_without_the_engine_the_rest_is_still_there(groove_file, tmp_path, no_engine) -> None:
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
    alone = run_analyze(path, tmp_path / "alone", classes=1).read_text(encoding="utf-8")
    assert "1 hit" in alone
    assert "1 hits" not in alone


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
