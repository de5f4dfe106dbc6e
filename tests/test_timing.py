"""The flag that Ctrl-C sets, whatever the thread that it interrupts is at."""

import signal
import subprocess
import sys
import threading

import pytest

from rtcluster.timing import Stop

AT_EACH_INSTRUCTION = """
import sys
from rtcluster.timing import Stop

def interrupted(at):
    "Wait, and be interrupted at the instruction of this number; whether there is one."
    stop, passed = Stop(), 0

    def trace(frame, event, _):
        nonlocal passed
        frame.f_trace_opcodes = True
        if event == "opcode":
            passed += 1
            if passed == at:
                stop.set()  # as a signal's handler does: on this thread, in between
        return trace

    sys.settrace(trace)
    stop.wait(0.001)
    sys.settrace(None)
    if passed < at:
        return False
    assert stop.is_set() and stop.wait(60.0), at
    return True

at = 1
while interrupted(at):
    at += 1
print(at - 1)
"""


def test_it_may_be_set_at_any_instruction_of_the_wait():
    """In a process of its own: what is tested for is a wait that never ends."""
    done = subprocess.run(
        [sys.executable, "-c", AT_EACH_INSTRUCTION], capture_output=True, text=True, timeout=60
    )
    assert not done.stderr
    assert int(done.stdout) > 10


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer signals here")
def test_a_signal_ends_the_wait():
    stop = Stop()
    before = signal.signal(signal.SIGALRM, lambda *_: stop.set())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        assert stop.wait(30.0)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_another_thread_ends_the_wait():
    stop = Stop()
    threading.Timer(0.05, stop.set).start()
    assert stop.wait(30.0)
    assert stop.is_set()


def test_nothing_set_is_waited_for_and_told():
    stop = Stop()
    assert not stop.wait(0.01)
    assert not stop.is_set()
