"""Only a machine that stood still excuses a test that is to keep time."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import jackd
from tests.support.stillness import Watch

STOPPED_S = 0.2

TURNS = 4
"""So often the machine may really stand still where it should not."""

TESTS = """
import pytest
from tests.live.conftest import watch_of
from tests.live.test_stillness import stop

pytestmark = pytest.mark.alone
begun = set()

def fail_once_beside_a_standstill(request):
    if request.node.name not in begun:
        begun.add(request.node.name)
        stop(watch_of(request.config))
        raise TimeoutError("not in time")

@pytest.fixture
def late(request):
    fail_once_beside_a_standstill(request)

@pytest.fixture
def broken():
    raise TimeoutError("never")

def test_late(request):
    fail_once_beside_a_standstill(request)

def test_with_a_late_fixture(late):
    pass

def test_wrong():
    pytest.fail("whenever")

def test_with_a_broken_fixture(broken):
    pass
"""


@pytest.fixture
def watch():
    running = Watch()
    yield running
    running.close()


def stop(watch):
    """Hold the watch up, as a host does all of the machine; it has noticed when this returns."""
    os.kill(watch.pid, signal.SIGSTOP)
    time.sleep(STOPPED_S)
    os.kill(watch.pid, signal.SIGCONT)
    time.sleep(STOPPED_S)


def allowed():
    """Whether this user may use real-time priority; what asks for it is a process of its own."""
    ask = "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))"
    return not subprocess.run([sys.executable, "-c", ask], stderr=subprocess.DEVNULL).returncode


pytestmark = pytest.mark.skipif(not allowed(), reason="this user may not use real-time priority")


def test_a_standstill_is_told_with_its_length(watch):
    watch.since()
    stop(watch)
    longest, share = watch.since()
    assert longest > 0.9 * STOPPED_S
    assert 0.2 < share < 1.0
    assert watch.since()[0] < longest


def test_busy_programs_are_no_standstill(watch):
    busy = [sys.executable, "-c", "while True: pass"]
    with jackd.child(busy, os.environ), jackd.child(busy, os.environ):
        for _ in range(20):
            watch.since()
            time.sleep(0.5)
            if not watch.reason():
                return
    pytest.fail("the watch was held up by programs, or the machine stood still for 10 s on end")


def test_only_what_failed_beside_a_standstill_is_run_again(tmp_path):
    (tmp_path / "test_them.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "tests.live.conftest", "--rootdir", "."]
    for _ in range(TURNS):
        result = subprocess.run(
            [*command, "-p", "no:cacheprovider", "-c", "pyproject.toml", str(tmp_path)],
            cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
            timeout=jackd.TIMEOUT_S,
        )  # fmt: skip
        again = re.findall(r"^RERUN .*::(\w+)", result.stdout, re.MULTILINE)
        assert re.search("1 failed, 2 passed, 1 error, .* rerun", result.stdout), result.stdout
        if len(again) == 2:
            break
    assert again == ["test_late", "test_with_a_late_fixture"]
