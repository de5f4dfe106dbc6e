"""Call a function of yours on each hit of a live input, as soon as its class is known.

    python live_callback.py            # the default input, until Ctrl-C
    python live_callback.py Scarlett   # the one with this in its name

The audio thread runs no Python: the compiled engine is its callback. ``on_hit`` is called on a
thread of its own, about 1 ms after the guess, so a slow one delays the next call and never the
audio.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress

import rtcluster
from rtcluster.events import Classified


def on_hit(hit: Classified) -> None:
    """What is to be done with a hit: here, a line."""
    print(f"{hit.time:8.3f} s  {hit.label or 'learning':20} velocity {hit.velocity}", flush=True)


def main(device: str | None = None, seconds: float = 86400.0) -> None:
    """Listen until Ctrl-C, or for some seconds."""
    with (
        rtcluster.listen(device, classes=3, at="guess", on_hit=on_hit),
        suppress(KeyboardInterrupt),
    ):
        time.sleep(seconds)


if __name__ == "__main__":
    main(*sys.argv[1:2])
