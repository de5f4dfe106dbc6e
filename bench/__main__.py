"""``python -m bench``: the whole suite, or one benchmark by name with its own options."""

from __future__ import annotations

from typing import Annotated

import typer

from bench import suite
from bench.report import console as report_console

app = typer.Typer(add_completion=False)


@app.command(
    context_settings={
        "allow_interspersed_args": False,  # what follows the name is the benchmark's own
        "allow_extra_args": True,
        "ignore_unknown_options": True,
    }
)
def main(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="One benchmark; its own options follow. Default: all.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List them, and run none.")] = False,
) -> None:
    """Run the benchmarks; tables to standard output, results to bench/results."""
    console = report_console()
    if listed:
        console.print(suite.listing())
    elif name is None:
        raise typer.Exit(suite.conclude(console, suite.run_all(console)))
    elif suite.find(name) is None:
        names = ", ".join(bench.name for bench in suite.BENCHES)
        raise typer.BadParameter(f"Expected one of {names}, got {name!r}.")
    else:
        raise typer.Exit(suite.run(name, context.args))


if __name__ == "__main__":
    app(prog_name="python -m bench")
