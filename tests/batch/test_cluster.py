from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
import time
import warnings
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from rtcluster import RtclusterError, __version__
from rtcluster.batch import cluster
from rtcluster.batch.analyst import to_text
from rtcluster.batch.jobs import Job, Task, Tell
from rtcluster.errors import SettingsError
from tests.batch.conftest import CHOSEN


@pytest.fixture(scope="module")
def dask():
    """A cluster of two workers, each a process of its own."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
        silence_logs=50,
    ) as found:  # fmt: skip
        yield found


def run(tasks, dask, notes=None):
    tell = Tell((notes if notes is not None else []).append)
    return list(cluster.on_cluster(tasks, dask.scheduler_address, tell))


def test_two_workers_of_a_cluster_give_what_one_by_one_does(tasks, alone, dask, tmp_path):
    bad = Task(5, Job("none.wav", CHOSEN), str(tmp_path / "bad.jsonl"), 0.0)
    done = {task.number: outcome for task, outcome in run([*tasks, bad], dask)}
    assert sorted(done) == [0, 1, 2, 3, 4, 5]
    assert {task.job.path: Path(task.lines).read_text() for task in tasks} == alone
    assert done[5].problem.startswith("Expected an audio file at ")


def test_a_worker_that_is_lost_is_replaced(long_one, dask, tmp_path):
    tasks = [
        Task(n, Job(long_one, CHOSEN, channel=1), str(tmp_path / f"{n}.jsonl"), 90.0)
        for n in range(2)
    ]
    killed = []

    def kill():
        while not killed:
            for address, state in list(dask.scheduler.workers.items()):
                if state.processing and not killed:
                    nanny = next(w for w in dask.workers.values() if w.worker_address == address)
                    time.sleep(0.3)
                    os.kill(nanny.pid, signal.SIGKILL)
                    killed.append(nanny.pid)
            time.sleep(0.05)

    killer = threading.Thread(target=kill)
    killer.start()
    done = run(tasks, dask)
    killer.join()
    assert all(outcome.complete for _, outcome in done)
    whole = to_text(tasks[0].job)[1]
    assert [Path(task.lines).read_text() for task in tasks] == [whole] * 2


# What a cluster answers when it fails in a way that cannot be had here: asked of what reads it.


def test_a_recording_that_no_worker_finishes_is_told(tasks):
    from distributed import KilledWorker

    error = KilledWorker("remote", SimpleNamespace(address="tcp://10.0.0.1:1"), 3)
    future = SimpleNamespace(status="error", exception=lambda: error)
    outcome = cluster._outcome(future, tasks[0], "tcp://10.0.0.1:8786")
    assert outcome.problem.startswith(f"Expected a worker to finish {tasks[0].job.path}, got: ")
    assert not outcome.general


def test_workers_without_rtcluster_are_told_in_one_line(tasks):
    error = ModuleNotFoundError("No module named 'rtcluster'")
    future = SimpleNamespace(status="error", exception=lambda: error)
    with pytest.raises(RtclusterError, match="Expected rtcluster on the workers, got Module"):
        cluster._outcome(future, tasks[0], "tcp://10.0.0.1:8786")


def test_a_scheduler_that_goes_away_is_told_in_one_line(tasks):
    future = SimpleNamespace(status="cancelled")
    with pytest.raises(RtclusterError, match=r"^Expected the scheduler at .* it went away\.$"):
        cluster._outcome(future, tasks[0], "tcp://10.0.0.1:8786")


def test_another_version_on_the_workers_is_refused(tasks):
    outcome, lines = cluster.remote(tasks[0].job, "0.0.1")
    assert outcome.general
    assert outcome.problem.startswith(
        f"Expected rtcluster 0.0.1 on the workers, as here, got {__version__}."
    )
    assert lines == ""


def test_other_packages_on_the_cluster_are_noted():
    table = (
        "Mismatched versions found\n\n"
        "+---------+--------+-----------+\n| Package | Client | Scheduler |\n"
        "+---------+--------+-----------+\n| tornado | 6.5    | 6.4       |\n| python | 3 | 4 |\n"
    )
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        warnings.warn(table, stacklevel=1)
    assert cluster._mismatched(told[0]) == "tornado, python"


@pytest.mark.parametrize("word", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n" * 4])
def test_what_accepts_a_connection_and_is_no_scheduler_is_not_waited_for(tasks, monkeypatch, word):
    closed = []
    monkeypatch.setattr(cluster, "CONNECT_S", 0.5)
    monkeypatch.setattr("distributed.Client.close", lambda client, **_: closed.append(client))
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            with suppress(OSError):
                while True:
                    heard.append(server.accept()[0])
                    heard[-1].sendall(word)

        heard = []
        threading.Thread(target=answer, daemon=True).start()
        began = time.monotonic()
        with pytest.raises(RtclusterError, match="Expected a Dask scheduler"):
            list(cluster.on_cluster(tasks, f"127.0.0.1:{server.getsockname()[1]}", Tell(print)))
        gc.collect()
        assert time.monotonic() - began < 10
        server.shutdown(socket.SHUT_RDWR)
        for one in heard:
            one.close()
    assert closed == []  # Dask's own end of it takes 20 s and a traceback


@pytest.mark.parametrize("where", ["tcp://127.0.0.1:9", "127.0.0.1:9", "FILE"])
def test_a_scheduler_that_does_not_answer_is_told_in_one_line(tasks, where, monkeypatch, tmp_path):
    monkeypatch.setattr(cluster, "CONNECT_S", 0.5)
    if where == "FILE":
        where = str(tmp_path / "scheduler.json")
        Path(where).write_text('{"address": "tcp://127.0.0.1:9"}')
    with pytest.raises(RtclusterError, match=r"^Expected a Dask scheduler at .*\)\.$"):
        list(cluster.on_cluster(tasks, where, Tell(print)))


@pytest.mark.parametrize("made", ["pipe", "folder", "large", "empty", "deep", "number", "binary"])
def test_a_file_that_is_no_schedulers_is_told_in_one_line(tasks, made, tmp_path):
    where = tmp_path / "scheduler.json"
    contents = {
        "large": b" " * (cluster.MAX_BYTES + 1), "empty": b"{}", "deep": b"[" * 100_000,
        "number": b'{"address": 1}', "binary": b"\xff",
    }  # fmt: skip
    if made == "pipe":
        os.mkfifo(where)
    elif made == "folder":
        where.mkdir()
    else:
        where.write_bytes(contents[made])
    began = time.monotonic()
    with pytest.raises(RtclusterError, match=r"^Expected a Dask scheduler's file at .*, got .*\.$"):
        list(cluster.on_cluster(tasks, str(where), Tell(print)))
    assert time.monotonic() - began < 5.0


def test_what_is_no_address_is_refused(tasks):
    with pytest.raises(SettingsError, match="Expected a scheduler's address"):
        list(cluster.on_cluster(tasks, "nowhere", Tell(print)))


def test_without_dask_one_line_says_what_to_install(tasks, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(RtclusterError, match=r"pip install .*\[cluster\]"):
        list(cluster.on_cluster(tasks, "tcp://127.0.0.1:9", Tell(print)))
