"""The commands put together."""

from __future__ import annotations

from typing import Annotated

import typer

from rtcluster import __version__
from rtcluster.commands import settings_file
from rtcluster.commands.analyze import analyze
from rtcluster.commands.demo import demo
from rtcluster.commands.devices import devices
from rtcluster.commands.examples import epilog
from rtcluster.commands.export import export
from rtcluster.commands.kit import kit
from rtcluster.commands.latency import latency
from rtcluster.commands.listen import listen
from rtcluster.commands.plugin import plugin
from rtcluster.commands.replay import replay
from rtcluster.commands.report import report
from rtcluster.commands.run import run
from rtcluster.commands.teach import teach
from rtcluster.commands.tune import tune

app = typer.Typer(
    name="rtcluster",
    help="Hear drum hits, live or from files, and tell the drums apart as you play.",
    epilog=epilog("rtcluster"),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    demo, listen, run, replay, teach, tune, analyze, report, export, latency, devices,
):  # fmt: skip
    app.command(epilog=epilog(f"rtcluster {command.__name__}"))(command)
app.add_typer(kit)
app.add_typer(plugin)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Hear drum hits, live or from files, and tell the drums apart as you play."""
    if version:
        print(__version__)
        raise typer.Exit
    settings_file.apply(context)
