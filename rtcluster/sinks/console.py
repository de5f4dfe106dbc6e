"""Hits for people to read, on standard error.

:class:`HitLines` prints a line a hit; :class:`HitTable` keeps a table of the latest
ones where they are, for a terminal. Both tell a class by name and by colour, and the channel where
each is listened to.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from rtcluster.events import (
    LEARNING,
    ONE_CHANNEL,
    Classified,
    Control,
    Event,
    Final,
    Guess,
    MergeOffer,
    Onset,
    Relabel,
    Xrun,
)
from rtcluster.pages.palette import mark
from rtcluster.sinks import Sink
from rtcluster.sinks.tally import Tally

_BAR = 16  # characters at full velocity


def class_text(class_: int, name: str, heard: int, warmup: int) -> Text:
    """The name of a class in its colour, or how far the learning is."""
    if class_ == LEARNING:
        return Text(f"learning {min(heard, warmup)} of {warmup}", style="dim")
    return Text(name, style=mark(class_).colour)


def parts_text(hit: Classified, warmup: int) -> Text:
    """The drums of a hit, each in its colour: "snare + hat"."""
    names = [class_text(one.class_, one.name, hit.id + 1, warmup) for one in hit.parts]
    return Text(" + ").join(names)


def of_channel(channel: int, text: str) -> str:
    """A text after the channel that it is about, where there are several."""
    return text if channel == ONE_CHANNEL else f"channel {channel}: {text}"


def by_channel(counts: Counter[tuple[int, str]]) -> dict[int, list[tuple[str, int]]]:
    """Counts by channel and name, each channel's sorted by name."""
    out: dict[int, list[tuple[str, int]]] = {}
    for (channel, name), count in sorted(counts.items()):
        out.setdefault(channel, []).append((name, count))
    return out


def bar(velocity: int) -> str:
    """A bar as long as the hit is loud."""
    return "█" * max(1, round(velocity / 127 * _BAR))


class _Hits(Sink):
    """What both forms need to know of a session: its rate, and the hits that are open."""

    label = "The screen"

    def __init__(self, console: Console) -> None:
        self.console = console
        self._samplerate = 1
        self._warmup = 0
        self._onsets: dict[tuple[int, int], Onset] = {}  # by channel and hit
        self._guesses: dict[tuple[int, int], Guess] = {}

    def begin(self, session: dict[str, object]) -> None:
        self._samplerate = int(str(session["samplerate"]))
        self._warmup = int(str(session["warmup"]))

    def event(self, event: Event) -> None:
        if isinstance(event, Onset):
            self._onsets[event.channel, event.id] = event
        elif isinstance(event, Final):
            onset = self._onsets.pop((event.channel, event.id), None)
            guess = self._guesses.pop((event.channel, event.id), None)
            if onset is not None:
                self.hit(onset, guess, event)
        elif isinstance(event, Guess):
            self._guesses[event.channel, event.id] = event
        elif isinstance(event, MergeOffer):
            alike = f"class {event.first} and class {event.second} sound alike"
            if event.channel == ONE_CHANNEL:  # of several no kit is saved
                alike += "; save a kit and 'rtcluster kit merge' makes them one"
            self.note(of_channel(event.channel, alike))
        elif isinstance(event, Xrun):
            self.note(f"the sound card lost audio ({event.kind}) at {self.seconds(event.sample)}")

    def seconds(self, sample: int) -> str:
        return f"{sample / self._samplerate:.3f} s"

    def row(self, onset: Onset, guess: Guess | None, final: Final) -> list[Text]:
        """Cells: time, channel, class, loudness, features, what the guess said."""
        said = Text("")
        if final.revised and guess is not None:
            said = Text(f"guessed {guess.label}", style="dim")
        elif final.overlapped:
            said = Text("overlapped", style="dim")
        return [
            Text(f"{onset.sample / self._samplerate:8.3f} s"),
            Text("" if final.channel == ONE_CHANNEL else f"channel {final.channel}"),
            parts_text(final, self._warmup),
            Text(f"{final.velocity:3d} {bar(final.velocity)}"),
            Text(f"zcr {final.zcr:5d}  energy {final.energy:7.3f}", style="dim"),
            said,
        ]

    def hit(self, onset: Onset, guess: Guess | None, final: Final) -> None:
        raise NotImplementedError("a subclass shows the hit")

    def note(self, text: str) -> None:
        self.console.print(text, style="bold red")


class HitLines(_Hits):
    """A line for each hit, printed at its final.

    Parameters
    ----------
    console : rich.console.Console
        Where to; usually standard error.
    """

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._relabelled: Counter[tuple[int, str]] = Counter()

    def hit(self, onset: Onset, guess: Guess | None, final: Final) -> None:
        """Print the hit."""
        time, channel, class_, loudness, features, said = self.row(onset, guess, final)
        begin = Text.assemble(time, "  ", channel, "  " if channel else "")
        line = Text.assemble(class_, " " * max(1, 18 - len(class_)), loudness)
        line.pad_right(max(0, 40 - len(line)))
        self.console.print(Text.assemble(begin, line, features, "  ", said), soft_wrap=True)

    def event(self, event: Event) -> None:
        """Print what the event completes; count the relabelled until the model acts."""
        if isinstance(event, Relabel):
            self._relabelled[event.channel, event.name] += 1
        elif self._relabelled:
            for channel, counts in by_channel(self._relabelled).items():
                found = ", ".join(f"{n} × {name}" for name, n in counts)
                text = of_channel(channel, f"classes formed: {found}")
                self.console.print(f"           {text}", style="bold")
            self._relabelled.clear()
        super().event(event)


class HitTable(_Hits):
    """The latest hits as a table that stays in place.

    Parameters
    ----------
    console : rich.console.Console
        A terminal.
    rows : int
        Hits shown.
    """

    def __init__(self, console: Console, rows: int = 12) -> None:
        super().__init__(console)
        self._latest: deque[list[Text]] = deque(maxlen=rows)
        self._tallies: dict[int, Tally] = defaultdict(Tally)  # by channel
        self._names: dict[tuple[int, int], str] = {}  # by channel and class
        self._title = ""
        self._several = False  # channels, which have a column then
        self._live = Live(console=console, refresh_per_second=20, get_renderable=self._table)

    def begin(self, session: dict[str, object]) -> None:
        """Show the empty table."""
        super().begin(session)
        self._latest.clear()
        self._tallies.clear()
        self._names.clear()
        self._title = f"{session['source']}, {session['samplerate']} Hz"
        self._several = "channels" in session
        self._live.start()

    def hit(self, onset: Onset, guess: Guess | None, final: Final) -> None:
        """Add a row."""
        self._latest.append(self.row(onset, guess, final))

    def event(self, event: Event) -> None:
        """Take in an event."""
        if isinstance(event, Final | Relabel):
            self._names[event.channel, event.class_] = event.name  # first: the screen has a thread
            self._tallies[event.channel].count(event.id, event.class_)
        elif isinstance(event, Control) and event.what == "rename":
            renamed: Any = event.value
            self._names[event.channel, renamed["class"]] = renamed["name"]
        super().event(event)

    def end(self, summary: dict[str, object]) -> None:
        """Leave the table as it stands."""
        self._live.stop()

    def _table(self) -> Table:
        counts = "\n".join(
            of_channel(channel, "   ".join(f"{self._names[channel, c]} {n}" for c, n in by_class))
            for channel, tally in sorted(self._tallies.copy().items())
            if (by_class := tally.by_class().items())
        )
        table = Table(title=self._title, caption=counts or "play: the first hits are collected")
        for heading in ("time", "channel", "class", "velocity", "features", ""):
            if heading != "channel" or self._several:
                table.add_column(heading, no_wrap=True)
        for time, channel, *rest in list(self._latest):
            table.add_row(time, *([channel] if self._several else []), *rest)
        return table
