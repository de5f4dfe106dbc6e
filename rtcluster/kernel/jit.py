"""How the kernel is compiled.

What Python or C calls is an *entry*: it is optimised together with all that it calls, and kept on
the disk (:mod:`rtcluster.kernel.cache`). All else is a *part* of the entries, once in each: that is
most of the functions, and Numba would optimise, assemble and keep every one of them, with
all that it calls, for nobody.
"""

from __future__ import annotations

import functools
import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba import njit, types
from numba.core.ccallback import CFunc
from numba.core.codegen import CPUCodeLibrary
from numba.core.compiler import Compiler
from numba.core.event import Listener, install_listener
from numba.core.registry import CPUDispatcher, cpu_target
from numba.core.typed_passes import AnnotateTypes

from rtcluster.errors import RtclusterError
from rtcluster.kernel.cache import KernelCache, cache_of, source_digest

F = TypeVar("F", bound=Callable[..., Any])

if numba.config.DISABLE_JIT:
    raise RtclusterError("NUMBA_DISABLE_JIT is set, and the kernel runs only compiled. Unset it.")


class _Part(CPUCodeLibrary):  # type: ignore[misc]  # Numba is untyped: its classes are Any
    """A function as LLVM's code, optimised by itself alone, to be linked into its callers."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


class _PartCompiler(Compiler):  # type: ignore[misc]  # Numba is untyped: its classes are Any
    """Compiles into a :class:`_Part`, without what Python and C would call it by."""

    def __init__(
        self, typing: Any, target: Any, _: Any, args: Any, result: Any, flags: Any, locals_: Any
    ) -> None:
        flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
        part = _Part(target.codegen(), "part")
        super().__init__(typing, target, part, args, result, flags, locals_)

    def define_pipelines(self) -> list[Any]:
        """Those of Numba, without the pass that writes all types out, for people."""
        found = super().define_pipelines()
        for one in found:
            one.passes = [step for step in one.passes if step[0] is not AnnotateTypes]
            one.finalize()
        return list(found)


class _KernelFunction(CPUDispatcher):  # type: ignore[misc]  # Numba is untyped: its classes are Any
    """A function of which compiled code calls make it a part.

    Called from Python, as tests do, it is compiled by itself.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function, {}, {**_OPTIONS, "nopython": True}, _PartCompiler)

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """What a call is typed by: one part serves all constants, which inlining puts in."""
        plain = {name: types.unliteral(kind) for name, kind in kws.items()}
        return super().get_call_template(tuple(map(types.unliteral, args)), plain)

    def add_overload(self, result: Any) -> None:
        self.overloads[tuple(result.signature.args)] = result
        self.targetctx.insert_user_function(result.library, result.fndesc, [result.library])

    def get_overload(self, arguments: Any) -> Any:
        """What compiled code finds it by, in place of machine code, which it has none of."""
        return self.overloads[tuple(arguments)].library

    @functools.cached_property
    def _alone(self) -> Any:
        return entry(self.py_func)

    def __call__(self, *args: Any) -> Any:
        return self._alone(*args)


_OPTIONS = {"nogil": True, "error_model": "numpy"}
"""A division that raised would need the GIL."""


def compiled(function: F) -> F:
    """Compile a kernel function that compiled code calls: without the GIL, dividing as C does."""
    return cast(F, _KernelFunction(function))


def entry(function: F) -> F:
    """Compile one that Python calls: the same, and cached with all that it calls."""
    return cast(F, _cached(njit(**_OPTIONS)(function), function))


def brief(function: F) -> F:
    """Compile one that Python calls, and keep the GIL: for a few microseconds of work.

    To let the GIL go is to wait for it afterwards, a switch interval where a thread is busy.
    """
    return cast(F, _cached(njit(error_model="numpy")(function), function))


def c_callback(signature: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function that C calls, as ``numba.cfunc`` does; cached."""

    def compile_it(function: Callable[..., Any]) -> Any:
        callback = CFunc(function, (signature.args, signature.return_type), {}, {})
        _cached(callback, function).compile()
        return callback

    return compile_it


def _cached(dispatcher: Any, function: Callable[..., Any]) -> Any:
    """Give it our cache, where ``enable_caching`` would give it Numba's own."""
    dispatcher._cache = cache_of(function)
    return dispatcher


FUNCTIONS = {False: 98, True: 118}
"""About how many functions this process compiles for one microphone, and for several heard as one.

Another one compiles what judges the hits (:mod:`rtcluster.kernel.separate`)."""

OF_CALLBACK = 15
"""The same of what a callback needs besides."""

_told: Callable[[float], None] | None = None


def tell_compiling(told: Callable[[float], None] | None) -> None:
    """Have a function told how far the kernel is compiled, 0 to 1, each time that it has to be."""
    global _told
    _told = told


def when_compiling(say: Callable[[], None]) -> None:
    """Have a function called once, when it shows that the kernel has to be compiled."""
    said = False

    def told(_share: float) -> None:
        nonlocal said
        if not said:
            said = True
            say()

    tell_compiling(told)


class _Count(Listener):  # type: ignore[misc]  # Numba is untyped: its classes are Any
    """Counts functions that have been compiled; those of the cache are none."""

    def __init__(self, functions: int, told: Callable[[float], None]) -> None:
        self._all, self._told = functions, told
        self.begun, self.done = False, 0

    def on_start(self, event: Any) -> None:
        """Show that it begins."""
        if not self.begun:
            self.begun = True
            self._told(0.0)

    def on_end(self, event: Any) -> None:
        """Another one is done."""
        self.done += 1
        self._told(min(0.99, self.done / self._all))


@contextmanager
def watched(functions: int) -> Iterator[None]:
    """Tell how far it is while about so many functions are compiled within, if they are."""
    if _told is None:
        yield
        return
    count = _Count(functions, _told)
    with install_listener("numba:compile", count):
        try:
            yield
        finally:
            if count.begun:
                _told(1.0)


def _mark() -> Path | None:
    """A file in the cache that exists once this kernel has been compiled, if there is a cache.

    Its name has what Numba compiles for: the version of Python and the processor.
    """
    folder = cache_of(_mark).cache_path
    target = (sys.implementation.cache_tag, cpu_target.target_context.codegen().magic_tuple())
    digest = hashlib.sha256(repr((source_digest(), target)).encode()).hexdigest()[:8]
    return None if folder is None else Path(folder) / f"compiled_{digest}"


def was_compiled() -> bool:
    """Whether an earlier run left this kernel in the cache, as it hears one microphone."""
    mark = _mark()
    return mark is not None and mark.exists()


def mark_compiled() -> None:
    """Note that the kernel is in the cache. Not being able to costs only a message."""
    mark = _mark()
    if mark is not None and KernelCache.is_complete:
        with suppress(OSError):
            mark.touch()
