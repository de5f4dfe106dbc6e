"""Send a MIDI note for each stroke of one drum, and nothing for the others.

    python midi_trigger.py my.kit snare 38             # the default input, to a port of its own
    python midi_trigger.py my.kit snare 38 "FLUID"     # to the first output with this in its name

The kit is one that ``rtcluster teach`` wrote. The note is sent with the guess, 30 ms after the
stroke. What ``rtcluster listen --midi`` does for all drums at once is here for one, to build on.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from typing import Any

import mido

from rtcluster import Guess, Processor, Settings
from rtcluster.events import Event
from rtcluster.session.pump import Pump
from rtcluster.session.session import Session
from rtcluster.sinks import Sink
from rtcluster.sources.live import LiveInput

PERCUSSION = 9  # channel 10, as people count


class Trigger(Sink):
    """A note for each stroke of one drum."""

    def __init__(self, port: Any, drum: str, note: int) -> None:
        self.port, self.drum, self.note = port, drum, note

    def event(self, event: Event) -> None:
        """[pump thread] One event, in order."""
        for part in event.parts if isinstance(event, Guess) else ():
            if part.name == self.drum:
                for kind, velocity in (("note_on", part.velocity), ("note_off", 0)):
                    message = mido.Message(
                        kind, channel=PERCUSSION, note=self.note, velocity=velocity
                    )
                    self.port.send(message)


def main(
    kit: str, drum: str, note: str, name: str | None = None, *, seconds: float = 86400.0
) -> None:
    """Listen until Ctrl-C, or for some seconds."""
    there = [one for one in mido.get_output_names() if name and name in one]
    port = mido.open_output(there[0]) if there else mido.open_output("trigger", virtual=True)
    processor = Processor(Settings(), kit=kit)
    live = LiveInput(processor)
    session = Session(processor, live.name, [Trigger(port, drum, int(note))], print)
    with port, Pump(session), live, suppress(KeyboardInterrupt):
        time.sleep(seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
