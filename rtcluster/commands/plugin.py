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
    clap = "clap"


@plugin.command(epilog=epilog("rtcluster plugin build"))
@writes
def build(
    out: Annotated[str, typer.Option("--out", metavar="DIR", help="Folder to put it in.")],
    kit: Annotated[str | None, typer.Argument(help="The kit.")] = None,
    generic: Annotated[
        bool, typer.Option("--generic", help="Without a kit; it is chosen in the host.")
    ] = False,
    kind: Annotated[Format, typer.Option("--format", help="Kind of plug-in.")] = Format.lv2,
    name: Annotated[
        str | None, typer.Option(help="Its name in the host; by default the kit's file's.")
    ] = None,
) -> None:
    """Build a plug-in for this machine: audio in, a MIDI note for each drum out, no Python."""
    from rtcluster.learning.kit_file import load
    from rtcluster.plugin import bundle

    if generic != (kit is None):
        raise SettingsError("Expected a kit or --generic, one of the two.")
    if generic and name is not None:
        raise SettingsError("--name is that of a kit; leave it out with --generic.")
    if generic and kind is not Format.lv2:
        raise SettingsError("--generic is for LV2 alone; leave out --format, or name a kit.")
    taught = None if kit is None else load(kit)
    chosen = None if kit is None else name or Path(kit).stem
    target = bundle.path_of(chosen, Path(out), kind.value)
    if kit is not None and Path(kit).resolve().is_relative_to(target.resolve()):
        raise SettingsError(f"{target}: the kit lies in it; name another folder.")
    if target.exists() and not guard("out").overwrite:
        raise RtclusterError(
            f"{target}: it is there already; name another folder, or replace it with --overwrite."
        )
    say("Compiling the kernel as a plug-in (up to a minute the first time) ...")
    bundle.write(taught, chosen, Path(out), kind.value)
    drums = "its kit is chosen in the host" if taught is None else ", ".join(taught.names)
    say(f"Built {target}: {drums}.")


@plugin.command("kit", epilog=epilog("rtcluster plugin kit"))
@writes
def write_kit(
    kit: Annotated[str, typer.Argument(help="The kit.")],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="File to write: NAME.rtkit.")
    ],
) -> None:
    """Write a kit for the plug-in that was built with --generic."""
    from rtcluster.files import atomic_write
    from rtcluster.learning.kit_file import load
    from rtcluster.plugin import image

    guard("output").check(output, image.check_file)
    taught = load(kit)
    if len(taught.names) > image.MOST_DRUMS:
        raise RtclusterError(
            f"{kit} has {len(taught.names)} drums, and a plug-in whose kit is chosen in the host "
            f"has controls for {image.MOST_DRUMS}; build one of this kit alone."
        )
    content = image.file_of(taught)
    with atomic_write(Path(output)) as temporary:
        temporary.write_bytes(content)
    say(f"Written: {output}: {', '.join(taught.names)}.")
