"""``rtcluster analyze``: the notebook, offline."""

from __future__ import annotations

from typing import Annotated

import typer

from rtcluster.commands.terminal import say
from rtcluster.commands.writing import guard, writes
from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.libraries import extra


@writes
def analyze(
    file: Annotated[str, typer.Argument(help="Audio file.")],
    out: Annotated[
        str | None, typer.Option("-o", "--out", help="Folder.", show_default="FILE-report")
    ] = None,
    classes: Annotated[int, typer.Option("-k", "--classes", help="Classes of KMeans.")] = 2,
    algorithm: Annotated[str, typer.Option(help="kmeans, affinity or both.")] = "both",
    rate: Annotated[
        int, typer.Option(help="Sample rate of the analysis, Hz; the engine runs at the file's.")
    ] = 22050,
    delta: Annotated[float, typer.Option(help="Threshold of librosa's onset picking.")] = 0.04,
    wait: Annotated[int, typer.Option(help="Shortest distance of onsets, frames of 512.")] = 4,
    seed: Annotated[
        int | None, typer.Option(help="One start from this seed.", show_default="best of ten")
    ] = None,
    truth: Annotated[str | None, typer.Option(help="CSV file time,label to compare with.")] = None,
) -> None:
    """Run the notebook on a file, offline: a report with plots and sounds."""
    from rtcluster.sources.file import FileSource

    FileSource(file).close()  # what is no audio is refused in the same words everywhere
    with extra("report"):
        from rtcluster.notebook import run_analyze

        try:
            page = run_analyze(
                file, out, classes, algorithm, rate, delta, wait, seed, truth, guard("out")
            )
        except RtclusterError:
            raise  # some are ValueErrors too
        except ValueError as error:
            raise SettingsError(str(error)) from error
    say(f"The report is {page}")
