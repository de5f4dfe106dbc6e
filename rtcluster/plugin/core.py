"""The kernel as an object file that a C program can link: the machine code of the callback.

One function is exported, ``rtcluster_hear``. It advances a state over a block and hands out the
events, as the callback and the pump do. What Numba adds for Python, its error paths, is never
reached from there and dies when LLVM optimises: nothing of Python's or of Numba's runtime is left
to be linked. ``tests/plugin/test_core.py`` reads the symbol table for it.

aubio stays outside too. Its FFT is :mod:`rtcluster.kernel.packed`; its stock detectors are not in a
plug-in, and a state that asks for one is refused before (:mod:`rtcluster.plugin.image`).
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from llvmlite import binding, ir
from numba import carray, cfunc, types
from numba.core.cgutils import voidptr_t

from rtcluster.errors import RtclusterError
from rtcluster.events import EVENT
from rtcluster.files import atomic_write
from rtcluster.kernel import packed
from rtcluster.kernel.advance import advance
from rtcluster.kernel.aubio_c import DO_COMPLEX
from rtcluster.kernel.cache import cache_of, source_digest
from rtcluster.kernel.click import as_pointer
from rtcluster.kernel.due import SETTLE
from rtcluster.kernel.ring import drain
from rtcluster.kernel.separate import Separate, cell_of
from rtcluster.kernel.state import STATE

HEAR = "rtcluster_hear"
"""``int64_t rtcluster_hear(void *state, const float *audio, int64_t frames, event *out, int64_t
room)``: hears a block of one channel; returns how many events it wrote, at most ``room``."""

BASELINE = {"x86_64": "x86-64-v2"}
"""The processors that the code is for, by architecture: on others LLVM's own baseline. What runs
where the bundle was made runs on a machine that it is copied to."""

_SEAL = hashlib.sha256().digest_size

_OF_PYTHON = ("Py", "_Py", "NRT_", "numba_")


def _hear(state_at: Any, audio: Any, frames: Any, out: Any, room: Any) -> int:
    state = carray(state_at, 1, STATE)[0]
    advance(state, carray(audio, (np.intp(frames), 1), np.float32))
    return drain(state, carray(out, (np.intp(room),), EVENT))


def _do_complex(own: Any, source: Any, target: Any) -> Any:
    packed.do_complex(own, source, target)
    return as_pointer(0)  # as Numba declares a C function that returns nothing


def object_file() -> bytes:
    """The object file for this machine: from the cache, else compiled and kept there."""
    folder = cache_of(_hear).cache_path
    own_source = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    made_of = (source_digest(), own_source, llvmlite.__version__)
    name = hashlib.sha256(repr(made_of).encode()).hexdigest()[:16]
    kept = None if folder is None else Path(folder) / f"plugin_{name}.o"
    if kept is not None:
        with suppress(OSError):
            seal, content = (found := kept.read_bytes())[:_SEAL], found[_SEAL:]
            if hashlib.sha256(content).digest() == seal:
                return content
    content = emit()
    if kept is not None:
        with suppress(OSError, RtclusterError):
            kept.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(kept) as temporary:
                temporary.write_bytes(hashlib.sha256(content).digest() + content)
    return content


def emit(triple: str | None = None, cpu: str | None = None) -> bytes:
    """Compile the object file.

    It takes half a minute, for LLVM optimises the whole kernel as one piece.

    Parameters
    ----------
    triple : str, optional
        LLVM's name of the system; by default this one's.
    cpu : str, optional
        LLVM's name of a processor; by default that of :data:`BASELINE`.

    Raises
    ------
    RtclusterError
        If something of Python's is left in it: this version of Numba cannot be used for it.
    """
    triple = triple or binding.get_process_triple()
    if cpu is None:
        cpu = BASELINE.get(triple.partition("-")[0], "")
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    machine = binding.Target.from_triple(triple).create_target_machine(
        cpu=cpu, opt=3, reloc="pic", codemodel="small"
    )
    word = types.uint64
    module = _module(
        _hear, types.int64(types.voidptr, types.voidptr, types.int64, types.voidptr, types.int64),
        HEAR,
    )  # fmt: skip
    module.link_in(_module(SETTLE.function, SETTLE.signature, SETTLE.name))
    module.link_in(binding.parse_assembly(str(_bound(SETTLE))))
    module.link_in(_module(_do_complex, types.voidptr(word, word, word), DO_COMPLEX))
    module.link_in(binding.parse_assembly(_stock_detectors(module)))
    module.triple, module.data_layout = triple, str(machine.target_data)
    for function in module.functions:
        if not function.is_declaration and function.name != HEAR:
            function.linkage = "internal"
    for variable in module.global_variables:
        if not variable.is_declaration:
            variable.linkage = "internal"
    _optimise(module, machine)
    left = [f.name for f in module.functions if f.name.startswith(_OF_PYTHON)]
    if left:
        raise RtclusterError(
            f"Numba {numba.__version__} leaves {', '.join(left)} in the kernel, and a plug-in has "
            "no Python; install another version of Numba."
        )
    return bytes(machine.emit_object(module))


def _module(function: Any, signature: Any, name: str) -> Any:
    """A function and all that it calls as LLVM has it, under a C name."""
    made = cfunc(signature, error_model="numpy")(function)
    # Numba keeps its counting of references apart; once it is inlined LLVM sees that nothing here
    # is counted.
    module = binding.parse_assembly(made.inspect_llvm().replace(" noinline ", " nounwind "))
    module.get_function(made.native_name).name = name
    return module


def _bound(separate: Separate) -> Any:
    """A module in which the cell of a separate function leads to it, for good."""
    module, word = ir.Module(), ir.IntType(64)
    kind = ir.FunctionType(word, [word] * len(separate.signature.args))
    cell = cell_of(module, separate.name)
    cell.initializer = ir.Function(module, kind, separate.name).bitcast(voidptr_t)
    cell.global_constant = True
    return module


def _stock_detectors(module: Any) -> str:
    """Definitions that do nothing for those of aubio's functions that are never called."""
    declared = [f for f in module.functions if f.name.startswith("aubio_") and f.is_declaration]
    lines = []
    for function in declared:
        kind = str(function).partition(" @")[0].split()[-1]  # of "declare i32 @aubio_..."
        arguments = ", ".join(str(a.type) for a in function.arguments)
        result = "ret void" if kind == "void" else f"ret {kind} zeroinitializer"
        lines.append(f"define {kind} @{function.name}({arguments}) {{ {result} }}")
    return "\n".join(lines)


def _optimise(module: Any, machine: Any) -> None:
    options = binding.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = options.slp_vectorization = True
    builder = binding.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
