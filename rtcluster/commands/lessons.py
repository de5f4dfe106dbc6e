"""Where ``rtcluster teach`` gets its hits from when it is given files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rtcluster.batch.jobs import index_of
from rtcluster.commands.options import Engine
from rtcluster.commands.terminal import first_use, say
from rtcluster.errors import RtclusterError, SettingsError

if TYPE_CHECKING:
    from rtcluster.events import Final, Guess
    from rtcluster.learning.teaching import Teacher
    from rtcluster.notebook.truth import Truth

WITHIN_S = 0.030
"""How far a hit that was heard may be from the truth's, in seconds."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for.

    Attributes
    ----------
    names : tuple of str
        The drums, by class number.
    files : dict of str to str
        A file for each drum; with a truth, one file under "".
    truth : Truth or None
    """

    names: tuple[str, ...]
    files: dict[str, str] = field(default_factory=dict)
    truth: Truth | None = None


def asked(names: list[str], given: list[str], truth: str | None) -> Asked:
    """Read the names, ``--from`` and ``--truth``.

    Raises
    ------
    SettingsError
        If they do not go together.
    RtclusterError
        If the truth cannot be read.
    """
    if truth is not None:
        if len(given) != 1:
            raise SettingsError(f"Expected one --from FILE with --truth, got {len(given)}.")
        known = _read(truth)
        alone = [label for label, one in zip(known.labels, known.alone, strict=True) if one]
        labels = tuple(dict.fromkeys(alone))
        if missing := [name for name in names if name not in labels]:
            raise SettingsError(
                f"Expected labels that sound alone in {truth} ({', '.join(labels)}), "
                f"got {', '.join(missing)}."
            )
        return Asked(tuple(names) or labels, {"": given[0]}, known)
    files = {}
    for one in given:
        name, sign, path = one.partition("=")
        if not (name and sign and path):
            raise SettingsError(f"Expected --from NAME=FILE, got {one!r}; or add --truth CSV.")
        if name in files:
            raise SettingsError(f"Expected one file for {name}, got two; join them first.")
        files[name] = path
    if files and names and {*names} != {*files}:
        odd = ", ".join(sorted({*names} ^ {*files}))
        raise SettingsError(
            f"Expected a --from for each drum and no other, got a difference: {odd}."
        )
    return Asked(tuple(names) or tuple(files), files)


def _read(path: str) -> Truth:
    from rtcluster.notebook import truth

    try:
        return truth.read(path)
    except (OSError, ValueError) as error:
        raise RtclusterError(" ".join(str(error).split())) from error


def from_files(teacher: Teacher, asked: Asked, hits: int, channel: int | None) -> int:
    """Teach from files; return their sample rate.

    Raises
    ------
    RtclusterError
        If a file cannot be read, has another rate than the first, or has no hit of its drum.
    """
    from rtcluster.commands.teach import offer

    rates: dict[str, int] = {}
    for path in dict.fromkeys(asked.files.values()):
        heard, rates[path] = _heard(teacher, path, channel)
        if rates[path] != (first := next(iter(rates.values()))):
            raise RtclusterError(
                f"Expected {first} Hz as in {next(iter(rates))}, got {rates[path]} Hz in {path}; "
                "teach from files of one rate."
            )
        for class_, name in enumerate(teacher.names):
            if asked.truth is None and asked.files[name] != path:
                continue
            own = heard if asked.truth is None else _labelled(heard, asked.truth, name, rates[path])
            # Those that the next hit cut short teach less: they are for want of others.
            for guess, final in sorted(own, key=lambda pair: pair[1].overlapped):
                if teacher.count(class_) < hits:
                    careful = asked.truth is None and not final.overlapped
                    offer(teacher, class_, guess, final, hits, careful=careful)
            if not teacher.count(class_):
                raise RtclusterError(
                    f"Expected a hit of {name} that can be told in {path}, got none; leave it "
                    "out, or record it alone."
                )
            if teacher.count(class_) < hits:
                say(f"  {name}: only {teacher.count(class_)} of {hits} hits in {path}")
    return next(iter(rates.values()))


def _heard(
    teacher: Teacher, path: str, channel: int | None
) -> tuple[list[tuple[Guess, Final]], int]:
    """All hits of a file, and its rate."""
    from rtcluster.learning.teaching import Pairs, measuring
    from rtcluster.sources.file import FileSource

    pairs = Pairs()
    with FileSource(path) as source:
        processor = first_use(Engine(measuring(teacher.settings)))
        processor.prepare(
            source.samplerate,
            channels=source.channels,
            channel=index_of(channel, source.channels),
        )
        processor.record["synchronous"] = 0  # nothing is learned here
        out = []
        for block in source.blocks():
            processor.advance(block)
            out += pairs.of(processor.collect())
        out += pairs.of(processor.flush())
        processor.close()
        return out, source.samplerate


def _labelled(
    heard: list[tuple[Guess, Final]], truth: Truth, label: str, samplerate: int
) -> list[tuple[Guess, Final]]:
    """Hits at whose time the truth has this label alone."""
    at = np.array([final.sample for _, final in heard]) / samplerate
    out: dict[int, tuple[Guess, Final]] = {}
    for time, one in zip(truth.times, truth.labels, strict=True):
        if one == label and at.size:
            nearest = int(np.abs(at - time).argmin())
            if abs(at[nearest] - time) <= WITHIN_S:
                out[nearest] = heard[nearest]
    return list(out.values())
