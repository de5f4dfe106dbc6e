"""``python -m bench``: the whole suite, or one benchmark by name with its own options.

What came of it is then in ``docs/lab-book/benchmarks.md`` too.
"""

from __future__ import annotations

from typing import Annotated

import typer

from bench import suite, tables
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
    if listed:
        report_console().print(suite.listing())
        return
    if name is None:
        rows = suite.run_all(report_console())
        code = suite.conclude(report_console(), rows)
    elif suite.find(name) is None:
        names = ", ".join(bench.name for bench in suite.BENCHES)
        raise typer.BadParameter(f"Expected one of {names}, got {name!r}.")
    else:
        code = suite.run(name, context.args)
    if not code:
        tables.write_page()
    raise typer.Exit(code)


if __name__ == "__main__":
    app(prog_name="python -m bench")
