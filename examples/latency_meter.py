"""Measure how long after a stroke its onset, guess and final are in a Python program.

    python latency_meter.py        # ten seconds of a synthesised groove, in real time
    python latency_meter.py 60

The groove is known to the sample, so this is the whole way but for air and sound card: the engine's
own latency (``emitted`` less ``sample``), and what passes from there to a function of this program.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from rtcluster import Onset, Processor, Settings
from rtcluster.events import Classified, Event
from rtcluster.session.pump import Pump
from rtcluster.session.session import Session
from rtcluster.sinks import Sink
from rtcluster.sources import groove
from rtcluster.sources.virtual import VirtualInput


class Meter(Sink):
    """Keeps what each event had behind it when it came here, in ms."""

    def __init__(self, samplerate: int) -> None:
        self.samplerate = samplerate
        self.ms: dict[str, list[float]] = {}

    def event(self, event: Event) -> None:
        """[pump thread] One event, in order."""
        if isinstance(event, Onset | Classified):
            own = 1e3 * (event.emitted - event.sample) / self.samplerate
            since = (time.monotonic_ns() - event.stamp) / 1e6  # its audio arrived at ``stamp``
            self.ms.setdefault(type(event).__name__, []).append(own + since)


def main(seconds: float = 10.0) -> dict[str, list[float]]:
    """Play the groove and print percentiles; the measured times."""
    played = groove.render(seconds)
    processor = Processor(Settings(classes=3))
    source = VirtualInput(processor, played.audio, played.samplerate)
    meter = Meter(played.samplerate)
    with Pump(Session(processor, "groove", [meter], print)), source:
        time.sleep(seconds)
    print("latency (ms)   p50    p95    p99    max   hits")
    for kind, ms in meter.ms.items():
        cuts = [*np.percentile(ms, (50, 95, 99)), max(ms)]
        print(f"{kind:12}", *(f"{cut:6.1f}" for cut in cuts), f"{len(ms):6}")
    return meter.ms


if __name__ == "__main__":
    main(*map(float, sys.argv[1:2]))
