"""The truth to score against, and to teach from: a file of hits, each with a time and a label.

By its content it is a CSV file ``time,label``, a label track of Audacity, a layer of Sonic
Visualiser, JAMS, or what rtcluster itself writes: ``export --to csv`` and JSON Lines, with their
relabels applied. Hits that fall together (kick and hat) are one onset here, named after all of its
labels; a label "snare + hat" is two.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from rtcluster.errors import SourceError, expecting
from rtcluster.events import UNKNOWN_NAME
from rtcluster.files import read_bytes
from rtcluster.text import printable

MAX_BYTES = 64 << 20
"""The largest file that is read: a million hits."""

UNNAMED = ("", "learning", UNKNOWN_NAME)
"""What rtcluster's own files call a hit without a drum: it is left out."""

FORMATS = "CSV with the header time,label, Audacity labels, Sonic Visualiser, JAMS, JSON Lines"

MERGE_S = 0.030
"""Hits closer than this to the first of an onset belong to it, in s."""


@dataclass(frozen=True, slots=True, eq=False)
class Annotations:
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


def read(path: str | Path) -> Annotations:
    """Read a truth file.

    Parameters
    ----------
    path : str or Path
        In one of the formats that this module names. Of a CSV file with the header ``time,label``
        further columns are ignored; times in s.

    Returns
    -------
    Annotations
        Onsets in order of time.

    Raises
    ------
    SourceError
        If the file cannot be read; an OSError too.
    ValueError
        If it is not such a file; the message names the line.
    """
    path = Path(path)
    try:
        with expecting(f"annotations ({FORMATS}) at {path}", kind=SourceError):
            rows = _hits(path, read_bytes(path, MAX_BYTES).decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ValueError(
            f"Expected annotations ({FORMATS}), got '{path.name}', which is no UTF-8."
        ) from error
    times: list[float] = []
    labels: list[set[str]] = []
    for time, label in sorted(rows):
        if times and time - times[-1] < MERGE_S:
            labels[-1].add(label)
        else:
            times.append(time)
            labels.append({label})
    return Annotations(
        np.array(times), tuple("+".join(sorted(names)) for names in labels), len(rows)
    )


def _hits(path: Path, text: str) -> list[tuple[float, str]]:
    """Return the time and the label of each drum of a file of any format."""
    begin = text.lstrip()[:1]
    if begin == "<":
        found = list(_sonic_visualiser(path, text))
    elif begin == "{":
        found = list(_json(path, text))
    elif text.partition("\n")[0].count("\t") >= 2:
        found = list(_audacity(path, text))
    else:
        return _rows(path, csv.DictReader(io.StringIO(text, newline="")))
    return [(time, one) for time, label in found for one in _drums(label)]


def _drums(label: str) -> list[str]:
    """The drums of a label such as "snare + hat"; none of a hit without one."""
    return [one for part in label.split(" + ") if (one := printable(part)) not in UNNAMED]


def _audacity(path: Path, text: str) -> Iterator[tuple[float, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        cells = line.split("\t")
        if line.strip() and cells[0] != "\\":  # a backslash begins a range of frequencies
            yield _seconds(cells[0], path, number), cells[2] if len(cells) > 2 else ""


def _sonic_visualiser(path: Path, text: str) -> Iterator[tuple[float, str]]:
    try:
        root = ElementTree.fromstring(text)
        rates = {one.get("dataset"): int(one.get("sampleRate", "")) for one in root.iter("model")}
        for dataset in root.iter("dataset"):
            for point in dataset.iter("point"):
                yield int(point.get("frame", "")) / rates[dataset.get("id")], point.get("label", "")
    except (ElementTree.ParseError, KeyError, ValueError, ZeroDivisionError) as error:
        raise ValueError(
            f"Expected a layer of Sonic Visualiser in '{path.name}', got one that cannot be read."
        ) from error


def _json(path: Path, text: str) -> Iterator[tuple[float, str]]:
    """JAMS, which is one object, or rtcluster's JSON Lines, of which each line is one."""
    try:
        whole: Any = json.loads(text)
    except ValueError:
        whole = None
    try:
        if isinstance(whole, dict) and "annotations" in whole:
            yield from _jams(whole)
        else:
            yield from _events([json.loads(line) for line in text.splitlines() if line.strip()])
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(
            f"Expected JAMS or rtcluster's events in '{path.name}', got other JSON."
        ) from error


def _jams(whole: dict[str, Any]) -> Iterator[tuple[float, str]]:
    """The first annotation that has labels."""
    for one in whole["annotations"]:
        labelled = [row for row in one["data"] if isinstance(row["value"], str)]
        if labelled:
            yield from ((float(row["time"]), row["value"]) for row in labelled)
            return


def _events(lines: list[dict[str, Any]]) -> Iterator[tuple[float, str]]:
    """The drums of each hit, by its final and the relabels after it."""
    rate = int(lines[0]["samplerate"])
    hits: dict[tuple[Any, Any], tuple[int, str]] = {}
    for line in lines:
        key = line.get("channel"), line.get("id")
        if line["event"] == "final":
            parts = line.get("parts") or [line]
            hits[key] = int(line["sample"]), " + ".join(part["name"] for part in parts)
        elif line["event"] == "relabel" and key in hits:
            hits[key] = hits[key][0], line["name"]
    yield from ((sample / rate, label) for sample, label in hits.values())


def _rows(path: Path, table: csv.DictReader[str]) -> list[tuple[float, str]]:
    """Return the time and the label of each row."""
    rows = []
    try:
        fields = list(table.fieldnames or [])
        if {"time", "name", "parts"} <= set(fields):
            return _exported(path, table)
        if not {"time", "label"} <= set(fields):
            got = ",".join(fields)[:60] or "nothing"
            raise ValueError(f"Expected the header time,label in '{path.name}', got {got}.")
        for row in table:
            label = printable(row["label"] or "")
            if not label:
                raise ValueError(f"Expected a label in line {table.line_num} of '{path.name}'.")
            rows.append((_seconds(row["time"], path, table.line_num), label))
    except csv.Error as error:
        raise ValueError(
            f"Expected a row of a CSV file in line {table.line_num + 1} of '{path.name}'."
        ) from error
    return rows


def _exported(path: Path, table: csv.DictReader[str]) -> list[tuple[float, str]]:
    """Rows of ``export --to csv``, whose parts have a velocity each."""
    rows = []
    for row in table:
        parts = [part.rpartition(" ")[0] for part in (row["parts"] or "").split(" + ")]
        time = _seconds(row["time"], path, table.line_num)
        rows += [(time, one) for one in _drums(" + ".join(parts))]
    return rows


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
