"""A sound card for tests: jackd with its dummy driver, and ``rtcluster listen`` on it."""

import json
import subprocess
import sysconfig
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import jackd
from tests.support.stillness import StoodStill, Watch

RTCLUSTER = str(Path(sysconfig.get_path("scripts"), "rtcluster"))

RERUNS = 3
"""Of a test that failed while the machine stood still."""

_WATCH = pytest.StashKey[Watch]()


def pytest_collection_modifyitems(items):
    """Have tests that keep time run again if they failed for a machine that did not."""
    for item in items:
        if item.get_closest_marker("alone"):
            item.add_marker(pytest.mark.flaky(reruns=RERUNS, only_rerun=[StoodStill.__name__]))


def watch_of(config):
    """The watch of this run of pytest, which begins with the first test that keeps time."""
    if _WATCH not in config.stash:
        config.stash[_WATCH] = Watch()
        config.add_cleanup(config.stash[_WATCH].close)
    return config.stash[_WATCH]


@pytest.hookimpl(wrapper=True)
def excused(item):
    """A test that keeps time, or its fixtures: failing beside a standstill is told as that."""
    if not item.get_closest_marker("alone"):
        return (yield)
    watch = watch_of(item.config)
    watch.since()
    try:
        return (yield)
    except (Exception, pytest.fail.Exception) as error:
        if reason := watch.reason():
            raise StoodStill(reason) from error
        raise


pytest_runtest_setup = pytest_runtest_call = excused


@pytest.fixture(scope="session")
def dummy_driver():
    """Skip where there is no jackd; compile the kernel, so that nothing speaks of first use."""
    if reason := jackd.missing():
        pytest.skip(reason)
    from rtcluster import Processor

    Processor().prepare(44100, 64)


@pytest.fixture
def server(dummy_driver):
    """A server that drops blocks whose clients are late, as a sound card does."""
    with jackd.Server() as running:
        yield running


@pytest.fixture
def patient_server(dummy_driver):
    """A server that loses no audio, however busy the machine is."""
    with jackd.Server(patient=True) as running:
        yield running


class Listening:
    """A running ``rtcluster listen`` and what it has written."""

    def __init__(self, process, jsonl):
        self.process = process
        self._jsonl = jsonl

    def all(self):
        """All objects, in order; a line that is not yet whole is left out."""
        text = self._jsonl.read_text() if self._jsonl.exists() else ""
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def lines(self, kind):
        """Objects of one kind of event."""
        return [line for line in self.all() if line["event"] == kind]

    def wait_for(self, kind, count=1):
        """Wait until there are so many events of a kind."""

        def there():
            assert self.process.poll() is None, self.process.stderr.read()
            return len(self.lines(kind)) >= count

        try:
            jackd.wait_until(there, f"{count} {kind} events")
        except TimeoutError as error:
            raise TimeoutError(f"{error} {Counter(line['event'] for line in self.all())}") from None

    def end(self, number):
        """Send a signal; return the exit code."""
        self.process.send_signal(number)
        self.process.communicate(timeout=jackd.TIMEOUT_S)
        return self.process.returncode


@pytest.fixture
def listen(tmp_path):
    """Start ``rtcluster listen`` on a server; a context manager."""

    @contextmanager
    def start(server, *options):
        jsonl = tmp_path / "live.jsonl"
        command = [RTCLUSTER, "listen", "--jsonl", str(jsonl), *options]
        with jackd.child(command, server.environment, stderr=subprocess.PIPE) as process:
            yield Listening(process, jsonl)

    return start


@pytest.fixture
def rtcluster():
    """Run a command to its end; its result with ``stdout``, ``stderr`` and ``returncode``."""

    def run(*arguments, environment=None):
        return subprocess.run(
            [RTCLUSTER, *map(str, arguments)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=jackd.TIMEOUT_S,
            check=False,
        )

    return run
