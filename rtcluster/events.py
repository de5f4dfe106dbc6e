"""What the engine says about a stream: the events, for Python and for the kernel.

Each event exists twice: as a row of :data:`EVENT`, which the compiled kernel writes
into its ring, and as a frozen dataclass, which everything else uses.
:func:`decode` makes the one from the other; ``as_dict`` gives the JSON object of the event
schema, version 1. Times are sample indices since the stream began.

All events stand in this one module, so that the schema can be read from top to bottom.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias

import numpy as np

from rtcluster.settings import ALWAYS_MEASURED, MAX_FEATURES

SCHEMA_VERSION = 1

MICROPHONES = "microphones"
"""In the session line: the channels, from 1, of a kit with several microphones."""

LEARNING, UNKNOWN = -1, -2
"""The class of a hit while there is no model yet, and of one that is like no drum so far."""

UNKNOWN_NAME = "unknown"

ONSET, GUESS, FINAL, MODEL, XRUN, CONTROL, MICROPHONE = 1, 2, 3, 4, 5, 6, 7
"""Values of ``EVENT["kind"]``."""

XRUN_KINDS = {
    1: "input_underflow",
    2: "input_overflow",
    4: "output_underflow",
    8: "output_overflow",
}
"""PortAudio's ``PaStreamCallbackFlags`` that mean lost audio, by their bit, the lowest first."""

DEVICE_LOST = "device_lost"
"""The kind of an xrun that the device itself was the end of; it may come back."""

MOST_PARTS = 3
"""Drums that are told of one hit at most."""

EVENT = np.dtype(
    [
        ("kind", "i4"),
        ("class_", "i4"),
        ("channel", "i4"),  # from 1, of several microphones; otherwise ONE_CHANNEL
        ("id", "i8"),  # of the hit; of a model, its version
        ("sample", "i8"),  # of the onset; of a model, where it took effect
        ("emitted", "i8"),
        ("stamp", "i8"),  # ns on the monotonic clock at which its audio arrived; 0 offline
        ("zcr", "i8"),
        ("span", "i4"),
        ("velocity", "i4"),
        ("others", "i4", (MOST_PARTS - 1,)),  # classes of the further drums of the hit, or NOBODY
        ("part_velocity", "i4", (MOST_PARTS,)),  # of the first drum and of the others
        ("part_offset", "i4", (MOST_PARTS,)),  # samples from the first that was struck, or NOT_TOLD
        # OVERLAPPED, REVISED; of a model, LATE; of an xrun, PortAudio's; of a microphone, its fault
        ("flags", "i4"),
        ("level", "f8"),
        ("energy", "f8"),
        ("strength", "f8"),
        ("margin", "f8"),
        ("features", "f8", (MAX_FEATURES,)),
    ],
    align=True,
)
"""One event as the kernel writes it. Fields that a kind does not use are 0."""

NOBODY = -1
"""The second drum of a hit in which one sounds, and the third of one in which two do."""

NOT_TOLD = -1
"""The offset of a drum of a hit whose own attack is not known."""

THRESHOLD, MASK = 1, 2
"""``EVENT["flags"]`` of a control: what was set, to the value in ``strength``."""

OVERLAPPED, REVISED, LATE = 1, 2, 4
"""Bits of ``EVENT["flags"]``."""


_INTERNAL = {"internal": True}
"""Marks a field that is for the program and not part of the schema."""

SILENT_DB = -120.0
"""The level of nothing, in dBFS."""

ONE_CHANNEL = 0
"""The channel of an event where only one, or the mean of all, is listened to."""


@dataclass(frozen=True, slots=True)
class _Event:
    """What all events share: the channel, and the JSON object of the schema.

    Attributes
    ----------
    channel : int
        From 1, where each channel has a processor of its own (:mod:`rtcluster.engine.channels`),
        or a hit was heard by several microphones of a kit: the one that knew it best. Otherwise
        :data:`ONE_CHANNEL`, and not in the JSON object.
    """

    channel: int = field(default=ONE_CHANNEL, kw_only=True, metadata=_INTERNAL)

    def as_dict(self) -> dict[str, object]:
        """Return the JSON object of the event schema, ``event`` first."""
        out: dict[str, object] = {"event": _NAMES[type(self)]}
        if self.channel != ONE_CHANNEL:
            out["channel"] = self.channel
        for one in fields(self):
            if not one.metadata.get("internal"):
                value = getattr(self, one.name)
                if one.name == "parts":
                    value = [part.as_dict() for part in value]
                out[one.name.rstrip("_")] = value
        if isinstance(self, Classified) and (further := self.further):
            out["features"] = further
        return out


@dataclass(frozen=True, slots=True)
class Onset(_Event):
    """A hit began.

    Attributes
    ----------
    id : int
        Number of the hit in the session, from 0.
    sample : int
        First sample of the attack.
    time : float
        The same in seconds.
    emitted : int
        Index of the sample after the last one that was needed to know it.
    velocity : int
        1 to 127.
    strength : float
        How far the onset detection function stood above its threshold.
    stamp : int
        Monotonic clock in ns when the audio arrived that made the event; 0 offline.
        Not part of the schema.
    """

    id: int
    sample: int
    time: float
    emitted: int
    velocity: int
    strength: float
    stamp: int = field(default=0, metadata=_INTERNAL)


@dataclass(frozen=True, slots=True)
class Part:
    """A drum that sounds in a hit.

    Attributes
    ----------
    class_ : int
    name : str
    velocity : int
        1 to 127, by its share of the hit's power.
    offset : int or None
        Samples from the hit's first to its own attack, where two drums were struck one after the
        other and it can be told; not in the JSON object where it is None.
    """

    class_: int
    name: str
    velocity: int
    offset: int | None = None

    def as_dict(self) -> dict[str, object]:
        """The JSON object of the event schema."""
        out: dict[str, object] = {
            "class": self.class_, "name": self.name, "velocity": self.velocity,
        }  # fmt: skip
        if self.offset is not None:
            out["offset"] = self.offset
        return out


@dataclass(frozen=True, slots=True)
class Classified(_Event):
    """A hit with its class: what :class:`Guess` and :class:`Final` are.

    Attributes
    ----------
    id, sample, emitted : int
        As in :class:`Onset`.
    time : float
        ``sample`` in seconds. Not part of the schema.
    class_ : int
        Its class, -1 while learning, -2 if it is like no drum so far (``class`` in JSON).
    name : str
        The name of the class, empty while learning.
    margin : float
        0 (between two classes) to 1 (on a centre).
    zcr : int
        Zero crossings in ``x[sample : sample + span]``.
    energy : float
        L2 norm of the same.
    span : int
        Samples measured: the whole stretch, unless the stream ended or the next hit came.
    velocity : int
        1 to 127, by the peak of the hit, which the onset had to estimate.
    level : float
        That peak in dBFS, without what still sounded before the hit.
    parts : tuple of Part
        The drums that sound, the strongest first: ``class_`` and ``name`` are its. One but where a
        taught kit hears two at once.
    features : tuple of float
        What the model judges, in the order of the kit's features.
    feature_names : tuple of str
        Their names. In the schema both are ``features``, an object: see :attr:`further`.
    stamp : int
        As in :class:`Onset`.
    """

    id: int
    sample: int
    emitted: int
    class_: int
    name: str
    margin: float
    zcr: int
    energy: float
    span: int
    velocity: int
    level: float = field(default=SILENT_DB, kw_only=True)
    parts: tuple[Part, ...] = field(default=(), kw_only=True)
    features: tuple[float, ...] = field(default=(), metadata=_INTERNAL)
    feature_names: tuple[str, ...] = field(default=(), kw_only=True, metadata=_INTERNAL)
    stamp: int = field(default=0, metadata=_INTERNAL)
    time: float = field(default=math.nan, compare=False, kw_only=True, metadata=_INTERNAL)

    def __post_init__(self) -> None:
        """Where no parts are given there is one."""
        if not self.parts:
            only = Part(self.class_, self.name, self.velocity)
            object.__setattr__(self, "parts", (only,))

    @property
    def label(self) -> str:
        """The names of its parts: "snare + hat"."""
        return " + ".join(part.name for part in self.parts)

    @property
    def measured(self) -> dict[str, float]:
        """Values of the features that the hit is judged by, by name."""
        return dict(zip(self.feature_names, self.features, strict=False))

    @property
    def further(self) -> dict[str, float]:
        """Those that no other field tells, ``zcr`` and ``energy`` do; and only finite ones."""
        return {
            name: value
            for name, value in self.measured.items()
            if name not in ALWAYS_MEASURED and math.isfinite(value)
        }


@dataclass(frozen=True, slots=True)
class Guess(Classified):
    """The class of a hit by its first 30 ms."""


@dataclass(frozen=True, slots=True)
class Final(Classified):
    """The class of a hit by its whole window.

    Attributes
    ----------
    revised : bool
        The class differs from the guess's.
    overlapped : bool
        Another hit began inside the window, which was cut there.
    """

    revised: bool = False
    overlapped: bool = False


@dataclass(frozen=True, slots=True)
class Relabel(_Event):
    """A hit that was heard while learning has its class now."""

    id: int
    class_: int
    name: str


@dataclass(frozen=True, slots=True)
class ModelChange(_Event):
    """A new model decides from sample ``effective`` on.

    Attributes
    ----------
    late : bool
        It came after the sample it was meant for, and took effect at this one.
    """

    version: int
    effective: int
    late: bool = False


@dataclass(frozen=True, slots=True)
class MergeOffer(_Event):
    """Two classes seem to be one drum. Nothing is merged: ``rtcluster kit merge`` does that."""

    first: int
    second: int


@dataclass(frozen=True, slots=True)
class Xrun(_Event):
    """The sound card lost audio at about this sample."""

    sample: int
    kind: str


STATES = ("back", "silent", "clips")
"""What a :class:`Microphone` is found to be, by the kernel's number of the fault."""


@dataclass(frozen=True, slots=True)
class Microphone(_Event):
    """One of a kit's microphones fails, and is left out from here on; or it is back.

    Attributes
    ----------
    sample : int
        First sample of the hit that showed it.
    emitted : int
        As in :class:`Onset`.
    state : {"silent", "clips", "back"}
    """

    sample: int
    emitted: int
    state: str


@dataclass(frozen=True, slots=True)
class Control(_Event):
    """A person changed something while the session ran; it holds from here on.

    Attributes
    ----------
    sample : int
        The engine's clock. A ``threshold`` or a ``mask`` takes effect at this very sample.
    what : str
        One of :data:`rtcluster.session.controls.CONTROLS`, or ``mask``.
    value : object
        As in :class:`rtcluster.session.controls.Request`.
    """

    sample: int
    what: str
    value: object


Event: TypeAlias = (
    Onset | Guess | Final | Relabel | ModelChange | MergeOffer | Xrun | Control | Microphone
)
"""Any event: one of the classes `Onset` to `Microphone`."""

_NAMES: dict[type, str] = {
    Onset: "onset",
    Guess: "guess",
    Final: "final",
    Relabel: "relabel",
    ModelChange: "model",
    MergeOffer: "merge_offer",
    Xrun: "xrun",
    Control: "control",
    Microphone: "microphone",
}


def name_of(class_: int, names: Sequence[str]) -> str:
    """Name of a class; empty while learning."""
    if class_ == UNKNOWN:
        return UNKNOWN_NAME
    return names[class_] if 0 <= class_ < len(names) else ""


def decode(
    row: Sequence[Any], samplerate: int, names: Sequence[str], features: tuple[str, ...]
) -> Event:
    """Make an event of the kernel's record.

    Parameters
    ----------
    row : sequence
        An element of ``tolist()`` of an array of :data:`EVENT`.
    samplerate : int
        In Hz, for ``time``.
    names : sequence of str
        Names of the classes, by number.
    features : tuple of str
        Names of the features in use.
    """
    (
        kind, class_, channel, number, sample, emitted, stamp, zcr, span, velocity, others,
        part_velocity, part_offset, flags, level, energy, strength, margin, measured,
    ) = row  # fmt: skip
    time = round(sample / samplerate, 6)
    if kind == ONSET:
        strength = round(strength, 6)
        return Onset(number, sample, time, emitted, velocity, strength, stamp, channel=channel)
    if kind == MODEL:
        return ModelChange(number, sample, bool(flags & LATE))
    if kind == CONTROL:
        if flags == MASK:
            return Control(sample, "mask", int(strength))
        return Control(sample, "threshold", strength)
    if kind == MICROPHONE:
        return Microphone(sample, emitted, STATES[flags], channel=channel)
    if kind == XRUN:
        return Xrun(sample, XRUN_KINDS.get(flags, f"flag_{flags}"))
    classified = (
        number, sample, emitted, class_, name_of(class_, names), round(margin, 6), zcr, energy,
        span, velocity, tuple(measured[: len(features)]), stamp,
    )  # fmt: skip
    sounding = (class_, *(int(one) for one in others if one != NOBODY))
    parts = tuple(
        Part(one, name_of(one, names), int(loud), None if after == NOT_TOLD else int(after))
        for one, loud, after in zip(sounding, part_velocity, part_offset, strict=False)
    )
    more = {
        "level": round(level, 2), "parts": parts, "time": time, "channel": channel,
        "feature_names": features,
    }  # fmt: skip
    if kind == GUESS:
        return Guess(*classified, **more)
    return Final(*classified, bool(flags & REVISED), bool(flags & OVERLAPPED), **more)
