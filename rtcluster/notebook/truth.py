"""The truth to score against: a CSV file of hits, ``time,label``.

Hits that fall together (kick and hat) are rows of their own in the file and one onset here, named
after all of its labels.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MERGE_S = 0.030
"""Hits closer than this to the first of an onset belong to it, in s."""


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Annotated onsets.

    Parameters
    ----------
    times : ndarray of float64, shape (n_onsets,)
        Onsets in s, rising.
    labels : tuple of str
        The label of each; several that sound together are joined by ``+``.
    hits : int
        Rows of the file.
    """

    times: NDArray[np.float64]
    labels: tuple[str, ...]
    hits: int

    @property
    def alone(self) -> NDArray[np.bool_]:
        """Which onsets are of one label only, shape (n_onsets,)."""
        return np.array(["+" not in label for label in self.labels], bool)


def read(path: str | Path) -> Truth:
    """Read a truth file.

    Parameters
    ----------
    path : str or Path
        CSV with the header ``time,label`` (further columns are ignored); times in s.

    Returns
    -------
    Truth
        Onsets in order of time.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is not such a file; the message names the line.
    """
    path = Path(path)
    rows: list[tuple[float, str]] = []
    with path.open(newline="", encoding="utf-8-sig") as file:
        try:
            table = csv.DictReader(file)
            fields = list(table.fieldnames or [])
            if not {"time", "label"} <= set(fields):
                got = ",".join(fields)[:60] or "nothing"
                raise ValueError(f"Expected the header time,label in '{path.name}', got {got}.")
            for row in table:
                rows.append((_seconds(row["time"], path, table.line_num), str(row["label"])))
        except (UnicodeDecodeError, csv.Error) as error:
            raise ValueError(f"Expected a CSV file, got '{path.name}': {error}.") from error
    times: list[float] = []
    labels: list[set[str]] = []
    for time, label in sorted(rows):
        if times and time - times[-1] < MERGE_S:
            labels[-1].add(label)
        else:
            times.append(time)
            labels.append({label})
    return Truth(np.array(times), tuple("+".join(sorted(names)) for names in labels), len(rows))


def _seconds(text: str | None, path: Path, line: int) -> float:
    try:
        time = float(text or "")
    except ValueError:
        time = float("nan")
    if not (np.isfinite(time) and time >= 0):
        raise ValueError(
            f"Expected a time in seconds in line {line} of '{path.name}', got {text!r}."
        )
    return time
