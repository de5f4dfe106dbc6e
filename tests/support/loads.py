"""What a callback has to live with: work in the same process, and on the same machine.

Each load of :data:`LOADS` runs in threads of this very process, because that is where it can
take the GIL from a Python callback; but for ``cpu``, which is other processes. All of them run
at plain priority. :func:`load` keeps one up while in its context.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType

Work = Callable[[threading.Event], None]
"""Runs in a thread of its own until the event is set."""

HEAP = 500_000
"""Objects that live while the collector is at work: those of a program with some data."""

CYCLES = 10_000
"""Objects in cycles that each collection finds."""

PACKAGES = ("scipy.stats", "matplotlib")
"""Large packages in Python that are imported again and again."""

FILE_MB = 32
WRITERS = 2


def spin(stop: threading.Event) -> None:
    """Pure Python, as busy as it can be."""
    total = 0
    while not stop.is_set():
        for i in range(1000):
            total += i


def fit(stop: threading.Event) -> None:
    """scikit-learn's ``partial_fit`` in a loop, left as it comes, OpenMP's threads included."""
    import numpy as np
    from sklearn.cluster import MiniBatchKMeans

    hits = np.random.default_rng(0).standard_normal((64, 2))
    model = MiniBatchKMeans(n_clusters=3, random_state=0, n_init=1)
    while not stop.is_set():
        model.partial_fit(hits)


def collect(stop: threading.Event) -> None:
    """Cyclic garbage, and the whole heap searched for it, in a loop."""
    heap = [[i] for i in range(HEAP)]
    while not stop.is_set():
        for _ in range(CYCLES):
            cycle: list[object] = []
            cycle.append(cycle)
        gc.collect()
    del heap


def import_again(stop: threading.Event) -> None:
    """Large packages forgotten and imported again, in a loop.

    Only their modules in Python are: a module in C cannot be loaded twice.
    """
    installed = [package for package in PACKAGES if importlib.util.find_spec(package)]
    while not stop.is_set():
        for package in installed:
            kept = forget(package)
            try:
                importlib.import_module(package)
            finally:
                sys.modules.update(kept)  # what others hold stays the one that is found


def forget(package: str) -> dict[str, ModuleType]:
    """Take a package's Python modules out of ``sys.modules``; return them by name."""
    found = {
        name: module
        for name, module in list(sys.modules.items())
        if (name == package or name.startswith(f"{package}."))
        and (getattr(module, "__file__", None) or "").endswith(".py")
    }
    for name in found:
        del sys.modules[name]
    return found


def write(stop: threading.Event) -> None:
    """A big file written and forced to the disk, in a loop."""
    disk = "/var/tmp" if Path("/var/tmp").is_dir() else None  # /tmp may be memory
    megabyte = os.urandom(1 << 20)
    with tempfile.TemporaryFile(dir=disk) as file:
        while not stop.is_set():
            file.seek(0)
            for _ in range(FILE_MB):
                file.write(megabyte)
            file.flush()
            os.fsync(file.fileno())


BURN = """
import os, sys
while os.getppid() == int(sys.argv[1]):
    for i in range(1_000_000):
        pass
"""
"""Ends by itself when the process that began it, whose number it is given, is gone."""


@contextmanager
def burning() -> Iterator[None]:
    """As many other processes as there are cores, each as busy as it can be."""
    command = [sys.executable, "-c", BURN, str(os.getpid())]
    processes = [subprocess.Popen(command) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


LOADS: dict[str, tuple[Work, ...]] = {
    "idle": (),
    "busy": (spin,),
    "busy2": (spin, spin),
    "partial_fit": (fit,),
    "garbage": (collect,),
    "import": (import_again,),
    "disk": (write,) * WRITERS,
    "cpu": (),
}
"""By name, what runs in threads of this process."""


@contextmanager
def load(name: str) -> Iterator[None]:
    """Keep a load of :data:`LOADS` up while in the context.

    Raises
    ------
    RuntimeError
        On leaving, if a thread of it has failed: then there was no load.
    """
    stop = threading.Event()
    failed: list[Exception] = []

    def run(work: Work) -> None:
        try:
            work(stop)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(w,), daemon=True) for w in LOADS[name]]
    with ExitStack() as stack:
        if name == "cpu":
            stack.enter_context(burning())
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    if failed:
        raise RuntimeError(f"Expected the load {name!r} to last, got: {failed[0]!r}.")
