from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtcluster.batch.lock import Lock
from rtcluster.sources import groove


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Three recordings and one that is none."""
    folder = tmp_path_factory.mktemp("archive")
    (folder / "late").mkdir()
    for number, name in enumerate(("one.wav", "two.wav", "late/three.wav")):
        tracks = [groove.render(2.5 + number, seed=number + c).audio for c in (0, 7)]
        soundfile.write(folder / name, np.stack(tracks, axis=1), 44100)
    return folder


@pytest.fixture(scope="module")
def long_ones(tmp_path_factory):
    """Recordings that take a while."""
    folder = tmp_path_factory.mktemp("long")
    audio = np.tile(groove.render(10.0).audio, 5)
    for number in range(6):
        soundfile.write(folder / f"{number}.wav", audio[: len(audio) // (1 + number % 2)], 44100)
    return folder


def contents(folder):
    """What the outputs hold, by their names."""
    files = Path(folder).rglob("*.jsonl")
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in files
        if not file.name.startswith(".")
    }


def test_a_folder_on_standard_output_is_the_same_for_any_number_of_jobs(rtcluster, archive):
    code, one, _ = rtcluster("run", archive, archive / "one.wav", "-k", "3")
    assert code == 0
    sources = [line["source"] for line in map(json.loads, one.splitlines()) if "source" in line]
    assert [Path(source).name for source in sources] == [
        "three.wav", "one.wav", "two.wav", "one.wav",
    ]  # fmt: skip
    code, two, err = rtcluster("run", archive, archive / "one.wav", "-k", "3", "--jobs", "2")
    assert code == 0
    assert two == one
    assert "4 of 4 files" in err
    assert "100 %" in err


@pytest.mark.parametrize("more", [(), ("-c", "all")], ids=["mean", "all channels"])
def test_a_folder_of_outputs_is_the_same_for_any_number_of_jobs(rtcluster, archive, tmp_path, more):
    arguments = ("run", archive, "-k", "3", *more)
    assert rtcluster(*arguments, "--out", tmp_path / "1")[0] == 0
    assert rtcluster(*arguments, "--out", tmp_path / "2", "--jobs", "2")[0] == 0
    assert sorted(contents(tmp_path / "1")) == [
        "late/three.wav.jsonl", "one.wav.jsonl", "two.wav.jsonl",
    ]  # fmt: skip
    assert contents(tmp_path / "2") == contents(tmp_path / "1")
    alone = rtcluster("run", archive / "two.wav", "-k", "3", *more)[1]
    assert contents(tmp_path / "1")["two.wav.jsonl"].decode() == alone


def test_what_is_there_is_not_done_again_unless_asked(rtcluster, archive, tmp_path):
    arguments = ("run", archive, "-k", "3", "--out", tmp_path)
    rtcluster(*arguments)
    before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.wav.jsonl")}

    def touched(*more):
        code, out, err = rtcluster(*arguments, *more)
        assert (code, out) == (0, "")
        now = {file: file.stat().st_mtime_ns for file in before}
        changed = sorted(file.name for file in before if now[file] != before[file])
        before.update(now)
        return changed, err.splitlines()[-1]

    everything = ["one.wav.jsonl", "three.wav.jsonl", "two.wav.jsonl"]
    assert touched() == ([], "0 files done, 3 were there already.")
    assert touched("--resume")[0] == []
    assert touched("--again")[0] == everything
    assert touched("-r", "48000")[0] == everything
    assert touched("--seed", "3")[0] == everything
    assert touched()[0] == everything  # those of another seed are none of these
    one = tmp_path / "one.wav.jsonl"
    one.write_text(one.read_text()[:-100])
    changed, said = touched()
    assert changed == ["one.wav.jsonl"]
    assert said.startswith("1 file done, 2 were there already; ")
    one.write_text("what the user wrote")
    code, _, err = rtcluster(*arguments)
    assert (code, one.read_text()) == (1, "what the user wrote")
    assert "one.wav.jsonl: it holds something else" in err
    assert touched("--overwrite")[0] == ["one.wav.jsonl"]


def test_two_runs_do_not_write_to_one_folder(rtcluster, archive, tmp_path):
    lock = Lock(tmp_path)
    code, _, err = rtcluster("run", archive, "--out", tmp_path)
    lock.close()
    assert code == 1
    assert err.startswith(f"rtcluster: {tmp_path}: process {os.getpid()} on ")
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_recording_that_changed_is_done_again(rtcluster, tmp_path, drums):
    take = tmp_path / "take.wav"
    for length in (3, 4):
        soundfile.write(take, drums.audio[: length * 44100], 44100)
        assert rtcluster("run", take, "-k", "3", "--out", tmp_path / "out")[0] == 0
        lines = contents(tmp_path / "out")["take.wav.jsonl"].splitlines()
        assert json.loads(lines[-1])["samples"] == length * 44100


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_bad_files_are_told_and_do_not_stop_the_others(rtcluster, archive, tmp_path, drums, jobs):
    (tmp_path / "text.wav").write_text("this is not audio")
    soundfile.write(tmp_path / "few.wav", drums.audio[: drums.strokes[2].sample], 44100)
    code, _, err = rtcluster(
        "run", tmp_path, archive, "none.wav", "-k", "3", "--out", tmp_path / "out", "-j", jobs
    )
    assert code == 1
    lines = [line for line in err.splitlines() if line.startswith("rtcluster:")]
    assert lines[-1] == "rtcluster: 3 of 6 files failed; see above."
    assert "rtcluster: Expected an audio file at none.wav, got nothing there." in lines
    assert any("few.wav: Expected at least 3 different hits" in line for line in lines)
    assert any("Expected audio that libsndfile reads" in line for line in lines)
    assert len(lines) == 4
    assert sorted(contents(tmp_path / "out")) == [
        "few.wav.jsonl", "late/three.wav.jsonl", "one.wav.jsonl", "two.wav.jsonl",
    ]  # fmt: skip
    assert not list((tmp_path / "out").rglob("*.part"))


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["ARCHIVE", "ARCHIVE", "--out", "OUT"], 2, "Expected a name of its own for each output"),
        (["EMPTY"], 1, "Expected audio files in the folder"),
        (["-", "--out", "OUT"], 2, "Expected files and folders with --out"),
        (["-", "ARCHIVE", "--jobs", "2"], 2, "Expected files and folders with --out, --jobs"),
        (["ARCHIVE", "--again"], 2, "Expected --out with --again"),
        (
            ["ARCHIVE", "-c", "left"],
            2,
            "Expected a channel from 1, several (1-8 or 1,2,5), or all, got left.",
        ),
        (
            ["ARCHIVE", "-c", "0"],
            2,
            "Expected a channel from 1, several (1-8 or 1,2,5), or all, got 0.",
        ),
        (["ARCHIVE", "--save-kit", "KIT"], 2, "Expected one file with --save-kit, got 3"),
        (["ONE", "-c", "all", "--save-kit", "KIT"], 2, "Expected one channel with --save-kit"),
        (["ONE", "--out", "OUT", "--save-kit", "KIT"], 2, "Expected --save-kit without --out"),
        (["ONE", "--out", "ONE"], 1, "Expected a folder to write to at"),
        (["ONE", "--scheduler", "nowhere"], 2, "Expected a scheduler's address"),
        (["ARCHIVE", "--kit", "none.kit", "--out", "OUT"], 1, "Expected a kit at none.kit"),
        (["ONE", "-c", "3", "--out", "OUT"], 2, "Expected a channel from 1 to 2, got 3."),
    ],
)
def test_bad_usage_gets_one_line(rtcluster, archive, tmp_path, arguments, code, says):
    (tmp_path / "empty").mkdir()
    names = {
        "ARCHIVE": archive, "ONE": archive / "one.wav", "EMPTY": tmp_path / "empty",
        "OUT": tmp_path / "out", "KIT": tmp_path / "my.kit",
    }  # fmt: skip
    got, out, err = rtcluster("run", *[names.get(a, a) for a in arguments])
    assert (got, out) == (code, "")
    told = [line for line in err.splitlines() if line.startswith("rtcluster:")]
    assert len(told) == 1
    assert says in told[0]


def started(*arguments, **more):
    return subprocess.Popen(
        [sys.executable, "-m", "rtcluster", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more,
    )  # fmt: skip


def below(pid):
    """Processes below one, by ``/proc``."""
    found = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, file.read_text().split()):
            found += [child, *below(child)]
    return found


def wait_until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alive(pid):
    """Whether a process runs; one that nobody has buried yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_breaks_off_goes_on_where_it_was(rtcluster, long_ones, tmp_path, number):
    arguments = ("run", long_ones, "-k", "3", "--out", tmp_path, "--jobs", "2")
    process = started(*arguments)
    wait_until(lambda: len(contents(tmp_path)) >= 1)
    workers = below(process.pid)
    assert len(workers) >= 2
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert "Traceback" not in err
    if number != signal.SIGKILL:
        assert process.returncode == 130
        assert "the same command goes on from there" in err
        assert not list(tmp_path.rglob("*.part"))
    wait_until(lambda: not any(map(alive, workers)))
    kept = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.wav.jsonl")}
    assert 1 <= len(kept) < 6
    if number == signal.SIGINT:
        code, _, err = rtcluster(*arguments)
        assert code == 0
        assert f"{len(kept)} were there already" in err
        assert len(contents(tmp_path)) == 6
        assert {file: file.stat().st_mtime_ns for file in kept} == kept
        assert not list(tmp_path.rglob("*.part"))


def test_a_reader_that_leaves_ends_the_workers(long_ones):
    process = started("run", long_ones, "-k", "3", "--jobs", "2")
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 1
    err = process.stderr.read()
    process.stderr.close()
    assert "Traceback" not in err
    assert "Exception ignored" not in err
    assert "Expected to write events to standard output, got: Broken pipe." in err


@pytest.mark.parametrize("after_s", [0.0, 0.5, 2.0])
def test_ctrl_c_while_the_workers_start_is_one_clean_line(long_ones, tmp_path, after_s):
    """To the whole group, as a terminal sends it; counted from the start of the first process."""
    process = started(
        "run", long_ones, "-k", "3", "--jobs", "2", "--out", tmp_path, start_new_session=True
    )
    wait_until(lambda: below(process.pid))
    time.sleep(after_s)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)  # to the end of all that has its standard error
    assert process.returncode == 130
    *bar, line = err.splitlines()
    done = f"Interrupted: {len(contents(tmp_path))} of 6 files done"
    assert line == f"{done}; the same command goes on from there."
    assert not [one for one in bar if "files" not in one]
