"""The kit's file: its text, and the strict reading of it.

Text is laid out for people, names first, a line for each list of numbers. A check sum over the
content, not the layout, tells a file that was cut or edited from one that rtcluster wrote. What
is read is only ever a tree of JSON's types: nothing in a kit is executed.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from rtcluster.errors import SettingsError
from rtcluster.events import UNKNOWN_NAME
from rtcluster.learning import strokes
from rtcluster.learning.scaling import HELD as HELD_IN_SCALING
from rtcluster.learning.strokes import MOST
from rtcluster.settings import MAX_CENTRES, MAX_CLASSES, MAX_MICROPHONES, Settings
from rtcluster.text import counted

VERSION, WITH_MICROPHONES = 2, 3
READ = (1, VERSION, WITH_MICROPHONES)
"""Versions that are read: the first kept no audio of its strokes; the third has several
microphones, which a program that knows the second could not use."""

MARK = "rtcluster_kit"
CHECK = "check"
MICROPHONES = "microphones"

MAX_BYTES = 64 << 20
"""The largest file that is read."""

MAX_NAME = 64
"""Characters of a name."""

NAMES = f"a name of 1 to {MAX_NAME} characters, no number and not {UNKNOWN_NAME!r}"
"""What :func:`is_name` allows, in words."""

MAX_CHANNELS = 1024
"""The highest channel that a microphone may have."""

_LINE = 160
_LARGEST = 1e15  # counts and features; beyond, float64 no longer holds every whole number


class Unfit(ValueError):
    """What was expected and what came, without the name of the file: "X, got Y"."""


class NoKit(Unfit):
    """What came is another kind of file: "Y"."""


def text_of(content: Mapping[str, Any]) -> str:
    """The file's text, check sum included.

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    version = WITH_MICROPHONES if MICROPHONES in content else VERSION
    whole = {MARK: version, **content}
    return _laid_out(whole | {CHECK: check_sum(whole)}, "") + "\n"


def check_sum(content: Mapping[str, Any]) -> str:
    """First 16 digits of the SHA-256 of the content without its check sum, keys sorted."""
    rest = {key: value for key, value in content.items() if key != CHECK}
    text = json.dumps(rest, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _laid_out(value: Any, indent: str) -> str:
    """JSON with a line for whatever fits one, and for each list of numbers."""
    short = json.dumps(value, ensure_ascii=False, allow_nan=False)
    plain = isinstance(value, list) and not any(isinstance(v, list | dict) for v in value)
    if not isinstance(value, list | dict) or plain or len(indent) + len(short) <= _LINE:
        return short
    inner = indent + "  "
    if isinstance(value, list):
        parts, ends = [_laid_out(v, inner) for v in value], "[]"
    else:
        parts = [f"{json.dumps(k)}: {_laid_out(v, inner)}" for k, v in value.items()]
        ends = "{}"
    return f"{ends[0]}\n{inner}" + f",\n{inner}".join(parts) + f"\n{indent}{ends[1]}"


def content_of(text: bytes) -> dict[str, Any]:
    """Read a file's bytes into checked content, without the mark and the check sum.

    Raises
    ------
    Unfit
        If it is no kit (:class:`NoKit`), of another version, or not as it was written.
    """
    if len(text) > MAX_BYTES:
        raise Unfit(f"at most {MAX_BYTES >> 20} MB, got more")
    try:
        content = json.loads(text.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise NoKit("audio, or something else that is no text") from error
    except (ValueError, RecursionError) as error:
        reason = "lists in lists without end" if isinstance(error, RecursionError) else str(error)
        raise Unfit(f"JSON, got {' '.join(reason.split())[:120]}") from error
    if not isinstance(content, dict) or MARK not in content:
        raise NoKit("other JSON")
    if content[MARK] not in READ or type(content[MARK]) is not int:
        wanted = " or ".join(map(str, READ))
        raise Unfit(f"version {wanted}, got version {_shown(content[MARK])}")
    try:
        own = {key: value for key, value in content.items() if key not in (MARK, CHECK)}
        if content[MARK] == 1 and "strokes" not in own:
            own["strokes"] = None
        if (content[MARK] == WITH_MICROPHONES) != (MICROPHONES in own):
            raise Unfit(f"microphones in version {WITH_MICROPHONES} alone, got another")
        check(own)
        same = content.get(CHECK) == check_sum(content)
    except RecursionError as error:
        raise Unfit("a kit, got lists in lists without end") from error
    except ValueError as error:
        raise error if isinstance(error, Unfit) else Unfit("text and finite numbers") from error
    if not same:
        raise Unfit("it as rtcluster wrote it, got one that was edited or damaged")
    # The file's order of keys is not kept: equal content makes equal kits.
    return own


def _shown(value: Any) -> str:
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return " ".join(repr(value).split())[:40]


def _expect(condition: bool, wanted: str, got: Any) -> None:
    if not condition:
        raise Unfit(f"{wanted}, got {_shown(got)}")


def is_number(value: Any, low: float, high: float) -> bool:
    """Whether it is a finite int or float (no bool) within a range."""
    return type(value) in (int, float) and low <= value <= high and math.isfinite(value)


def _whole(value: Any, name: str, low: int, high: int) -> None:
    _expect(type(value) is int and low <= value <= high, f"{name} from {low} to {high}", value)


def _keys(value: Any, name: str, wanted: tuple[str, ...]) -> None:
    _expect(isinstance(value, dict), f"an object as {name}", value)
    if {*value} != {*wanted}:
        odd = sorted({*value} ^ {*wanted})[0]
        raise Unfit(f"{name} with {', '.join(wanted)}, got {_shown(odd)} too many or missing")


def _row(value: Any, name: str, length: int, low: float = -_LARGEST) -> None:
    _expect(isinstance(value, list), f"a list as {name}", value)
    _expect(len(value) == length, f"{length} numbers in {name}", len(value))
    for number in value:
        _expect(is_number(number, low, _LARGEST), f"a finite number in {name}", number)


def _table(
    value: Any, name: str, rows: tuple[int, int], columns: int, low: float = -_LARGEST
) -> None:
    _expect(isinstance(value, list), f"a list as {name}", value)
    least, most = rows
    fits = least <= len(value) <= most
    _expect(fits, f"{least} to {most} rows in {name}" if least < most else f"{most} rows in {name}",
            len(value))  # fmt: skip
    for row in value:
        _row(row, name, columns, low)


def check(content: Mapping[str, Any]) -> None:
    """Check everything that stands in a kit.

    Parameters
    ----------
    content : mapping
        ``names``, ``samplerate``, ``window``, ``guess``, ``features``, ``scaling``,
        ``detector``, ``learned`` and ``strokes``; with several microphones ``microphones``.

    Raises
    ------
    Unfit
        At the first thing that is out of place.
    """
    several = (MICROPHONES,) if isinstance(content, Mapping) and MICROPHONES in content else ()
    _keys(
        content, "a kit",
        ("names", "samplerate", "window", "guess", "features", "scaling", "detector", "learned",
         "strokes", *several),
    )  # fmt: skip
    names = content["names"]
    _expect(isinstance(names, list), "a list of names", names)
    _expect(len(names) <= MAX_CLASSES, f"at most {MAX_CLASSES} classes", len(names))
    for name in names:
        _expect(is_name(name), f"names of 1 to {MAX_NAME} printable characters", name)
    _expect(len({*names}) == len(names), "names that differ", names)
    _whole(content["samplerate"], "a sample rate", 8000, 192000)
    _whole(content["window"], "a window", 1, 192000)
    _whole(content["guess"], "a guess", 1, content["window"])
    features, scaling = content["features"], content["scaling"]
    words = isinstance(features, list) and all(isinstance(name, str) for name in features)
    _expect(words and isinstance(scaling, str), "names of features and of a scaling", features)
    try:
        Settings(features=features, scaling=scaling)
    except SettingsError as error:
        raise Unfit(str(error).removeprefix("Expected ").rstrip(".")) from error
    if several:
        _check_microphones(content[MICROPHONES])
    detector, learned = content["detector"], content["learned"]
    _expect(detector is None or isinstance(detector, dict), "detector settings", detector)
    _expect((learned is None) == (not names), "names for what was learned", len(names))
    _expect(learned is not None or detector is not None, "classes or detector settings", "neither")
    if learned is not None:
        _check_learned(learned, len(names), len(features), scaling)
    if content["strokes"] is not None:
        _expect(learned is not None, "no strokes where nothing was learned", "some")
        _check_strokes(content["strokes"], len(names), len(content.get(MICROPHONES, ())))


def _check_microphones(channels: Any) -> None:
    _expect(isinstance(channels, list), "a list of microphones", channels)
    fits = 2 <= len(channels) <= MAX_MICROPHONES
    _expect(fits, f"2 to {MAX_MICROPHONES} microphones", len(channels))
    for channel in channels:
        _whole(channel, "a microphone's channel", 1, MAX_CHANNELS)
    _expect(len({*channels}) == len(channels), "microphones that differ", channels)


def _check_strokes(stored: Any, classes: int, microphones: int) -> None:
    _expect(isinstance(stored, dict), "an object as strokes", stored)
    judged = ("held_out",) if "held_out" in stored else ()  # an edited kit has none
    _keys(stored, "strokes", ("samplerate", "audio", *judged))
    _whole(stored["samplerate"], "a sample rate of the strokes", 8000, 192000)
    audio = stored["audio"]
    _expect(isinstance(audio, list), "a list as audio", audio)
    most = MOST * MAX_CLASSES
    _expect(len(audio) <= most, f"at most {counted(most, 'stroke')}", len(audio))
    longest = strokes.longest(stored["samplerate"])
    for one in audio:
        _keys(one, "a stroke", ("class", "peak", "pcm"))
        _whole(one["class"], "a class", 0, classes - 1)
        peaks, pcm = ([one[key]] if not microphones else one[key] for key in ("peak", "pcm"))
        for value in (peaks, pcm):
            _expect(isinstance(value, list), "a list of microphones", value)
            wanted = f"{max(1, microphones)} microphones in a stroke"
            _expect(len(value) == max(1, microphones), wanted, len(value))
        for peak in peaks:
            fits = is_number(peak, 0, strokes.LOUDEST)
            _expect(fits, f"a peak from 0 to {strokes.LOUDEST:.0f}", peak)
        counts = set()
        for text in pcm:
            _expect(isinstance(text, str), "text as pcm", text)
            count = strokes.samples_in(text)
            fits = count is not None and 1 <= count <= longest
            _expect(fits, f"1 to {longest} samples of 16 bits in a stroke", count)
            counts.add(count)
        _expect(len(counts) == 1, "as many samples on each microphone", len(counts))
    heard = {one["class"] for one in audio}
    _expect(heard == {*range(classes)}, "a stroke of each class", sorted(heard))
    if judged:
        _keys(stored["held_out"], "held_out", ("taken", "fewer"))
        _table(stored["held_out"]["taken"], "taken", (classes, classes), classes, 0.0)
        fewer = stored["held_out"]["fewer"]
        _expect(isinstance(fewer, list) and len(fewer) == classes, f"{classes} shares", fewer)
        for share in fewer:
            _expect(share is None or is_number(share, 0, 1), "a share from 0 to 1", share)


def is_name(name: Any) -> bool:
    """Whether a class may be called so."""
    return (
        isinstance(name, str)
        and 1 <= len(name) <= MAX_NAME
        and name.isprintable()
        and name == name.strip()
        and not name.isdecimal()
        and name != UNKNOWN_NAME
    )


def _check_learned(learned: Any, classes: int, features: int, scaling: str) -> None:
    _keys(learned, "learned", ("taught", "heard", "scaling", "centres", "prototypes"))
    _expect(isinstance(learned["taught"], bool), "taught as true or false", learned["taught"])
    _whole(learned["heard"], "heard", 0, 1 << 62)
    _keys(learned["scaling"], "scaling", ("guess", "final"))
    for stage in ("guess", "final"):
        _check_scaling(learned["scaling"][stage], features, scaling)
    centres = learned["centres"]
    _keys(centres, "centres", ("raw", "counts", "owner", "variance"))
    owner = centres["owner"]
    _expect(isinstance(owner, list), "a list as owner", owner)
    count = len(owner)
    _expect(1 <= count <= MAX_CENTRES, f"1 to {MAX_CENTRES} centres", count)
    for class_ in owner:
        _whole(class_, "an owner", 0, classes - 1)
    _expect({*owner} == {*range(classes)}, "a centre of each class", sorted({*owner}))
    _expect(learned["taught"] or owner == [*range(classes)], "one centre a class, in order", owner)
    _table(centres["raw"], "raw", (count, count), features)
    _table(centres["variance"], "variance", (count, count), features, 0.0)
    _row(centres["counts"], "counts", count, 0.0)
    hits = learned["prototypes"]
    _expect(isinstance(hits, list), "a list as prototypes", hits)
    _expect(1 <= len(hits) <= MAX_CENTRES, f"1 to {MAX_CENTRES} prototypes", len(hits))
    for hit in hits:
        _keys(hit, "a prototype", ("class", "guess", "final", "zcr", "whole", "taught"))
        _whole(hit["class"], "a class", 0, classes - 1)
        _row(hit["guess"], "guess", features)
        _row(hit["final"], "final", features)
        _expect(is_number(hit["zcr"], 0, _LARGEST), "a number as zcr", hit["zcr"])
        for flag in ("whole", "taught"):
            _expect(isinstance(hit[flag], bool), f"{flag} as true or false", hit[flag])


def _check_scaling(stored: Any, features: int, name: str) -> None:
    if name == "minmax":
        _keys(stored, "scaling", ("name", "low", "high"))
        for end in ("low", "high"):
            _row(stored[end], end, features)
        ordered = all(a <= b for a, b in zip(stored["low"], stored["high"], strict=True))
        _expect(ordered, "low up to high", "low above high")
    else:
        _keys(stored, "scaling", ("name", "hits"))
        _table(stored["hits"], "hits", (1, HELD_IN_SCALING), features)
    _expect(stored["name"] == name, f"scaling {name}", stored["name"])
