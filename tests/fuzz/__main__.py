"""Run a target under atheris: ``python -m tests.fuzz TARGET --seconds N``."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Annotated

import numpy as np
import typer

from tests.fuzz import TARGETS

TIMEOUT_S = 60
LARGEST = 4096
"""Bytes of an input: more only makes it slower."""

MEMORY_MB = 4096

SEEDS = 50
"""Inputs of chance to begin with."""

_COMPILED = ("rtcluster.learning.kmeans", "rtcluster.plugins")


def compiled_modules() -> list[str]:
    """Modules that Numba compiles, all of the kernel's among them: they cannot be watched."""
    folder = Path(__file__).parents[2] / "rtcluster" / "kernel"
    return [*_COMPILED, *(f"rtcluster.kernel.{path.stem}" for path in folder.glob("*.py"))]


def main(
    target: Annotated[str, typer.Argument(help=f"One of {', '.join(TARGETS)}.")],
    seconds: Annotated[int, typer.Option(help="How long.", min=1)] = 60,
    corpus: Annotated[
        Path | None, typer.Option(help="Folder of inputs, kept and added to.")
    ] = None,
) -> None:
    """Fuzz one target. A finding ends it, and is left in the working folder as crash-*."""
    if target not in TARGETS:
        _refuse(f"Expected one of {', '.join(TARGETS)}, got {target!r:.80}.")
    if importlib.util.find_spec("atheris") is None:
        _refuse(
            "Expected the atheris package for fuzzing, got none. "
            "Install it with: pip install atheris"
        )
    import atheris

    # Nothing of rtcluster has been imported until here: it would not be watched.
    with atheris.instrument_imports(include=["rtcluster"], exclude=compiled_modules()):
        one = importlib.import_module(f"tests.fuzz.{target}").one
        _compile()
    one(b"")  # what is made once
    options = [
        f"-max_total_time={seconds}", f"-timeout={TIMEOUT_S}", f"-max_len={LARGEST}",
        "-len_control=0", f"-rss_limit_mb={MEMORY_MB}", "-print_final_stats=1",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name)] if corpus is None else [corpus, Path(name)]
        folders[0].mkdir(parents=True, exist_ok=True)
        random = Random(0)
        for number in range(SEEDS):
            Path(name, str(number)).write_bytes(random.randbytes(random.randrange(400)))
        atheris.Setup([sys.argv[0], *options, *map(str, folders)], one)
        atheris.Fuzz()


def _compile() -> None:
    """Compile the kernel where no run has yet: no input's answer takes that long."""
    from rtcluster import Processor, Settings
    from rtcluster.sources.groove import render

    audio = render(3.0).audio
    for method in ("drums", "hfc"):  # what each of them runs is compiled when it is first used
        for channels in (1, 2):
            engine = Processor(Settings(method=method, features="taught", warmup=2))
            engine.prepare(44100, channels=channels)
            engine.process(np.stack([audio] * channels, axis=1))


def _refuse(text: str) -> None:
    print(text, file=sys.stderr)
    raise typer.Exit(2)


if __name__ == "__main__":
    typer.run(main)
