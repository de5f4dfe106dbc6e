"""Looks for sound devices in a process of its own, which may die of it.

A device that was lost is looked for again and again, while its sound server comes and goes. Should
a JACK server end while PortAudio holds it, PortAudio aborts the program (``Terminate`` in its
``pa_jack.c`` asserts that the client can be closed) or waits for minutes. So the program itself
touches PortAudio again only once another process has seen the device.

Belongs to the command's thread; ``python -m rtcluster.sources.look`` is the other process.
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
    """The devices there are now; none if the other process died or gave no answer in time."""
    command = [sys.executable, "-m", "rtcluster.sources.look"]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=patience_s,
            check=True,
        )
    except subprocess.SubprocessError:
        return []
    return [Device(**fields) for fields in json.loads(done.stdout)]


if __name__ == "__main__":
    print(json.dumps([asdict(device) for device in devices()]), flush=True)
    os._exit(0)  # PortAudio is not ended: that is what may abort, or wait
