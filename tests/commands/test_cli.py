from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict

import numpy as np
import pytest
import soundfile

from rtcluster.learning import kit_file
from rtcluster.settings import BAND_FEATURES
from rtcluster.sources.devices import Device
from tests.support.taught import taught_kit


def events(out):
    return [json.loads(line) for line in out.splitlines()]


def test_run_writes_the_events_of_each_file(rtcluster, wav, drums):
    code, out, _ = rtcluster("run", wav, wav, "-k", "3")
    kinds = [event["event"] for event in events(out)]
    assert code == 0
    assert kinds.count("session") == kinds.count("summary") == 2
    assert kinds.count("onset") == 2 * len(drums.strokes)


def test_run_finds_out_how_many_drums_there_are(rtcluster, wav, drums, tmp_path):
    _, out, _ = rtcluster("run", wav, "--save-kit", tmp_path / "own.kit")
    session, *told = events(out)
    assert session["settings"]["classes"] == "auto"
    found = {event["class"] for event in told if event["event"] in ("final", "relabel")} - {-1}
    assert len(found) == len({stroke.drum for stroke in drums.strokes})
    _, again, _ = rtcluster("run", wav, "--kit", tmp_path / "own.kit")
    assert events(again)[0]["settings"]["classes"] == len(found)  # a kit knows


def test_options_reach_the_engine(rtcluster, wav):
    _, out, _ = rtcluster(
        "run", wav, "--classes", "3", "--warmup", "5", "--freeze", "--method", "specdiff",
        "--threshold", "0.5", "--silence", "-50", "--mask", "0.04s", "--window", "80ms",
        "--guess", "1000", "--seed", "7", "--features", "best", "--scaling", "robust",
        "--memory", "50", "--reject", "4",
    )  # fmt: skip
    assert events(out)[0]["settings"] == {
        "classes": 3, "warmup": 5, "freeze": True, "method": "specdiff",
        "preset": "balanced", "threshold": 0.5,
        "silence": -50.0, "mask": "0.04s", "window": "80ms", "guess": "1000", "seed": 7,
        "buffer": None, "hop": None,
        "features": [*BAND_FEATURES], "scaling": "robust", "memory": 50, "reject": 4.0,
        "clusterer": "minibatch", "velocity": "gm", "velocity_range": "learned",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["run", "WAV", "-k", "0"], 2, "Expected classes to be 1 to 32 or auto, got 0."),
        (["run", "WAV", "--mask", "soon"], 2, "Expected a duration"),
        (["run", "WAV", "--mask", "30"], 2, "unit for mask, got '30': 30ms or 30samples?"),
        (["run", "WAV", "--method", "loud"], 2, "Expected method to be one of drums"),
        (["run", "WAV", "-c", "2"], 2, "Expected a channel from 1 to 1, got 2."),
        (["run", "WAV", "--guess", "100ms"], 2, "Expected guess to be at most the window"),
        (["run", "none.wav"], 1, "Expected an audio file at none.wav, got nothing there."),
        (["run", "TEXT"], 1, "Expected audio that libsndfile reads"),
        (["run", "EMPTY"], 1, "Expected at least one sample in"),
        (["run"], 2, "Missing argument"),
        (["run", "WAV", "--louder"], 2, "No such option"),
        (
            ["listen", "-c", "0"],
            2,
            "Expected a channel from 1, several (1-8 or 1,2,5), or all, got 0.",
        ),
    ],
)
def test_bad_input_gets_one_clear_line_and_the_right_exit_code(
    rtcluster, wav, tmp_path, arguments, code, says
):
    (tmp_path / "text.wav").write_text("this is not audio")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 44100)
    names = {
        "WAV": wav, "TEXT": str(tmp_path / "text.wav"), "EMPTY": str(tmp_path / "empty.wav"),
    }  # fmt: skip
    got, out, err = rtcluster(*[names.get(a, a) for a in arguments])
    assert got == code
    assert out == ""
    assert says in err
    if err.startswith("rtcluster:"):
        assert len(err.splitlines()) == 1


def test_more_classes_than_hits_keeps_the_hits_and_says_so(rtcluster, tmp_path, drums):
    path = str(tmp_path / "four.wav")
    soundfile.write(path, drums.audio[: drums.strokes[4].sample], 44100)
    code, out, err = rtcluster("run", path, "-k", "5")
    assert code == 1
    assert err.startswith("rtcluster: Expected at least 5 different hits for 5 classes, got 4;")
    assert [e["event"] for e in events(out)].count("final") == 4


def test_one_bad_file_does_not_stop_the_others(rtcluster, wav):
    code, out, err = rtcluster("run", "none.wav", wav)
    assert code == 1
    assert events(out)[-1]["event"] == "summary"
    assert err.splitlines()[-1] == "rtcluster: 1 of 2 files failed; see above."


def test_nan_in_a_file_is_reported(rtcluster, tmp_path, drums):
    audio = drums.audio.copy()
    audio[1000] = np.nan
    soundfile.write(tmp_path / "nan.wav", audio, 44100, subtype="FLOAT")
    code, out, err = rtcluster("run", str(tmp_path / "nan.wav"), "-k", "3")
    assert code == 0
    assert "1 stretches of 64 samples held NaN or Inf" in err
    assert events(out)[-1]["bad_hops"] == 1


def test_silence_is_no_failure(rtcluster, tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(44100), 44100)
    code, out, _ = rtcluster("run", str(tmp_path / "silence.wav"))
    assert code == 0
    assert events(out)[-1]["hits"] == 0


def test_a_long_file_shows_its_progress(rtcluster, tmp_path):
    folder = tmp_path / ("folder " * 20)  # wider than a line
    folder.mkdir()
    soundfile.write(folder / "long.wav", np.zeros(8000 * 40), 8000)
    code, _, err = rtcluster("run", str(folder / "long.wav"))
    assert code == 0
    assert "long.wav" in err
    assert "100 %" in err


def test_demo_prints_each_hit_and_what_it_got_right(rtcluster, tmp_path):
    path = tmp_path / "demo.jsonl"
    code, out, err = rtcluster("demo", "--seconds", "4", "--jsonl", str(path))
    assert code == 0
    assert out == ""
    told = [line.split()[0] for line in err.splitlines() if line[:1].isalpha()]
    assert told[-4:] == ["onsets", "classes", "latency", "callback"]
    assert "F 1.000" in err
    assert "latency   p50" in err
    lines = events(path.read_text())
    assert lines[-1]["event"] == "summary"
    assert lines[-1]["hits"] == err.count(" zcr ")


def test_the_version_and_the_help_are_told(rtcluster):
    assert rtcluster("--version")[1].count(".") == 2
    assert "demo" in rtcluster("--help")[1]


def started(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "rtcluster", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


@pytest.mark.parametrize("command", ["--help", "devices"])
def test_what_answers_at_once_imports_nothing_heavy(command):
    code = (
        f"import sys; sys.argv = ['rtcluster', '{command}']\n"
        "from rtcluster.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numba', 'sklearn', 'scipy', 'aubio', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_no_session_waits_for_scikit_learn(wav, tmp_path):
    """Its import, with that of SciPy and pandas, takes longer than all else of a start."""
    taught, learned = tmp_path / "taught.json", tmp_path / "learned.json"
    kit_file.save(taught, taught_kit())
    code = (
        "import sys\n"
        "from rtcluster.commands.app import app\n"
        "def run(*words):\n"
        "    app([str(word) for word in words], standalone_mode=False)\n"
        f"run('kit', 'show', {str(taught)!r})\n"
        "heavy = {'numba', 'sklearn', 'scipy', 'pandas', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        f"run('run', {str(wav)!r}, '-k', 'auto', '--save-kit', {str(learned)!r})\n"
        "heavy = {'sklearn', 'scipy.linalg', 'scipy.optimize', 'pandas', 'threadpoolctl'}\n"
        "heavy &= set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_reader_that_leaves_ends_the_run_without_a_traceback(wav):
    process = started("run", wav, "-k", "3")
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 1
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_an_interrupted_demo_keeps_its_hits(tmp_path, number):
    import signal

    path = tmp_path / "demo.jsonl"
    process = started("demo", "--seconds", "60", "--jsonl", str(path))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and (
        not path.exists() or path.read_text().count('"event": "final"') < 3
    ):
        time.sleep(0.1)
    process.send_signal(getattr(signal, number))
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    lines = events(path.read_text())
    assert lines[-1]["event"] == "summary"
    assert lines[-1]["hits"] >= 3


def test_an_interrupted_run_keeps_its_hits(tmp_path, drums):
    import signal

    path = tmp_path / "long.wav"
    soundfile.write(path, np.tile(drums.audio, 60), 44100)
    process = started("run", str(path), "-k", "3", env=os.environ | {"PYTHONUNBUFFERED": "1"})
    for line in process.stdout:
        if '"event": "final"' in line:
            break
    process.send_signal(signal.SIGINT)
    last = [*process.stdout][-1]
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert json.loads(last)["event"] == "summary"


def test_devices_are_listed_as_json(rtcluster, monkeypatch):
    card = Device(3, "card", "ALSA", 2, 0, 48000, 8.7, True)
    monkeypatch.setattr("rtcluster.sources.devices.devices", lambda: [card])
    code, out, _ = rtcluster("devices", "--json")
    assert code == 0
    assert json.loads(out) == [asdict(card)]
    assert "card, ALSA, 2 in, 0 out, 48000 Hz" in rtcluster("devices")[1]
