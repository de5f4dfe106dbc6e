"""What ``run`` shows in a terminal: of each recording a table of its hits, and their sum."""

from __future__ import annotations

import io
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtcluster.text import counted, visible

if TYPE_CHECKING:
    from rtcluster.recording.log import Hit, Line


class HitTables(io.TextIOBase):
    """A text stream that is given events as JSON Lines and shows tables of their hits.

    A table is as the recording was known in its end: hits of the warm-up have their classes. It is
    kept until :meth:`show`, so that no progress bar runs across it. Closing it shows the rest.
    """

    def __init__(self) -> None:
        self._torn = ""
        self._session: Line | None = None
        self._lines: list[Line] = []
        self._tables: list[tuple[str, Any, str]] = []

    def writable(self) -> bool:
        """Lines may be written."""
        return True

    def write(self, text: str) -> int:
        """Take in lines, the last one of which may be a part of one."""
        *lines, self._torn = (self._torn + text).split("\n")
        for line in map(json.loads, lines):
            if line["event"] == "session":
                self._finish({})
                self._session = line
            elif line["event"] == "summary":
                self._finish(line)
            else:
                self._lines.append(line)
        return len(text)

    def show(self) -> None:
        """Print the tables that there are."""
        from rich.console import Console

        tables, self._tables = self._tables, []
        console = Console(file=sys.stdout, highlight=False)
        for title, table, summary in tables:
            console.print(title, style="bold", markup=False, soft_wrap=True)
            console.print(table)
            console.print(summary, markup=False, soft_wrap=True)

    def close(self) -> None:
        """Show the rest, of a recording that was broken off too."""
        if not self.closed:
            self._finish({})
            self.show()
        super().close()

    def _finish(self, summary: Line) -> None:
        if self._session is not None:
            title = visible(f"{self._session['source']}, {self._session['samplerate']} Hz")
            table = _table(self._session, self._lines)
            self._tables.append((title, table, _summary(summary)))
        self._session, self._lines = None, []


def _table(session: Line, lines: list[Line]) -> Any:
    """The hits of a recording, by time."""
    from rich.table import Table
    from rich.text import Text

    from rtcluster.events import LEARNING, ONE_CHANNEL
    from rtcluster.pages.palette import mark
    from rtcluster.recording.log import Log, hits
    from rtcluster.sinks.console import bar

    by_channel: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        by_channel[line.get("channel", ONE_CHANNEL)].append(line)
    found: list[tuple[int, Hit]] = [
        (channel, hit)
        for channel, own in by_channel.items()
        for hit in hits(Log(Path(str(session["source"])), session, own, None))
    ]

    def drums(hit: Hit) -> Text:
        if hit.class_ == LEARNING:
            return Text("no class", style="dim")
        return Text(" + ").join(
            Text(part["name"], style=mark(part["class"]).colour) for part in hit.parts
        )

    table = Table()
    for heading in ("time (s)", "channel", "drum", "velocity"):
        if heading != "channel" or "channels" in session:
            right = heading in ("time (s)", "channel")
            table.add_column(heading, no_wrap=True, justify="right" if right else "left")
    for channel, hit in sorted(found, key=lambda one: one[1].sample):
        beside = [str(channel)] if "channels" in session else []
        loudness = f"{hit.velocity:3d} {bar(hit.velocity)}"
        table.add_row(f"{hit.time:.3f}", *beside, drums(hit), loudness)
    return table


def _summary(summary: Line) -> str:
    if not summary:
        return "broken off\n"
    named = ", ".join(f"{n} {name}" for name, n in summary["classes"].items())
    found = f"{counted(summary['hits'], 'hit')} in {summary['seconds']:.1f} s"
    return f"{found}: {named or 'no classes'}\n"
