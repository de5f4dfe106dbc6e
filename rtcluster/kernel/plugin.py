"""Calling a feature of somebody else's from the kernel, by its address.

[audio thread] A plug-in is a C function that Numba compiled
(:func:`rtcluster.plugins.feature`); that it allocates nothing and raises nothing is its author's
promise, which :mod:`rtcluster.checks` puts to the test.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


@intrinsic  # type: ignore[untyped-decorator]  # Numba's decorators have no types
def call(_typing: Any, address: Any, data: Any, size: Any, samplerate: Any) -> Any:
    """``double f(const float *x, int64_t n, double samplerate)`` at an address."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        integer, double = ir.IntType(64), ir.DoubleType()
        kind = ir.FunctionType(double, [ir.IntType(8).as_pointer(), integer, double])
        function = builder.inttoptr(args[0], kind.as_pointer())
        pointer = builder.inttoptr(args[1], ir.IntType(8).as_pointer())
        return builder.call(function, [pointer, args[2], args[3]])

    return types.float64(types.uint64, types.intp, types.int64, types.float64), generate
