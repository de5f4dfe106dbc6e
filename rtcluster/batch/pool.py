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

import logging
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
from multiprocessing import connection, resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtcluster.batch.jobs import Outcome, Task, Tell, in_a_line, unforeseen
from rtcluster.errors import RtclusterError
from rtcluster.timing import ENDING

if TYPE_CHECKING:
    from rtcluster.engine.processor import Processor
    from rtcluster.sources.file import FileSource

TRIES = 2
"""How often a recording is tried whose worker dies."""

TOLD_S = 0.2
"""From one word of a worker on its progress to the next, in seconds."""

_LEAVE_S = 2.0  # a worker that is not asked any more has so long to end by itself

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Progress:
    """A worker's word on its progress: seconds of the present recording."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Compiling:
    """A worker's word that it compiles the kernel, the first one on this machine."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker's word that the kernel is compiled, for it and for those that start from now on."""


@dataclass(frozen=True, slots=True)
class Noted:
    """What a worker's log has for people; each of them may have the same."""

    text: str


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


def work(pipe: Any) -> None:
    """Do tasks until the pipe, a ``Connection``, closes.

    The pipe is all that it has of its parent, so that one whose parent has gone before it could
    begin ends in silence: a lock, say, has a name in the system, which goes with the parent.
    """
    for number in {*ENDING} - {signal.SIGTERM}:  # they are the parent's, which ends the workers
        signal.signal(number, signal.SIG_IGN)
    try:
        try:
            _do_tasks(pipe)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return
        except Exception as error:
            pipe.send(Unable(in_a_line(error)))
    except OSError:
        return  # nobody is there any more


class _Log(logging.Handler):
    """Hands what is logged to the parent."""

    def __init__(self, pipe: Any) -> None:
        super().__init__()
        self._pipe = pipe

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):  # nobody is there any more, as the next word will find
            self._pipe.send(Noted(record.getMessage()))


def _do_tasks(pipe: Any) -> None:
    from rtcluster.batch.analyst import Analyst, to_file

    ours = logging.getLogger("rtcluster")
    ours.addHandler(_Log(pipe))
    ours.propagate = False
    _compile(pipe)
    analyst = Analyst()
    while True:
        task = pipe.recv()
        try:
            outcome = to_file(analyst, task.job, task.lines, partial(_telling, pipe))
        except Exception as error:  # of no kind that was foreseen: it costs this recording only
            outcome = unforeseen(task.job, error)
            analyst = Analyst()
        pipe.send(outcome)


def _compile(pipe: Any) -> None:
    """Have the kernel compiled, unless it is."""
    from rtcluster.engine.processor import Processor
    from rtcluster.kernel import jit

    if not jit.was_compiled():
        pipe.send(Compiling())
        Processor().prepare(44100)
    pipe.send(Ready())


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
            pipe.send(Progress(frames / source.samplerate))

    yield progress


# In the parent.


class _Worker:
    """A worker as its parent sees it."""

    def __init__(self, context: Any) -> None:
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=work, args=(theirs,), name="rtcluster-worker", daemon=True
        )
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
            self._process.join(_LEAVE_S)
        with suppress(ValueError):  # of one that the system itself cannot end now
            self._process.close()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """A signal waits for the end of the block, and what is started in it never sees Ctrl-C.

    Not even before it can say so itself: it inherits which signals are blocked. For this thread
    that is not enough: another one may be given the signal, and this one is interrupted all the
    same.
    """
    asked: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: asked.append(number))
        for number in ENDING
        if signal.getsignal(number) != signal.SIG_IGN
    }
    blocks = hasattr(signal, "pthread_sigmask")
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if blocks else set()
    try:
        yield
    finally:
        if blocks:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in before.items():
            signal.signal(number, handler)
        if asked and callable(handler := before[asked[0]]):
            handler(asked[0], None)  # not raised again: that would be a second signal
        elif asked:
            signal.raise_signal(asked[0])


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
    resource_tracker.ensure_running()  # to start it lets Ctrl-C through: not while that is blocked
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
    waiting = deque(sorted(tasks, key=lambda task: -task.seconds))
    died: dict[int, int] = {}
    busy: list[_Worker] = []
    noted: set[str] = set()
    compiling = whole = False

    def start() -> None:
        with _uninterrupted(), _one_thread():
            busy.append(_Worker(context))  # before it is interrupted, or nobody would end it
        busy[-1].give(waiting.popleft())

    try:
        if waiting:
            start()
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
                elif isinstance(said, Ready):
                    while waiting and len(busy) < workers:
                        start()
                elif isinstance(said, Noted):
                    if said.text not in noted:
                        tell.note(said.text)
                    noted.add(said.text)
                elif isinstance(said, Progress):
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
                        start()
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
