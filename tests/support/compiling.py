"""The kernel, compiled once for all of pytest's workers while they collect.

Each of them would compile it otherwise, at the same time and from the same sources.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from rtcluster import Processor
from rtcluster.kernel import callback, jit, state, virtual
from rtcluster.plugin import core

PATIENCE_S = 180.0
"""How long a worker waits for a kernel that another process compiles; then it does so itself."""


def begin(done: Path) -> subprocess.Popen[bytes] | None:
    """Compile what is not in the cache, if anything; the file is made when that is done."""
    if jit.was_compiled():
        return None
    return subprocess.Popen(
        [sys.executable, "-m", __name__, str(done)], cwd=Path(__file__).parents[2]
    )


def wait(done: Path) -> None:
    """Wait until what most tests need is compiled."""
    end = time.monotonic() + PATIENCE_S
    while not done.exists() and time.monotonic() < end:
        time.sleep(0.1)


def main(done: Path) -> None:
    """Compile what most tests need, and then the rest.

    All of it in one process, where the functions of which each piece is made are typed once.
    """
    try:
        Processor().prepare(44100, 64)
    finally:
        done.touch()
    several = Processor(microphones="all")
    several.prepare(44100, 64, channels=2)
    for each in (False, True):
        callback.callback(each)
    nothing = np.zeros((0, 1), np.float32)
    virtual.play(state.create(), nothing, 64, 0)
    core.object_file()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
