"""Progress on standard error: of one long recording, or of many."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rtcluster.text import counted

LONG_FILE_S = 30.0
"""Files of this length and more show their progress, in seconds."""

_COMPILING_WIDTH, _COMPILING_S = 12, 0.2
"""Characters of its bar, and seconds from one look to the next."""

_LEAST_SHARE = 0.1
"""What has to be compiled until the rest can be estimated."""

_NAME_WIDTH = 40
"""Columns of a name at most: the figures behind it have to fit on a line of 80."""


@contextmanager
def of_one(name: str, frames: int | None, samplerate: int) -> Iterator[Callable[[int], None]]:
    """A progress bar for audio that takes a while; it is told frames."""
    if frames is not None and frames < LONG_FILE_S * samplerate:
        yield lambda _: None
        return
    with _bar() as bar:
        task = bar.add_task(Path(name).name, total=frames)
        yield lambda some: bar.advance(task, some)


class OfMany:
    """A progress bar for many recordings; a context manager.

    Parameters
    ----------
    files : int
    seconds : float
        Audio in all of them.
    """

    def __init__(self, files: int, seconds: float) -> None:
        from rich.progress import ProgressColumn
        from rich.text import Text

        class Speed(ProgressColumn):
            """Seconds of audio per second."""

            def render(self, task: Any) -> Text:
                speed = task.finished_speed or task.speed
                return Text(f"{speed:.0f} × real time" if speed else "")

        self._files, self._done, self._seconds = files, 0, 0.0
        self._bar = _bar(Speed())
        self._task = self._bar.add_task(self._text(), total=seconds or None)

    def _text(self) -> str:
        return f"{self._done} of {counted(self._files, 'file')}"

    def heard(self, seconds: float) -> None:
        """So much has been heard of recordings that are not done."""
        self._bar.start()
        self._bar.update(self._task, completed=self._seconds + seconds)

    def done(self, seconds: float) -> None:
        """A recording of this length is done."""
        self._bar.start()
        self._done += 1
        self._seconds += seconds
        self._bar.update(self._task, completed=self._seconds, description=self._text())

    def __enter__(self) -> OfMany:
        """It shows as soon as there is something to tell."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take it away, or where there is no terminal print it as it stands."""
        if self._bar.live.is_started:
            self._bar.stop()


class OfCompiling:
    """A line that says how far the kernel is compiled, and goes when it is; for a terminal.

    It is written over itself, by carriage returns alone: what else is said meanwhile needs no care,
    and an interrupted program leaves the terminal as it was.
    """

    def __init__(self) -> None:
        self._began = self._due = 0.0
        self._shown = ""

    def __call__(self, share: float) -> None:
        """So much of it is done, 0 to 1."""
        now = time.monotonic()
        if share == 1.0:
            self._write("", "\r")
        elif not self._shown or now >= self._due:
            if not self._shown:
                self._began = now
            done = round(share * _COMPILING_WIDTH)
            left = (now - self._began) * (1 - share) / share if share > _LEAST_SHARE else None
            text = (
                f"Compiling the audio kernel for this machine "
                f"[{'#' * done}{'.' * (_COMPILING_WIDTH - done)}] {100 * share:.0f} %"
            )
            self._write(text + (f", {left:.0f} s left" if left is not None else ""))
            self._due = now + _COMPILING_S

    def _write(self, text: str, end: str = "") -> None:
        with suppress(OSError):
            print("\r" + text.ljust(len(self._shown)), end=end, file=sys.stderr, flush=True)
        self._shown = text


def _bar(*more: Any) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Column

    columns = (
        TextColumn("{task.description}", table_column=Column(max_width=_NAME_WIDTH, no_wrap=True)),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        *more,
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    # Standard output carries events: rich must not take them for the terminal's.
    return Progress(*columns, console=console, transient=console.is_terminal, redirect_stdout=False)
