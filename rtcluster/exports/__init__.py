"""A session's hits as files that other programs open: one module a format.

:data:`FORMATS` is the table of them. Each module has ``write(target, take, wanted)``, which makes
one file of a :class:`rtcluster.exports.take.Take` and returns how many hits are in it. All of it
runs on the calling thread, after the session; nothing here belongs near a live stream.

An export can be made anew from the events at any time, so :func:`export` takes the place of an
older file of the same name. It never does so by halves, and never with the events or the audio
that it is made from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType

from rtcluster.errors import SettingsError
from rtcluster.exports.take import Take
from rtcluster.files import atomic_write
from rtcluster.libraries import extra
from rtcluster.recording.log import EVENTS_FILE


@dataclass(frozen=True, slots=True)
class Format:
    """What is to be known of a format before its module is loaded.

    Attributes
    ----------
    module : str
        Its module in this package.
    ending : str
        How the names of its files end.
    extra : str
        The extra of rtcluster that brings what its module needs, if it needs any.
    """

    module: str
    ending: str
    extra: str = ""


FORMATS: dict[str, Format] = {
    "midi": Format("midi", ".mid", "midi"),
    "audacity": Format("audacity", ".labels.txt"),
    "sonic-visualiser": Format("sonic_visualiser", ".svl"),
    "csv": Format("table", ".csv"),
    "clicks.wav": Format("clicks", ".clicks.wav"),
    "jams": Format("jams_file", ".jams", "export"),
}
"""By the names that ``--to`` takes."""

SLOWEST_BPM, USUAL_BPM, FASTEST_BPM = 10.0, 120.0, 1000.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person may choose about an export.

    Attributes
    ----------
    bpm : float
        Tempo that a MIDI file names, in quarter notes per minute, 10 to 1000. It moves no hit.
    notes : mapping of str to int
        MIDI notes by class; see :mod:`rtcluster.sinks.drum_map`.
    mix : bool
        Put the clicks over the recording's audio.

    Raises
    ------
    SettingsError
        If the tempo is outside its range.
    """

    bpm: float = USUAL_BPM
    notes: Mapping[str, int] = field(default_factory=dict)
    mix: bool = False

    def __post_init__(self) -> None:
        """Check the tempo."""
        if not SLOWEST_BPM <= self.bpm <= FASTEST_BPM:
            raise SettingsError(
                f"Expected a tempo from {SLOWEST_BPM:g} to {FASTEST_BPM:g} bpm, got {self.bpm:g}."
            )


def names_of(values: Iterable[str]) -> list[str]:
    """Return names of formats, each once, of what was given: one or several, parted by commas.

    Raises
    ------
    SettingsError
        If one is no format, or there is none.
    """
    names = list(dict.fromkeys(n for v in values for part in v.split(",") if (n := part.strip())))
    for name in names or ["none"]:
        if name not in FORMATS:
            raise SettingsError(f"Expected --to {', '.join(FORMATS)}, got {name!r:.80}.")
    return names


def module_of(name: str) -> ModuleType:
    """Load the module of a format.

    Raises
    ------
    RtclusterError
        If the package that it needs is not installed.
    """
    kind = FORMATS[name]
    with extra(kind.extra):
        return import_module(f"{__name__}.{kind.module}")


def target_of(name: str, take: Take) -> Path:
    """Return where a format's file goes by itself: beside the events.

    It is named after their file, or ``session`` in a recording's folder.
    """
    stem = "session" if take.path.name == EVENTS_FILE else take.path.stem
    return take.path.with_name(stem + FORMATS[name].ending)


def export(name: str, take: Take, wanted: Wanted, target: Path | None = None) -> tuple[Path, int]:
    """Write a take as a file.

    Parameters
    ----------
    name : str
        One of :data:`FORMATS`.
    take : Take
    wanted : Wanted
    target : Path, optional
        The file, by default that of :func:`target_of`; one that is there is replaced.

    Returns
    -------
    tuple of Path and int
        The file, and how many of the hits are in it.

    Raises
    ------
    RtclusterError
        If the format's package is missing, or the file cannot be written.
    """
    module, path = module_of(name), target or target_of(name, take)
    with atomic_write(path) as temporary:
        count: int = module.write(temporary, take, wanted)
    return path, count
