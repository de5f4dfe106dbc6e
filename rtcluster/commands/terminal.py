"""What the commands say to people, and how they are stopped."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from rtcluster.commands.signals import INTERRUPTED as INTERRUPTED
from rtcluster.commands.signals import handled
from rtcluster.text import counted
from rtcluster.timing import ENDING, Stop

FAILED, USAGE = 1, 2
"""Exit codes, beside 0 for done and :data:`INTERRUPTED`."""


def say(text: str) -> None:
    """A line on standard error; none if nobody is there to read it, as of a closed terminal."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def fail(text: str) -> None:
    """The one line that says why it failed."""
    say(f"rtcluster: {text}")


@contextmanager
def until_interrupted() -> Iterator[Stop]:
    """A flag that a signal sets, in place of breaking off the main thread."""
    stop = Stop()
    with handled(lambda *_: stop.set()):
        if hasattr(signal, "siginterrupt"):
            # None may break off what PortAudio waits for while a stream starts or stops.
            for number in ENDING:
                signal.siginterrupt(number, False)
        yield stop


def milliseconds(values: Any) -> str:
    """Percentiles for people."""
    return f"p50 {values['p50']:.1f} ms, p95 {values['p95']:.1f} ms" if values else "no hits"


def load(summary: Any) -> str:
    """The callback's share of the time, for people."""
    share = summary["callback_load"]
    return f"{100 * share['mean']:.1f} % (p99 {100 * share['p99']:.1f} %)"


def say_summary(summary: Any) -> None:
    """What a session came to, for people."""
    named = ", ".join(f"{n} {name}" for name, n in summary["classes"].items())
    say(
        f"\n{counted(summary['hits'], 'hit')} in {summary['seconds']:.1f} s: "
        f"{named or 'no classes yet'}; {counted(summary['xruns'], 'xrun')}"
    )
    if summary.get("callback_load"):
        delay = milliseconds(summary["sink_delay_ms"])
        say(f"callback {load(summary)} of real time; from the audio to the sinks {delay}")
    lost = {
        "stretches of NaN or Inf, taken as silence": summary["bad_hops"],
        "events dropped": summary["events_dropped"],
        "models late": summary["late_models"],
    }
    for what, count in lost.items():
        if count:
            say(f"{count} {what}")
