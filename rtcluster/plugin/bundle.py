"""An LV2 bundle for this machine from a taught kit: the plug-in, its description, its states.

[main thread] A C compiler joins ``shell.c`` and the kernel's object file: the system's own, or
that of the package ``ziglang``. The description says what the host shows: a note and a mute for
each drum, by its name. The URI goes by the kit's name, so a session of the host finds the plug-in
again when the kit was taught anew.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path

from rtcluster.errors import RtclusterError, expecting
from rtcluster.learning.kit import Kit
from rtcluster.plugin import core, image
from rtcluster.sinks.drum_map import note_of

RATES = (44100, 48000, 88200, 96000)
"""Hz. A host that runs at another rate is told so."""

SILENT_DB = -60.0
"""Gain in dB at which nothing of the audio goes through."""

_COMPILERS = ("cc", "gcc", "clang")


def path_of(name: str, folder: Path) -> Path:
    """Where the bundle of a plug-in of this name is put in a folder."""
    return folder / f"rtcluster-{slug(name)}.lv2"


def write(kit: Kit, name: str, folder: Path) -> Path:
    """Write the bundle.

    Parameters
    ----------
    kit : Kit
    name : str
        Of the plug-in, as the host shows it.
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


def _fill(made: Path, kit: Kit, name: str, compiler: list[str], work: Path) -> None:
    uri = f"urn:rtcluster:kit:{slug(name)}"
    for rate in RATES:
        (made / f"kit-{rate}.state").write_bytes(image.prepared(kit, rate))
    (work / "kit.h").write_text(image.header(len(kit.names), uri, SILENT_DB), encoding="ascii")
    (work / "core.o").write_bytes(core.object_file())
    with as_file(files("rtcluster.plugin") / "shell.c") as shell:
        compile_c(compiler, [shell, work / "core.o"], made / "rtcluster.so", work, "-shared")
    (made / "manifest.ttl").write_text(_manifest(uri), encoding="utf-8")
    (made / "kit.ttl").write_text(_description(uri, name, kit.names), encoding="utf-8")


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


def slug(name: str) -> str:
    """A name in small letters, digits and underscores; ``kit`` where nothing of it is left."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "kit"


def symbols(names: Sequence[str]) -> list[str]:
    """A symbol for each drum by which the host keeps its values, all different."""
    out: list[str] = []
    for number, name in enumerate(names):
        own = f"drum_{slug(name)}"
        out.append(own if own not in out else f"{own}_{number}")
    return out


_PREFIXES = """\
@prefix atom: <http://lv2plug.in/ns/ext/atom#> .
@prefix doap: <http://usefulinc.com/ns/doap#> .
@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
@prefix midi: <http://lv2plug.in/ns/ext/midi#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix units: <http://lv2plug.in/ns/extensions/units#> .
@prefix urid: <http://lv2plug.in/ns/ext/urid#> .

"""


def _manifest(uri: str) -> str:
    return f"""{_PREFIXES}<{uri}>
    a lv2:Plugin ;
    lv2:binary <rtcluster.so> ;
    rdfs:seeAlso <kit.ttl> .
"""


def _description(uri: str, name: str, drums: Sequence[str]) -> str:
    ports = [
        _port("lv2:AudioPort , lv2:InputPort", "in", "Audio in"),
        _port("lv2:AudioPort , lv2:OutputPort", "out", "Audio through"),
        _port(
            "atom:AtomPort , lv2:OutputPort", "midi", "MIDI out",
            "atom:bufferType atom:Sequence", "atom:supports midi:MidiEvent",
        ),
        _control("threshold", "Onset threshold (0: the kit's)", 0.0, 0.0, 1.0),
        _control("mask", "Mask (0: the kit's)", 0.0, 0.0, 500.0, "units:unit units:ms"),
        _control(
            "stage", "Note at", 0, 0, 1, "lv2:portProperty lv2:integer , lv2:enumeration",
            'lv2:scalePoint [ rdfs:label "guess, 30 ms" ; rdf:value 0 ] , '
            '[ rdfs:label "final, 90 ms" ; rdf:value 1 ]',
        ),
        _control("gain", "Audio through", 0.0, SILENT_DB, 12.0, "units:unit units:db"),
    ]  # fmt: skip
    for number, (drum, symbol) in enumerate(zip(drums, symbols(drums), strict=True)):
        note = note_of(number, drum, {})
        ports += [
            _control(
                f"{symbol}_note", f"{drum}: note", note, 0, 127,
                "lv2:portProperty lv2:integer", "units:unit units:midiNote",
            ),
            _control(
                f"{symbol}_mute", f"{drum}: mute", 0, 0, 1, "lv2:portProperty lv2:toggled"
            ),
        ]  # fmt: skip
    numbered = " , ".join(
        f"[\n        lv2:index {place} ;{port}\n    ]" for place, port in enumerate(ports)
    )
    return f"""{_PREFIXES}@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .

<{uri}>
    a lv2:Plugin , lv2:AnalyserPlugin ;
    doap:name {_text("rtcluster " + name)} ;
    doap:license <https://spdx.org/licenses/GPL-3.0-or-later> ;
    lv2:minorVersion 0 ;
    lv2:microVersion 1 ;
    lv2:requiredFeature urid:map ;
    lv2:optionalFeature lv2:hardRTCapable ;
    lv2:port {numbered} .
"""


def _control(symbol: str, label: str, default: float, least: float, most: float, *rest: str) -> str:
    values = (f"lv2:default {default}", f"lv2:minimum {least}", f"lv2:maximum {most}")
    return _port("lv2:ControlPort , lv2:InputPort", symbol, label, *values, *rest)


def _port(kind: str, symbol: str, label: str, *rest: str) -> str:
    lines = (f"a {kind}", f'lv2:symbol "{symbol}"', f"lv2:name {_text(label)}", *rest)
    return " ;".join(f"\n        {line}" for line in lines)


def _text(words: str) -> str:
    """A literal of Turtle."""
    escaped = words.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else " " for c in escaped) + '"'
