"""A player of its own: ``python -m bench.play SERVER FILE`` plays into PortAudio's first input.

A JACK client whose server is killed takes its process with it. A test that kills a server has its
player in a process that may go. Plays until it is ended, over and over.
"""

from __future__ import annotations

import sys
import time
from types import SimpleNamespace
from typing import Any

import soundfile

from bench.jackd import Player


def main(server: str, file: str) -> None:
    """Play a file into a stream on a server, as soon as there is one."""
    audio, _ = soundfile.read(file, dtype="float32")
    running: Any = SimpleNamespace(name=server)
    with Player(running, audio, loop=True) as player:
        player.connect(timeout=60.0)
        player.play()
        while True:
            time.sleep(1.0)


if __name__ == "__main__":
    main(*sys.argv[1:])
