"""A session's events, read back from JSON Lines.

The file may be of a session that was killed: a last line that is not whole is left out. Anything
else that is not the event schema is refused in one line.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rtcluster.controls import PUMPED, Request
from rtcluster.errors import RtclusterError, SourceError
from rtcluster.events import LEARNING, SCHEMA_VERSION

EVENTS_FILE = "events.jsonl"
"""Name of the file in a recording's folder."""

Line = dict[str, Any]
"""A JSON object of the event schema."""


@dataclass(frozen=True, slots=True)
class Log:
    """What a file of events holds.

    Attributes
    ----------
    path : Path
    session : dict
        The ``session`` line.
    lines : list of dict
        The events between, in order.
    summary : dict or None
        The ``summary`` line; None of a session that was cut off.
    """

    path: Path
    session: Line
    lines: list[Line]
    summary: Line | None

    @property
    def samplerate(self) -> int:
        """In Hz."""
        return int(self.session["samplerate"])


@dataclass(slots=True)
class Hit:
    """What a session knew of one hit in the end.

    Attributes
    ----------
    id, sample : int
        Number, and first sample of the attack.
    time : float
        The same in seconds.
    emitted : int
        When the onset was known, as a sample index.
    velocity : int
        1 to 127: the final's, by the peak, else the onset's.
    class_ : int
        By the final and the relabels after it; -1 without.
    name : str
        Its name at the end of the session, renames included.
    guessed : int
        Class of the guess, -1 without.
    line : dict
        The ``final``, or the latest event there was.
    """

    id: int
    sample: int
    time: float
    emitted: int
    velocity: int
    class_: int = LEARNING
    name: str = ""
    guessed: int = LEARNING
    line: Line = field(default_factory=dict)


def find(path: str | os.PathLike[str]) -> Path:
    """File of events of a recording's folder, or the file itself."""
    found = Path(path)
    return found / EVENTS_FILE if found.is_dir() else found


def read(path: str | os.PathLike[str]) -> Log:
    """Read a session's events.

    Parameters
    ----------
    path : path
        A recording's folder, or a file that ``--jsonl`` wrote.

    Raises
    ------
    SourceError
        If it is not there, or holds anything but one session in the event schema, version 1.
    """
    source = find(path)
    try:
        text = source.read_text(encoding="utf-8")
    except OSError as error:
        raise SourceError(
            f"Expected a recording's folder or a file of events, got {source}: {error.strerror}."
        ) from error
    except UnicodeDecodeError as error:
        raise SourceError(f"Expected events as JSON Lines, got {source}: no UTF-8.") from error
    except ValueError as error:  # a NUL byte in the path
        raise SourceError(f"Expected a file of events, got the path {source}: {error}.") from error
    whole, _, _torn = text.rpartition("\n")
    lines = [_line(source, number, one) for number, one in enumerate(whole.split("\n"), 1)]
    session = lines[0]
    if session["event"] != "session" or session.get("version") != SCHEMA_VERSION:
        raise _refuse(source, 1, f"the session line of schema version {SCHEMA_VERSION}", session)
    rate = session.get("samplerate")
    if type(rate) is not int or not 0 < rate < _LARGEST:
        raise _refuse(source, 1, "a sample rate in Hz", rate)
    summary = None
    if len(lines) > 1 and lines[-1]["event"] == "summary":
        _check(source, len(lines), lines[-1])
        summary = lines.pop()
    for number, line in enumerate(lines[1:], 2):
        if line["event"] in ("session", "summary"):
            raise _refuse(source, number, "one session in a file", line)
        _check(source, number, line)
    return Log(source, session, lines[1:], summary)


def hits(log: Log) -> list[Hit]:
    """The hits of a session, by time, each with the class and the name it had in the end."""
    found: dict[int, Hit] = {}
    names: dict[int, str] = {}
    for line in log.lines:
        kind = line["event"]
        hit = found.get(line["id"]) if kind in _OF_HITS else None
        if kind == "onset":
            found[line["id"]] = Hit(
                line["id"], line["sample"], line["sample"] / log.samplerate, line["emitted"],
                line["velocity"], line=line,
            )  # fmt: skip
        elif kind == "control" and line["what"] == "rename":
            names[line["value"]["class"]] = line["value"]["name"]
        elif hit is not None:
            if kind == "guess":
                hit.guessed = line["class"]
            if kind in ("guess", "final"):
                hit.velocity, hit.line = line.get("velocity", hit.velocity), line
            if kind in ("guess", "final", "relabel"):
                hit.class_, hit.name = line["class"], line["name"]
    for hit in found.values():
        hit.name = names.get(hit.class_, hit.name)
    return sorted(found.values(), key=lambda hit: hit.sample)


_INTEGERS = {
    "onset": ("id", "sample", "emitted", "velocity"),
    "guess": ("id", "sample", "emitted", "class", "zcr", "span"),
    "final": ("id", "sample", "emitted", "class", "zcr", "span"),
    "relabel": ("id", "class"),
    "model": ("version", "effective"),
    "xrun": ("sample",),
    "control": ("sample",),
    "lost_audio": ("sample", "frames"),
}
"""Fields that have to be whole numbers, by the kind of event."""

_OF_HITS = ("onset", "guess", "final", "relabel")

_WHERE_GIVEN = {"summary": ("samples", "events_dropped"), "guess": ("velocity",)}
_WHERE_GIVEN["final"] = _WHERE_GIVEN["guess"]
"""The same of those that may be missing."""

_LARGEST = 1 << 63  # no clock of ours gets there

_NUMBERS = {"guess": ("energy", "margin"), "final": ("energy", "margin")}
"""Numbers that may be missing, whole or not."""

_YES_OR_NO = {"final": ("revised", "overlapped")}
"""The same, true or false."""

_STRINGS = {"guess": ("name",), "final": ("name",), "relabel": ("name",), "control": ("what",)}


def _check(source: Path, number: int, line: Line) -> None:
    kind = line["event"]
    given = [key for key in _WHERE_GIVEN.get(kind, ()) if key in line]
    for key in (*_INTEGERS.get(kind, ()), *given):
        if not _is_whole(line.get(key)):
            raise _refuse(source, number, f"a whole number for {key}", line.get(key))
    for key in _STRINGS.get(kind, ()):
        if not isinstance(line.get(key), str):
            raise _refuse(source, number, f"text for {key}", line.get(key))
    for key in _NUMBERS.get(kind, ()):
        if not _is_number(line.get(key, 0.0)):
            raise _refuse(source, number, f"a number for {key}", line.get(key))
    for key in _YES_OR_NO.get(kind, ()):
        if not isinstance(line.get(key, False), bool):
            raise _refuse(source, number, f"true or false for {key}", line.get(key))
    if kind == "control":
        _check_control(source, number, line["what"], line.get("value"))


def _is_whole(value: object) -> bool:
    return type(value) is int and -_LARGEST < value < _LARGEST


def _is_number(value: object) -> bool:
    return _is_whole(value) or (type(value) is float and math.isfinite(value))


def _check_control(source: Path, number: int, what: str, value: object) -> None:
    """Refuse a control that could not have been asked for."""
    if what == "mask":
        if type(value) is not int or not 0 <= value < 1 << 31:
            raise _refuse(source, number, "a mask in samples", value)
    elif what in PUMPED:
        try:
            Request(what, value)
        except RtclusterError as error:
            raise _refuse(source, number, f"a value for {what}", value) from error


def _line(source: Path, number: int, text: str) -> Line:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError) as error:  # also for a number of thousands of digits
        raise _refuse(source, number, "a JSON object a line", text) from error
    if not isinstance(line, dict) or not isinstance(line.get("event"), str):
        raise _refuse(source, number, "an object with an event", line)
    return line


def _refuse(source: Path, number: int, expected: str, got: object) -> SourceError:
    shown = " ".join(str(got).split())
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return SourceError(f"Expected {expected} in {source}, line {number}, got {shown or 'nothing'}.")
