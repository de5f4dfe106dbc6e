"""Whether a live input is worth listening to: that nothing comes in, and that it clips.

On the thread of the command. Each is told once, with the level seen and what to check, and once
more when it is over. Looks are counted, not seconds: a program that was stopped itself has looked
once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from rtcluster.engine.processor import Processor
from rtcluster.engine.tap import Tap
from rtcluster.session.status import CLIPPED, decibels

QUIET_DB = -60.0
"""Peak in dBFS up to which there is only noise: a drum before a microphone is far over it."""

QUIET_POLLS = 100
"""Looks in a row without anything, 5 s at 20 a second, until that is told of."""

PAUSE_POLLS = 1200
"""The same, 60 s, where something came in before: a player may pause."""

CLIPPED_POLLS = 5
"""Looks that found full scale, among the last :data:`QUIET_POLLS`, until that is told of."""

UNCLIPPED_POLLS = 600
"""Looks in a row without, 30 s, until that is over."""


class Levels:
    """Looks at what comes in; see the module.

    Parameters
    ----------
    name : str
        Of the source.
    processors : sequence of Processor
        All that listen to it, prepared.
    report, say : callable
        For what is wrong, and for what is right again; a line each.
    """

    def __init__(
        self,
        name: str,
        processors: Sequence[Processor],
        report: Callable[[str], None],
        say: Callable[[str], None],
    ) -> None:
        self._name, self._report, self._say = name, report, say
        self._taps = [Tap(one, each=True) for one in processors]
        self._inputs = [one.microphones for one in processors]
        self._floor = max(QUIET_DB, *(one.settings.thresholds.silence for one in processors))
        self._quiet, self._patience = 0, QUIET_POLLS
        self._loudest = 0.0  # peak while it is quiet
        self._full: deque[bool] = deque(maxlen=QUIET_POLLS)
        self._unclipped = 0
        self._clips = False  # and has been told of

    def look(self) -> None:
        """Look at the audio since the last time; at none there is nothing to see."""
        heard = [
            (audio, inputs)
            for tap, inputs in zip(self._taps, self._inputs, strict=True)
            if (audio := tap.take().audio).size
        ]
        if heard:  # an offset is no sound, but it may well be why full scale is met
            self._check_silence(max(float(np.ptp(audio, axis=0).max()) / 2 for audio, _ in heard))
            peaks, inputs = np.abs(heard[0][0]).max(axis=0), heard[0][1]
            which = f" on channel {inputs[int(peaks.argmax())]}" if inputs else ""
            self._check_clipping(max(float(np.abs(audio).max()) for audio, _ in heard), which)

    def _check_silence(self, peak: float) -> None:
        if decibels(peak) > self._floor:
            if self._quiet >= self._patience:
                self._say(f"{self._name}: sound comes in, {decibels(peak):.0f} dBFS.")
            self._quiet, self._patience, self._loudest = 0, PAUSE_POLLS, 0.0
            return
        self._quiet += 1
        self._loudest = max(self._loudest, peak)
        if self._quiet == self._patience:
            self._report(
                f"{self._name}: nothing louder than {decibels(self._loudest):.0f} dBFS comes in. "
                "If you play: check the cable, mute, the gain, and whether it is the right input "
                "('rtcluster devices' lists them; -d and -c choose)."
            )

    def _check_clipping(self, peak: float, which: str) -> None:
        full = peak >= CLIPPED
        self._full.append(full)
        self._unclipped = 0 if full else self._unclipped + 1
        if not self._clips and sum(self._full) >= CLIPPED_POLLS:
            self._clips = True
            self._report(
                f"{self._name}: the input clips{which}, the peak is {decibels(peak):.0f} dBFS. "
                "Turn its gain down: hits that clip sound alike, and as loud."
            )
        elif self._clips and self._unclipped == UNCLIPPED_POLLS:
            self._clips = False
            self._say(f"{self._name}: the input no longer clips.")
