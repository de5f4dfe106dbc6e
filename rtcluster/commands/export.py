"""``rtcluster export``: a session's hits as files for other programs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rtcluster.commands.terminal import say
from rtcluster.commands.writing import guard, writes
from rtcluster.errors import SettingsError
from rtcluster.settings import AUTO
from rtcluster.text import counted

if TYPE_CHECKING:
    from rtcluster.exports.take import Take


@writes
def export(
    session: Annotated[
        str, typer.Argument(metavar="DIR|FILE", help="A recording's folder, or a file of events.")
    ],
    to: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FORMAT",
            help="midi, audacity, sonic-visualiser, csv, clicks.wav, jams; several with commas.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", help="The file; for one format.", show_default="beside"),
    ] = None,
    bpm: Annotated[
        str | None,
        typer.Option(help="Tempo of the MIDI file; auto: as it was played.", show_default="120"),
    ] = None,
    note: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=NOTE",
            help="MIDI note of a class, by name or number; several with commas.",
            show_default="by the name",
        ),
    ] = None,
    mix: Annotated[
        bool, typer.Option("--mix", help="Put the clicks over the recording's audio.")
    ] = False,
) -> None:
    """Write the hits of a session for other programs; beside the events, if not told where."""
    from rtcluster import exports
    from rtcluster.exports import take as takes
    from rtcluster.sinks.drum_map import parse_notes

    formats = exports.names_of(to or [])
    if output is not None and len(formats) > 1:
        raise SettingsError(
            f"Expected one format with -o, got {len(formats)}; export them one at a time."
        )
    for option, given, needed in (
        ("--bpm", bpm is not None, "midi"),
        ("--note", bool(note), "midi"),
        ("--mix", mix, "clicks.wav"),
    ):
        if given and needed not in formats:
            raise SettingsError(f"Expected --to {needed} with {option}, got {', '.join(formats)}.")
    tempo = exports.USUAL_BPM if bpm in (None, AUTO) else _number(bpm)
    wanted = exports.Wanted(tempo, parse_notes(note or []), mix)
    for name in formats:
        exports.module_of(name)  # what cannot be written is told before anything is
    take = takes.read(session)
    if bpm == AUTO:
        wanted = replace(wanted, bpm=_played(take))
    targets = {n: Path(output) if output else exports.target_of(n, take) for n in formats}
    allowed = guard("output")
    for path in targets.values():
        allowed.check(path)
    for name, path in targets.items():
        _, count = exports.export(name, take, wanted, path)
        say(f"Wrote {path}: {_counted(count, len(take.hits))}.")


def _number(bpm: str | None) -> float:
    try:
        return float(bpm or "")
    except ValueError as error:
        raise SettingsError(f"Expected --bpm with a number or {AUTO}, got {bpm!r:.80}.") from error


def _played(take: Take) -> float:
    """The tempo that was played, or the usual one where there was none, in bpm; with a line."""
    from rtcluster.exports import USUAL_BPM
    from rtcluster.performance.hits import measure_hits

    found = measure_hits(take.hits)
    if found.tempo is None:
        say(f"No steady tempo: {found.reason}. The MIDI file has {USUAL_BPM:g} bpm.")
        return USUAL_BPM
    bpm = found.tempo.bpm
    say(f"Tempo of the MIDI file: {bpm.value:.2f} ± {bpm.uncertainty:.2f} bpm.")
    return bpm.value


def _counted(count: int, hits: int) -> str:
    """How many of the hits a file has, for people."""
    if not hits:
        return "no hits, as the session has none"
    of = counted(hits, "hit")
    return of if count == hits else f"{count} of {of}; those without a class are left out"
