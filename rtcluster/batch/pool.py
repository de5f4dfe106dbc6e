"""Jobs on the cores of this machine.

A worker is a process of its own. It is never a fork of this one, for what Numba and OpenMP have
running would not survive that: on Linux it is forked from a process that has loaded the program
and run nothing of it, elsewhere it is started afresh. It has one pipe, on which it gets a task,
tells how far it is, and answers with the outcome; when the pipe is closed, by whatever end the
program came to, it ends too. One that dies takes only its own recording with it, which another
then tries once more.

:func:`on_cores` belongs to the command's thread; :func:`work` is what a worker runs.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtcluster.batch.jobs import Outcome, Task, Tell, in_a_line, unforeseen
from rtcluster.errors import RtclusterError

if TYPE_CHECKING:
    from rtcluster.processor import Processor
    from rtcluster.sources.file import FileSource

TRIES = 2
"""How often a recording is tried whose worker dies."""

TOLD_S = 0.2
"""From one word of a worker on its progress to the next, in seconds."""

_LEAVE_S = 2.0  # a worker that is not asked any more has so long to end by itself

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Heard:
    """A worker's word on its progress: seconds of the present recording."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Compiling:
    """A worker's word that it compiles the kernel, the first one on this machine."""


@dataclass(frozen=True, slots=True)
class Unable:
    """A worker's word that it cannot work at all."""

    reason: str


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


# In a worker.


def work(pipe: Any, first: Any) -> None:
    """Do tasks until the pipe closes.

    Parameters
    ----------
    pipe : Connection
    first : Lock
        Held while the kernel is compiled: once is enough.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, and it ends the workers
    try:
        try:
            _do_tasks(pipe, first)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return
        except Exception as error:
            pipe.send(Unable(in_a_line(error)))
    except OSError:
        return  # nobody is there any more


def _do_tasks(pipe: Any, first: Any) -> None:
    from rtcluster.batch.analyst import Analyst, to_file

    _compile(pipe, first)
    analyst = Analyst()
    while True:
        task = pipe.recv()
        try:
            outcome = to_file(analyst, task.job, task.lines, partial(_telling, pipe))
        except Exception as error:  # of no kind that was foreseen: it costs this recording only
            outcome = unforeseen(task.job, error)
            analyst = Analyst()
        pipe.send(outcome)


def _compile(pipe: Any, first: Any) -> None:
    """Have the kernel compiled by one worker; the others load it."""
    from rtcluster.kernel import jit
    from rtcluster.processor import Processor

    if jit.was_compiled():
        return
    with first:
        if not jit.was_compiled():
            pipe.send(Compiling())
            Processor().prepare(44100)


@contextmanager
def _telling(
    pipe: Any, source: FileSource, _processor: Processor
) -> Iterator[Callable[[int], None]]:
    """Tell the parent now and then how much has been heard."""
    frames, due = 0, time.monotonic() + TOLD_S

    def progress(count: int) -> None:
        nonlocal frames, due
        frames += count
        if time.monotonic() >= due:
            due = time.monotonic() + TOLD_S
            pipe.send(Heard(frames / source.samplerate))

    yield progress


# In the parent.


class _Worker:
    """A worker as its parent sees it."""

    def __init__(self, context: Any, first: Any) -> None:
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=work, args=(theirs, first), name="rtcluster-worker", daemon=True
        )
        with _no_ctrl_c(), _one_thread():
            self._process.start()
        theirs.close()
        self.task: Task | None = None
        self.heard = 0.0

    def give(self, task: Task) -> None:
        """Hand a task over. If it has died meanwhile, its pipe will tell."""
        self.task, self.heard = task, 0.0
        with suppress(OSError):
            self.pipe.send(task)

    def died_of(self) -> str:
        """How it came to its end, for people."""
        self._process.join(_LEAVE_S)
        code = self._process.exitcode
        if code is not None and code < 0:
            return f"was killed by signal {-code}" + (" (out of memory?)" if code == -9 else "")
        return f"ended with code {code}"

    def leave(self, *, at_once: bool) -> None:
        """End it; it may have to be made to."""
        self.pipe.close()
        if at_once:
            self._process.terminate()
        self._process.join(_LEAVE_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()


@contextmanager
def _no_ctrl_c() -> Iterator[None]:
    """What is started here never sees Ctrl-C, not even before it can say so itself."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _one_thread() -> Iterator[None]:
    """What is started here computes in one thread: there is a worker for each core."""
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _context() -> Any:
    """How workers are started."""
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["rtcluster.batch.analyst"])
    return context


def on_cores(tasks: Sequence[Task], workers: int, tell: Tell) -> Iterator[tuple[Task, Outcome]]:
    """Do tasks on so many cores, the longest first; outcomes come as they are known.

    Closing the iterator, or an exception in the thread that runs it, ends the workers at once.

    Parameters
    ----------
    tasks : sequence of Task
    workers : int
    tell : Tell

    Raises
    ------
    RtclusterError
        If a worker cannot work at all.
    """
    context = _context()
    first = context.Lock()
    waiting = deque(sorted(tasks, key=lambda task: -task.seconds))
    died: dict[int, int] = {}
    busy: list[_Worker] = []
    compiling = whole = False
    try:
        for _ in range(min(workers, len(waiting))):
            busy.append(_Worker(context, first))
            busy[-1].give(waiting.popleft())
        while busy:
            ready = connection.wait([worker.pipe for worker in busy])
            for place, worker in reversed(list(enumerate(busy))):
                if worker.pipe not in ready:
                    continue
                task = worker.task
                assert task is not None
                said = _said(worker)
                if isinstance(said, Unable):
                    raise RtclusterError(f"Expected a worker to start, got {said.reason}.")
                if isinstance(said, Compiling):
                    if not compiling:
                        tell.compiling()
                    compiling = True
                elif isinstance(said, Heard):
                    worker.heard = said.seconds
                elif isinstance(said, Outcome):
                    worker.heard = 0.0
                    if waiting:
                        worker.give(waiting.popleft())
                    else:
                        del busy[place]
                        worker.leave(at_once=False)
                    yield task, said
                else:
                    del busy[place]
                    died[task.number] = died.get(task.number, 0) + 1
                    lost = _lost(worker, task, died[task.number])
                    if lost.problem:
                        yield task, lost
                    else:
                        tell.note(lost.notes[0])
                        waiting.appendleft(task)
                    if waiting:
                        busy.append(_Worker(context, first))
                        busy[-1].give(waiting.popleft())
                tell.heard(sum(worker.heard for worker in busy))
        whole = True
    finally:
        for worker in busy:
            worker.leave(at_once=not whole)


def _said(worker: _Worker) -> object:
    """What a worker says; None if it is no more."""
    try:
        return worker.pipe.recv()
    except (EOFError, OSError):
        return None


def _lost(worker: _Worker, task: Task, deaths: int) -> Outcome:
    """What comes of a task whose worker has died: a note that it is tried again, or its end."""
    how = worker.died_of()
    worker.leave(at_once=True)
    Path(task.lines).unlink(missing_ok=True)
    path = task.job.path
    if deaths < TRIES:
        return Outcome(notes=(f"A worker {how} at {path}; trying it once more.",))
    return Outcome(problem=f"Expected a worker to finish {path}, got: it {how}, {TRIES} times.")
