"""A host of LV2 plug-ins without a screen, ``host.c``, and what comes of playing to it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
        What ``run()`` asked of the C library.
    loading_ms : float
        Of ``instantiate()``.
    block_us : float
        Of ``run()``, the mean.
    """

    messages: list[tuple[int, ...]]
    audio: npt.NDArray[np.float32]
    allocations: int
    locks: int
    loading_ms: float
    block_us: float

    @property
    def notes(self) -> list[tuple[int, int, int]]:
        """Frame, note and velocity of each note-on."""
        return [(at, note, loud) for at, kind, note, loud in self.messages if kind == 0x99]


class Host:
    """The program.

    Parameters
    ----------
    compiler : sequence of str
        The command of a C compiler.
    folder : Path
        For the program, and what it reads and writes.

    Raises
    ------
    RuntimeError
        With the compiler's words, if it warns or fails: it does without LV2's headers.
    """

    def __init__(self, compiler: Sequence[str], folder: Path) -> None:
        self._folder = folder
        self.program = folder / "host"
        source = Path(__file__).with_name("host.c")
        command = [*compiler, "-O2", "-Wall", "-o", str(self.program), str(source), "-ldl"]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.stderr:
            raise RuntimeError(made.stderr)

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
        np.asarray(audio, np.float32).tofile(self._folder / "in")
        values = [f"{port}={value}" for port, value in (controls or {}).items()]
        values += [f"{MESSAGES}@{at}={path}" for at, path in sorted((kits or {}).items())]
        files = (self._folder / "in", self._folder / "out")
        command: list[Any] = [self.program, bundle, uri, str(rate), *files, str(times), blocks]
        done = subprocess.run([*command, *values], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        *lines, end = (line.split() for line in done.stdout.splitlines())
        messages = [tuple(map(int, line)) for line in lines]
        out = np.fromfile(self._folder / "out", np.float32)
        return Played(messages, out, int(end[1]), int(end[2]), float(end[3]), float(end[4]))
