"""Whether the machine kept time itself while a test did that is to keep time.

A host may stop a virtual machine for longer than a test allows. Beside the tests, one thread on
each processor sleeps at the highest real-time priority, above anything of theirs: only such a stop
makes it late. What fails meanwhile has shown nothing about the program, and is run again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time

NAP_S = 0.005
"""How long a thread sleeps at a time, in seconds."""

LONGEST_S = 0.02
"""The machine kept time if no nap was longer by more than this, in seconds; 1 to 4 ms is usual."""

SHARE = 0.02
"""And if naps were not longer, by more than a millisecond each, for more than this share of it."""


class StoodStill(Exception):
    """A test failed while the machine did not run."""


class Watch:
    """The threads, in a process of their own, which no test can hold up."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def since(self) -> tuple[float, float]:
        """The longest standstill since the last call, in s, and the share of time in them all."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        longest, share = json.loads(self._process.stdout.readline())
        return longest, share

    def reason(self) -> str:
        """Why nothing that was timed since the last call counts; empty if it does."""
        longest, share = self.since()
        if longest <= LONGEST_S and share <= SHARE:
            return ""
        return f"the machine stood still for {share:.1%} of the time, {longest:.3f} s at most"


def _watch() -> None:
    late: list[float] = []
    highest = os.sched_param(os.sched_get_priority_max(os.SCHED_FIFO))

    def sleep(processor: int) -> None:
        os.sched_setaffinity(0, {processor})
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, highest)
        except PermissionError:
            return  # other work may hold it up, and then nothing is excused
        while True:
            due = time.monotonic() + NAP_S
            time.sleep(NAP_S)
            if (by := time.monotonic() - due) > 1e-3:
                late.append(by)

    processors = sorted(os.sched_getaffinity(0))
    for processor in processors:
        threading.Thread(target=sleep, args=(processor,), daemon=True).start()
    began = time.monotonic()
    for _ in sys.stdin:
        told, late[:] = list(late), []
        lasted, began = time.monotonic() - began, time.monotonic()
        share = sum(told) / lasted / len(processors)
        print(json.dumps([max(told, default=0.0), share]), flush=True)


if __name__ == "__main__":
    _watch()
