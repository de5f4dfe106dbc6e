"""The two halves of the kernel: called through a cell, and compiled by two processes at once."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest
from numba import njit

from rtcluster.kernel import separate
from rtcluster.kernel.due import SETTLE
from rtcluster.kernel.separate import Separate, caller, compiled_beside


def _sum(a, b):
    return a + 10 * b


def made(name):
    """A function, and compiled code that calls it; LLVM knows a name once."""
    one = Separate(name, _sum, 2)
    call = caller(one)

    @njit
    def through(a, b):
        return call((a, b))

    return one, through


@pytest.fixture
def begun(monkeypatch):
    """The processes that were begun."""
    processes, popen = [], subprocess.Popen

    def begin(command, **options):
        processes.append(popen(command, **options))
        return processes[-1]

    monkeypatch.setattr(separate.subprocess, "Popen", begin)
    return processes


def test_what_is_not_bound_binds_itself_when_compiled_code_calls_it():
    one, through = made("test_late")
    trampoline = one._cell.value
    assert through(2, 3) == 32
    assert one._cell.value != trampoline
    assert through(3, 4) == 43


def test_what_is_bound_is_called_without_python():
    one, through = made("test_early")
    one.bind()
    assert one._cell.value == one._compiled.address
    assert ctypes.CFUNCTYPE(*[ctypes.c_int64] * 3)(one._cell.value)(2, 3) == 32
    assert through(2, 3) == 32


def test_what_is_kept_is_compiled_by_no_other_process(begun):
    SETTLE.bind()
    assert SETTLE.is_kept
    with compiled_beside(SETTLE):
        pass
    assert begun == []


def test_another_process_compiles_what_is_not_kept(begun, monkeypatch):
    """It finds the function by its module's and its own name; here in the cache already."""
    SETTLE.bind()
    monkeypatch.setattr(Separate, "is_kept", False)
    with compiled_beside(SETTLE):
        (process,) = begun
        assert process.poll() is None
    assert process.returncode == 0


@pytest.mark.parametrize("executable", ["", "/nowhere/python", "false"])
def test_without_another_process_this_one_compiles_all(executable, monkeypatch):
    one, through = made(f"test_no_process_{len(executable)}")
    monkeypatch.setattr(Separate, "is_kept", False)
    monkeypatch.setattr(separate.sys, "executable", executable)
    with compiled_beside(one):
        pass
    assert one._cell.value == one._compiled.address
    assert through(1, 1) == 11


def test_what_ends_it_ends_the_other_process_too(begun, monkeypatch):
    monkeypatch.setattr(Separate, "is_kept", False)
    with pytest.raises(KeyboardInterrupt), compiled_beside(SETTLE):
        raise KeyboardInterrupt
    (process,) = begun
    assert process.returncode not in (None, 0)


def test_the_other_process_keeps_what_it_compiled(tmp_path):
    """A small half: the kernel's own takes a quarter of a minute."""
    (tmp_path / "small.py").write_text(
        "from rtcluster.kernel.separate import Separate\n"
        "def _half(a):\n    return a // 2\n"
        'HALF = Separate("test_half", _half, 1)\n'
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    command = [sys.executable, "-m", "rtcluster.kernel.separate", "small:test_half"]
    subprocess.run(command, env=environment, check=True, timeout=300)
    assert list((tmp_path / "__pycache__").glob("small._half-*.nbc"))
