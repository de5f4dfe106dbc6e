"""A player of its own, which plays into PortAudio's first input.

``python -m tests.support.player SERVER FILE`` runs it.

A JACK client whose server is killed takes its process with it. A test that kills a server has its
player in a process that may go. Plays until it is ended, over and over.
"""

from __future__ import annotations

import sys
import time
from types import SimpleNamespace
from typing import Any

import soundfile

from tests.support.jackd import Player

AGAIN_S = 0.2


def main(server: str, file: str) -> None:
    """Play a file into a stream on a server, as soon as there is one, and into the next one."""
    import jack

    audio, _ = soundfile.read(file, dtype="float32")
    running: Any = SimpleNamespace(name=server)
    while True:
        try:
            with Player(running, audio, loop=True) as player:
                player.connect()
                player.play()
                while player.connected:
                    time.sleep(AGAIN_S)
        except (jack.JackError, TimeoutError) as error:
            print(f"The player begins again: {error}", file=sys.stderr)
        time.sleep(AGAIN_S)


if __name__ == "__main__":
    main(*sys.argv[1:])
