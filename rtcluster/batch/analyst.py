"""Does a job: a recording through a processor, its events written as JSON Lines.

Every way of running many recordings comes here: one by one, in worker processes and on a cluster.
That is why their results are the same. An analyst belongs to one thread; what it has set up for
one recording it uses again for the next, begun anew.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TextIO

from rtcluster.batch.jobs import Job, Outcome, Task, Tell, index_of
from rtcluster.engine.channels import Channels, Engine, engine_of
from rtcluster.engine.processor import Processor
from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.kernel import jit
from rtcluster.learning import kit_file
from rtcluster.session.channels import ChannelsSession, session_of
from rtcluster.session.session import Session, run_file
from rtcluster.sinks.jsonl import JsonLines
from rtcluster.sources.file import STANDARD_INPUT, FileSource

Progress = Callable[[int], None]
"""Called with the number of frames of each block."""

Watch = Callable[[FileSource, Processor], AbstractContextManager[Progress]]
"""Round the run of one recording; gives what is told the progress."""


def _unwatched(_source: FileSource, _processor: Processor) -> AbstractContextManager[Progress]:
    return nullcontext(lambda _: None)


class Analyst:
    """Does jobs one after the other, with a processor that stays warm."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._made_for: object = None
        self._shape: object = None

    def analyse(self, job: Job, stream: TextIO, watch: Watch = _unwatched) -> Outcome:
        """Do a job.

        Parameters
        ----------
        job : Job
        stream : text file
            Gets the lines, each written out at once.
        watch : callable, optional

        Returns
        -------
        Outcome
            Bad input is told here and not raised.
        """
        try:
            with FileSource(_at(job, job.path), job.samplerate) as source:
                try:
                    self._make(job)
                except RtclusterError as error:
                    return _failed(error, general=True)
                return self._run(job, source, stream, watch)
        except RtclusterError as error:
            return _failed(error)

    def _make(self, job: Job) -> None:
        """A processor, or one for each channel, unless the last job's will do."""
        several = None if isinstance(job.channel, int) else job.channel
        wanted = (job.settings, job.explicit, job.kit, several)
        if self._engine is not None and self._made_for == wanted:
            return
        self.close()
        kit = None if job.kit is None else kit_file.load(_at(job, job.kit))

        self._engine = engine_of(job.channel, job.settings, kit, job.explicit)
        self._made_for, self._shape = wanted, None

    def _session(self, job: Job, source: FileSource, stream: TextIO, report: list[str]) -> Session:
        """A session with a processor that begins from nothing, or from the kit."""
        engine, sinks = self._engine, [JsonLines(stream)]
        index = index_of(job.channel, source.channels) if isinstance(job.channel, int) else None
        shape = (source.samplerate, source.channels, index)
        assert engine is not None
        if shape == self._shape:
            engine.reset(forget=True)
        else:
            self._shape = None
            if isinstance(engine, Channels):
                engine.prepare(source.samplerate, channels=source.channels)
            else:
                engine.prepare(source.samplerate, channels=source.channels, channel=index)
            self._shape = shape
        return session_of(engine, job.path, sinks, report.append)

    def _run(self, job: Job, source: FileSource, stream: TextIO, watch: Watch) -> Outcome:
        complaints: list[str] = []
        session = self._session(job, source, stream, complaints)
        with watch(source, session.processor) as progress:
            summary = run_file(session, source, progress)
        done = partial(Outcome, float(str(summary["seconds"])), session.processor.driver)
        if not session.listening:
            return done(problem=complaints[-1], general=True)
        notes = [f"{job.path}: {text}" for text in complaints]
        if summary["bad_hops"]:
            notes.append(
                f"{job.path}: {summary['bad_hops']} stretches of {session.processor.spans.hop} "
                "samples held NaN or Inf and were taken as silence."
            )
        single = session.channels.processors if isinstance(session, ChannelsSession) else []
        if any(one.learner.ready for one in single):
            notes += [
                f"{job.path}, channel {channel}: {text}"
                for channel, one in enumerate(single, 1)
                if (text := _lacking(one))
            ]
            return done(complete=True, notes=tuple(notes))
        lacking = filter(None, map(_lacking, single or [session.processor]))
        return done(complete=True, notes=tuple(notes), problem=next(lacking, ""))

    def close(self) -> None:
        """Free what the detectors hold."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None


def _at(job: Job, path: str) -> str:
    """Where to find a file of a job; standard input stays what it is."""
    return path if path == STANDARD_INPUT or not job.folder else str(Path(job.folder, path))


def _failed(error: RtclusterError, *, general: bool = False) -> Outcome:
    return Outcome(problem=str(error), usage=isinstance(error, SettingsError), general=general)


def _lacking(processor: Processor) -> str:
    """What to say if there were hits, but not enough to tell the classes apart."""
    learner, hits = processor.learner, processor.counts.hits
    if not hits or learner.ready:
        return ""
    return (
        f"Expected at least {learner.fewest} different hits for {learner.fewest} "
        f"classes, got {hits}; their events are complete, without classes. "
        "Ask for fewer with -k, or play more."
    )


def to_file(analyst: Analyst, job: Job, path: str, watch: Watch = _unwatched) -> Outcome:
    """Do a job; its lines go to a file that is made anew."""
    try:
        # In one statement with the opening, as SIM115 asks for, an OSError of the analysis would be
        # told as one of the opening.
        stream = Path(path).open("w", encoding="utf-8", newline="\n")  # noqa: SIM115  # "with" follows
    except OSError as error:
        reason = error.strerror or error
        return Outcome(problem=f"Expected to write events to {path}, got: {reason}.", general=True)
    with stream:
        return analyst.analyse(job, stream, watch)


def one_by_one(tasks: Sequence[Task], tell: Tell) -> Iterator[tuple[Task, Outcome]]:
    """Do tasks here, in their order; outcomes come as they are known."""
    jit.when_compiling(tell.compiling)

    @contextmanager
    def watch(source: FileSource, _processor: Processor) -> Iterator[Progress]:
        frames = 0

        def progress(count: int) -> None:
            nonlocal frames
            frames += count
            tell.heard(frames / source.samplerate)

        yield progress

    analyst = Analyst()
    for task in tasks:
        yield task, to_file(analyst, task.job, task.lines, watch)


_own = threading.local()


def to_text(job: Job) -> tuple[Outcome, str]:
    """Do a job with this thread's analyst; its lines come back with the outcome."""
    if not hasattr(_own, "analyst"):
        _own.analyst = Analyst()
    lines = io.StringIO()
    outcome = _own.analyst.analyse(job, lines)
    return outcome, lines.getvalue()
