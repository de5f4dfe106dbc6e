"""Changes to a kit that a person asks for: other names, fewer classes.

Each function takes a kit and returns another one; nothing is changed in place. Class numbers stay
without gaps: those above a class that goes move down by one.
"""

from __future__ import annotations

import copy
import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rtcluster.errors import RtclusterError
from rtcluster.learning.kit import Kit
from rtcluster.learning.kit_schema import NAMES, is_name
from rtcluster.learning.scaling import Array, scaling_from
from rtcluster.learning.separation import Separation, separation
from rtcluster.settings import Settings

if TYPE_CHECKING:  # a kit is changed without Numba, which this needs
    from rtcluster.learning.learner import Learner


def number_of(kit: Kit, class_: str) -> int:
    """Number of a class that is given by name or by number.

    Raises
    ------
    RtclusterError
        If the kit has no such class.
    """
    if class_ in kit.names:
        return kit.names.index(class_)
    if class_.isdecimal() and int(class_) < len(kit.names):
        return int(class_)
    listed = ", ".join(f"{n} {name}" for n, name in enumerate(kit.names)) or "no classes"
    raise RtclusterError(f"Expected a class of {kit.source} ({listed}), got {class_!r}.")


def rename(kit: Kit, old: str, new: str) -> Kit:
    """Another name for a class.

    Raises
    ------
    RtclusterError
        If there is no such class, or the new name cannot be one or is taken.
    """
    number = number_of(kit, old)
    if not is_name(new):
        raise RtclusterError(f"Expected {NAMES}, got {new[:80]!r}.")
    if new in kit.names and kit.names.index(new) != number:
        raise RtclusterError(
            f"Expected a name that is free in {kit.source}, got {new!r}; 'rtcluster kit merge' "
            "makes one class of two."
        )
    names = list(kit.names)
    names[number] = new
    return replace(kit, names=tuple(names))


def merge(kit: Kit, a: str, b: str) -> Kit:
    """Make one class of two, under the name and the number of the first.

    The class then owns the centres of both. A person has said what belongs together, so from here
    on the kit is taken as taught: its classes adapt, and are never formed anew.

    Raises
    ------
    RtclusterError
        If one is missing, or both are the same.
    """
    keep, goes = number_of(kit, a), number_of(kit, b)
    if keep == goes:
        raise RtclusterError(f"Expected two classes to merge, got {kit.names[keep]!r} twice.")
    return _merged(kit, keep, goes)


def of_session(
    learner: Learner,
    settings: Settings,
    samplerate: int,
    before: Kit | None,
    microphones: tuple[int, ...] = (),
    *,
    merged: bool = True,
) -> Kit:
    """The kit of a session, as its learner stands.

    Parameters
    ----------
    learner : Learner
    settings : Settings
    samplerate : int
        Hz.
    before : Kit or None
        What the session began with: its detector settings, and what it was measured by, stay.
    microphones : tuple of int
    merged : bool
        Classes that were given one name are one class of the kit. Otherwise they stay, with the
        numbers that they have, and all but the first under names of their own.

    Raises
    ------
    RtclusterError
        If nothing has been learned yet.
    """
    names, own = learner.names, copy.copy(learner)
    own.names = _apart(names)
    detection = None if before is None else before.detection
    kit = Kit.of(own, settings, samplerate, detection, microphones=microphones)
    if before is not None:
        kit = kit.measured_as(before)
    for number in reversed(range(len(names)) if merged else ()):
        first = names.index(names[number])
        if first != number:
            kit = _merged(kit, first, number)
    return kit


def _apart(names: list[str]) -> list[str]:
    """Names that differ: the first of each, and free ones."""
    free = (name for n in itertools.count() if (name := f"class {n}") not in names)
    return [name if names.index(name) == n else next(free) for n, name in enumerate(names)]


def _merged(kit: Kit, keep: int, goes: int) -> Kit:
    learned = copy.deepcopy(_learned(kit))
    owner = learned["centres"]["owner"]
    owner[:] = [keep if class_ == goes else class_ for class_ in owner]
    for hit in learned["prototypes"]:
        hit["class"] = keep if hit["class"] == goes else hit["class"]
    learned["taught"] = True
    strokes = copy.deepcopy(kit.strokes)
    if strokes is not None:
        strokes.pop("held_out", None)  # they were other classes
        for one in strokes["audio"]:
            one["class"] = keep if one["class"] == goes else one["class"]
    return _without(kit, learned, strokes, goes)


def remove(kit: Kit, class_: str) -> Kit:
    """Drop a class, its centres and its hits.

    Raises
    ------
    RtclusterError
        If there is no such class, or no other one.
    """
    goes = number_of(kit, class_)
    if len(kit.names) == 1:
        raise RtclusterError(
            f"Expected another class beside {kit.names[0]!r} in {kit.source}, got none; delete "
            "the file instead."
        )
    learned = copy.deepcopy(_learned(kit))
    centres = learned["centres"]
    kept = [n for n, owner in enumerate(centres["owner"]) if owner != goes]
    learned["centres"] = {name: [rows[n] for n in kept] for name, rows in centres.items()}
    learned["prototypes"] = [hit for hit in learned["prototypes"] if hit["class"] != goes]
    strokes = copy.deepcopy(kit.strokes)
    if strokes is not None:
        strokes.pop("held_out", None)
        strokes["audio"] = [one for one in strokes["audio"] if one["class"] != goes]
    return _without(kit, learned, strokes, goes)


def _learned(kit: Kit) -> dict[str, Any]:
    if kit.learned is None:
        raise RtclusterError(f"Expected classes in {kit.source}, got detector settings alone.")
    return kit.learned


def _without(kit: Kit, learned: dict[str, Any], strokes: dict[str, Any] | None, number: int) -> Kit:
    """The kit without a number that nothing is of any more; those above it move down."""
    owner = learned["centres"]["owner"]
    owner[:] = [class_ - (class_ > number) for class_ in owner]
    for hit in learned["prototypes"]:
        hit["class"] -= hit["class"] > number
    for one in () if strokes is None else strokes["audio"]:
        one["class"] -= one["class"] > number
    names = kit.names[:number] + kit.names[number + 1 :]
    return replace(kit, names=names, learned=learned, strokes=strokes)


def scaled_hits(kit: Kit) -> tuple[Array, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Finals of the hits that a kit holds, scaled, and their classes."""
    learned = _learned(kit)
    scaling = scaling_from(learned["scaling"]["final"], kit.features)
    hits = learned["prototypes"]
    rows = np.array([hit["final"] for hit in hits], dtype=np.float64)
    classes = np.array([hit["class"] for hit in hits], dtype=np.int64)
    return scaling.scaled(rows), classes


def separation_of(kit: Kit) -> Separation:
    """How well the kit's features tell the hits apart that it holds."""
    return separation(*scaled_hits(kit), len(kit.names))
