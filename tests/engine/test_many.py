"""Several processors in one process, each in a thread of its own."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rtcluster import Processor, Settings
from rtcluster.batch.analyst import to_text
from rtcluster.batch.jobs import Job
from rtcluster.sources import groove
from tests.conftest import run

SETTINGS = [
    Settings(classes=3),
    Settings(classes="auto"),
    Settings(classes=2, method="hfc", features="best"),
    Settings(classes=4, preset="fast", scaling="robust", memory=16),
    Settings(classes=3, method="specflux", reject=4.0),
    Settings(classes="auto", features="taught", window="60ms"),
]


@pytest.fixture(scope="module")
def takes():
    """A recording for each of the settings."""
    return [groove.render(6.0, seed=n, bpm=90 + 9 * n).audio for n in range(len(SETTINGS))]


@pytest.fixture(scope="module")
def alone(takes):
    return [run(take, settings=one) for take, one in zip(takes, SETTINGS, strict=True)]


def at_once(works):
    """Results of some functions that begin together, each in its thread."""
    gate = threading.Barrier(len(works))

    def run_one(work):
        gate.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as threads:
        return [future.result(60) for future in [threads.submit(run_one, w) for w in works]]


def in_blocks(take, settings, size, driver=None):
    cuts = range(size, len(take), size)
    return run(take, settings=settings, cuts=list(cuts), driver=driver)


def test_processors_in_threads_hear_what_each_hears_alone(takes, alone):
    works = [
        lambda take=take, one=one, n=n: in_blocks(take, one, 441 * (n + 1))
        for n, (take, one) in enumerate(zip(takes, SETTINGS, strict=True))
    ]
    assert at_once(works) == alone


def test_the_python_driver_keeps_its_threads_apart_too(takes):
    short = [take[: 2 * 44100] for take in takes[:3]]
    works = [
        lambda take=take, one=one: run(take, settings=one, driver="python")
        for take, one in zip(short, SETTINGS, strict=False)
    ]
    assert at_once(works) == [work() for work in works]


def test_one_hears_while_others_are_prepared_and_closed(takes, alone):
    done = threading.Event()

    def prepare():
        count = 0
        while not done.is_set() or not count:
            for rate in (44100, 48000, 96000):
                processor = Processor(Settings(classes=3))
                processor.prepare(rate, channels=2)
                processor.process(np.zeros((1000, 2), np.float32))
                processor.close()
                count += 1
        return count

    def hear():
        try:
            return [in_blocks(takes[n], SETTINGS[n], 1000) for n in range(2)]
        finally:
            done.set()

    heard, *prepared = at_once([hear, prepare, prepare])
    assert heard == alone[:2]
    assert all(prepared)


def test_jobs_in_threads_of_one_process_write_what_each_writes_alone(tmp_path, takes):
    import soundfile

    jobs = []
    for number, (take, one) in enumerate(zip(takes, SETTINGS, strict=True)):
        path = str(tmp_path / f"{number}.wav")
        soundfile.write(path, take, 44100)
        jobs.append(Job(path, one))
    assert at_once([lambda job=job: to_text(job) for job in jobs]) == [to_text(j) for j in jobs]


def test_a_first_use_may_be_in_several_threads_at_once(takes):
    """In a process where nothing is loaded yet: imports, Numba and all."""
    code = """
import threading, sys
import numpy as np
from rtcluster.sources import groove
gate, found = threading.Barrier(4), {}
def work(n):
    gate.wait()
    from rtcluster import Processor, Settings
    processor = Processor(Settings(classes=3 if n % 2 else "auto"))
    processor.prepare(44100)
    found[n] = processor.process(audio) + processor.flush()
audio = groove.render(3.0).audio
threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert found[0] == found[2] and found[1] == found[3] and len(found[1]) > 20
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=120)
