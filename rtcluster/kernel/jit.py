"""How the kernel is compiled, and a cache that cannot be stale.

Numba keys its on-disk cache on a function's own file. A kernel function that calls one of
another file would be loaded from the cache although the other has changed, so the
digest of all the kernel's sources is made part of the state record's type
(:data:`rtcluster.kernel.state.STATE`), and with it of every signature.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile a kernel function: cached, without the GIL, dividing as C does.

    ``error_model="numpy"`` because a division that raised would need the GIL.
    """
    return cast(F, njit(cache=True, nogil=True, error_model="numpy")(function))


def brief(function: F) -> F:
    """Compile one that Python calls, and keep the GIL: for a few microseconds of work.

    To let the GIL go is to wait for it afterwards, a switch interval where a thread is busy.
    """
    return cast(F, njit(cache=True, error_model="numpy")(function))


@functools.cache
def source_digest() -> str:
    """Eight hex digits that change whenever a source of the kernel does, or Numba."""
    folder = Path(__file__).parent
    sources = [*sorted(folder.glob("*.py")), folder.parent / "events.py"]
    content = b"".join(path.read_bytes() for path in sources) + numba.__version__.encode()
    return hashlib.sha256(content).hexdigest()[:8]


def _mark() -> Path:
    """A file beside Numba's cache that exists once this kernel has been compiled."""
    return Path(compiled(_mark).stats.cache_path) / f"compiled_{source_digest()}"  # type: ignore[attr-defined]  # a dispatcher's


def was_compiled() -> bool:
    """Whether an earlier run left this kernel in the cache."""
    return _mark().exists()


def mark_compiled() -> None:
    """Note that the kernel is in the cache. Not being able to costs only a message."""
    with suppress(OSError):
        _mark().touch()
