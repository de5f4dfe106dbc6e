"""A plug-in for this machine: its library, its kit if one is built in, its description.

[main thread] A C compiler joins ``lv2.c`` or ``clap.c``, ``player.c`` and the kernel's object file:
the system's own, or that of the package ``ziglang``. LV2's description is that of
:mod:`~rtcluster.plugin.description`; CLAP's is in the library. The plug-in's URI goes by the kit's
name, so a session of the host finds it again when the kit was taught anew. Without a kit an LV2
plug-in is generic: it has controls for :data:`~rtcluster.plugin.image.MOST_DRUMS`, and the host
chooses the kit's file.
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
from typing import Literal

from rtcluster.errors import RtclusterError, expecting
from rtcluster.learning.kit import Kit
from rtcluster.plugin import controls, core, description, image

_COMPILERS = ("cc", "gcc", "clang")

Kind = Literal["lv2", "clap"]


def path_of(name: str | None, folder: Path, kind: Kind = "lv2") -> Path:
    """The folder of the plug-in of this name, or of the generic one, within another."""
    stem = "rtcluster" if name is None else f"rtcluster-{controls.slug(name)}"
    return folder / (f"{stem}.lv2" if kind == "lv2" else stem)


def write(kit: Kit | None, name: str | None, folder: Path, kind: Kind = "lv2") -> Path:
    """Write the plug-in's folder.

    Parameters
    ----------
    kit : Kit or None
    name : str or None
        Of the plug-in, as the host shows it. None for the generic one, which has no kit.
    folder : Path
        Where it is put; made if it is not there.
    kind : Kind
        Only LV2 can be generic.

    Returns
    -------
    Path
        Of its own folder. One of the same name is replaced once all of the new one is there.

    Raises
    ------
    RtclusterError
        If the kit cannot be a plug-in, there is no C compiler, or a file cannot be written.
    """
    if kit is not None:
        image.check(kit)
    compiler = find_compiler()
    target = path_of(name, folder, kind)
    with expecting(f"to write {target}", "name another folder with --out"):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".rtcluster-", dir=folder) as place:
            made = Path(place, "bundle")
            made.mkdir()
            _fill(made, kit, name, kind, compiler, Path(place))
            before = Path(place, "before")
            if target.exists():
                target.rename(before)
            made.rename(target)
    return target


def _fill(
    made: Path, kit: Kit | None, name: str | None, kind: Kind, compiler: list[str], work: Path
) -> None:
    (work / "kit.h").write_text(_header(kit, name), encoding="ascii")
    (work / "core.o").write_bytes(core.object_file())
    for source in (f"{kind}.c", f"{kind}_abi.h", "player.c", "player.h"):
        (work / source).write_bytes((files("rtcluster.plugin") / source).read_bytes())
    parts = [work / part for part in (f"{kind}.c", "player.c", "core.o")]
    library = "rtcluster.so" if kind == "lv2" else f"{path_of(name, made, kind).name}.clap"
    compile_c(compiler, parts, made / library, work, "-shared")
    if kit is not None:
        (made / f"kit{image.SUFFIX}").write_bytes(image.file_of(kit))
    if kind == "lv2":
        (made / "manifest.ttl").write_text(description.manifest(name), encoding="utf-8")
        text = description.plugin(name, () if kit is None else kit.names)
        (made / "rtcluster.ttl").write_text(text, encoding="utf-8")


def _header(kit: Kit | None, name: str | None) -> str:
    """``kit.h``."""
    drums = image.MOST_DRUMS if kit is None else len(kit.names)
    return (
        image.header(drums, description.uri_of(name), controls.SILENT_DB, generic=kit is None)
        + f"#define NAME {controls.quoted(description.title(name))}\n"
        + controls.table(None if kit is None else kit.names)
    )


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
