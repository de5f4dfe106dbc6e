from __future__ import annotations

import multiprocessing
import os
import signal
from contextlib import closing
from pathlib import Path

import pytest

from rtcluster import RtclusterError
from rtcluster.batch import pool
from rtcluster.batch.analyst import to_text
from rtcluster.batch.jobs import Job, Task, Tell
from rtcluster.batch.pool import cores, on_cores
from tests.batch.conftest import CHOSEN


def lines_of(tasks):
    return {task.job.path: Path(task.lines).read_text() for task in tasks}


def workers():
    return [p for p in multiprocessing.active_children() if p.name == "rtcluster-worker"]


def killing(long_enough, times):
    """What is told: kills every worker, so often, once a recording is past a point."""
    left, notes = [times], []

    def heard(seconds):
        if seconds > long_enough and left[0]:
            left[0] -= 1
            for worker in workers():
                os.kill(worker.pid, signal.SIGKILL)

    return Tell(notes.append, heard=heard), notes


@pytest.fixture
def long_task(long_one, tmp_path):
    return Task(9, Job(long_one, CHOSEN), str(tmp_path / "long.jsonl"), 90.0)


def test_two_workers_write_what_one_by_one_does_and_bad_files_are_told(tasks, alone, tmp_path):
    bad = Task(5, Job("none.wav", CHOSEN), str(tmp_path / "bad.jsonl"), 0.0)
    done = list(on_cores([*tasks, bad], 2, Tell(print)))
    assert sorted(task.number for task, _ in done) == [0, 1, 2, 3, 4, 5]
    assert lines_of(tasks) == alone
    problems = [outcome.problem for task, outcome in done if task is bad]
    assert problems == ["Expected an audio file at none.wav, got nothing there."]
    assert workers() == []


def test_a_worker_that_is_killed_takes_nothing_with_it(long_task, tasks, alone):
    tell, notes = killing(8.0, times=1)
    done = list(on_cores([long_task, tasks[0]], 2, tell))
    assert all(outcome.complete for _, outcome in done)
    assert lines_of([tasks[0]]) == {tasks[0].job.path: alone[tasks[0].job.path]}
    assert lines_of([long_task]) == {long_task.job.path: to_text(long_task.job)[1]}
    said = "A worker was killed by signal 9 (out of memory?) at "
    assert notes
    assert all(note.startswith(said) for note in notes)


def test_a_recording_that_kills_its_workers_fails_and_the_others_go_on(long_task, tasks, alone):
    tell, notes = killing(8.0, times=99)
    done = {task.number: outcome for task, outcome in on_cores([long_task, *tasks[:2]], 1, tell)}
    assert done[9].problem == (
        f"Expected a worker to finish {long_task.job.path}, got: it was killed by signal 9 "
        "(out of memory?), 2 times."
    )
    assert len(notes) == 1
    assert not Path(long_task.lines).exists()
    assert lines_of(tasks[:2]) == {task.job.path: alone[task.job.path] for task in tasks[:2]}


def test_who_closes_the_iterator_ends_the_workers(long_task, tasks):
    with closing(on_cores([long_task, *tasks], 2, Tell(print))) as outcomes:
        next(outcomes)
        assert workers()
    assert workers() == []


@pytest.fixture
def in_this_thread():
    """A worker's work changes what Ctrl-C does; here it is put back."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_worker_that_cannot_start_says_why(in_this_thread, monkeypatch):
    def broken(*_):
        raise ImportError("no module\nnamed numba")

    monkeypatch.setattr(pool, "_do_tasks", broken)
    ours, theirs = multiprocessing.Pipe()
    pool.work(theirs)
    assert ours.recv() == pool.Unable("ImportError: no module named numba")


def test_workers_that_cannot_start_end_the_batch_in_one_line(tasks, monkeypatch):
    monkeypatch.setattr(pool, "_said", lambda worker: pool.Unable("ImportError: no numba"))
    with pytest.raises(RtclusterError, match=r"^Expected a worker to start, got ImportError: no"):
        list(on_cores(tasks[:2], 2, Tell(print)))
    assert workers() == []


def test_one_worker_compiles_and_the_others_wait_for_it(monkeypatch, tasks):
    monkeypatch.setattr("rtcluster.kernel.jit.was_compiled", lambda: False)
    ours, theirs = multiprocessing.Pipe()
    pool._compile(theirs)
    assert [ours.recv(), ours.recv()] == [pool.Compiling(), pool.Ready()]
    said, begun = pool._said, []

    def listening(worker):
        word = said(worker)
        begun.append((type(word), len(workers())))
        return word

    monkeypatch.setattr(pool, "_said", listening)
    list(on_cores(tasks[:3], 2, Tell(print)))
    assert begun[0] == (pool.Ready, 1)
    assert max(count for _, count in begun) == 2


def test_there_is_a_core():
    assert 1 <= cores() <= (os.cpu_count() or 1)


def test_a_worker_ends_with_its_pipe(in_this_thread):
    ours, theirs = multiprocessing.Pipe()
    ours.close()
    pool.work(theirs)
