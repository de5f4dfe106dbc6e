"""The hits of a performance as one table: a row a hit, as it was known in the end.

:func:`hits` is ``rtcluster.hits`` and :func:`read` is ``rtcluster.read``: the one hears audio, the
other reads what a session wrote. Both apply what came to be known later: classes of the hits of the
warm-up, names that were given, velocities on the scale of the whole performance.
"""

from __future__ import annotations

import html
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from rtcluster.engine.processor import Processor
from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.events import Event
from rtcluster.learning.kit import Kit
from rtcluster.recording import log
from rtcluster.settings import ALWAYS_MEASURED, AUTO, Settings
from rtcluster.sources.file import FileSource
from rtcluster.text import counted

SHOWN = 20
"""Rows that are shown of a table."""

_COLUMNS = (
    ("id", "i8"), ("time", "f8"), ("sample", "i8"), ("class", "i4"), ("name", "U"), ("parts", "U"),
    ("velocity", "i4"), ("level", "f8"), ("margin", "f8"), ("guess", "i4"), ("span", "i8"),
    ("overlapped", "?"), ("zcr", "i8"), ("energy", "f8"),
)  # fmt: skip


class Hits(np.recarray[Any, Any]):
    """A table of hits: a structured array with a row a hit, by time.

    A column is ``table["time"]`` or ``table.time``, a row ``table[0]``; ``table[table.name ==
    "snare"]`` are the snare's.

    ============= ======= ==================================================================
    column        unit
    ============= ======= ==================================================================
    id                    number of the hit in the session
    time          s       of the first sample of its attack
    sample        samples the same
    class                 number of its class; -1 without one, -2 like no drum so far
    name                  of that class
    parts                 names of the drums that sound, the strongest first: "snare + hat"
    velocity              1 to 127
    level         dBFS    its peak; NaN where it is not known
    margin                0, between two classes, to 1, on a centre
    guess                 class after the first 30 ms
    span          samples that were measured
    overlapped            the next hit cut them short
    zcr                   zero crossings in them
    energy                L2 norm of them, full scale 1.0
    ============= ======= ==================================================================

    There is a column for each further feature that the classes were told by, in the unit that
    :attr:`rtcluster.Settings.units` has: with ``_feature`` behind its name where there is such a
    column.
    """

    def __getitem__(self, key: Any) -> Any:
        """A column is a plain array."""
        found = super().__getitem__(key)
        plain = isinstance(found, np.ndarray) and found.dtype.names is None
        return found.view(np.ndarray) if plain else found

    def to_pandas(self) -> Any:
        """The table as a ``pandas.DataFrame``.

        Raises
        ------
        RtclusterError
            If pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise RtclusterError("pandas is not installed: pip install pandas") from error
        return pandas.DataFrame({name: self[name] for name in self._names()})

    def _names(self) -> tuple[str, ...]:
        return self.dtype.names or ()

    def _cells(self) -> list[list[str]]:
        """The first rows as text."""
        rows = self.reshape(-1)[:SHOWN].tolist()
        return [[f"{v:.4g}" if isinstance(v, float) else str(v) for v in row] for row in rows]

    def _more(self) -> str:
        found = counted(self.size, "hit")
        return found if self.size <= SHOWN else f"{SHOWN} of {found}"

    def __repr__(self) -> str:
        """The first rows in columns."""
        if not self._names():
            return super().__repr__()
        rows = [list(self._names()), *self._cells()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
        return "\n".join([*lines, self._more()])

    __str__ = __repr__

    def _repr_html_(self) -> str:
        """The first rows, for a notebook."""

        def row(cells: Iterable[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in cells) + "</tr>"

        body = "".join(row(cells, "td") for cells in self._cells())
        return f"<table>{row(self._names(), 'th')}{body}</table><p>{self._more()}</p>"


def hits(
    audio: str | os.PathLike[str] | npt.ArrayLike,
    samplerate: int | None = None,
    *,
    classes: int | Literal["auto"] = "auto",
    kit: Kit | str | os.PathLike[str] | None = None,
    channel: int | None = None,
    **settings: Any,
) -> Hits:
    """Find the hits in a recording, by the engine of the live path.

    Parameters
    ----------
    audio : path or array_like, shape (frames,) or (frames, channels)
        A file, or samples as :meth:`Processor.process` takes them.
    samplerate : int, optional
        Hz: of an array, which needs one; of a file, to resample it to.
    classes : int or "auto"
        How many drums there are. A kit knows.
    kit : Kit or path, optional
        What to begin with.
    channel : int, optional
        Channel, from 1; by default their mean.
    **settings
        Of :class:`rtcluster.Settings`.

    Returns
    -------
    Hits

    Raises
    ------
    SettingsError
        If a setting is out of range, or an array came without its rate.
    SourceError
        If the file cannot be read.
    RtclusterError
        If the kit cannot be read, or the array has another shape.

    Examples
    --------
    >>> import numpy as np
    >>> len(hits(np.zeros(44100, np.float32), 44100))
    0
    """
    if kit is None or classes != AUTO:
        settings["classes"] = classes
    processor = Processor(Settings(**settings), kit=kit, explicit=tuple(settings))
    index = None if channel is None else channel - 1
    events: list[Event] = []
    if isinstance(audio, str | os.PathLike):
        name = str(audio)
        with FileSource(name, samplerate) as source:
            processor.prepare(source.samplerate, channels=source.channels, channel=index)
            for block in source.blocks():
                events += processor.process(block)
    else:
        name, block = "array", np.asarray(audio)
        if samplerate is None:
            raise SettingsError("Expected the sample rate of an array in Hz, got none.")
        channels = block.shape[1] if block.ndim == 2 else 1
        processor.prepare(samplerate, channels=channels, channel=index)
        if block.size:
            events += processor.process(block)
    events += processor.flush()
    known = processor.settings
    session = {"samplerate": processor.samplerate, "settings": known.as_dict()}
    lines = [event.as_dict() for event in events]
    processor.close()
    further = [n for n in known.features if n not in ALWAYS_MEASURED]
    return _table(log.Log(Path(name), session, lines, None), further)


def read(path: str | os.PathLike[str]) -> Hits:
    """Read the hits of a session that was kept.

    Parameters
    ----------
    path : path
        A recording's folder (``--record``), or a file of events (``--jsonl``, ``run``).

    Returns
    -------
    Hits

    Raises
    ------
    SourceError
        If it is not there, or holds anything but one session.
    """
    kept = log.read(path)
    return _table(kept, log.further(kept))


def _table(kept: log.Log, further: Sequence[str]) -> Hits:
    rows = [
        _row(hit) + tuple(hit.line.get("features", {}).get(name, np.nan) for name in further)
        for hit in log.hits(kept)
    ]
    names = log.columns_of(further, [column for column, _ in _COLUMNS])
    longest = {
        column: max([1, *(len(row[place]) for row in rows)])
        for place, (column, kind) in enumerate(_COLUMNS)
        if kind == "U"
    }
    columns = [(name, f"{kind}{longest.get(name, '')}") for name, kind in _COLUMNS]
    return np.array(rows, [*columns, *((name, "f8") for name in names)]).view(Hits)


def _row(hit: log.Hit) -> tuple[Any, ...]:
    line = hit.line
    return (
        hit.id, hit.time, hit.sample, hit.class_, hit.name,
        " + ".join(one["name"] for one in hit.parts), hit.velocity,
        np.nan if hit.level is None else hit.level, line.get("margin", np.nan), hit.guessed,
        line.get("span", 0), line.get("overlapped", False), line.get("zcr", -1),
        line.get("energy", np.nan),
    )  # fmt: skip
