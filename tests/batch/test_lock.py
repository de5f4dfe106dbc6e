"""A folder of outputs belongs to one run at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from rtcluster import RtclusterError
from rtcluster.batch.lock import NAME, Lock

HOLDER = """
import sys, time
from pathlib import Path
from rtcluster.batch.lock import Lock
lock = Lock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that has the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_one_is_told_who_has_it(tmp_path, holder):
    with pytest.raises(RtclusterError) as error:
        Lock(tmp_path)
    assert f"{tmp_path}: process {holder.pid} on " in str(error.value)
    assert " writes there; wait for its end, or name another --out." in str(error.value)


def test_that_of_a_process_that_died_is_no_hindrance(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / NAME).read_text().startswith(f"process {holder.pid} ")
    lock = Lock(tmp_path)
    assert (tmp_path / NAME).read_text().startswith(f"process {os.getpid()} ")
    lock.close()
    assert not (tmp_path / NAME).exists()


def test_it_is_had_again_once_it_was_given_back(tmp_path):
    for _ in range(2):
        lock = Lock(tmp_path)
        with pytest.raises(RtclusterError):
            Lock(tmp_path)
        lock.close()
