"""Teaching: a person strikes one drum after another and says which it is.

A hit that is plainly another drum that was already taught is refused. Once a drum has all its hits,
those that stand far from the others can be taken out. At the end the hits tell
which drums the features confuse, and which set of features tells them apart best. Belongs to the
main thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from rtcluster.events import Final, Guess
from rtcluster.learning.detection import Detection
from rtcluster.learning.held_out import held_out
from rtcluster.learning.kit import Kit
from rtcluster.learning.learner import Learner
from rtcluster.learning.lesson import Lesson
from rtcluster.learning.scaling import Array, scaling_for
from rtcluster.learning.separation import Separation, distances, separation
from rtcluster.learning.strokes import Audio, Stroke, read, stored
from rtcluster.settings import BAND_FEATURES, FEATURE_SETS, MAX_FEATURES, Settings

NEARER = 0.5
"""A hit is refused if another drum is this much nearer than the own one ..."""

FAR = 3.0
"""... and its distance from the own hits is this many times what they differ among themselves."""

ALIKE = 1.0
"""The first hit of a drum is refused if it differs from another drum's hits by at most this many
times what those differ among themselves."""

LEAST = 0.03
"""What the hits of a drum differ at least, in ranges of a feature: five may happen to be alike."""

FEWEST_ALIKE = 4
"""Hits of a drum from which on it is told which of them stand out."""

STANDS_OUT = 0.15
"""A hit stands out if its bands, a vector of length 1, are farther than this from those of every
other hit of its drum (docs/lab-book/measurements.md) ..."""

TIMES_OTHERS = 2.0
"""... and than this many times the farthest that any of the others is from its nearest."""

PATIENCE = 3
"""Refusals in a row after which the player is believed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a hit that was offered.

    Attributes
    ----------
    taken : bool
    like : str
        The drum that it sounds like where that is another one, else empty.
    """

    taken: bool
    like: str = ""


def measuring(settings: Settings) -> Settings:
    """Settings of the engine that hears the hits: it measures more than the kit will use.

    The chosen features come first; then those of the sets with a name, as far as there is room.
    """
    chosen = tuple(settings.features)
    more = {name: None for own in FEATURE_SETS.values() for name in own if name not in chosen}
    return replace(settings, features=(*chosen, *more)[:MAX_FEATURES])


class Teacher:
    """Collects the hits of drums that are taught.

    Parameters
    ----------
    settings : Settings
        What the kit will be used with. The hits come from an engine with
        ``measuring(settings)``.
    names : sequence of str
        The drums, by class number.
    """

    def __init__(self, settings: Settings, names: Iterable[str]) -> None:
        self.names = list(names)
        self.settings = replace(settings, classes=len(self.names), warmup=None, freeze=False)
        self._measured = tuple(measuring(self.settings).features)
        self._lessons: list[Lesson] = []
        self._strokes: list[Audio | None] = []
        self._refused = 0
        self._kept: set[int] = set()  # ids of hits that stand out, and are meant

    def count(self, class_: int) -> int:
        """Hits of a drum so far."""
        return sum(lesson.taught == class_ for lesson in self._lessons)

    def offer(
        self,
        class_: int,
        guess: Guess,
        final: Final,
        audio: Audio | None = None,
        *,
        believe: bool = False,
    ) -> Verdict:
        """Take a hit, or refuse one that is plainly another drum.

        Parameters
        ----------
        class_ : int
            The drum that it is said to be.
        guess, final : Guess, Final
        audio : ndarray of float32, optional
            Its own, as :func:`rtcluster.learning.strokes.cut` gives it. A kit keeps the audio if it
            has that of every hit; without it tells no two drums at once.
        believe : bool
            Take it whatever it sounds like.
        """
        like = "" if believe else self._another(class_, np.array(final.features))
        self._refused = self._refused + 1 if like else 0
        if like and self._refused <= PATIENCE:
            return Verdict(False, like)
        self._refused = 0
        self._strokes.append(audio)
        self._lessons.append(
            replace(
                Lesson.of(guess, final),
                id=1 + self._lessons[-1].id if self._lessons else 0,
                taught=class_,
            )
        )
        return Verdict(True, like)

    def undo(self) -> int | None:
        """Take the last hit back; the drum that it was taught as, or None without one."""
        if not self._lessons:
            return None
        return self._take_out(len(self._lessons) - 1).taught

    def unlike(self, class_: int) -> int | None:
        """The hit of a drum that stands farthest from its others, if one stands far.

        Measured by the shape of the spectrum, in which a kit's hits are told apart; by nothing if
        the plug-in features of the settings leave no room for it.

        Returns
        -------
        int or None
            From 1, in the order of the drum's hits. None as well for fewer than
            :data:`FEWEST_ALIKE` hits, and for one that was kept (:meth:`keep`).
        """
        own = self._places(class_)
        if len(own) < FEWEST_ALIKE or not {*BAND_FEATURES} <= {*self._measured}:
            return None
        bands = [self._measured.index(name) for name in BAND_FEATURES]
        hits = self._finals()[np.ix_(own, bands)]
        for place, apart in standing_out(hits):
            if apart > STANDS_OUT and self._lessons[own[place]].id not in self._kept:
                return place + 1
        return None

    def keep(self, class_: int, number: int) -> None:
        """A hit that stands out is meant: :meth:`unlike` names it no more."""
        self._kept.add(self._lessons[self._places(class_)[number - 1]].id)

    def remove(self, class_: int, number: int) -> None:
        """Take a hit of a drum out, by its number from 1."""
        self._take_out(self._places(class_)[number - 1])

    def _places(self, class_: int) -> list[int]:
        return [n for n, lesson in enumerate(self._lessons) if lesson.taught == class_]

    def _take_out(self, place: int) -> Lesson:
        self._refused = 0
        del self._strokes[place]
        lesson = self._lessons.pop(place)
        self._kept.discard(lesson.id)
        return lesson

    def _another(self, class_: int, features: Array) -> str:
        """Name of the drum that a hit plainly is, if that is another one; else empty."""
        classes = self._classes()
        if not (classes != class_).any():
            return ""
        width = len(self.settings.features)
        every = np.vstack([self._finals(), features])[:, :width]
        extent = np.ptp(every, axis=0)
        scaled = every / np.where(extent > 0.0, extent, 1.0)
        apart = distances(scaled[-1:], scaled[:-1])[0]
        others = np.where(classes == class_, np.inf, apart)
        nearest = int(classes[int(others.argmin())])
        other, own = float(others.min()), apart[classes == class_]
        if not own.size:
            alike = other <= ALIKE * _differ(scaled[:-1][classes == nearest])
        else:
            far = own.min() > FAR * _differ(scaled[:-1][classes == class_])
            alike = bool(far and other < NEARER * own.min())
        return self.names[nearest] if alike else ""

    def _classes(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.array([lesson.taught for lesson in self._lessons], dtype=np.int64)

    def _finals(self) -> Array:
        rows = [lesson.final for lesson in self._lessons]
        return np.array(rows).reshape(len(rows), len(self._measured))

    # What came of it.

    def kit(
        self,
        samplerate: int,
        detection: Detection | None = None,
        microphones: tuple[int, ...] = (),
    ) -> Kit:
        """The kit that was taught.

        Parameters
        ----------
        samplerate : int
            Hz, at which the hits were heard.
        detection : Detection, optional
            Detector settings to go with it.
        microphones : tuple of int
            Channels, from 1, that the hits were heard on, where these are several.
        """
        learner = Learner(self.settings)
        learner.names = list(self.names)
        width = len(self.settings.features)
        for lesson in self._lessons:
            learner.learn(replace(lesson, guess=lesson.guess[:width], final=lesson.final[:width]))
        taught = zip(self._lessons, self._strokes, strict=True)
        audio = [Stroke(one.taught or 0, own) for one, own in taught if own is not None]
        kept = stored(audio, samplerate) if audio and len(audio) == len(self._lessons) else None
        if kept is not None:
            rate = kept["samplerate"]
            kept["held_out"] = held_out(read(kept, rate), len(self.names), rate)
        return Kit.of(learner, self.settings, samplerate, detection, kept, microphones)

    def separation(self, features: Iterable[str] | None = None) -> Separation:
        """How well some of the measured features, by default the kit's, tell the drums apart."""
        chosen = tuple(features or self.settings.features)
        finals = self._finals()[:, [self._measured.index(name) for name in chosen]]
        scaling = scaling_for(self.settings.scaling, chosen)
        scaling.learn(finals)
        return separation(scaling.scaled(finals), self._classes(), len(self.names))

    def sets(self) -> dict[str, Separation]:
        """Sets of features with a name that were measured, the best first."""
        found = {
            name: self.separation(own)
            for name, own in FEATURE_SETS.items()
            if set(own) <= set(self._measured)
        }
        return dict(sorted(found.items(), key=lambda one: (-one[1].right, -one[1].margin)))


def _differ(hits: Array) -> float:
    """Largest distance from a drum's hit to the nearest other one, at least :data:`LEAST`."""
    if len(hits) < 2:
        return LEAST
    return max(LEAST, float(_nearest(hits).max()))


def standing_out(hits: Array) -> Iterator[tuple[int, float]]:
    """Hits far from every other, by how far the others are: the farthest first.

    Parameters
    ----------
    hits : ndarray of float64, shape (n, 20)
        Bands of the hits of a drum, at least three.

    Yields
    ------
    tuple of int and float
        Place, and distance from the nearest hit: more than :data:`TIMES_OTHERS` times the farthest
        that any of the others is from its nearest.
    """
    nearest = _nearest(hits)
    for place in np.argsort(-nearest, kind="stable").tolist():
        others = _nearest(np.delete(hits, place, axis=0))
        if nearest[place] > TIMES_OTHERS * float(others.max()):
            yield place, float(nearest[place])


def _nearest(hits: Array) -> Array:
    """Distance of each hit to the nearest other one, shape (n_hits,)."""
    apart = distances(hits, hits)
    np.fill_diagonal(apart, np.inf)
    return np.asarray(apart.min(axis=1))
