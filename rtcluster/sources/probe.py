"""Looks for sound devices in a process of its own, which may die of it.

A device that was lost is looked for again and again, while its sound server comes and goes. Should
a JACK server end while PortAudio holds it, PortAudio aborts the program (``Terminate`` in its
``pa_jack.c`` asserts that the client can be closed) or waits for minutes. So the program itself
touches PortAudio again only once another process has seen the device.

Belongs to the command's thread; ``python -m rtcluster.sources.probe`` is the other process. Its
standard output carries the answer alone: what the libraries of a sound system print there goes to
standard error.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict

from rtcluster.sources.devices import Device, devices

PATIENCE_S = 5.0
"""For an answer, in seconds; it usually takes less than one."""


def look(patience_s: float = PATIENCE_S) -> list[Device]:
    """The devices there are now; none if the other process died or gave no answer in time.

    Whatever it comes to, a session waits for the result and must outlive it.
    """
    command = [sys.executable, "-m", "rtcluster.sources.probe"]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=patience_s,
            check=True,
        )
        return [Device(**fields) for fields in json.loads(done.stdout)]
    except (subprocess.SubprocessError, OSError, ValueError, TypeError):
        return []  # no process could be had, or it died, or it said something else


if __name__ == "__main__":
    answer = os.dup(1)
    os.dup2(2, 1)
    os.write(answer, json.dumps([asdict(device) for device in devices()]).encode())
    os._exit(0)  # PortAudio is not ended: that is what may abort, or wait
