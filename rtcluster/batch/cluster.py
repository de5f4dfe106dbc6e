"""Jobs on a Dask cluster, for archives that outgrow one machine.

The workers read the recordings, and the kit, by their paths, so these have to be where all of the
machines see them. The lines come back to the client, which alone writes: the outputs may be on a
disk of its own. :func:`on_cluster` belongs to the command's thread; :func:`remote` is what a
worker runs, in any number of threads.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import queue
import re
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from rtcluster import __version__
from rtcluster.batch.jobs import Job, Outcome, Task, Tell, in_a_line, unforeseen
from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.files import read_bytes
from rtcluster.libraries import extra

CONNECT_S = 10.0
"""A scheduler has to answer within so many seconds."""

_CLOSE_S = 2.0

MAX_BYTES = 1 << 20
"""Bytes of a scheduler's file."""


def remote(job: Job, version: str) -> tuple[Outcome, str]:
    """Do a job on a worker, for a client of the same version."""
    if version != __version__:
        problem = (
            f"Expected rtcluster {version} on the workers, as here, got {__version__}. "
            "Install the same version everywhere."
        )
        return Outcome(problem=problem, general=True), ""
    from rtcluster.batch.analyst import to_text

    try:
        return to_text(job)
    except Exception as error:  # of no kind that was foreseen: it costs this recording only
        return unforeseen(job, error), ""


def on_cluster(tasks: Sequence[Task], scheduler: str, tell: Tell) -> Iterator[tuple[Task, Outcome]]:
    """Do tasks on a cluster, the longest first; outcomes come as they are known.

    Should a worker be lost, Dask gives its recordings to another. Closing the iterator takes back
    what has not begun.

    Parameters
    ----------
    tasks : sequence of Task
    scheduler : str
        Its address (``tcp://HOST:PORT``), or the file that it wrote for its clients.
    tell : Tell

    Raises
    ------
    SettingsError
        If ``scheduler`` is neither.
    RtclusterError
        If Dask is not installed, the scheduler does not answer or goes away, or the workers
        have another rtcluster or none.
    """
    distributed = _distributed()
    if not tasks:
        return
    here = str(Path.cwd())
    with _quiet(), _connected(scheduler, tell) as client:
        if not client.nthreads():
            tell.note(f"The scheduler at {scheduler} has no workers yet; waiting for one.")
        futures = {}
        for place, task in enumerate(sorted(tasks, key=lambda task: -task.seconds)):
            job = replace(task.job, folder=here)
            future = client.submit(remote, job, __version__, pure=False, priority=-place)
            futures[future.key] = (future, task)
        started = [future for future, _ in futures.values()]
        finished = distributed.as_completed(started, loop=client.loop)
        try:
            while futures:
                done = next(finished)
                task = futures.pop(done.key)[1]
                yield task, _outcome(done, task, scheduler)
                done.release()
        except (StopIteration, distributed.CancelledError, distributed.comm.CommClosedError):
            raise _gone(scheduler) from None
        finally:
            if futures and client.status == "running":
                client.cancel([future for future, _ in futures.values()])


def _distributed() -> Any:
    """Dask's own package, whose types are few."""
    with extra("cluster"):
        return importlib.import_module("distributed")


def _outcome(future: Any, task: Task, scheduler: str) -> Outcome:
    """What came of a task that has been done or given up."""
    if future.status not in ("finished", "error"):
        raise _gone(scheduler)
    error = future.exception()
    if isinstance(error, _distributed().KilledWorker):
        return Outcome(
            problem=f"Expected a worker to finish {task.job.path}, got: each that tried was lost "
            "(out of memory?)."
        )
    if isinstance(error, ImportError):
        raise RtclusterError(
            f"Expected rtcluster on the workers, got {in_a_line(error)}. "
            f"Install rtcluster[cluster] {__version__} there."
        )
    if error is not None:
        return unforeseen(task.job, error)
    outcome, lines = future.result()
    Path(task.lines).write_text(lines, encoding="utf-8", newline="\n")
    assert isinstance(outcome, Outcome)
    return outcome


def _gone(scheduler: str) -> RtclusterError:
    return RtclusterError(f"Expected the scheduler at {scheduler} to go on, got: it went away.")


@contextmanager
def _connected(scheduler: str, tell: Tell) -> Iterator[Any]:
    """A client of the scheduler."""
    distributed = _distributed()
    where = {"address": _address(scheduler)}
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", distributed.versions.VersionMismatchWarning)
            client = _client(where)
    except Exception as error:  # what is no scheduler fails in many ways
        raise RtclusterError(
            f"Expected a Dask scheduler at {scheduler}, got no answer within {CONNECT_S:g} s "
            f"({in_a_line(error)[:120]})."
        ) from error
    for packages in filter(None, map(_mismatched, told)):
        tell.note(f"Other versions on the cluster than here: {packages}.")
    try:
        yield client
    finally:
        client.close(timeout=_CLOSE_S)


def _address(scheduler: str) -> str:
    """The address of a scheduler, which a file of its own may tell."""
    if "://" in scheduler or (
        re.fullmatch(r"[^/\s]+:\d+", scheduler) and not os.path.lexists(scheduler)
    ):
        return scheduler
    try:
        if isinstance(address := json.loads(read_bytes(scheduler, MAX_BYTES))["address"], str):
            return address
        reason = "no address"
    except FileNotFoundError:
        raise SettingsError(
            f"Expected a scheduler's address (tcp://HOST:PORT) or its file, got {scheduler}."
        ) from None
    except OSError as error:
        reason = str(error.strerror or error)
    except (ValueError, KeyError, TypeError, RecursionError):
        reason = "no address"
    raise RtclusterError(f"Expected a Dask scheduler's file at {scheduler}, got {reason}.")


def _client(where: dict[str, str]) -> Any:
    """A client that is connected, or what kept it from that.

    Dask waits without an end for the first word of what accepts a connection and is no scheduler:
    so it waits in a thread of its own. And a client that is not connected would, when it is
    deleted, wait 20 s for an answer to its goodbye: this one is closed by who opened it, or not.
    """
    distributed = _distributed()
    quiet = type("Client", (distributed.Client,), {"__del__": lambda _: None})
    made: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def connect() -> None:
        try:
            made.put(quiet(**where, timeout=CONNECT_S, set_as_default=False))
        except Exception as error:
            made.put(error)

    threading.Thread(target=connect, name="rtcluster-dask", daemon=True).start()
    try:
        client = made.get(timeout=CONNECT_S + _CLOSE_S)
    except queue.Empty:
        raise TimeoutError("it accepts connections and says nothing") from None
    if isinstance(client, Exception):
        raise client
    return client


def _mismatched(warning: warnings.WarningMessage) -> str:
    """Names of the packages in Dask's table of versions that differ."""
    rows = re.findall(r"^\|\s*([\w.-]+)\s*\|", str(warning.message), re.MULTILINE)
    return ", ".join(name for name in rows if name.lower() != "package")


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Dask's log, many of whose parts have levels of their own: what matters is told."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
