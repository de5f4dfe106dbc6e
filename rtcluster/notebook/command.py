"""The command ``rtcluster analyze``: a file in, a folder with a report out.

Standard output stays empty; progress goes to standard error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from rtcluster.errors import expecting
from rtcluster.notebook.audio import Tick
from rtcluster.recording.targets import Guard
from rtcluster.settings import RATES

PAGE = "report.html"
"""Name of the page in the folder."""


@contextmanager
def stages() -> Iterator[Callable[[str], Tick]]:
    """Progress on standard error: a line for each stage of the work, complete unless it failed.

    Gives what begins a stage by its name, and returns the function that takes its progress.
    """
    tasks: list[TaskID] = []
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True)) as bar:

        def complete() -> None:
            for task in tasks[-1:]:
                bar.update(task, completed=1, total=1)

        def stage(name: str) -> Tick:
            complete()
            tasks.append(task := bar.add_task(name, total=None))
            return lambda done, total: bar.update(task, completed=done, total=total)

        yield stage
        complete()


def run_analyze(
    path: str | Path,
    out: str | Path | None = None,
    classes: int = 2,
    algorithm: str = "both",
    rate: int = 22050,
    delta: float = 0.04,
    wait: int = 4,
    seed: int | None = None,
    truth: str | Path | None = None,
    guard: Guard | None = None,
) -> Path:
    """Analyse a file and write the report.

    Parameters
    ----------
    path : str or Path
        Audio file.
    out : str or Path, optional
        Folder to write to, made if need be; by default ``STEM-report`` in the working directory.
    classes : int
        Classes of KMeans and of the engine.
    algorithm : {"kmeans", "affinity", "both"}
        What sorts the hits.
    rate : int
        Sampling rate of the analysis, in Hz. The engine runs at the file's own
        where it can.
    delta : float
        Threshold of librosa's onset picking, 0 to 1.
    wait : int
        Least distance of onsets in frames of 512 samples.
    seed : int, optional
        One start of KMeans from this seed; by default the best of ten starts.
    truth : str or Path, optional
        CSV file ``time,label`` to score against.
    guard : Guard, optional
        What may be written to; by default nothing that is there, but for an earlier report.

    Returns
    -------
    Path
        The report, :data:`PAGE` in the folder.

    Raises
    ------
    ValueError
        If a parameter or a file's content is not usable; one line.
    RtclusterError
        If a file cannot be read or written, or the folder holds something else than an
        earlier report; one line.
    """
    from rtcluster.notebook import (
        audio,
        clusters,
        export,
        manifest,
        pictures,
        reference,
        report,
        results,
        sounds,
    )
    from rtcluster.sources import annotations as truths

    if algorithm not in get_args(results.Choice):
        raise ValueError(f"Expected an algorithm of kmeans, affinity or both, got {algorithm!r}.")
    clusters.check("kmeans", classes, seed)
    reference.check(delta, wait)
    audio.probe(path, rate)
    known = None if truth is None else truths.read(truth)
    folder = Path(f"{Path(path).stem}-report") if out is None else Path(out)
    target = manifest.ReportFolder(folder, Guard() if guard is None else guard)
    place = f"a folder to write the report to at {folder}"
    with expecting(place, "name another with -o"), stages() as stage:
        tick = stage("reading")
        folder.mkdir(parents=True, exist_ok=True)
        recording = audio.load(path, rate, scratch=folder, tick=tick)
        own = recording
        low, high = RATES
        if recording.source_rate != rate and low <= recording.source_rate <= high:
            tick = stage("reading at the file's rate")
            own = audio.load(path, recording.source_rate, scratch=folder, tick=tick)
        found = results.compute(
            recording,
            own=own,
            classes=classes,
            algorithm=algorithm,  # type: ignore[arg-type]  # checked above
            delta=delta,
            wait=wait,
            seed=seed,
            truth=known,
            stage=stage,
        )
        drawn = pictures.draw_all(found, stage)
        heard = sounds.make_all(found, stage)
        stage("writing")
        with target.written() as made:
            export.write_parts(made, found, drawn.values(), heard.values())
            text = report.page(found, drawn, heard)
            (made / PAGE).write_text(text, encoding="utf-8", newline="\n")
    return folder / PAGE
