"""The two halves of the kernel, each compiled by itself, once for all that calls it.

What finds a hit and what judges it are of about the same size. Whatever advances the engine calls
them: a block from Python, the end of a stream, the callback of a sound card. Linked into each of
these they would be typed and optimised for each. So they are C functions of their own, called
through a *cell* of memory whose name LLVM is told, and on the first use of a machine another
process compiles the one half while this one compiles the other.

A cell is bound before audio runs (:meth:`Separate.bind`). Until then it leads to a function that
binds it when it is called, from whatever compiled code that is.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from rtcluster.kernel.cache import KernelCache, cache_of
from rtcluster.kernel.jit import c_callback

PATIENCE_S = 120.0
"""For the other process, in seconds; it usually takes 15."""


class Separate:
    """A function of the kernel that takes whole numbers, and gives one.

    Parameters
    ----------
    name : str
        To LLVM; that of its cell has ``_at`` after it.
    function : callable
        What is compiled.
    arguments : int
        How many it takes, int64 each; addresses are among them.
    """

    def __init__(self, name: str, function: Callable[..., int], arguments: int) -> None:
        self.name = name
        self.function = function
        self.signature = types.int64(*[types.int64] * arguments)
        self._type = ctypes.CFUNCTYPE(*[ctypes.c_int64] * (1 + arguments))
        self._compiled: Any = None
        self._unbound = self._type(self._bind_and_call)
        self._cell = ctypes.c_void_p(ctypes.cast(self._unbound, ctypes.c_void_p).value)
        binding.add_symbol(f"{name}_at", ctypes.addressof(self._cell))

    def bind(self) -> None:
        """[main thread] Have it called directly: from the cache, else compiled first."""
        if self._compiled is None:
            self._compiled = c_callback(self.signature)(self.function)
            self._cell.value = self._compiled.address

    def _bind_and_call(self, *numbers: int) -> int:
        self.bind()
        return int(self._type(self._compiled.address)(*numbers))

    @property
    def is_kept(self) -> bool:
        """Whether it is in the cache; where there is none, too."""
        cache = cache_of(self.function)
        return not isinstance(cache, KernelCache) or cache.has(self.signature)


def caller(separate: Separate) -> Any:
    """What compiled code calls it by, with a tuple of its arguments."""

    @intrinsic  # type: ignore[untyped-decorator]  # Numba's decorators have no types
    def call(_typing: Any, numbers: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            word = ir.IntType(64)
            values = [
                context.cast(builder, value, kind, types.int64)
                for value, kind in zip(
                    cgutils.unpack_tuple(builder, args[0]), signature.args[0], strict=True
                )
            ]
            function = ir.FunctionType(word, [word] * len(values)).as_pointer()
            target = builder.load(cell_of(builder.module, separate.name))
            return builder.call(builder.bitcast(target, function), values)

        return types.int64(numbers), generate

    return call


def cell_of(module: Any, name: str) -> Any:
    """The cell in LLVM's module, declared there once."""
    cell = f"{name}_at"
    if cell in module.globals:
        return module.globals[cell]
    return ir.GlobalVariable(module, cgutils.voidptr_t, cell)


@intrinsic  # type: ignore[untyped-decorator]  # Numba's decorators have no types
def address_of_record(_typing: Any, record: Any) -> Any:
    """Where a record lies."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.ptrtoint(args[0], ir.IntType(64))

    return types.int64(record), generate


@contextmanager
def compiled_beside(separate: Separate) -> Iterator[None]:
    """[main thread] Have another process compile it, if it has to be, while this one is busy.

    At the end it is bound. What keeps the other process from it only costs time.
    """
    process = None if separate.is_kept else _begin(separate)
    try:
        yield
        if process is not None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE_S)
    finally:
        if process is not None:
            process.kill()
            process.wait()
    separate.bind()


def _begin(separate: Separate) -> subprocess.Popen[bytes] | None:
    name = f"{separate.function.__module__}:{separate.name}"
    nothing = subprocess.DEVNULL
    try:
        return subprocess.Popen(
            [sys.executable, "-m", __name__, name], stdin=nothing, stdout=nothing, stderr=nothing
        )
    except OSError:
        return None


def main(name: str) -> None:
    """Compile one into the cache, by its module and its name."""
    module, _, wanted = name.partition(":")
    for one in vars(import_module(module)).values():
        if getattr(one, "name", None) == wanted:
            one.bind()


if __name__ == "__main__":
    main(sys.argv[1])
