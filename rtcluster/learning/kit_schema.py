"""What a kit holds, as JSON's types: the schema, and how its parts have to agree.

msgspec reads the schema; what no type can say, such as an owner for each centre, stands in
:func:`check`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType, ValidationError, convert

from rtcluster.errors import SettingsError
from rtcluster.events import UNKNOWN_NAME
from rtcluster.learning import strokes
from rtcluster.learning.scaling import HELD as HELD_IN_SCALING
from rtcluster.settings import MAX_CENTRES, MAX_CLASSES, MAX_MICROPHONES, RATES, Settings

MAX_NAME = 64
"""Characters of a name."""

NAMES = f"a name of 1 to {MAX_NAME} characters, no number and not {UNKNOWN_NAME!r}"
"""What :func:`is_name` allows, in words."""

MAX_CHANNELS = 1024
"""The highest channel that a microphone may have."""

_LARGEST = 1e15  # counts and features; beyond, float64 no longer holds every whole number

_Number = Annotated[float, Meta(ge=-_LARGEST, le=_LARGEST)]
_Positive = Annotated[float, Meta(ge=0.0, le=_LARGEST)]
_Share = Annotated[float, Meta(ge=0.0, le=1.0)]
_Peak = Annotated[float, Meta(ge=0.0, le=strokes.LOUDEST)]
_Class = Annotated[int, Meta(ge=0, lt=MAX_CLASSES)]
_Rate = Annotated[int, Meta(ge=RATES[0], le=RATES[1])]
_Span = Annotated[int, Meta(ge=1, le=RATES[1])]
_Channel = Annotated[int, Meta(ge=1, le=MAX_CHANNELS)]


class Unfit(ValueError):
    """What was expected and what came, without the name of the file: "X, got Y"."""


class _Strict(Struct, forbid_unknown_fields=True):
    """An object with these keys and no others."""


class _MinMax(_Strict, tag_field="name", tag="minmax"):
    low: list[_Number]
    high: list[_Number]


class _Robust(_Strict, tag_field="name", tag="robust"):
    hits: Annotated[list[list[_Number]], Meta(min_length=1, max_length=HELD_IN_SCALING)]


class _Scalings(_Strict):
    guess: _MinMax | _Robust
    final: _MinMax | _Robust


class _Centre(_Strict):
    raw: list[list[_Number]]
    counts: list[_Positive]
    owner: Annotated[list[_Class], Meta(min_length=1, max_length=MAX_CENTRES)]
    variance: list[list[_Positive]]


class _Prototype(_Strict, rename={"class_": "class"}):
    class_: _Class
    guess: list[_Number]
    final: list[_Number]
    zcr: _Positive
    whole: bool
    taught: bool


class _Learned(_Strict):
    taught: bool
    heard: Annotated[int, Meta(ge=0, le=1 << 62)]
    scaling: _Scalings
    centres: _Centre
    prototypes: Annotated[list[_Prototype], Meta(min_length=1, max_length=MAX_CENTRES)]


class _Stroke(_Strict, rename={"class_": "class"}):
    class_: _Class
    peak: _Peak | list[_Peak]
    pcm: str | list[str]


class _HeldOut(_Strict):
    taken: list[list[_Positive]]
    fewer: list[_Share | None]


class _Strokes(_Strict):
    samplerate: _Rate
    audio: Annotated[list[_Stroke], Meta(max_length=strokes.MOST * MAX_CLASSES)]
    held_out: _HeldOut | UnsetType = UNSET  # an edited kit has none


class _Kit(_Strict):
    names: Annotated[list[str], Meta(max_length=MAX_CLASSES)]
    samplerate: _Rate
    window: _Span
    guess: _Span
    features: list[str]
    scaling: str
    detector: dict[str, Any] | None
    learned: _Learned | None
    strokes: _Strokes | None
    microphones: (
        Annotated[list[_Channel], Meta(min_length=2, max_length=MAX_MICROPHONES)] | UnsetType
    ) = UNSET


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


def check(content: Mapping[str, Any]) -> None:
    """Check everything that stands in a kit, but the detector's settings.

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
    try:
        kit = convert(content, _Kit)
    except ValidationError as error:
        reason = " ".join(str(error).split())[:200]
        wanted = reason.removeprefix("Expected ")
        raise Unfit(wanted if wanted != reason else f"a kit's content, got: {reason}") from error
    names = kit.names
    for name in names:
        _expect(is_name(name), f"names of 1 to {MAX_NAME} printable characters", repr(name)[:40])
    _expect(len({*names}) == len(names), "names that differ", ", ".join(names)[:80])
    _expect(kit.guess <= kit.window, f"a guess from 1 to {kit.window}", kit.guess)
    try:
        Settings(features=kit.features, scaling=kit.scaling)
    except SettingsError as error:
        raise Unfit(str(error).removeprefix("Expected ").rstrip(".")) from error
    microphones = [] if isinstance(kit.microphones, UnsetType) else kit.microphones
    _expect(len({*microphones}) == len(microphones), "microphones that differ", microphones)
    _expect((kit.learned is None) == (not names), "names for what was learned", len(names))
    something = kit.learned is not None or kit.detector is not None
    _expect(something, "classes or detector settings", "neither")
    if kit.learned is not None:
        _check_learned(kit.learned, len(names), len(kit.features), kit.scaling)
    if kit.strokes is not None:
        _expect(kit.learned is not None, "no strokes where nothing was learned", "some")
        _check_strokes(kit.strokes, len(names), len(microphones))


def _expect(condition: bool, wanted: str, got: object) -> None:
    if not condition:
        raise Unfit(f"{wanted}, got {got}")


def _classes(name: str, found: list[int], classes: int) -> None:
    """Each class at least once, and no other."""
    _expect(
        max(found, default=0) < classes, f"{name} from 0 to {classes - 1}", max(found, default=0)
    )
    _expect({*found} == {*range(classes)}, f"{name} of each class", sorted({*found}))


def _shape(name: str, table: list[Any], rows: int, columns: int | None = None) -> None:
    _expect(len(table) == rows, f"{rows} numbers in {name}", len(table))
    for row in table if columns is not None else ():
        _expect(len(row) == columns, f"{columns} numbers in a row of {name}", len(row))


def _check_learned(learned: _Learned, classes: int, features: int, scaling: str) -> None:
    for stage in (learned.scaling.guess, learned.scaling.final):
        if isinstance(stage, _MinMax):
            _shape("low", stage.low, features)
            _shape("high", stage.high, features)
            ordered = all(a <= b for a, b in zip(stage.low, stage.high, strict=True))
            _expect(ordered, "low up to high", "low above high")
        else:
            _shape("hits", stage.hits, len(stage.hits), features)
        own = "minmax" if isinstance(stage, _MinMax) else "robust"
        _expect(own == scaling, f"scaling {scaling}", own)
    centres = learned.centres
    count = len(centres.owner)
    _classes("an owner", centres.owner, classes)
    in_order = centres.owner == [*range(classes)]
    _expect(learned.taught or in_order, "one centre a class, in order", centres.owner)
    _shape("raw", centres.raw, count, features)
    _shape("variance", centres.variance, count, features)
    _shape("counts", centres.counts, count)
    for hit in learned.prototypes:
        _expect(hit.class_ < classes, f"a class from 0 to {classes - 1}", hit.class_)
        _shape("guess", hit.guess, features)
        _shape("final", hit.final, features)


def _check_strokes(stored: _Strokes, classes: int, microphones: int) -> None:
    longest = strokes.longest(stored.samplerate)
    for one in stored.audio:
        lists = isinstance(one.peak, list), isinstance(one.pcm, list)
        _expect(lists == (bool(microphones),) * 2, "a stroke on the kit's microphones", "another")
        peaks = one.peak if isinstance(one.peak, list) else [one.peak]
        pcm = one.pcm if isinstance(one.pcm, list) else [one.pcm]
        for values in (peaks, pcm):
            wanted = f"{max(1, microphones)} microphones in a stroke"
            _expect(len(values) == max(1, microphones), wanted, len(values))
        counts = {strokes.samples_in(text) for text in pcm}
        for count in counts:
            fits = count is not None and 1 <= count <= longest
            _expect(fits, f"1 to {longest} samples of 16 bits in a stroke", count)
        _expect(len(counts) == 1, "as many samples on each microphone", len(counts))
    _classes("a stroke", [one.class_ for one in stored.audio], classes)
    if not isinstance(stored.held_out, UnsetType):
        _shape("taken", stored.held_out.taken, classes, classes)
        _shape("fewer", stored.held_out.fewer, classes)
