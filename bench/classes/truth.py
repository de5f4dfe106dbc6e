"""The truth, and which hits it explains."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import mir_eval
import numpy as np
import numpy.typing as npt

from bench.recordings import MATCH_S, SPREAD_S, TOGETHER_S, Recording, drum

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Annotations:
    """What sounds in a recording.

    Attributes
    ----------
    times : ndarray of float64, shape (n,)
        In s.
    names : tuple of str
        The drums of each time, joined by ``+``.
    """

    times: Array
    names: tuple[str, ...]

    @property
    def alone(self) -> Mask:
        """Whether one drum sounds alone, shape (n,)."""
        return np.array(["+" not in name for name in self.names], dtype=bool)

    @property
    def drums(self) -> list[str]:
        """The drums that sound alone somewhere."""
        return sorted({name for name in self.names if "+" not in name})

    @property
    def classes(self) -> int:
        """Classes that are asked for."""
        return max(2, len(self.drums))

    @property
    def one_voice(self) -> bool:
        """Whether no two drums are struck together."""
        return bool(self.alone.all())


def truth_of(recording: Recording, rows: Iterable[tuple[float, str]]) -> Annotations:
    """What sounds at each of a recording's times.

    Parameters
    ----------
    recording : Recording
    rows : iterable of (float, str)
        Time in s and label of every annotated hit.
    """
    known = list(rows)
    together = TOGETHER_S[recording.kind]

    def name(begin: float) -> str:
        after = recording.joined - begin
        begins = [begin, *recording.joined[(after > 0.0) & (after < SPREAD_S)]]
        heard = {
            drum(label) for at, label in known if any(0.0 <= at - b < together for b in begins)
        }
        return "+".join(sorted(heard))

    names = (name(begin) for begin in recording.truth)
    return Annotations(recording.truth, tuple(names))


def annotated(folder: Path) -> dict[str, list[tuple[float, str]]]:
    """Times in s and labels by the names of the recordings."""
    with (folder / "recordings.csv").open(newline="", encoding="utf-8") as file:
        files = {row["name"]: folder / row["file"] for row in csv.DictReader(file)}
    found = {}
    for name, path in files.items():
        if path.with_suffix(".csv").is_file():
            with path.with_suffix(".csv").open(newline="", encoding="utf-8") as file:
                found[name] = [(float(r["time"]), r["label"]) for r in csv.DictReader(file)]
    return found


def matched(truth: Array, times: Array) -> tuple[Labels, Labels]:
    """Indices of the true and of the found times that are pairs."""
    pairs = mir_eval.util.match_events(truth, times, MATCH_S)
    i, j = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return i, j


def explained(recording: Recording, times: Array) -> Mask:
    """All found times but those that only a hit that may be missed explains."""
    out = np.ones(len(times), dtype=bool)
    if recording.optional.size and times.size:
        out = np.abs(times[:, None] - recording.optional[None]).min(axis=1) > MATCH_S
        out[matched(recording.truth, times)[1]] = True
    return out
