"""Tempo and steadiness for the page, made in the server from the lines it passes on.

On the server's loop. A hit costs a few milliseconds there at most, which no audio waits for.
The figures are made anew a few times a second, which is as often as they can be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtcluster.performance.live import Live

STATUSES = 5
"""Statuses that tell the same figures: a quarter of a second."""


class Playing:
    """Follows a session's hits; its figures go to the pages with each status."""

    def __init__(self) -> None:
        self._begin({})

    def _begin(self, session: Mapping[str, Any]) -> None:
        self._bpm = session.get("bpm")
        self._rate = session.get("samplerate", 1)
        self._live = Live(self._bpm)
        self._told = 0
        self._figures = self._live.figures()

    def take(self, line: dict[str, Any]) -> bool:
        """Take a line; True if it was changed: a status, which now has ``playing``.

        ``playing`` is the dict of :meth:`rtcluster.performance.live.Live.figures`.
        """
        kind = line["event"]
        if kind == "session":
            self._begin(line)
            return False
        if kind == "status":
            if self._told % STATUSES == 0:
                self._figures = self._live.figures()
            self._told += 1
            line["playing"] = self._figures
            return True
        try:
            if kind == "onset":
                self._live.add(line["id"], line["sample"] / self._rate, velocity=line["velocity"])
            elif kind in ("guess", "final", "relabel"):
                others = [part["class"] for part in line.get("parts", ())[1:]]
                self._live.label(
                    line["id"], line["class"], line["name"], line.get("velocity"), others
                )
        except (ArithmeticError, ValueError):
            # What no figures can be made of: the page goes on, and the beat is listened for anew.
            self._live = Live(self._bpm)
        return False
