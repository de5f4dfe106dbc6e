from __future__ import annotations

import errno
import importlib.util
import inspect
import os
import pickle
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numba.core.caching
import pytest
import soundfile
from numba.core.caching import _CacheLocator

from rtcluster import Processor
from rtcluster.kernel import cache, entry, jit
from rtcluster.learning import kmeans

SOURCE = """
from rtcluster.kernel.jit import entry

@entry
def doubled(x):
    return 2 * x

@entry
def squared(x):
    return x * x
"""


@pytest.fixture(autouse=True)
def _first_time(monkeypatch):
    """Each test tells anew, and leaves it as it was."""
    monkeypatch.setattr(cache.KernelCache, "is_complete", True)
    cache._warn.cache_clear()


@pytest.fixture
def kernel(tmp_path, caplog, monkeypatch):
    """Load a kernel of two functions, as the next start of the program would."""
    # Python takes bytecode by the second in which the source was written, and the size.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    path = tmp_path / "small.py"
    path.write_text(SOURCE)

    def load():
        cache._warn.cache_clear()
        caplog.clear()
        spec = importlib.util.spec_from_file_location("small", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


def files(folder, name, ending):
    (found,) = (folder / "__pycache__").glob(f"small.{name}-*.{ending}")
    return found


def hits(function):
    return sum(function.stats.cache_hits.values())


def empty(path, _):
    path.write_bytes(b"")


def truncated(path, _):
    path.write_bytes(path.read_bytes()[:-100])


def garbage(path, _):
    path.write_bytes(bytes(range(256)) * 8)


def another_object(path, _):
    path.write_bytes(pickle.dumps(numba.__version__) + pickle.dumps({"another": "object"}))


def one_bit(path, _):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def swapped(path, other):
    shutil.copy(other, path)


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
@pytest.mark.parametrize("harm", [empty, truncated, garbage, another_object, one_bit, swapped])
def test_what_is_damaged_is_said_once_and_compiled_again(kernel, tmp_path, caplog, ending, harm):
    first = kernel()
    assert (first.doubled(3), first.squared(3)) == (6, 9)
    assert caplog.messages == []
    harm(files(tmp_path, "doubled", ending), files(tmp_path, "squared", ending))

    damaged = kernel()
    assert (damaged.doubled(3), damaged.squared(3)) == (6, 9)
    (said,) = caplog.messages
    assert "is damaged; compiling it again" in said
    assert (hits(damaged.doubled), hits(damaged.squared)) == (0, 1)

    healed = kernel()
    assert (healed.doubled(3), healed.squared(3)) == (6, 9)
    assert caplog.messages == []
    assert (hits(healed.doubled), hits(healed.squared)) == (1, 1)


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
def test_a_file_that_cannot_be_read_is_replaced(kernel, tmp_path, monkeypatch, caplog, ending):
    assert kernel().doubled(3) == 6
    path = files(tmp_path, "doubled", ending)
    read, refused = Path.read_bytes, [path]

    def refuse(self):
        if self in refused:
            refused.remove(self)  # another file takes its place
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return read(self)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refuse)
        assert kernel().doubled(3) == 6
        assert "is damaged" in caplog.text
    healed = kernel()
    assert healed.doubled(3) == 6
    assert hits(healed.doubled) == 1


def test_what_cannot_be_removed_does_not_keep_it_from_running(kernel, tmp_path, caplog):
    assert kernel().doubled(3) == 6
    index = files(tmp_path, "doubled", "nbi")
    index.unlink()
    index.mkdir()
    module = kernel()
    assert (module.doubled(3), module.squared(3)) == (6, 9)
    damaged, uncached = caplog.messages
    assert "is damaged" in damaged
    assert "Cannot keep the compiled kernel" in uncached


def test_an_index_that_names_what_an_older_source_left_is_not_believed(
    kernel, tmp_path, monkeypatch, caplog
):
    assert kernel().doubled(3) == 6
    (tmp_path / "small.py").write_text(SOURCE.replace("2 * x", "3 * x"))
    # Stopped between the two files: Numba writes the index first.
    with monkeypatch.context() as patch:
        patch.setattr(cache._Files, "_save_data", lambda *_: None)
        assert kernel().doubled(3) == 9
    assert kernel().doubled(3) == 9
    assert "is damaged" in caplog.text


def test_a_copy_of_source_and_cache_is_as_good(kernel, tmp_path):
    """On another machine of the same kind, where its files are newer."""
    assert kernel().doubled(3) == 6
    os.utime(tmp_path / "small.py", (0, 0))
    module = kernel()
    assert module.doubled(3) == 6
    assert hits(module.doubled) == 1


def test_a_change_anywhere_in_the_kernel_makes_all_of_it_stale(kernel, monkeypatch):
    assert kernel().doubled(3) == 6
    monkeypatch.setattr(cache, "source_digest", lambda: "of other sources")
    module = kernel()
    assert module.doubled(3) == 6
    assert hits(module.doubled) == 0


def test_an_error_of_what_is_unpickled_is_damage_and_one_of_memory_is_not(
    kernel, monkeypatch, caplog
):
    assert kernel().doubled(3) == 6
    rebuild = numba.core.caching.CompileResultCacheImpl.rebuild
    raised = [ModuleNotFoundError("No module named 'numpy.kore'"), MemoryError()]

    def fail(*given):
        if raised:
            raise raised.pop(0)
        return rebuild(*given)

    monkeypatch.setattr(numba.core.caching.CompileResultCacheImpl, "rebuild", fail)
    assert kernel().doubled(3) == 6
    assert "is damaged" in caplog.text
    with pytest.raises(MemoryError):
        kernel().doubled(3)
    module = kernel()
    assert module.doubled(3) == 6
    assert hits(module.doubled) == 1


def test_without_a_place_it_runs_uncached_and_says_so_once(kernel, monkeypatch, caplog):
    def nowhere(self):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(_CacheLocator, "ensure_cache_path", nowhere)
    module = kernel()
    assert (module.doubled(3), module.squared(3)) == (6, 9)
    assert not jit.was_compiled()
    jit.mark_compiled()
    (said,) = caplog.messages
    assert said.startswith("There is no place to keep the compiled kernel.")


def test_without_a_home_it_runs_uncached_and_makes_no_folder(kernel, tmp_path, monkeypatch, caplog):
    def nobody(_):
        raise KeyError("uid not found")

    (tmp_path / "__pycache__").write_text("nothing can be kept beside the source")
    for name in ("HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(RuntimeError):
        Path.home()
    module = kernel()
    assert (module.doubled(3), module.squared(3)) == (6, 9)
    (said,) = caplog.messages
    assert said.startswith("There is no place to keep the compiled kernel.")
    assert list((tmp_path / "here").iterdir()) == []


def test_a_full_disk_is_said_once_and_the_kernel_is_not_taken_for_kept(kernel, monkeypatch, caplog):
    def full(self, name, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    marks = []
    with monkeypatch.context() as patch:
        patch.setattr(cache._Files, "_save_data", full)
        patch.setattr(Path, "touch", lambda path: marks.append(path))
        module = kernel()
        assert (module.doubled(3), module.squared(3)) == (6, 9)
        jit.mark_compiled()
    (said,) = caplog.messages
    assert said.startswith("Cannot keep the compiled kernel in ")
    assert "No space left on device" in said
    assert marks == []
    assert kernel().doubled(3) == 6


def test_first_use_is_of_a_python_a_numba_and_a_processor(monkeypatch):
    marks = {jit._mark()}
    with monkeypatch.context() as patch:
        patch.setattr(type(jit.cpu_target.target_context.codegen()), "magic_tuple", lambda _: ())
        marks.add(jit._mark())
    with monkeypatch.context() as patch:
        patch.setattr(sys.implementation, "cache_tag", "cpython-399")
        marks.add(jit._mark())
    with monkeypatch.context() as patch:
        patch.setattr(jit, "source_digest", lambda: "has Numba's version in it")
        marks.add(jit._mark())
    assert len(marks) == 4


def test_a_part_is_compiled_once_for_all_constants():
    @jit.compiled
    def times(x, n):
        return x * n

    @numba.njit
    def call(x):
        return times(x, 2) + times(x, 3) + times(x, n=4)

    assert call(5) == 45
    assert len(times.overloads) == 1


def test_what_a_user_compiles_may_call_linear_algebra_after_the_kernel_was_loaded_without():
    code = """
import sys
import numba
import numpy as np
from rtcluster import Processor

Processor().prepare(44100, 64)
assert "scipy.linalg" not in sys.modules

@numba.njit
def product(a, b):
    return np.dot(a, b), np.convolve(a[0], b[:, 0]), np.linalg.solve(a, b)

a, b = np.array([[2.0, 1.0], [0.5, 3.0]]), np.array([[1.0, 0.25], [4.0, 2.0]])
for got, expected in zip(product(a, b), product.py_func(a, b), strict=True):
    np.testing.assert_allclose(got, expected)
assert "scipy.linalg" in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_program_runs_with_a_damaged_cache_and_mends_it(tmp_path, drums):
    """Each worker finds the damage, and one line tells of it."""
    Processor().prepare(44100)  # so that there is a cache
    files = [str(tmp_path / f"drums{number}.wav") for number in range(2)]
    for file in files:
        soundfile.write(file, drums.audio, 44100)
    for function in (entry.complete_until.py_func, kmeans._lloyd.py_func):
        other = tmp_path / _CacheLocator.get_suitable_cache_subpath(inspect.getfile(function))
        shutil.copytree(cache.cache_of(function).cache_path, other)
    damaged = 0
    for index in tmp_path.glob("learning_*/kmeans._lloyd-*.nbi"):
        index.write_bytes(b"")
        damaged += 1
    assert damaged

    def run():
        done = subprocess.run(
            [sys.executable, "-m", "rtcluster", "run", *files, "--jobs=2"],
            capture_output=True, text=True, timeout=300, check=False,
            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)},
        )  # fmt: skip
        said = [line for line in done.stderr.splitlines() if " files " not in line]
        return done.returncode, done.stdout, said

    code, events, said = run()
    assert code == 0
    assert ["is damaged; compiling it again" in line for line in said] == [True], said
    assert run() == (0, events, [])
