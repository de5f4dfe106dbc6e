"""What the engine heard, read while it goes on hearing: for a recorder, a meter, a tuner.

The engine keeps some seconds of history for itself (:data:`rtcluster.kernel.state.RING`). A
:class:`Tap` copies from it on a thread of its own choosing; the audio thread does nothing for it
and never waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.engine.processor import Processor
from rtcluster.kernel.entry import samples_written, samples_written_by_now
from rtcluster.kernel.state import MAX_HOP, RING

_SAFE = RING - 2 * MAX_HOP
"""Samples of history that the audio thread is not about to write over."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Audio that has come since the last time.

    Attributes
    ----------
    start : int
        Index of its first sample in the stream.
    audio : ndarray of float32, shape (frames,), or (frames, microphones)
    lost : int
        Samples before it that came too long ago.
    """

    start: int
    audio: npt.NDArray[np.float32]
    lost: int


class Tap:
    """Reads a processor's audio; one thread at a time.

    Parameters
    ----------
    processor : Processor
        Prepared by the time of the first :meth:`take`.
    each : bool
        Of a kit with several microphones, what each of them heard, and not their mean.
    """

    def __init__(self, processor: Processor, *, each: bool = False) -> None:
        self._processor = processor
        self._each = each
        self._taken = 0

    def take(self) -> Piece:
        """[any thread] All that has come since the last time, as far as it is still there."""
        states = self._processor.record
        several = self._each and len(self._processor.microphones) > 0
        heard = states[1:] if several else states[:1]
        while True:
            until = samples_written(heard[-1:])  # the last one that is written
            start = max(self._taken, until - _SAFE)
            at = start & (RING - 1)
            rings: Any = heard["ring"][:, at : at + max(0, until - start)]
            audio = np.array(rings.T if several else rings[0])
            if samples_written_by_now(states) - start <= RING - MAX_HOP:
                break  # else its start may have been written over while it was copied
        lost, self._taken = start - self._taken, until
        return Piece(start, audio, lost)
