"""What a hit teaches, from its guess and its final."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from rtcluster.events import LEARNING, Event, Final, Guess
from rtcluster.learning.scaling import Array


@dataclass(frozen=True, slots=True)
class Lesson:
    """A hit, as it is given to the learner.

    Attributes
    ----------
    id : int
    guess, final : ndarray of float64, shape (n_features,)
        Raw features.
    zcr : float
        Zero crossings of the final's window, whatever the features are.
    whole : bool
        No other hit cut the window short.
    class_ : int
        The class in the final's event: what the listener was told.
    taught : int or None
        The class as a person has it.
    parts : tuple of int
        The classes of all drums that the event told, where a kit can tell two.
    """

    id: int
    guess: Array
    final: Array
    zcr: float
    whole: bool
    class_: int = LEARNING
    taught: int | None = None
    parts: tuple[int, ...] = ()

    @classmethod
    def of(cls, guess: Guess, final: Final) -> Lesson:
        """What the events of a hit teach."""
        return cls(
            id=final.id,
            guess=np.array(guess.features),
            final=np.array(final.features),
            zcr=final.zcr,
            whole=not final.overlapped,
            class_=final.class_,
            parts=tuple(part.class_ for part in final.parts),
        )


class Pairs:
    """Puts the guess and the final of each hit together."""

    def __init__(self) -> None:
        self._guesses: dict[int, Guess] = {}

    def of(self, events: Iterable[Event]) -> list[tuple[Guess, Final]]:
        """Hits that the events complete, in order; not one whose guess was lost to a full ring."""
        out = []
        for event in events:
            if isinstance(event, Final):
                guess = self._guesses.pop(event.id, None)
                if guess is not None:
                    out.append((guess, event))
            elif isinstance(event, Guess):
                self._guesses[event.id] = event
        return out
