"""Live teaching: which drum is asked for, and what the player takes back or puts off meanwhile.

All times are those of the audio, so a device that is lost stops a countdown too.
"""

from __future__ import annotations

import math
import os
import select
import sys
from typing import TYPE_CHECKING

from rtcluster.commands import lessons
from rtcluster.commands.terminal import say
from rtcluster.text import counted

if TYPE_CHECKING:
    from rtcluster.learning.teaching import Teacher

PAUSE_S = 0.2
"""Hits so soon after a drum was asked for are of the one before, in seconds."""

COUNTDOWN_S = 3
"""Before each drum, in a terminal: to reach it after typing, in seconds."""

UNDO, PAUSE, KEEP, AGAIN = "u", "p", "k", "r"


class Typed:
    """Lines that are typed meanwhile, on a POSIX terminal; elsewhere there are none."""

    def __init__(self) -> None:
        self.possible = os.name == "posix" and sys.stdin.isatty()

    def take(self) -> list[str]:
        """Those since the last time; none while another program has the terminal."""
        if not self.possible:
            return []
        terminal = sys.stdin.fileno()
        mine = os.tcgetpgrp(terminal) == os.getpgrp()
        if not (mine and select.select([terminal], [], [], 0)[0]):
            return []
        text = os.read(terminal, 4096).decode(errors="replace")
        return [line.strip().lower() for line in text.splitlines()]


class Asking:
    """Asks for one drum after the other.

    Parameters
    ----------
    teacher : Teacher
    hits : int
        Hits of each drum.
    samplerate : int
        Hz.
    countdown_s : int
        Seconds before each drum, in which no hit counts.
    answered : bool
        Whether somebody can say if a stroke that stands out is kept. If not, it is kept.
    """

    def __init__(
        self,
        teacher: Teacher,
        hits: int,
        samplerate: int,
        *,
        countdown_s: int = 0,
        answered: bool = False,
    ) -> None:
        self._teacher, self._hits, self._rate = teacher, hits, samplerate
        self._pause = int(PAUSE_S * samplerate)
        self._countdown_s, self._answered = countdown_s, answered
        self._class = 0
        self._from = 0  # sample from which on hits count
        self._counted = 0  # seconds of the countdown that are still shown; 0 without one
        self._paused = False
        self._doubted: int | None = None  # number of the stroke that an answer is awaited for
        self._begin(0)

    @property
    def done(self) -> bool:
        """Whether all drums have been struck often enough."""
        return self._class == len(self._teacher.names)

    def advance(self, clock: int) -> None:
        """So many samples have been heard: the countdown goes on."""
        if not self._counted or self._paused:
            return
        left = max(0, math.ceil((self._from - clock) / self._rate))
        if left >= self._counted:
            return
        self._counted = left
        if left:
            say(f"  {left}")
        else:
            self._ask()

    def hear(self, hit: lessons.Struck, clock: int) -> None:
        """A hit, and the samples heard so far."""
        waits = self._paused or self._doubted is not None
        if self.done or waits or hit.final.sample < self._from:
            return
        lessons.offer(self._teacher, self._class, hit, self._hits, careful=True)
        self._go_on(clock)

    def typed(self, line: str, clock: int) -> None:
        """What the player typed.

        The last stroke is taken back, no stroke counts for a while, or the one that stands out is
        kept or struck again.
        """
        if line == PAUSE:
            self._paused = not self._paused
            self._from, self._counted = clock, 0
            if self._paused:
                say(f"  paused; {PAUSE} and Enter goes on")
            elif self._doubted is None:
                self._ask()
        elif line == UNDO:
            self._undo(clock)
        elif self._doubted is not None and line in (KEEP, AGAIN):
            self._answer(line, self._doubted, clock)
        elif line and self._doubted is not None:
            self._say_doubt(self._doubted)
        elif line:
            say(f"  {UNDO} and Enter takes a stroke back, {PAUSE} and Enter pauses")

    def _undo(self, clock: int) -> None:
        undone = self._teacher.undo()
        if undone is None:
            say("  nothing to take back")
            return
        if undone != self._class:
            self._class, self._from = undone, clock
        self._counted, self._doubted = 0, None
        say(f"  taken back: {self._state()}")

    def _answer(self, line: str, number: int, clock: int) -> None:
        self._doubted = None
        self._from = clock
        if line == KEEP:
            self._teacher.keep(self._class, number)
            self._go_on(clock)
        else:
            self._teacher.remove(self._class, number)
            self._ask()

    def _go_on(self, clock: int) -> None:
        """Ask for the next drum if this one has its strokes and they are alike."""
        if self._teacher.count(self._class) < self._hits:
            return
        number = self._teacher.unlike(self._class)
        if number is not None:
            self._say_doubt(number)
            if self._answered:
                self._doubted = number
                return
        self._class += 1
        self._from = clock + self._pause
        self._begin(clock)

    def _say_doubt(self, number: int) -> None:
        name = self._teacher.names[self._class]
        text = f"  stroke {number} of {name} is unlike the others"
        if self._answered:
            text += f": {KEEP} and Enter keeps it, {AGAIN} and Enter strikes it again"
        say(text)

    def _state(self) -> str:
        name = self._teacher.names[self._class]
        return f"{name} {self._teacher.count(self._class)} of {self._hits}"

    def _begin(self, clock: int) -> None:
        """Begin a drum, by its countdown."""
        if self.done:
            return
        self._counted = self._countdown_s
        if not self._counted:
            self._ask()
            return
        self._from = clock + self._counted * self._rate
        say(f"{self._teacher.names[self._class]} in {self._counted}")

    def _ask(self) -> None:
        left = self._hits - self._teacher.count(self._class)
        say(f"{self._teacher.names[self._class]}: strike it {counted(left, 'time')}.")
