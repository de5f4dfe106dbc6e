"""One case of the callback benchmark, in a process of its own: a live session under a load.

``python -m bench.case --driver compiled --load busy2 --seconds 5`` listens to JACK's
ports and writes a JSON object to standard output: every callback's time, and counts. The loads
are those of :mod:`tests.support.loads`.
"""

from __future__ import annotations

import json
import time
from typing import Annotated, Any

import numpy as np
import typer

from rtcluster import Processor, Settings
from rtcluster.events import Event, Xrun
from rtcluster.playback.clicks import Clicks
from rtcluster.session.pump import Pump
from rtcluster.session.session import Session
from rtcluster.sinks import Sink
from rtcluster.sources.live import LiveInput
from tests.support.jackd import DEVICE, wait_until
from tests.support.loads import LOADS, load

MAX_SECONDS = 20.0
"""The kernel keeps the times of this many seconds of 64-frame blocks, and some more."""

SETTLE_S = 0.3
"""For a load to come up."""


class Counter(Sink):
    """A sink that counts events by kind."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.lost = 0

    def event(self, event: Event) -> None:
        """Count it."""
        kind = type(event).__name__.lower()
        self.counts[kind] = self.counts.get(kind, 0) + 1
        self.lost += isinstance(event, Xrun)


def listen(
    driver: str,
    under: str,
    seconds: float,
    blocksize: int,
    kit: str | None = None,
    click: bool = False,
) -> dict[str, Any]:
    """Run a live session under a load.

    Parameters
    ----------
    driver : {"compiled", "python"}
    under : str
        One of :data:`tests.support.loads.LOADS`.
    seconds : float
        Length of the measurement, which begins when a hit was heard and the load is up.
    blocksize : int
        Frames; JACK's own period.
    kit : str, optional
        To begin with.
    click : bool
        Play a tone on each hit of a class.

    Returns
    -------
    dict
        ``began_ns`` and ``work_ns`` of the callbacks within ``from_ns`` to ``to_ns``, which are on
        the monotonic clock; ``xruns`` in that time, and events by kind.
    """
    processor = Processor(Settings(classes=3), driver=driver, kit=kit)
    live = LiveInput(processor, DEVICE, blocksize=blocksize, player=Clicks() if click else None)
    record: Any = processor.record[0]
    sink = Counter()
    session = Session(processor, live.name, [sink], lambda _: None)
    with Pump(session), live:
        # The first hit: the audio has come through, and JACK has its clients in order.
        wait_until(lambda: sink.counts.get("onset"), "a hit")
        with load(under):
            time.sleep(SETTLE_S)
            start, xruns = time.monotonic_ns(), int(record["xruns"])
            time.sleep(seconds)
            end, xruns = time.monotonic_ns(), int(record["xruns"]) - xruns
    session.end()
    kept = min(int(record["callbacks"]), len(record["began"]))
    began, work = record["began"][:kept], record["work"][:kept]
    inside = (began >= start) & (began < end)
    order = np.argsort(began[inside])
    return {
        "samplerate": processor.samplerate,
        "from_ns": start,
        "to_ns": end,
        "began_ns": began[inside][order].tolist(),
        "work_ns": work[inside][order].tolist(),
        "xruns": xruns,
        "events": sink.counts,
        "xrun_events": sink.lost,
        "callbacks": int(record["callbacks"]),
        "frames": int(record["frames"]),
        "late_models": processor.counts.late_models,
    }


def main(
    driver: Annotated[str, typer.Option(help="compiled or python.")] = "compiled",
    under: Annotated[str, typer.Option("--load", help=", ".join(LOADS))] = "idle",
    busy: Annotated[int, typer.Option(help="Busy Python threads.", min=0, max=2)] = 0,
    seconds: Annotated[float, typer.Option(min=0.1, max=MAX_SECONDS)] = 5.0,
    blocksize: Annotated[int, typer.Option(min=16)] = 64,
    kit: Annotated[str | None, typer.Option(help="To begin with.")] = None,
    click: Annotated[bool, typer.Option("--click", help="A tone on each hit.")] = False,
) -> None:
    """Run one case; JSON to standard output."""
    under = ("idle", "busy", "busy2")[busy] if busy else under
    if under not in LOADS:
        raise typer.BadParameter(f"Expected a load of {', '.join(LOADS)}, got {under!r}.")
    print(json.dumps(listen(driver, under, seconds, blocksize, kit, click)))


if __name__ == "__main__":
    typer.run(main)
