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
    return _without(kit, goes, keep)


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
            kit = _without(kit, number, first)
    return kit


def _apart(names: list[str]) -> list[str]:
    """Names that differ: the first of each, and free ones."""
    free = (name for n in itertools.count() if (name := f"class {n}") not in names)
    return [name if names.index(name) == n else next(free) for n, name in enumerate(names)]


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
    return _without(kit, goes)


def _learned(kit: Kit) -> dict[str, Any]:
    if kit.learned is None:
        raise RtclusterError(f"Expected classes in {kit.source}, got detector settings alone.")
    return kit.learned


def _without(kit: Kit, goes: int, into: int | None = None) -> Kit:
    """The kit without a class: what was of it is another's, or goes too. Those above move down.

    With what was another's it is a taught kit: a person has said what belongs together.
    """
    learned, strokes = _learned(kit), kit.strokes
    number = {
        class_: class_ - (class_ > goes) for class_ in range(len(kit.names)) if class_ != goes
    }
    taught = learned["taught"] or into is not None
    if into is not None:
        number[goes] = number[into]

    def rest(hits: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [one | {"class": number[one["class"]]} for one in hits if one["class"] in number]

    centres = learned["centres"]
    kept = [place for place, class_ in enumerate(centres["owner"]) if class_ in number]
    centres = {name: [values[place] for place in kept] for name, values in centres.items()}
    centres["owner"] = [number[class_] for class_ in centres["owner"]]
    hits = rest(learned["prototypes"])
    learned = learned | {"taught": taught, "centres": centres, "prototypes": hits}
    if strokes is not None:  # which were held out is not kept: they were other classes
        strokes = {"samplerate": strokes["samplerate"], "audio": rest(strokes["audio"])}
    names = kit.names[:goes] + kit.names[goes + 1 :]
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
