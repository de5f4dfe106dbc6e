"""The second signal ends the program at once, whatever its main thread is at."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time

import pytest

STUCK = """
import ctypes, os
from rtcluster.commands.signals import second_ends_at_once
from rtcluster.commands.terminal import until_interrupted

reader, _ = os.pipe()
with second_ends_at_once(), until_interrupted():
    print("stuck", flush=True)
    ctypes.CDLL(None).read(reader, ctypes.create_string_buffer(1), 1)  # never; no signal breaks it
"""


@pytest.fixture(autouse=True)
def _hang_up_ends_a_program():
    """As in a terminal: tests that nohup has started ignore it, and so would what they start."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def stuck():
    command = [sys.executable, "-c", STUCK]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"stuck\n"
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_second_signal_ends_a_program_that_is_stuck(stuck, number):
    stuck.send_signal(signal.SIGINT)
    time.sleep(0.7)
    assert stuck.poll() is None
    stuck.send_signal(number)
    assert stuck.wait(5) == 130


def test_one_that_is_sent_twice_is_one(stuck):
    """As timeout does: to the process and to its group."""
    for _ in range(2):
        stuck.send_signal(signal.SIGTERM)
        time.sleep(0.1)
    time.sleep(0.7)
    assert stuck.poll() is None


def test_a_terminal_that_is_closed_ends_it_with_a_summary_and_the_kit(tmp_path):
    events, kit = tmp_path / "events.jsonl", tmp_path / "my.kit"
    pid, terminal = pty.fork()
    if not pid:
        os.execv(
            sys.executable,
            [sys.executable, "-m", "rtcluster", "demo", "--seconds", "60", "--jsonl", str(events),
             "--save-kit", str(kit)],
        )  # fmt: skip
    try:
        while not (events.exists() and '"class": 1' in events.read_text()):
            time.sleep(0.1)
            assert os.waitpid(pid, os.WNOHANG) == (0, 0)
    finally:
        os.close(terminal)  # the kernel sends SIGHUP, and every write to it fails from now on
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130
    assert events.read_text().splitlines()[-1].startswith('{"event": "summary"')
    assert kit.is_file()


def test_a_hang_up_that_nohup_has_ignored_stays_ignored():
    script = """
import signal
signal.signal(signal.SIGHUP, signal.SIG_IGN)
from rtcluster.commands.terminal import until_interrupted
with until_interrupted() as stop:
    signal.raise_signal(signal.SIGHUP)
    assert not stop.is_set()
    signal.raise_signal(signal.SIGTERM)
    assert stop.is_set()
"""
    subprocess.run([sys.executable, "-c", script], check=True)
