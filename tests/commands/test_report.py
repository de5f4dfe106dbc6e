from __future__ import annotations

import json
import re

import numpy as np
import pytest
import soundfile

from tests.performance import grooves

pytestmark = pytest.mark.usefixtures("coarse_pictures")


@pytest.fixture
def recording(rtcluster, tmp_path):
    """A recording's folder: a known player through ``rtcluster run``."""
    played = grooves.play(bpm=104.0, beats=32, jitter=0.004, swing=0.05)
    folder = tmp_path / "practice"
    folder.mkdir()
    soundfile.write(folder / "audio.wav", grooves.sound(played), 44100, subtype="FLOAT")
    code, events, _ = rtcluster("run", folder / "audio.wav", "-k", "3")
    assert code == 0
    (folder / "events.jsonl").write_text(events)
    return folder


def test_report_writes_a_page_and_tells_the_figures(rtcluster, recording):
    code, out, err = rtcluster("report", recording)
    assert (code, out) == (0, "")
    assert re.search(r"^tempo      10[34]\.\d+ ± 0\.\d+ bpm", err, re.M)
    assert "steady to" in err
    page = (recording / "performance.html").read_text()
    assert "<h1>practice</h1>" in page
    assert page.count("<figure") == 6
    assert "http://" not in page
    assert "https://" not in page
    figures = json.loads((recording / "performance.json").read_text())
    assert figures["tempo"]["bpm"]["value"] == pytest.approx(104, abs=1)
    assert figures["hits"] == len(figures["hit_list"])
    assert figures["hit_list"][0]["id"] == 0
    assert str(recording / "performance.html") in err


def test_a_report_counts_every_drum_of_a_hit(rtcluster, recording):
    events = recording / "events.jsonl"
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    finals = [line for line in lines if line["event"] == "final" and line["class"] >= 0]
    for line in finals:
        own = {"class": line["class"], "name": line["name"], "velocity": 90}
        line["parts"] = [own, {"class": 9, "name": "bell", "velocity": 30}]
    events.write_text("".join(json.dumps(line) + "\n" for line in lines))
    code, _, err = rtcluster("report", recording)
    assert code == 0
    assert f"bell       {len(finals)} hits; " in err
    figures = json.loads((recording / "performance.json").read_text())
    bell = next(drum for drum in figures["drums"] if drum["name"] == "bell")
    assert bell["dynamics"]["p50"]["value"] == 30
    assert figures["hit_list"][-1]["parts"][1]["name"] == "bell"


def test_report_takes_a_file_of_events_and_another_place(rtcluster, recording, tmp_path):
    code, _, _ = rtcluster("report", recording / "events.jsonl")
    assert code == 0
    assert (recording / "events-performance.html").is_file()
    page = tmp_path / "mine.html"
    code, _, _ = rtcluster("report", recording, "--out", page, "--bpm", "100")
    assert code == 0
    assert "an even grid of 100 bpm" in page.read_text()


def test_a_recording_that_was_cut_off_is_reported_and_it_says_so(rtcluster, recording):
    events = recording / "events.jsonl"
    whole = events.read_text()
    events.write_text(whole[: len(whole) * 2 // 3])
    code, _, _ = rtcluster("report", recording)
    assert code == 0
    assert "was cut off" in (recording / "performance.html").read_text()


def test_an_empty_session_says_so_in_one_line(rtcluster, tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(44100), 44100)
    _, events, _ = rtcluster("run", tmp_path / "silence.wav")
    (tmp_path / "events.jsonl").write_text(events)
    code, out, err = rtcluster("report", tmp_path)
    assert (code, out) == (0, "")
    assert err == "No hits: there is nothing to measure.\n"
    assert not (tmp_path / "performance.html").exists()


def _events(path, samples):
    lines = [{"event": "session", "version": 1, "samplerate": 44100, "source": "<b>&"}]
    for i, sample in enumerate(samples):
        lines.append(
            {"event": "onset", "id": i, "sample": int(sample), "time": sample / 44100,
             "emitted": int(sample), "velocity": 80, "strength": 1.0}
        )  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.parametrize("count", [1, 3])
def test_a_few_hits_give_a_page_without_a_tempo(rtcluster, tmp_path, count):
    _events(tmp_path / "events.jsonl", np.arange(count) * 22050)
    code, _, err = rtcluster("report", tmp_path)
    assert code == 0
    assert "no steady tempo" in err
    page = (tmp_path / "performance.html").read_text()
    assert "No steady tempo: a tempo takes 4 hits" in page
    assert "<b>&" not in page


def test_a_session_that_never_left_the_warm_up_has_a_tempo(rtcluster, tmp_path):
    _events(tmp_path / "events.jsonl", np.arange(16) * 22050)
    code, _, err = rtcluster("report", tmp_path)
    assert code == 0
    assert "tempo      120.0" in err
    assert "still learning" in err


def test_an_offset_without_an_absolute_grid_changes_nothing_and_it_says_so(rtcluster, tmp_path):
    _events(tmp_path / "events.jsonl", np.arange(16) * 22050)
    code, _, err = rtcluster("report", tmp_path, "--latency-offset", "5")
    assert code == 0
    assert "--latency-offset" in err
    _, _, err = rtcluster(
        "report", tmp_path, "--bpm", "120", "--beat-at", "0", "--latency-offset", "-10"
    )
    assert "+10.0" in err


@pytest.mark.parametrize("options", [["--open"], ["--no-open"]])
def test_the_browser_is_opened_if_asked(rtcluster, tmp_path, monkeypatch, options):
    shown = []
    monkeypatch.setattr("webbrowser.open", shown.append)
    _events(tmp_path / "events.jsonl", np.arange(5) * 22050)
    code, _, _ = rtcluster("report", tmp_path, *options)
    assert code == 0
    assert len(shown) == (options == ["--open"])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["none"], 1),
        (["DIR", "--bpm", "0"], 2),
        (["DIR", "--beat-at", "1"], 2),
        (["DIR", "--spread", "-1"], 2),
        (["DIR", "--out", "page.txt"], 2),
        (["DIR", "--out", "no-such-folder/page.html"], 1),
    ],
)
def test_report_refuses_bad_input_in_one_line(rtcluster, tmp_path, arguments, code):
    _events(tmp_path / "events.jsonl", np.arange(8) * 22050)
    names = {"DIR": str(tmp_path)}
    got, out, err = rtcluster("report", *[names.get(one, one) for one in arguments])
    assert (got, out) == (code, "")
    assert err.splitlines()[-1].startswith("rtcluster: ")
    assert "Traceback" not in err


def test_names_that_no_file_holds_are_reported_without_what_it_cannot(rtcluster, recording):
    events = recording / "events.jsonl"
    first, rest = events.read_text().split("\n", 1)
    session = json.loads(first) | {"source": "ri\ud800de"}
    events.write_text(json.dumps(session) + "\n" + rest.replace('"class 0"', '"kick\\ud800"'))
    code, _, err = rtcluster("report", recording)
    assert code == 0
    assert re.search(r"^kick +\d+ hits", err, re.M)
    assert "ri de" in (recording / "performance.html").read_text(encoding="utf-8")
