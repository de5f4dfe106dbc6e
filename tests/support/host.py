"""Hosts without a screen, of LV2 and of CLAP plug-ins, and what comes of playing to them."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

THRESHOLD, MASK, STAGE, GAIN, DRUMS = 3, 4, 5, 6, 7
"""Ports of rtcluster's plug-in; of each drum there are two, its note and its mute."""

GENERIC_DRUMS = 12
"""Drums of the plug-in whose kit is chosen in the host."""

MESSAGES = DRUMS + 2 * GENERIC_DRUMS
"""Its port for messages."""


@dataclass(frozen=True, slots=True)
class Played:
    """What came of some audio.

    Attributes
    ----------
    messages : list of tuple of int
        MIDI: the frame of each, and its bytes.
    audio : ndarray of float32
    allocations, locks : int
        What ``run()`` or ``process()`` asked of the C library.
    loading_ms : float
        Of ``instantiate()`` or ``activate()``.
    block_us : float
        Of ``run()``, the mean.
    controls : list of str
        What they are in the end, where the host tells it: value, name and text.
    """

    messages: list[tuple[int, ...]]
    audio: npt.NDArray[np.float32]
    allocations: int
    locks: int
    loading_ms: float
    block_us: float
    controls: list[str]

    @property
    def notes(self) -> list[tuple[int, int, int]]:
        """Frame, note and velocity of each note-on."""
        return [(at, note, loud) for at, kind, note, loud in self.messages if kind == 0x99]


class _Program:
    """A host: a program that plays audio through a plug-in in a process of its own.

    Parameters
    ----------
    compiler : sequence of str
        The command of a C compiler.
    folder : Path
        For the program, and what it reads and writes.

    Raises
    ------
    RuntimeError
        With the compiler's words, if it warns or fails.
    """

    source: str

    def __init__(self, compiler: Sequence[str], folder: Path) -> None:
        self._folder = folder
        self.program = folder / Path(self.source).stem
        headers = files("rtcluster.plugin")
        command = [*compiler, "-O2", "-Wall", f"-I{headers}", "-o", str(self.program)]
        command += [str(Path(__file__).with_name(self.source)), "-ldl"]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.stderr:
            raise RuntimeError(made.stderr)

    def _run(
        self, plugin: Path, uri: str, rate: int, audio: npt.ArrayLike, *arguments: str
    ) -> Played:
        np.asarray(audio, np.float32).tofile(self._folder / "in")
        paths = (self._folder / "in", self._folder / "out")
        command: list[Any] = [self.program, plugin, uri, str(rate), *paths, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr or f"The host ended with {done.returncode}.")
        *lines, last = done.stdout.splitlines()
        end = last.split()
        out = np.fromfile(self._folder / "out", np.float32)
        return Played(
            messages=[tuple(map(int, line.split())) for line in lines if line[0] != "*"],
            audio=out,
            allocations=int(end[1]),
            locks=int(end[2]),
            loading_ms=float(end[3]),
            block_us=float(end[4]),
            controls=[line[2:] for line in lines if line[0] == "*"],
        )


class Host(_Program):
    """A host of LV2 plug-ins, ``host.c``."""

    source = "host.c"

    def play(
        self,
        bundle: Path,
        uri: str,
        audio: npt.ArrayLike,
        rate: int = 44100,
        blocks: str = "64",
        controls: Mapping[int, float] | None = None,
        times: int = 1,
        kits: Mapping[int, Path] | None = None,
    ) -> Played:
        """Play audio through a plug-in.

        Parameters
        ----------
        bundle : Path
        uri : str
        audio : array_like, shape (frames,)
        rate : int
            Hz.
        blocks : str
            Sizes of the blocks in turn, parted by commas.
        controls : mapping of int to float, optional
            Values of ports; the others are 0.
        times : int
            How often; the plug-in is activated before each.
        kits : mapping of int to Path, optional
            Files that are chosen with the first block from a frame on.

        Raises
        ------
        RuntimeError
            With the host's words, if the plug-in cannot be used.
        """
        values = [f"{port}={value}" for port, value in (controls or {}).items()]
        values += [f"{MESSAGES}@{at}={path}" for at, path in sorted((kits or {}).items())]
        return self._run(bundle, uri, rate, audio, str(times), blocks, *values)


class ClapHost(_Program):
    """A host of CLAP plug-ins, ``clap_host.c``."""

    source = "clap_host.c"

    def play(
        self,
        library: Path,
        name: str,
        audio: npt.ArrayLike,
        rate: int = 44100,
        blocks: str = "64",
        times: int = 1,
        options: Sequence[str] = (),
    ) -> Played:
        """Play audio through a plug-in.

        Parameters
        ----------
        library : Path
        name : str
            The plug-in's, by which a host knows it.
        audio, rate, blocks, times
            As of :meth:`Host.play`.
        options : sequence of str
            As ``clap_host.c`` takes them.

        Raises
        ------
        RuntimeError
            With the host's words, if the plug-in cannot be used.
        """
        return self._run(library, name, rate, audio, str(times), blocks, *options)
