"""The benchmarks: their arithmetic, and a suite that leaves none out and stops at none."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from bench import (
    callback,
    cost,
    latency,
    learning,
    scaling,
    startup,
    suite,
    throughput,
)
from bench.classes.truth import Annotations
from tests.support import loads

ROOT = Path(suite.__file__).parents[1]

SUPPORT = {
    "__init__", "__main__", "suite", "report", "tables", "recordings", "loads", "jackd",
    "case", "listener", "play", "drummer", "witness", "hit", "tape", "song", "screens",
}  # fmt: skip
"""Modules of ``bench`` that are no benchmark, but what one is made of."""


def bench(*arguments, **options):
    """Run ``python -m bench``."""
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


# The suite.


def test_every_module_is_in_the_suite():
    modules = {path.stem for path in (ROOT / "bench").glob("*.py")} - SUPPORT
    packages = {path.parent.name for path in (ROOT / "bench").glob("*/__main__.py")}
    assert {one.name for one in suite.BENCHES} == modules | packages


def test_every_need_is_known():
    for one in suite.BENCHES:
        assert {*one.needs, *one.peers} <= {*suite.NEEDS}, one.name


def test_the_list_tells_every_benchmark_and_runs_none():
    listed = bench("--list")
    assert listed.returncode == 0
    for one in suite.BENCHES:
        assert one.name in listed.stdout


def test_an_unknown_name_is_refused():
    refused = bench("speed")
    assert refused.returncode == 2
    assert "got 'speed'" in " ".join(refused.stderr.replace("│", "").split())


def test_a_benchmark_takes_its_own_options_and_gives_its_exit_code():
    refused = bench("startup", "--turns", "0")
    assert refused.returncode == 2
    assert "--turns" in refused.stderr


def silent():
    return Console(file=io.StringIO(), width=120)


def test_one_that_fails_stops_no_other(results, monkeypatch):
    ran = []

    def run(name, options, limit_s):
        ran.append((name, *options))
        return 3 if name == "a" else 0

    monkeypatch.setattr(suite, "run", run)
    monkeypatch.setitem(suite.NEEDS, "moon", lambda: "there is no moon")
    benches = (
        suite.Bench("a", "what a is", ()),
        suite.Bench("b", "what b is", ("--quick",)),
        suite.Bench("c", "what c is", (), needs=("moon",)),
        suite.Bench("d", "what d is", (), peers=("moon",)),
        suite.Bench("e", "what e is", None),
    )
    console = silent()
    rows = suite.run_all(console, benches)
    assert ran == [("a",), ("b", "--quick"), ("d",)]
    assert [(row["name"], row["result"], row["why"]) for row in rows] == [
        ("a", "failed", "exit code 3"),
        ("b", "done", ""),
        ("c", "missing", "there is no moon"),
        ("d", "done", "there is no moon"),
    ]
    assert suite.conclude(console, rows) == 1
    assert suite.conclude(console, rows[1:]) == 0
    assert "there is no moon" in console.file.getvalue()
    written = json.loads((results / "suite.json").read_text())
    assert written["machine"]["python"]
    assert len(written["benches"]) == 3


def test_one_that_hangs_is_stopped_with_what_it_has_started(tmp_path, monkeypatch):
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "__init__.py").touch()
    (tmp_path / "bench" / "hang.py").write_text(
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "open('child', 'w').write(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    monkeypatch.setattr(suite, "ROOT", tmp_path)
    began = time.monotonic()
    assert suite.run("hang", (), limit_s=4.0) == -1
    assert time.monotonic() - began < 30.0
    child = int((tmp_path / "child").read_text())
    for _ in range(100):  # until it has been waited for by whoever inherits it
        if not alive(child):
            break
        time.sleep(0.05)
    assert not alive(child)


def alive(pid):
    """Whether a process runs; one that is dead and not yet waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


# Loads.


def test_every_load_has_a_name_in_the_plot():
    assert list(callback.NAMES) == list(loads.LOADS)


@pytest.mark.parametrize("name", ["idle", "busy", "partial_fit", "import"])
def test_a_load_ends_with_its_context(name):
    before = threading.active_count()
    with loads.load(name):
        time.sleep(0.05)
        assert threading.active_count() == before + len(loads.LOADS[name])
    assert threading.active_count() == before


def test_a_load_that_fails_is_no_load(monkeypatch):
    def fail(_stop):
        raise OSError("no space")

    monkeypatch.setitem(loads.LOADS, "disk", (fail,))
    with pytest.raises(RuntimeError, match="no space"), loads.load("disk"):
        pass


def test_forgotten_modules_are_those_in_python():
    import json.decoder

    kept = loads.forget("json")
    try:
        assert {"json", "json.decoder"} <= {*kept}
        assert "json" not in sys.modules
        assert "_json" in sys.modules
    finally:
        sys.modules.update(kept)
    assert sys.modules["json"] is json


def test_busy_processes_end_with_the_one_that_began_them():
    script = (
        "import os, subprocess, sys\nfrom tests.support.loads import BURN\n"
        "command = [sys.executable, '-c', BURN, str(os.getpid())]\n"
        "print(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid)"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for _ in range(200):
        if not alive(int(told.stdout)):
            break
        time.sleep(0.05)
    assert not alive(int(told.stdout))


# Arithmetic.


def test_lateness_is_from_the_latest_block_that_was_ready():
    ready = np.array([1000, 2000, 3000])
    began = np.array([500, 1100, 2050, 2950, 3500])
    assert callback.lateness_us(began, ready).tolist() == [0.1, 0.05, 0.95]


def test_a_stroke_sounds_before_its_block_is_handed_over():
    handed = np.array([10_000_000, 20_000_000])
    found = latency.sounded_ns(np.array([0, 7, 10, 25]), handed, blocksize=10, rate=1000)
    # At 1 kHz a block of 10 takes 10 ms; the last stroke lies after the blocks.
    assert found.tolist() == [0, 7_000_000, 10_000_000]


def test_the_first_onset_after_a_stroke_is_that_of_the_stroke():
    sounded = np.array([100, 200, 300])
    onsets = [(50, 0), (110, 1), (150, 2), (320, 3)]
    assert latency.by_hit(sounded, onsets) == {1: 0, 3: 2}


def test_delays_are_those_of_the_strokes_that_count():
    sounded = np.array([0, 1_000_000_000])
    seen = {
        "function": {"onset": [(2_000_000, 0), (1_003_000_000, 1)], "guess": [(1_032_000_000, 1)]},
        "osc": {"onset": [(1_004_000_000, 1), (1_009_000_000, 7)]},
    }
    found = latency.delays(sounded, seen, np.array([False, True]))
    assert found["function"]["onset"]["p50"] == 3.0
    assert found["function"]["guess"]["max"] == 32.0
    assert found["osc"]["onset"]["max"] == 4.0


def test_a_line_through_the_origin_is_linear():
    rows = [
        {"audio_s": s, "audio_s_per_cpu_s": 80.0, "resident_mb": mb}
        for s, mb in ((60, 100.0), (120, 110.0), (300, 110.2), (600, 110.4))
    ]
    assert scaling.verdict(rows) == {"throughput_ratio": 1.0, "growth_mb": 0.4}
    rows[-1]["audio_s_per_cpu_s"] = 40.0
    assert scaling.verdict(rows)["throughput_ratio"] == 0.5


def test_a_stream_is_heard_to_its_length():
    audio = scaling.render(2.0, scaling.SAMPLERATE).audio
    rows = list(scaling.along(5.0, audio))
    assert [row["audio_s"] for row in rows] == [5.0]
    assert rows[0]["hits"] > 10
    assert rows[0]["cpu_s"] > 0
    peak = scaling.peak_mb()
    assert peak is None or peak > 20


def test_load_is_work_over_time():
    case = cost.Case("", "", samplerate=1000, blocksize=10)
    assert cost.load(np.full(5, 1000.0), case) == pytest.approx(0.1)


def test_blocks_that_judge_are_found():
    found = cost.measure(cost.USUAL, cost.USUAL, seconds=1.0, turns=2)
    assert found["judging_us"]["p50"] > found["work_us"]["p50"] > 0
    assert 0 < found["load"] < 1
    assert 0.1 < found["ratio"] < 10


@pytest.mark.parametrize("channels", [1, 3])
def test_open_hits_stay_open_in_every_channel(channels):
    case = cost.replace(cost.USUAL, per_second=0.0, open=4, channels=channels, each=channels > 1)
    bed = cost.Bed(case, 0.5)
    _, judged = bed.run()
    assert not judged.any()
    assert (bed.engine.record["hits"]["stage"] > 0).sum(axis=1).tolist() == [4] * channels


def test_no_two_cases_have_the_same_name():
    names = [(case.what, case.value) for case, _ in cost.cases()]
    assert len(set(names)) == len(names)


def test_inertia_is_the_mean_squared_distance():
    hits = np.array([[0.0, 0.0], [0.0, 2.0], [10.0, 0.0]])
    centres = np.array([[0.0, 1.0], [10.0, 0.0]])
    assert learning.inertia(hits, centres) == pytest.approx(2 / 3)
    assert learning.offline_inertia(hits, 2) == pytest.approx(2 / 3)


def test_centres_are_scaled_by_the_range_of_the_hits():
    hits = np.array([[0.0, 5.0], [10.0, 5.0]])
    assert learning.scale(np.array([[5.0, 5.0]]), hits).tolist() == [[0.0, -1.0]]


def two_drums():
    rng = np.random.default_rng(0)
    hits = np.concatenate([rng.normal(m, 0.1, (60, 2)) for m in (0.0, 5.0)])
    order = rng.permutation(len(hits))
    return hits[order], (order >= 60)


@pytest.mark.parametrize("name", ["scikit-learn", "scikit-learn, 1 thread"])
def test_the_rivals_learn(name):
    hits, drum = two_drums()
    learned = learning.rivals()[name](hits, 2)
    truth = Annotations(
        np.arange(len(hits)).astype(float), tuple("ab"[d] for d in drum.astype(int))
    )
    stream = learning.Stream(truth.times, hits)
    value = learning.worth(truth, stream, learned, learning.offline_inertia(stream.scaled, 2))
    assert value["v_told"] == value["v_standing"] == 1.0
    assert value["inertia"] == pytest.approx(1.0, abs=0.1)
    assert len(learned.us) == len(hits) - learning.FIRST


def test_ours_is_compared_with_the_rest():
    recording, truth = learning.groove(12.0)
    times, values = learning.compare(recording, truth, "notebook", 1)
    assert next(iter(times)) == learning.OURS
    assert values[learning.OURS]["v_told"] == 1.0
    found = learning.row("a groove", "notebook", times, [values])
    assert found["ratio_to_ours"][learning.OURS] == {"p50": 1.0, "p99": 1.0}
    assert {*found["us_per_hit"]} == {learning.OURS, *learning.rivals()}


def test_throughput_is_of_all_turns():
    times = {"frozen": [1.0, 2.0, 4.0], "aubioonset": [2.0, 2.0, 2.0]}
    row = throughput.row(512, 64, times, 100.0)
    assert row["audio_s_per_cpu_s"] == {"frozen": 50.0, "aubioonset": 50.0}
    assert row["ratio_to_aubioonset"] == {"frozen": 1.0}


def is_number(line):
    return line[:1].isdigit()


def test_start_up_is_told_to_the_first_hit_and_to_the_end():
    code = "import time; print('x', flush=True); print(0.5, flush=True); time.sleep(0.3)"
    program = startup.Program("p", (sys.executable, "-c", code), is_number)
    found = startup.start(program)
    assert found["end"] - found["first_hit"] >= 0.3
    turns = {"p": [found], startup.PEER: [{"first_hit": found["first_hit"] / 4, "end": 1.0}]}
    rows = startup.rows(turns)
    assert rows[0]["first_hit_ratio"] == 4.0


def test_a_program_without_hits_is_an_error():
    program = startup.Program("p", (sys.executable, "-c", "pass"), is_number)
    with pytest.raises(RuntimeError, match="got none"):
        startup.start(program)


# A tiny run.


def test_a_benchmark_runs_and_writes_its_results(results, monkeypatch, capsys):
    monkeypatch.setattr(startup, "programs", lambda _path: [
        startup.Program("python", (sys.executable, "-c", "pass"))
    ])  # fmt: skip
    startup.main(turns=1, first=False)
    written = json.loads((results / "startup.json").read_text())
    assert written["machine"]["cores"]
    assert written["rows"][0]["end_ms"]["p50"] > 0
    assert "Start-up, in ms" in capsys.readouterr().out
