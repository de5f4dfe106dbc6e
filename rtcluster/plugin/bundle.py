"""An LV2 bundle for this machine: the plug-in, its description, and its kit, if one is built in.

[main thread] A C compiler joins ``lv2.c``, ``player.c`` and the kernel's object file: the system's
own, or that of the package ``ziglang``. :mod:`~rtcluster.plugin.description` says what the host
shows. The URI goes by the kit's name, so a session of the host finds the plug-in again when the kit
was taught anew. Without a kit the plug-in is generic: it has controls for
:data:`~rtcluster.plugin.image.MOST_DRUMS`, and the host chooses the kit's file.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from rtcluster.errors import RtclusterError, expecting
from rtcluster.learning.kit import Kit
from rtcluster.plugin import core, description, image

_COMPILERS = ("cc", "gcc", "clang")
_SOURCES = ("lv2.c", "lv2_abi.h", "player.c", "player.h")


def path_of(name: str | None, folder: Path) -> Path:
    """Where the bundle of a plug-in of this name, or of the generic one, is put in a folder."""
    return folder / ("rtcluster.lv2" if name is None else f"rtcluster-{description.slug(name)}.lv2")


def write(kit: Kit | None, name: str | None, folder: Path) -> Path:
    """Write the bundle.

    Parameters
    ----------
    kit : Kit or None
    name : str or None
        Of the plug-in, as the host shows it. None for the generic one, which has no kit.
    folder : Path
        Where the bundle is put; made if it is not there.

    Returns
    -------
    Path
        Of the bundle. One of the same name is replaced once all of the new one is there.

    Raises
    ------
    RtclusterError
        If the kit cannot be a plug-in, there is no C compiler, or a file cannot be written.
    """
    if kit is not None:
        image.check(kit)
    compiler = find_compiler()
    target = path_of(name, folder)
    with expecting(f"to write {target}", "name another folder with --out"):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".rtcluster-", dir=folder) as place:
            made = Path(place, "bundle")
            made.mkdir()
            _fill(made, kit, name, compiler, Path(place))
            before = Path(place, "before")
            if target.exists():
                target.rename(before)
            made.rename(target)
    return target


def _fill(made: Path, kit: Kit | None, name: str | None, compiler: list[str], work: Path) -> None:
    drums = image.MOST_DRUMS if kit is None else len(kit.names)
    header = image.header(
        drums, description.uri_of(name), description.SILENT_DB, generic=kit is None
    )
    (work / "kit.h").write_text(header, encoding="ascii")
    (work / "core.o").write_bytes(core.object_file())
    for source in _SOURCES:
        (work / source).write_bytes((files("rtcluster.plugin") / source).read_bytes())
    parts = [work / source for source in ("lv2.c", "player.c", "core.o")]
    compile_c(compiler, parts, made / "rtcluster.so", work, "-shared")
    if kit is not None:
        (made / f"kit{image.SUFFIX}").write_bytes(image.file_of(kit))
    (made / "manifest.ttl").write_text(description.manifest(name), encoding="utf-8")
    text = description.plugin(name, () if kit is None else kit.names)
    (made / "rtcluster.ttl").write_text(text, encoding="utf-8")


def find_compiler() -> list[str]:
    """The command of a C compiler: what ``CC`` names, the system's, or that of ``ziglang``.

    Raises
    ------
    RtclusterError
        If there is none.
    """
    if own := os.environ.get("CC"):
        return own.split()
    for found in map(shutil.which, _COMPILERS):
        if found is not None:
            return [found]
    if importlib.util.find_spec("ziglang") is not None:
        return [sys.executable, "-m", "ziglang", "cc"]
    raise RtclusterError(
        "Expected a C compiler to build a plug-in, found none; apt install gcc, or pip install "
        "ziglang."
    )


def compile_c(
    compiler: Sequence[str], sources: Sequence[Path], target: Path, headers: Path, *options: str
) -> None:
    """Compile C and link it with the mathematical library.

    Raises
    ------
    RtclusterError
        With the compiler's own first words, if it fails.
    """
    command = [*compiler, "-std=c11", "-O2", "-fPIC", "-fvisibility=hidden", *options]
    command += [f"-I{headers}", *map(str, sources), "-o", str(target), "-lm"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise RtclusterError(f"Cannot run {compiler[0]}: {error.strerror}.") from None
    if done.returncode:
        words = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr)
        raise RtclusterError(f"{compiler[0]} cannot compile the plug-in: {words.strip()}")
