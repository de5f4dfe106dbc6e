"""``rtcluster plugin``: a taught kit as a plug-in for a host."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from rtcluster.commands.examples import epilog
from rtcluster.commands.terminal import say
from rtcluster.commands.writing import guard, writes
from rtcluster.errors import RtclusterError, SettingsError

plugin = typer.Typer(
    name="plugin", help="A taught kit as a plug-in for a DAW.", epilog=epilog("rtcluster plugin"),
    no_args_is_help=True,
)  # fmt: skip


class Format(enum.StrEnum):
    """Kinds of plug-in."""

    lv2 = "lv2"


@plugin.callback()
def root() -> None:
    """A taught kit as a plug-in for a DAW."""


@plugin.command(epilog=epilog("rtcluster plugin build"))
@writes
def build(
    kit: Annotated[str, typer.Argument(help="The kit.")],
    out: Annotated[str, typer.Option("--out", metavar="DIR", help="Folder to put it in.")],
    kind: Annotated[Format, typer.Option("--format", help="Kind of plug-in.")] = Format.lv2,
    name: Annotated[
        str | None, typer.Option(help="Its name in the host; by default the kit's file's.")
    ] = None,
) -> None:
    """Build a plug-in for this machine: audio in, a MIDI note for each drum out, no Python."""
    from rtcluster.learning.kit_file import load
    from rtcluster.plugin import bundle

    taught = load(kit)
    chosen = name or Path(kit).stem
    target = bundle.path_of(chosen, Path(out))
    if Path(kit).resolve().is_relative_to(target.resolve()):
        raise SettingsError(f"{target}: the kit lies in it; name another folder.")
    if target.exists() and not guard("out").overwrite:
        raise RtclusterError(
            f"{target}: it is there already; name another folder, or replace it with --overwrite."
        )
    say("Compiling the kernel as a plug-in (up to a minute the first time) ...")
    bundle.write(taught, chosen, Path(out))
    say(f"Built {target}: {', '.join(taught.names)}.")
