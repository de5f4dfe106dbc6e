"""Live teaching: which drum is asked for, and what the player takes back or puts off meanwhile."""

from __future__ import annotations

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

UNDO, PAUSE = "u", "p"


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
    """

    def __init__(self, teacher: Teacher, hits: int, samplerate: int) -> None:
        self._teacher, self._hits = teacher, hits
        self._pause = int(PAUSE_S * samplerate)
        self._class = 0
        self._from = 0  # sample from which on hits count
        self._paused = False
        self._ask()

    @property
    def done(self) -> bool:
        """Whether all drums have been struck often enough."""
        return self._class == len(self._teacher.names)

    def hear(self, hit: lessons.Struck, clock: int) -> None:
        """A hit, and the samples heard so far."""
        if self.done or self._paused or hit.final.sample < self._from:
            return
        lessons.offer(self._teacher, self._class, hit, self._hits, careful=True)
        if self._teacher.count(self._class) == self._hits:
            self._class += 1
            self._from = clock + self._pause
            self._ask()

    def typed(self, line: str, clock: int) -> None:
        """What the player typed: the last stroke is taken back, or no stroke counts for a while."""
        if line == PAUSE:
            self._paused = not self._paused
            self._from = clock
            if self._paused:
                say(f"  paused; {PAUSE} and Enter goes on")
            else:
                self._ask()
        elif line == UNDO:
            undone = self._teacher.undo()
            if undone is None:
                say("  nothing to take back")
                return
            if undone != self._class:
                self._class, self._from = undone, clock
            say(f"  taken back: {self._state()}")
        elif line:
            say(f"  {UNDO} and Enter takes a stroke back, {PAUSE} and Enter pauses")

    def _state(self) -> str:
        name = self._teacher.names[self._class]
        return f"{name} {self._teacher.count(self._class)} of {self._hits}"

    def _ask(self) -> None:
        if self.done:
            return
        left = self._hits - self._teacher.count(self._class)
        say(f"{self._teacher.names[self._class]}: strike it {counted(left, 'time')}.")
