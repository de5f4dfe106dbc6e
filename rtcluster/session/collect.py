"""The loop of live work that needs no sinks: teaching, tuning, measuring a round trip."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rtcluster.engine.processor import Processor
from rtcluster.events import Event
from rtcluster.session.takes import POLL_S, STILL_POLLS, Flow, Lasting, came_back
from rtcluster.timing import Stop

PERIOD_S = 0.01
"""From one batch to the next, in seconds."""


def collected(
    source: Lasting,
    processor: Processor,
    stop: Stop,
    report: Callable[[str], None],
    say: Callable[[str], None],
) -> Iterator[list[Event]]:
    """Events of a source that plays, a batch each :data:`PERIOD_S`; [main thread].

    A device that is lost is waited for, as in ``rtcluster listen``, and told of by `report` and
    `say`; the processor's clock goes on where the audio broke off.

    Parameters
    ----------
    source : Lasting
        Started, into the processor; whoever started it stops it.
    stop : Stop
        Ends it when set; what the processor has found by then is left in it.
    """
    flow = Flow(source.name, report, say, round(STILL_POLLS * POLL_S / PERIOD_S))
    while not stop.wait(PERIOD_S):
        if not source.active and not came_back(source, stop.wait, report, say):
            return
        flow.look(processor.clock)
        yield processor.collect()
