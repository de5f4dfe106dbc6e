"""From hits to models: the warm-up, the numbering of the classes, and the teaching.

The first hits are only collected (class -1). When there are enough of them the classes are
formed and numbered by rising zero-crossing count, low drums first; each collected hit gets its
class, and from then on every clean final moves a centre. The guess has centres of its own, over
the first 30 ms: the means of the guess features of the hits that the finals gave to each class.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from rtcluster.events import Final, Guess, Relabel
from rtcluster.kernel.features import FEATURES
from rtcluster.kernel.state import MODEL, State
from rtcluster.learning.clustering import OnlineKMeans
from rtcluster.learning.scaling import Array, GrowingScaler

N = len(FEATURES)


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a hit teaches.

    Attributes
    ----------
    id : int
        The hit.
    guess, final : ndarray of float64, shape (n_features,)
        Its features; ``guess`` is None if its event was lost.
    clean : bool
        No other hit cut the window short.
    """

    id: int
    guess: Array | None
    final: Array
    clean: bool

    @classmethod
    def of(cls, guess: Guess | None, final: Final) -> Lesson:
        """Take the features from the events."""
        return cls(
            final.id,
            None if guess is None else np.array(guess.features[:N]),
            np.array(final.features[:N]),
            not final.overlapped,
        )


@dataclass(frozen=True, slots=True)
class Update:
    """What came of a lesson: a model to publish, and hits that have their class now."""

    model: State | None = None
    relabels: tuple[Relabel, ...] = ()


class GuessCentres:
    """Mean guess features of each class, taught by the finals."""

    def __init__(self, classes: int) -> None:
        self.scaler = GrowingScaler()
        self._sums = np.zeros((classes, N))
        self._counts = np.zeros(classes)

    def learn(self, hits: Array, classes: npt.NDArray[np.intp]) -> None:
        """Add guess features, shape (n_hits, n_features), of hits of known classes."""
        self.scaler.learn(hits)
        np.add.at(self._sums, classes, hits)
        np.add.at(self._counts, classes, 1)

    def centres(self, missing: Array) -> Array:
        """Centres in the present scale; a class without a hit yet takes ``missing``'s row."""
        known = self._counts > 0
        means = np.where(known[:, None], self._sums / np.maximum(self._counts, 1)[:, None], missing)
        return self.scaler.scaled(means)


class Learner:
    """Turns finals into models.

    Not thread-safe: the pump thread owns it.

    Parameters
    ----------
    classes : int
        Number of classes.
    warmup : int
        Hits that are collected before the classes are formed; at least ``classes``.
    seed : int
        Of the random starts.
    """

    def __init__(self, classes: int, warmup: int, seed: int) -> None:
        self.names = [f"class {number}" for number in range(classes)]
        self.frozen = False
        self.warmup = warmup
        self.version = 0
        self._random = np.random.RandomState(seed)  # scikit-learn's own kind
        self._threads = ThreadpoolController()
        self._collected: list[Lesson] = []
        self._finals: OnlineKMeans | None = None
        self._guesses = GuessCentres(classes)

    @property
    def heard(self) -> int:
        """Hits collected so far, while learning."""
        return len(self._collected)

    @property
    def ready(self) -> bool:
        """Whether there are classes."""
        return self._finals is not None

    def learn(self, lesson: Lesson) -> Update:
        """Take in one hit."""
        # One thread: left alone, OpenMP's team costs tens of milliseconds at the 99th percentile.
        with self._threads.limit(limits=1):
            if self._finals is None:
                self._collected.append(lesson)
                return self._form() if len(self._collected) >= self.warmup else Update()
            if self.frozen or not lesson.clean:
                return Update()
            class_ = self._finals.learn(lesson.final)
            if lesson.guess is not None:
                self._guesses.learn(lesson.guess[None], np.array([class_]))
            return Update(self.model())

    def end(self) -> Update:
        """The stream has ended: form the classes from the hits there are, if they suffice."""
        with self._threads.limit(limits=1):
            return Update() if self.ready else self._form()

    def _form(self) -> Update:
        """Form the classes, unless fewer hits differ than there are classes."""
        classes = len(self.names)
        clean = [lesson.final for lesson in self._collected if lesson.clean]
        hits = np.array(
            clean if _different(clean) >= classes else [lesson.final for lesson in self._collected]
        )
        if _different(hits) < classes:
            return Update()
        self._finals = OnlineKMeans(hits, classes, self._random, FEATURES.index("zcr"))
        given = self._finals.classes_of(np.array([lesson.final for lesson in self._collected]))
        taught = [
            (lesson.guess, class_)
            for lesson, class_ in zip(self._collected, given, strict=True)
            if lesson.guess is not None
        ]
        if taught:
            self._guesses.learn(np.array([g for g, _ in taught]), np.array([c for _, c in taught]))
        relabels = tuple(
            Relabel(lesson.id, int(class_), self.names[class_])
            for lesson, class_ in zip(self._collected, given, strict=True)
        )
        self._collected = []
        return Update(self.model(), relabels)

    def model(self) -> State:
        """The present centres as the kernel's record, ``effective`` left to the publisher."""
        assert self._finals is not None
        self.version += 1
        finals, guesses = self._finals, self._guesses
        k = len(self.names)
        out = np.zeros(1, MODEL)
        out["version"], out["n_features"], out["n_centres"] = self.version, N, k
        raw = finals.scaler.raw(finals.centres)
        if not guesses.scaler.fitted:
            guesses.scaler.learn(raw)
        for stage, (scaler, centres) in enumerate(
            ((guesses.scaler, guesses.centres(raw)), (finals.scaler, finals.centres))
        ):
            out["scale"][0, stage, :N] = scaler.scale
            out["offset"][0, stage, :N] = scaler.offset
            out["centres"][0, stage, :k, :N] = centres
        out["owner"][0, :k] = np.arange(k)
        return out


def _different(hits: list[Array] | Array) -> int:
    """Number of different hits."""
    return len(np.unique(np.array(hits), axis=0)) if len(hits) else 0
