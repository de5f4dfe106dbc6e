"""``rtcluster export``: a session's hits as files for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rtcluster.commands.terminal import say
from rtcluster.errors import SettingsError


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
        float | None, typer.Option(help="Tempo of the MIDI file.", show_default="120")
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
    """Write the hits of a session for other programs; a file of the same name is replaced."""
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
    wanted = exports.Wanted(120.0 if bpm is None else bpm, parse_notes(note or []), mix)
    for name in formats:
        exports.module_of(name)  # what cannot be written is told before anything is
    take = takes.read(session)
    for name in formats:
        path, count = exports.export(name, take, wanted, None if output is None else Path(output))
        say(f"Wrote {path}: {_counted(count, len(take.hits))}.")


def _counted(count: int, hits: int) -> str:
    """How many of the hits a file has, for people."""
    if not hits:
        return "no hits, as the session has none"
    noun = "hit" if hits == 1 else "hits"
    if count == hits:
        return f"{hits} {noun}"
    return f"{count} of {hits} {noun}; those without a class are left out"
