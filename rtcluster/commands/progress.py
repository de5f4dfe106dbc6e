"""Progress on standard error: of one long recording, or of many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rtcluster.text import counted

LONG_FILE_S = 30.0
"""Files of this length and more show their progress, in seconds."""

_NAME_WIDTH = 40
"""Columns of a name at most: the figures behind it have to fit on a line of 80."""


@contextmanager
def of_one(name: str, frames: int | None, samplerate: int) -> Iterator[Callable[[int], None]]:
    """A progress bar for audio that takes a while; it is told frames."""
    if frames is not None and frames < LONG_FILE_S * samplerate:
        yield lambda _: None
        return
    with _bar("{task.description}") as bar:
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
        self._bar = _bar("{task.description}", Speed())
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


def _bar(text: str, *more: Any) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Column

    columns = (
        TextColumn(text, table_column=Column(max_width=_NAME_WIDTH, no_wrap=True)),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        *more,
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    # Standard output carries events: rich must not take them for the terminal's.
    return Progress(*columns, console=console, transient=console.is_terminal, redirect_stdout=False)
