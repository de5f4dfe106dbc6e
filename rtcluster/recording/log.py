"""A session's events, read back from JSON Lines.

The file may be of a session that was killed: a last line that is not whole is left out. Anything
else that is not the event schema is refused in one line.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Any, NotRequired, TypedDict

from msgspec import Meta, convert

from rtcluster.errors import RtclusterError, SourceError
from rtcluster.events import LEARNING, MICROPHONES, SCHEMA_VERSION
from rtcluster.files import read_bytes
from rtcluster.recording.dynamics import rescale
from rtcluster.session.controls import PUMPED, Request
from rtcluster.settings import RATES

EVENTS_FILE = "events.jsonl"
"""Name of the file in a recording's folder."""

SET_IN_ENGINE = ("threshold", "mask")
"""Controls that the kernel itself reports."""

KIT_FILE = "start.kit"
"""The classes that a recording begins with, where there are any."""

AUDIO_FILES = ("audio.wav", "audio.flac")

PARTS = (EVENTS_FILE, KIT_FILE, *AUDIO_FILES)
"""Names of all files in a recording's folder."""

MAX_BYTES = 512 << 20
"""The largest file of events that is read: days of playing."""

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

    @property
    def before_levels(self) -> bool:
        """Whether it is of a version that did not tell levels.

        That version made velocities in another way, and its default threshold was a fixed one.
        """
        return any(line["event"] == "guess" and "level" not in line for line in self.lines)

    @property
    def tells_offsets(self) -> bool:
        """Whether it tells when each of two drums was struck, as versions before did not."""
        return any("offset" in part for line in self.lines for part in line.get("parts", ()))


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
        1 to 127: the final's, by the peak, else the onset's. Where the scale was learned, by all
        the hits of the session (:mod:`rtcluster.recording.dynamics`).
    level : float or None
        That peak in dBFS; None where the session does not say it.
    class_ : int
        By the final and the relabels after it; -1 without.
    name : str
        Its name at the end of the session, renames included.
    guessed : int
        Class of the guess, -1 without.
    parts : list of dict
        The drums that sound, the strongest first, as the event has them; one of a session that does
        not tell them. Empty without a guess and a final.
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
    level: float | None = None
    parts: list[Line] = field(default_factory=list)
    line: Line = field(default_factory=dict)


def find(path: str | os.PathLike[str]) -> Path:
    """File of events of a recording's folder, or the file itself."""
    found = Path(path)
    return found / EVENTS_FILE if found.is_dir() else found


def is_part(path: Path) -> bool:
    """Whether a path is, or would become, a part of a recording."""
    folder = path.parent
    recorded = (folder / EVENTS_FILE).exists() and any((folder / n).exists() for n in AUDIO_FILES)
    return recorded and path.name.casefold() in PARTS


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
    lines, torn = _read(source)
    if not lines:
        raise _refuse(source, 1, "a JSON object a line", torn)
    session = lines[0]
    _check_session(source, 1, session)
    summary = None
    if len(lines) > 1 and lines[-1]["event"] == "summary":
        _check(source, len(lines), lines[-1])
        summary = lines.pop()
    for number, line in enumerate(lines[1:], 2):
        if line["event"] in ("session", "summary"):
            raise _refuse(source, number, "one session in a file", line)
        _check(source, number, line)
    return Log(source, session, lines[1:], summary)


def check_events(path: Path) -> None:
    """Refuse a file that is not wholly what ``--jsonl`` wrote: sessions, one after the other.

    A last line may be torn, as in :func:`read`.

    Raises
    ------
    SourceError
        If it is anything else, or the events of a recording.
    """
    lines, torn = _read(path)
    if not (torn.startswith('{"event"') or (lines and not torn)):
        raise _refuse(path, len(lines) + 1, "an object with an event", torn)
    for number, line in enumerate(lines, 1):
        if number == 1 or line["event"] == "session":
            _check_session(path, number, line)
            if "recording" in line:
                raise _refuse(path, number, "no recording", line)
        _check(path, number, line)


def _read(source: Path) -> tuple[list[Line], str]:
    """All lines of a file, and what follows the last line's end."""
    try:
        text = read_bytes(source, MAX_BYTES).decode("utf-8")
    except OSError as error:
        raise SourceError(
            f"Expected a recording's folder or a file of events, got {source}: {error.strerror}."
        ) from error
    except UnicodeDecodeError as error:
        raise SourceError(f"Expected events as JSON Lines, got {source}: no UTF-8.") from error
    except ValueError as error:  # a NUL byte in the path
        raise SourceError(f"Expected a file of events, got the path {source}: {error}.") from error
    whole, _, torn = text.rpartition("\n")
    lines = whole.split("\n") if whole else []
    return [_line(source, n, one) for n, one in enumerate(lines, 1)], torn


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
                hit.level = line.get("level")
            if kind in ("guess", "final", "relabel"):
                hit.class_, hit.name = line["class"], line["name"]
                hit.parts = parts_of(line, hit.velocity)
    for hit in found.values():
        hit.name = names.get(hit.class_, hit.name)
        hit.parts = [one | {"name": names.get(one["class"], one["name"])} for one in hit.parts]
    _make_one(found.values())
    before = {number: hit.velocity for number, hit in found.items()}
    rescale(list(found.values()), log.session.get("settings"))
    for number, hit in found.items():
        change = hit.velocity / max(1, before[number])
        for one in hit.parts:
            one["velocity"] = min(127, max(1, round(one["velocity"] * change)))
    return sorted(found.values(), key=lambda hit: hit.sample)


def further(log: Log) -> list[str]:
    """Names of the features that events tell besides ``zcr`` and ``energy``, in their order."""
    told = (line.get("features", ()) for line in log.lines if line["event"] in ("guess", "final"))
    return list(dict.fromkeys(name for names in told for name in names))


def columns_of(features: Iterable[str], taken: Collection[str]) -> list[str]:
    """What the columns of features are called in a table that has others already."""
    return [f"{name}_feature" if name in taken else name for name in features]


def _make_one(hits: Collection[Hit]) -> None:
    """Give the classes that have one name in the end, having been merged, the lowest's number."""
    first: dict[str, int] = {}
    named = [(hit.name, hit.class_) for hit in hits]
    named += [(one["name"], one["class"]) for hit in hits for one in hit.parts]
    for name, class_ in sorted(named, key=itemgetter(1)):
        if name and class_ >= 0:
            first.setdefault(name, class_)
    for hit in hits:
        hit.class_ = hit.class_ if hit.class_ < 0 else first.get(hit.name, hit.class_)
        for one in hit.parts:
            if one["class"] >= 0:
                one["class"] = first.get(one["name"], one["class"])
        # Two that were merged are one drum, as loud as the louder of them.
        hit.parts = list({one["class"]: one for one in reversed(hit.parts)}.values())[::-1]


def parts_of(line: Line, velocity: int) -> list[Line]:
    """Drums of a ``guess``, a ``final`` or a ``relabel``; one where the line does not tell them.

    Parameters
    ----------
    line : dict
    velocity : int
        Of the hit, where the line has none.
    """
    only = {key: line[key] for key in ("class", "name")}
    return line.get("parts") or [only | {"velocity": line.get("velocity", velocity)}]


_Whole = Annotated[int, Meta(ge=1 - (1 << 63), le=(1 << 63) - 1)]  # no clock of ours gets there
_Finite = Annotated[float, Meta(ge=-sys.float_info.max, le=sys.float_info.max)]


_HIT = dict.fromkeys(("id", "sample", "emitted"), _Whole)
_Offset = Annotated[int, Meta(ge=0, lt=RATES[1])]
_PART = TypedDict(
    "_PART",
    {"class": _Whole, "name": str, "velocity": _Whole, "offset": NotRequired[_Offset]},
)
_CLASSIFIED: dict[str, Any] = {
    **dict.fromkeys((*_HIT, "class", "zcr", "span"), _Whole), "name": str,
    **dict.fromkeys(("energy", "margin", "level"), NotRequired[_Finite]),
    "velocity": NotRequired[_Whole],
    "parts": NotRequired[list[_PART]],
    "features": NotRequired[dict[str, _Finite]],
}  # fmt: skip

_FIELDS: dict[str, dict[str, Any]] = {
    "session": {
        "samplerate": Annotated[int, Meta(ge=RATES[0], le=RATES[1])],
        MICROPHONES: NotRequired[list[Annotated[int, Meta(ge=1)]]],
        "units": NotRequired[dict[str, str]],
    },
    "summary": dict.fromkeys(("samples", "events_dropped"), NotRequired[_Whole]),
    "onset": {**_HIT, "velocity": _Whole},
    "guess": _CLASSIFIED,
    "final": _CLASSIFIED | dict.fromkeys(("revised", "overlapped"), NotRequired[bool]),
    "relabel": {"id": _Whole, "class": _Whole, "name": str},
    "model": {"version": _Whole, "effective": _Whole},
    "xrun": {"sample": _Whole},
    "control": {"sample": _Whole, "what": str},
    "microphone": {"sample": _Whole, "channel": _Whole, "state": str},
    "lost_audio": {"sample": _Whole, "frames": _Whole},
}
"""What is checked of a line, by the kind of event; what else there is, is left as it is."""

# mypy knows TypedDict as a form of syntax; msgspec takes those that are made by a call.
_KINDS = {kind: TypedDict(kind, fields) for kind, fields in _FIELDS.items()}  # type: ignore[operator]

_OF_HITS = ("onset", "guess", "final", "relabel")


def _check_session(source: Path, number: int, line: Line) -> None:
    if line["event"] != "session" or line.get("version") != SCHEMA_VERSION:
        raise _refuse(source, number, f"the session line of schema version {SCHEMA_VERSION}", line)
    _check(source, number, line)


def _check(source: Path, number: int, line: Line) -> None:
    kind = line["event"]
    if kind in _KINDS:
        try:
            convert(line, _KINDS[kind])
        except ValueError as error:  # also what no UTF-8 can hold
            raise SourceError(
                f"Expected the fields of {kind!r} in {source}, line {number}: {error}."
            ) from error
    if kind == "control":
        _check_control(source, number, line["what"], line.get("value"))


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
