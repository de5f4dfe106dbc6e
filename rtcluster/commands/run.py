"""``rtcluster run``: the engine on recordings, as fast as it goes, one or many."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO, cast

import typer

from rtcluster.batch.jobs import Job, Outcome, Task, Tell
from rtcluster.commands import progress
from rtcluster.commands.hit_tables import HitTables
from rtcluster.commands.opening import kit_saved, say_compiling, say_driver, show_compiling
from rtcluster.commands.options import (
    EngineOptions,
    FileChannels,
    Samplerate,
    Together,
    channel_of,
    engine_options,
    heard_together,
)
from rtcluster.commands.outputs import Outputs, output_options
from rtcluster.commands.signals import as_ctrl_c
from rtcluster.commands.terminal import FAILED, INTERRUPTED, fail, say
from rtcluster.commands.writing import guard, writes
from rtcluster.errors import RtclusterError, SettingsError, expecting
from rtcluster.settings import ALL_CHANNELS, AUTO
from rtcluster.text import counted

if TYPE_CHECKING:
    from rtcluster.batch.outputs import Folder, InOrder
    from rtcluster.batch.plan import QueuedFile
    from rtcluster.engine.processor import Processor
    from rtcluster.sources.file import FileSource

_PANEL: dict[str, Any] = {"rich_help_panel": "Many recordings"}


@writes
@engine_options(classes=AUTO)
@output_options("jsonl")
def run(
    engine: EngineOptions,
    outputs: Outputs,
    files: Annotated[
        list[str],
        typer.Argument(help="Audio files, and folders of them; - is standard input."),
    ],
    channel: FileChannels = None,
    together: Together = False,
    samplerate: Samplerate = None,
    out: Annotated[
        str | None,
        typer.Option(
            help="Write each recording's events to a file in this folder; goes on where an "
            "earlier run broke off.",
            show_default="none", **_PANEL,
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again/--resume", help="Redo what is there already.", **_PANEL)
    ] = False,
    jobs: Annotated[
        int,
        typer.Option("-j", "--jobs", help="Recordings at once; 0: one per core.", min=0, **_PANEL),
    ] = 1,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Dask scheduler to hand the recordings to: tcp://HOST:PORT, or its file. The "
            "workers read the recordings by their paths.",
            **_PANEL,
        ),
    ] = None,
) -> None:  # fmt: skip
    """Run the engine on recordings, as fast as it goes.

    A terminal shows a table of the hits of each. Elsewhere, and with
    --jsonl -, standard output gets the events as JSON Lines.
    """
    from rtcluster.batch.plan import find
    from rtcluster.batch.pool import cores
    from rtcluster.sources.file import STANDARD_INPUT

    chosen = channel_of(channel)
    if together:
        engine = heard_together(engine)
    recordings = find(files)
    _check_kit(engine, recordings, chosen, out, scheduler)
    if again and out is None:
        raise SettingsError("Expected --out with --again, got none: there is nothing to redo.")
    jobs = jobs or cores()
    made = [
        Job(one.path, engine.settings, engine.explicit, engine.kit, chosen, samplerate)
        for one in recordings
    ]
    if out is not None and outputs.jsonl is not None:
        raise SettingsError("Expected --out or --jsonl for the events, got both.")
    straight = out is None and scheduler is None and min(jobs, len(made)) == 1
    if not straight and STANDARD_INPUT in files:
        raise SettingsError(
            "Expected files and folders with --out, --jobs and --scheduler, got - (standard input)."
        )
    with _stream(outputs.jsonl) if out is None else nullcontext(sys.stdout) as lines:
        if straight:
            _straight(made, engine.save_kit, lines)
        else:
            _many(made, recordings, out, again, jobs, scheduler, lines)


def _stream(jsonl: str | None) -> AbstractContextManager[TextIO]:
    """Where the events go: the file that was named, the screen, or whoever reads."""
    from rtcluster.recording.log import check_events
    from rtcluster.sinks.jsonl import STANDARD_OUTPUT

    if jsonl is not None and jsonl != STANDARD_OUTPUT:
        guard("jsonl").check(jsonl, check_events, stream=True)
        with expecting(f"to write events to {jsonl}"):
            return Path(jsonl).open("w", encoding="utf-8", newline="\n")
    if jsonl is None and sys.stdout.isatty():
        return closing(cast(TextIO, HitTables()))
    return nullcontext(sys.stdout)


def _check_kit(
    engine: EngineOptions,
    recordings: Sequence[QueuedFile],
    channel: object,
    out: str | None,
    scheduler: str | None,
) -> None:
    """A kit to be saved is that of one recording, heard here."""
    if engine.save_kit is None:
        return
    if len(recordings) > 1:
        raise SettingsError(
            f"Expected one file with --save-kit, got {len(recordings)}; run them one at a time."
        )
    if channel == ALL_CHANNELS and not _has_microphones(engine.kit):
        raise SettingsError(
            "Expected one channel with --save-kit, got all; run them one at a time with -c."
        )
    if out is not None or scheduler is not None:
        raise SettingsError(
            "Expected --save-kit without --out and --scheduler; run the file alone."
        )


def _has_microphones(kit: str | None) -> bool:
    from rtcluster.learning.kit_file import load

    return kit is not None and bool(load(kit).microphones)


def _straight(jobs: Sequence[Job], save_kit: str | None, lines: TextIO) -> None:
    """One after the other, each line written as soon as it is known."""
    from rtcluster.batch.analyst import Analyst

    @contextmanager
    def watch(source: FileSource, processor: Processor) -> Iterator[Callable[[int], None]]:
        report.driver(processor.driver)
        with (
            kit_saved(processor, save_kit),
            progress.of_one(source.name, source.frames, source.samplerate) as heard,
        ):
            yield heard

    show_compiling()
    report, analyst = _Report(len(jobs)), Analyst()
    for job in jobs:
        outcome = analyst.analyse(job, lines, watch)
        if isinstance(lines, HitTables):
            lines.show()
        report.take(job, outcome)
    report.end()


def _many(
    jobs: Sequence[Job],
    recordings: Sequence[QueuedFile],
    out: str | None,
    again: bool,
    workers: int,
    scheduler: str | None,
    lines: TextIO,
) -> None:
    """Several at once, or to files, or both."""
    from rtcluster.batch.outputs import InOrder
    from rtcluster.batch.plan import measured

    began = time.monotonic()
    lengths = [one.seconds for one in measured(recordings)]
    numbers = list(range(len(jobs)))
    into: Folder | InOrder
    if out is None:
        into = InOrder(lines)
    else:
        into = folder = _folder(jobs, recordings, out)
        numbers = [number for number in numbers if again or not folder.done(number)]
    skipped = len(jobs) - len(numbers)
    report = _Report(len(jobs))
    seconds, finished = 0.0, 0
    try:
        with as_ctrl_c(), closing(into):
            tasks = [Task(n, jobs[n], into.spool(n), lengths[n]) for n in numbers]
            with progress.OfMany(len(tasks), sum(task.seconds for task in tasks)) as bar:
                tell = Tell(say, say_compiling, bar.heard)
                with closing(_outcomes(tasks, workers, scheduler, tell)) as outcomes:
                    for task, outcome in outcomes:
                        into.accept(task.number, outcome)
                        finished += outcome.complete
                        seconds += outcome.seconds
                        bar.done(task.seconds)
                        report.take(task.job, outcome)
    except KeyboardInterrupt:
        rest = "; the same command goes on from there" if out is not None else ""
        say(f"Interrupted: {skipped + finished} of {counted(len(jobs), 'file')} done{rest}.")
        raise typer.Exit(INTERRUPTED) from None
    spent = time.monotonic() - began
    speed = f"; {seconds:.0f} s of audio in {spent:.1f} s, {seconds / spent:.0f} × real time"
    there = f", {skipped} were there already" if skipped else ""
    say(f"{counted(finished, 'file')} done{there}{speed if tasks else ''}.")
    report.end()


def _folder(jobs: Sequence[Job], recordings: Sequence[QueuedFile], out: str) -> Folder:
    """The folder of the outputs, and what it knows of earlier runs."""
    from rtcluster.batch.journal import kit_digest, made_of
    from rtcluster.batch.outputs import Folder
    from rtcluster.batch.plan import outputs

    kit = kit_digest(jobs[0].kit)
    digests = [made_of(job, one, kit) for job, one in zip(jobs, recordings, strict=True)]
    return Folder(Path(out), outputs(recordings), digests, guard("out"))


def _outcomes(
    tasks: Sequence[Task], workers: int, scheduler: str | None, tell: Tell
) -> Any:  # a generator: to be closed
    """Have the tasks done: on a cluster, by worker processes, or here."""
    if scheduler is not None:
        from rtcluster.batch.cluster import on_cluster

        return on_cluster(tasks, scheduler, tell)
    if min(workers, len(tasks)) != 1:
        from rtcluster.batch.pool import on_cores

        return on_cores(tasks, workers, tell)
    from rtcluster.batch.analyst import one_by_one

    return one_by_one(tasks, tell)


class _Report:
    """Tells what is wrong with each recording, and in the end how many there were."""

    def __init__(self, files: int) -> None:
        self._files, self._problems = files, 0
        self._drivers = {""}

    def driver(self, driver: str) -> None:
        """Say how aubio is called, once."""
        if driver not in self._drivers:
            self._drivers.add(driver)
            say_driver(driver)

    def take(self, job: Job, outcome: Outcome) -> None:
        """Tell what came of a job.

        Raises
        ------
        RtclusterError
            If it is the only one, or all of the others would fail too.
        """
        self.driver(outcome.driver)
        for note in outcome.notes:
            say(note)
        if not outcome.problem:
            return
        if self._files == 1 or outcome.general:
            raise (SettingsError if outcome.usage else RtclusterError)(outcome.problem)
        known = job.path in outcome.problem
        fail(outcome.problem if known else f"{job.path}: {outcome.problem}")
        self._problems += 1

    def end(self) -> None:
        """Fail if a recording has."""
        if self._problems:
            fail(f"{self._problems} of {counted(self._files, 'file')} failed; see above.")
            raise typer.Exit(FAILED)
