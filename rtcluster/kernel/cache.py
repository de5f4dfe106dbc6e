"""Numba's cache on disk, that cannot be stale, and what becomes of it when it is damaged.

Numba takes a function's own file and the time at which it was written for what the cached one was
made of. Ours is made of all the kernel's sources, wherever it stands in them, and is as good on
another machine of the same kind, to which it was copied; so their content is what counts.

What the cache costs at most is time: a file that cannot be used is discarded and the function is
compiled again, and without a place for files it is compiled at each start. Each is logged once,
as a warning, which Python writes to standard error unless a program has other plans. Numba itself
ends with an error of ``pickle``, and damaged machine code with a segmentation fault. So each file
is sealed with a digest, and none is unpickled whose seal is broken.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import importlib
import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

import numba
from numba.core.caching import (
    CompileResultCacheImpl,
    FunctionCache,
    IndexDataCacheFile,
    NullCache,
)
from numba.core.registry import cpu_target
from numba.np import linalg

_log = logging.getLogger(__name__)

_SEAL = hashlib.sha256().digest_size


@functools.cache
def source_digest() -> str:
    """Eight hex digits that change whenever a source of the kernel does, or Numba."""
    folder = Path(__file__).parent
    sources = [*sorted(folder.glob("*.py")), folder.parent / "events.py"]
    content = b"".join(path.read_bytes() for path in sources) + numba.__version__.encode()
    return hashlib.sha256(content).hexdigest()[:8]


def _stamp(function: Callable[..., Any]) -> tuple[str, str]:
    """What a compiled function was made of: the kernel, and its own file."""
    own = Path(function.__code__.co_filename).read_bytes()
    return source_digest(), hashlib.sha256(own).hexdigest()[:8]


class _BrokenSealError(Exception):
    """A file of the cache is not as it was written."""


class _Files(IndexDataCacheFile):  # type: ignore[misc]  # Numba is untyped: its classes are Any
    """The index and the data of one function; each file ends with a digest, which pickle skips.

    The digest is of the file's name too, so that files that changed places are told, and of the
    source's stamp in the data: Numba writes the index first, and if it is stopped then, the index
    names data that an older source left there.
    """

    def _load_index(self) -> Any:
        self._check(self._index_path)
        return super()._load_index()

    def _load_data(self, name: str) -> Any:
        self._check(self._data_path(name))
        return super()._load_data(name)

    @contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[io.BytesIO]:
        with super()._open_for_write(filepath) as stream:
            content = io.BytesIO()
            yield content
            stream.write(content.getvalue() + self._seal(filepath, content.getvalue()))

    def _seal(self, path: str, content: bytes) -> bytes:
        stamp = None if path == self._index_path else self._source_stamp
        return hashlib.sha256(repr((Path(path).name, stamp)).encode() + content).digest()

    def _check(self, path: str) -> None:
        try:
            content = Path(path).read_bytes()
        except FileNotFoundError:
            return  # not written yet, which Numba knows of
        except OSError as error:
            raise _BrokenSealError(error.strerror) from error
        if self._seal(path, content[:-_SEAL]) != content[-_SEAL:]:
            raise _BrokenSealError("it is damaged")

    def discard(self) -> None:
        """Forget what is cached of this function."""
        with suppress(OSError):  # then it cannot be written either, which is told
            Path(self._index_path).unlink()


def _at_home(locator: type[Any]) -> type[Any]:
    """A locator of Numba's that finds no place where it does not find the home.

    Without ``HOME`` and without an entry in the user database ``~`` stays as it is, and Numba
    would make a folder of that name in the current one.
    """

    def ensure_cache_path(self: Any) -> None:
        if self.get_cache_path().startswith("~"):
            raise FileNotFoundError(errno.ENOENT, "The home directory is not known")
        locator.ensure_cache_path(self)

    return type(locator.__name__, (locator,), {"ensure_cache_path": ensure_cache_path})


class _Places(CompileResultCacheImpl):  # type: ignore[misc]  # Numba is untyped: its classes are Any
    """Where Numba looks for a place, but for a home that there is not."""

    _locator_classes: ClassVar = [_at_home(one) for one in CompileResultCacheImpl._locator_classes]


class KernelCache(FunctionCache):  # type: ignore[misc]  # Numba is untyped: its classes are Any
    """Numba's cache of a function, which never keeps it from being compiled."""

    _impl_class = _Places

    is_complete = True
    """Whether all that was compiled has been kept, of any function."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._cache_file = _Files(
            self._cache_path,
            f"{self._impl.filename_base}-sealed",  # apart from what Numba wrote by itself
            _stamp(function),
        )

    def has(self, sig: Any) -> bool:
        """Whether a signature is in the index."""
        key = self._index_key(sig, cpu_target.target_context.codegen())
        with suppress(Exception):  # what is damaged is told when it is loaded
            return key in self._cache_file._load_index()
        return False

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What is cached for a signature; None where there is nothing that can be used."""
        _without_scipy()
        try:
            return super().load_overload(sig, target_context)
        except MemoryError:
            raise
        except Exception:  # what is unpickled may raise anything, and what was renamed since
            self._cache_file.discard()
            _warn(
                f"The compiled kernel in {self._cache_path} is damaged; compiling it again "
                "(up to a minute) ..."
            )
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled, if that can be."""
        try:
            super().save_overload(sig, data)
        except (OSError, _BrokenSealError) as error:
            KernelCache.is_complete = False
            reason = getattr(error, "strerror", None) or error
            _warn(f"Cannot keep the compiled kernel in {self._cache_path}: {reason}. {_UNCACHED}")


@functools.cache
def _without_scipy() -> None:
    """Have Numba not import SciPy's linear algebra before a function calls it.

    It looks for BLAS as soon as it loads anything, and again where a function calls it; none of
    the kernel does, and the import is a fifth of a program's start.
    """
    asked = linalg.ensure_blas
    linalg.ensure_blas = lambda: None
    try:
        importlib.import_module("numba.np.arraymath")
    finally:
        linalg.ensure_blas = asked


_UNCACHED = (
    "It is compiled at each start, unless NUMBA_CACHE_DIR names a folder that can be written to."
)


def cache_of(function: Callable[..., Any]) -> KernelCache | NullCache:
    """The cache of a function: beside its source, else in the user's own cache, else none."""
    try:
        return KernelCache(function)
    except RuntimeError:  # Numba's for: no locator has a place
        KernelCache.is_complete = False
        _warn(f"There is no place to keep the compiled kernel. {_UNCACHED}")
        return NullCache()


@functools.cache
def _warn(text: str) -> None:
    """Log a text once. ``warnings`` would keep it until Numba has compiled, and repeat it."""
    _log.warning(text)
