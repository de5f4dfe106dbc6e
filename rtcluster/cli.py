"""The program: what it needs of the system, and what becomes of its errors.

Nothing that takes time is imported before :func:`main`, which hears Ctrl-C from its start.
"""

from __future__ import annotations

import errno
import io
import os
import sys

LOADED_MB, THREAD_MB = 600, 85
"""Address space of ``run`` without OpenBLAS's threads and for each of these (measured with one and
with two: 685 and 769 MB, with NumPy 2 and SciPy 1 on x86-64)."""


def main() -> None:
    """Run the program; it ends with the exit codes that :mod:`rtcluster.commands` names."""
    try:
        _open_closed_streams()
        from rtcluster.commands.signals import second_ends_at_once

        with second_ends_at_once():
            sys.exit(_flushed(_run()))
    except KeyboardInterrupt:
        from rtcluster.commands.signals import INTERRUPTED

        sys.exit(INTERRUPTED)


def _flushed(code: int) -> int:
    """Write out what standard output holds, here, where a failure can be said; the exit code."""
    from rtcluster.timing import stands_still

    if stands_still():  # it may be the reader of standard output who keeps a thread
        return code
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # as Python ends
        return code or _failed(error)
    return code


def _run() -> int:
    """Run the command that is asked for; its exit code."""
    from rtcluster.commands.terminal import FAILED, USAGE, fail
    from rtcluster.errors import RtclusterError, SettingsError

    try:
        _check_address_space()
        from rtcluster.commands.app import app

        app()
    except SystemExit as stop:  # Typer's way to return
        return stop.code if isinstance(stop.code, int) else FAILED
    except SettingsError as error:
        fail(str(error))
        return USAGE
    except RtclusterError as error:
        fail(str(error))
    except MemoryError:
        fail("Out of memory. Close other programs, or raise the limit (ulimit -v).")
    except OSError as error:
        return _failed(error)
    return FAILED


def _check_address_space() -> None:
    """Refuse a limit (``ulimit -v``) in which OpenBLAS would spin for ever.

    NumPy and SciPy each load one, which takes memory for each of its threads as it is loaded,
    tries again until it gets it, and hears no Ctrl-C meanwhile.
    """
    if sys.platform != "linux":
        return
    import resource

    from rtcluster.errors import RtclusterError

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    given = os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS") or ""
    cores = len(os.sched_getaffinity(0))
    threads = min(cores, int(given)) if given.isdecimal() and int(given) else cores
    needed = LOADED_MB + THREAD_MB * threads
    if limit != resource.RLIM_INFINITY and limit < needed * 1_000_000:
        fewer = f", or set OPENBLAS_NUM_THREADS=1, with which {LOADED_MB + THREAD_MB} MB will do"
        raise RtclusterError(
            f"Expected an address space (ulimit -v) of {needed} MB or more, got "
            f"{limit // 1_000_000} MB. Raise it{fewer if threads > 1 else ''}."
        )


def _failed(error: OSError) -> int:
    """Say what the system said, unless it is that nobody reads; the exit code."""
    from rtcluster.commands.terminal import FAILED, fail
    from rtcluster.text import visible

    if error.errno != errno.EPIPE:
        what = error.strerror or str(error) or type(error).__name__
        fail(visible(f"{error.filename}: {what}." if error.filename else f"{what}."))
    return FAILED


def _open_closed_streams() -> None:
    """Have all three standard streams, and have them spell any name.

    In place of a closed one stands what cannot be read or written, so that the first file that is
    opened does not become standard output; what is said to a closed standard error is lost.
    """
    for name, mode, way in (
        ("stdin", "r", os.O_WRONLY),
        ("stdout", "w", os.O_RDONLY),
        ("stderr", "w", os.O_WRONLY),
    ):
        if getattr(sys, name) is None:
            closed = open(  # noqa: SIM115  # a standard stream stays open until the program ends
                f"<{name}>", mode, opener=lambda *_, way=way: os.open(os.devnull, way)
            )
            os.set_inheritable(closed.fileno(), True)
            setattr(sys, name, closed)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that it cannot spell is no failure
            stream.reconfigure(errors="backslashreplace")
