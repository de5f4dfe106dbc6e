"""The learner: from hits to classes that stay put.

Three phases. *Warm-up*: the first hits are only collected, and have no class. *Settling*: there
are classes; while the first hits are still held, each new one may show that another start fits
better, and hits are relabelled. *Steady*: each hit moves its centre, and every few hits a look at
those that are held notices a centre that nothing lands on or that holds two drums, and mends it
the same way. A number never goes to another drum: a new partition is matched to the one that
stands.

Taught classes need no warm-up: each taught hit is a centre of its own, and nothing starts anew.

The guess's centres are the newest hits of each class, by their first 30 ms, named by their finals.

The three phases share all they know of the hits, so they are one class, in one long module.

Belongs to the pump thread. Deterministic for a seed and an order of hits.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from rtcluster import plugins
from rtcluster.events import UNKNOWN, Relabel
from rtcluster.kernel.state import State
from rtcluster.learning import model as models
from rtcluster.learning import seeding
from rtcluster.learning.centres import Centres, MiniBatch
from rtcluster.learning.drum_sets import DrumSets, Odds
from rtcluster.learning.history import EARLIER_SESSION, FEWEST, History, StoredHit, rows, strays
from rtcluster.learning.kmeans import Partition, kmeans, settle
from rtcluster.learning.lesson import Lesson
from rtcluster.learning.model import Stage
from rtcluster.learning.scaling import (
    HELD,
    Array,
    Labels,
    MinMaxScaling,
    Scaling,
    scaling_for,
    scaling_from,
)
from rtcluster.learning.threads import pools
from rtcluster.settings import AUTO, MAX_CENTRES, MAX_CLASSES, MINI_BATCH, Settings
from rtcluster.text import counted

SETTLED = 60
"""Hits after which the classes have settled."""

CHECK = 8
"""From then on, hits from one look at the held ones to the next."""

GAIN = 0.20
"""Share of the inertia that a new start must save; half of it while settling. With less, classes
fit the held hits a little better and change under the player more often."""

GROWTH = 0.15
"""Share of the inertia that one class more must save, where that many drums were counted."""

COUNTED = 96
"""Newest hits that drums are counted in: affinity propagation takes time with their square."""

STARTS = 10
"""Starts of k-means, the notebook's ``n_init``."""

TAUGHT_WEIGHT = 20.0
"""Hits that a taught one counts for: a kit adapts, but slowly."""

LEAD_S = 0.020
"""From a final to the sample at which the model it taught takes effect, in seconds."""

COUNTING_LEAD_S = 0.200
"""The same where drums were counted, which takes longer."""


@dataclass(frozen=True, slots=True)
class Update:
    """What came of a lesson.

    Attributes
    ----------
    model : ndarray of MODEL, shape (1,), or None
        To be published ``lead`` seconds after the final.
    relabels : tuple of Relabel
        Earlier hits whose class is another one now.
    merges : tuple of (int, int)
        Pairs of classes that seem to be one drum, offered for merging.
    """

    model: State | None = None
    lead: float = LEAD_S
    relabels: tuple[Relabel, ...] = ()
    merges: tuple[tuple[int, int], ...] = ()


class Learner:
    """Learns the classes of a session.

    Parameters
    ----------
    settings : Settings
        ``classes``, ``warmup``, ``freeze``, ``scaling``, ``memory``, ``reject`` and ``seed``.
    features : sequence of str, optional
        Names of what the hits are told by, if not those of the settings.
    """

    def __init__(self, settings: Settings, features: Sequence[str] | None = None) -> None:
        self.settings = settings
        self._features = settings.features if features is None else features
        self.frozen = settings.freeze
        self.names: list[str] = []
        self.heard = 0
        self.version = 0
        self._auto = settings.classes == AUTO
        self._wanted = 2 if settings.classes == AUTO else int(settings.classes)
        self._name_up_to(1 if self._auto else self._wanted)
        self._random = np.random.RandomState(settings.seed)  # scikit-learn's own kind
        self._scaling: dict[str, Scaling] = {
            stage: scaling_for(settings.scaling, self._features) for stage in ("guess", "final")
        }
        self._clusterer = (
            MiniBatch
            if settings.clusterer == MINI_BATCH
            else plugins.find(plugins.CLUSTERER_GROUP, settings.clusterer)
        )
        own = self._clusterer is MiniBatch
        # One thread: left alone, OpenMP's team costs tens of milliseconds now and then.
        self._one_thread: Callable[[], AbstractContextManager[object]] = (
            nullcontext if own else partial(pools("openmp").limit, limits=1)
        )
        self._history = History(HELD)
        self._centres: Centres | None = None
        self._taught = False
        self._odds: Odds | None = None

    # What can be asked.

    @property
    def ready(self) -> bool:
        """Whether there are classes."""
        return self._centres is not None

    @property
    def fewest(self) -> int:
        """Different hits without which there can be no classes."""
        return self._wanted

    def model(self) -> State:
        """The present model as the kernel's record."""
        self.version += 1
        out = models.record(self.version, self._guess_stage(), self._final_stage(), self._reject)
        if self._odds is not None:
            out["by_sets"], out["prior"] = 1, self._odds.prior()
        return out

    # What it is told.

    def learn(self, lesson: Lesson) -> Update:
        """Take in one hit."""
        if self.frozen and self.ready and lesson.taught is None:
            return Update()
        told = lesson.class_ if lesson.taught is None else lesson.taught
        if self._odds is not None and lesson.taught is None:
            return self._count(self._odds, lesson)
        held = StoredHit(
            lesson.id, lesson.guess, lesson.final, lesson.zcr, lesson.whole, told,
            lesson.taught is not None,
        )  # fmt: skip
        self.heard += 1
        if told == UNKNOWN:
            # It may turn out to be a new drum, but it teaches none of the old ones.
            self._history.add(held)
            return self._refit() if self._auto and self._due() else Update()
        may_stray = self._centres is not None and not self._taught
        if may_stray and lesson.whole and self._is_stray(lesson.final):
            held.stray = True
            self._history.add(held)
            return self._refit() if self._due() else Update()
        self._scaling["guess"].learn(lesson.guess[None, :])
        if lesson.whole or self._centres is None:
            self._scaling["final"].learn(lesson.final[None, :])
        self._history.add(held)
        if held.taught:
            return self._teach()
        if self._centres is None:
            return self._start() if self.heard >= self.settings.warmup_hits else Update()
        if lesson.whole and told >= 0:
            with self._one_thread():
                self._centres.learn(lesson.final, self._scaling["final"])
        if self._taught or not self._due():
            return Update(self.model())
        return self._refit()

    def tell_apart_by(self, sets: DrumSets) -> None:
        """Let the sets of a taught kit's drums decide: all that is learned is how often each comes.

        What decides are the strokes, which are what they are, so no drum moves into another.
        """
        self._odds = Odds(sets)

    def _count(self, odds: Odds, lesson: Lesson) -> Update:
        """Take in a hit whose drums are told by their sets."""
        self.heard += 1
        if lesson.class_ < 0:
            return Update()
        odds.learn(lesson.parts)
        return Update(self.model())

    def end(self) -> Update:
        """The stream has ended: form the classes from the hits there are, if they suffice."""
        return Update() if self.ready else self._start()

    def rename(self, class_: int, name: str) -> None:
        """Name a class."""
        self.names[class_] = name

    def centres(self) -> tuple[Array, Labels]:
        """Raw centres of the finals, shape (n_centres, n_features), and the class of each."""
        if self._centres is None:
            return np.zeros((0, len(self._features))), np.zeros(0, np.int64)
        return self._centres.raw, self._centres.owner

    def begin(self) -> None:
        """A new stream begins: the hits that are held are none of its own."""
        self.version = 0
        for hit in self._history:
            hit.id = EARLIER_SESSION

    def _name_up_to(self, count: int) -> None:
        free = (name for n in itertools.count() if (name := f"class {n}") not in self.names)
        while len(self.names) < count:
            self.names.append(next(free))

    @property
    def _reject(self) -> float:
        """No hit is unknown while the spreads are those of a few hits, unless they were taught."""
        return self.settings.reject if self._taught or self.heard > SETTLED else 0.0

    def _due(self) -> bool:
        return self.heard <= SETTLED or self.heard % CHECK == 0

    # Starting, looking again, placing.

    def _start(self) -> Update:
        """Form the classes, unless fewer hits differ than there are to be classes."""
        hits = self._teachers()
        if not hits or len(np.unique(rows(hits, "final"), axis=0)) < self._wanted:
            return Update()
        scaled = self._scaling["final"].scaled(rows(hits, "final"))
        if self._auto:
            found = _means(scaled, seeding.count(scaled))
        else:
            found = kmeans(scaled, self._wanted, STARTS, self._random)
        zcr = np.array([hit.zcr for hit in hits])
        rising = np.argsort(
            [_mean(zcr[found.labels == c]) for c in range(len(found.centres))], kind="stable"
        )
        self._place(hits, found.centres[rising], np.argsort(rising, kind="stable")[found.labels])
        relabels = self._relabel(everyone=True)
        return Update(self.model(), COUNTING_LEAD_S if self._auto else LEAD_S, relabels)

    def _teachers(self) -> list[StoredHit]:
        """The hits that may place centres; the cut ones too where hardly one is whole."""
        known = [h for h in self._history if not h.stray and (h.class_ != UNKNOWN or self._auto)]
        whole = [hit for hit in known if hit.whole]
        return whole if len(whole) >= max(4, self._wanted) else known

    def _is_stray(self, final: Array) -> bool:
        """Whether a hit lies far outside the range of those that are held."""
        held = [hit.final for hit in self._history if hit.whole]
        return bool(strays(np.array([*held, final]))[-1])

    def _sort_out(self) -> bool:
        """Find the stray hits among those held; where others are than were, scale by the rest.

        A stray may have set the range before there were hits enough to tell that it is one, and
        hits that were stray may have turned out to be a drum.
        """
        held = [hit for hit in self._history if hit.whole]
        found = strays(rows(held, "final")) if held else ()
        changed = False
        for hit, stray in zip(held, found, strict=True):
            changed |= hit.stray != bool(stray)
            hit.stray = bool(stray)
        if changed:
            kept = [hit for hit in self._history if not hit.stray]
            for stage in self._scaling:
                self._scaling[stage] = scaling_for(self.settings.scaling, self._features)
                self._scaling[stage].learn(rows(kept, stage))
        return changed

    def _refit(self) -> Update:
        """Look whether another start fits the held hits better, or a new drum has come."""
        changed = self._sort_out()
        centres, hits = self._centres, self._teachers()
        if centres is None or len(hits) < 2 * len(centres):
            return Update(None if centres is None else self.model())
        settling = self.heard <= SETTLED or changed
        scaled = self._scaling["final"].scaled(rows(hits, "final"))
        standing = settle(scaled, centres.scaled(self._scaling["final"]))
        k = len(centres)
        merges: tuple[tuple[int, int], ...] = ()
        lead = LEAD_S
        if self._auto and self.heard % CHECK == 0:
            lead = COUNTING_LEAD_S
            k, merges = self._recount(scaled, standing.labels, k)
        found = kmeans(scaled, k, STARTS, self._random)
        gain = GROWTH if k > len(centres) else GAIN / 2 if settling else GAIN
        sizes = np.bincount(found.labels, minlength=len(found.centres))
        better = len(found.centres) == k and found.inertia < (1.0 - gain) * standing.inertia
        if better and (k == len(centres) or sizes.min() >= FEWEST):
            place = seeding.match(found.labels, standing.labels, found.centres, standing.centres)
            moved = np.empty_like(found.centres)
            moved[place] = found.centres
            self._place(hits, moved, place[found.labels])
        elif settling:
            self._place(hits, standing.centres, standing.labels)
        else:
            return Update(self.model(), lead, merges=merges)
        relabels = self._relabel()
        return Update(self.model(), lead, relabels, merges)

    def _recount(
        self, scaled: Array, standing: Labels, k: int
    ) -> tuple[int, tuple[tuple[int, int], ...]]:
        """Count the drums; never fewer than stand. Tell which classes seem to be one."""
        found = seeding.count(scaled[-COUNTED:])
        counted = int(found.max()) + 1
        if counted >= k:
            return min(counted, k + 1, MAX_CLASSES), ()
        home = {}
        for class_ in range(k):
            own = found[standing[-COUNTED:] == class_]
            if len(own) >= FEWEST:
                home[class_] = int(np.bincount(own).argmax())
        return k, tuple((a, b) for a in home for b in home if a < b and home[a] == home[b])

    def _place(self, hits: list[StoredHit], centres: Array, labels: Labels) -> None:
        """Put the centres, scaled, where a partition of the held hits has them."""
        scaling = self._scaling["final"]
        raw = (centres - scaling.offset) / scaling.scale
        final = rows(hits, "final")
        counts = np.bincount(labels, minlength=len(raw)).astype(np.float64)
        variance = np.zeros_like(raw)
        np.add.at(variance, labels, (final - raw[labels]) ** 2)
        variance /= np.maximum(counts, 1.0)[:, None]
        self._name_up_to(len(raw))
        self._put(raw, counts, np.arange(len(raw)), variance)

    def _put(self, raw: Array, counts: Array, owner: Labels, variance: Array) -> None:
        """Make the centres anew."""
        rest = (self.settings.memory, self._random, self._clusterer)
        self._centres = Centres(raw, counts, owner, variance, *rest)

    def _relabel(self, *, everyone: bool = False) -> tuple[Relabel, ...]:
        """Give each held hit the class that it has now, and tell which have changed."""
        mine = [h for h in self._history if not h.taught and h.id != EARLIER_SESSION]
        before = [hit.class_ for hit in mine]
        if everyone:
            whole, cut = mine, []
        else:
            whole, cut = [h for h in mine if h.whole], [h for h in mine if not h.whole]
        for part, stage, of in (
            (whole, self._final_stage, "final"),
            (cut, self._guess_stage, "guess"),
        ):
            if part:
                for hit, class_ in zip(part, stage().classes_of(rows(part, of)), strict=True):
                    hit.class_ = int(class_)
        return tuple(
            Relabel(hit.id, hit.class_, self.names[hit.class_])
            for hit, was in zip(mine, before, strict=True)
            if hit.class_ != was
        )

    def _teach(self) -> Update:
        """Make each taught hit a centre; the newest ones where there is no room for all."""
        taught = [hit for hit in self._history if hit.taught]
        classes = sorted({hit.class_ for hit in taught})
        each = MAX_CENTRES // len(classes)
        kept = [h for c in classes for h in [hit for hit in taught if hit.class_ == c][-each:]]
        raw, owner = rows(kept, "final"), np.array([hit.class_ for hit in kept], dtype=np.int64)
        variance = np.array([raw[owner == class_].var(axis=0) for class_ in owner])
        self._taught = True
        self._name_up_to(max(classes) + 1)
        weights = np.full(len(kept), TAUGHT_WEIGHT)
        self._put(raw, weights, owner, variance)
        return Update(self.model())

    # The two stages of the model.

    def _final_stage(self) -> Stage:
        centres, scaling = self._centres, self._scaling["final"]
        assert centres is not None
        return Stage(scaling, centres.scaled(scaling), centres.owner, centres.spread(scaling))

    def _guess_stage(self) -> Stage:
        scaling, hits = self._scaling["guess"], self._history.prototypes(MAX_CENTRES)
        scaled = scaling.scaled(rows(hits, "guess"))
        owner = np.array([hit.class_ for hit in hits], dtype=np.int64)
        spread = np.empty(len(hits))
        for class_ in np.unique(owner):
            own = owner == class_
            spread[own] = np.sqrt(
                ((scaled[own] - scaled[own].mean(axis=0)) ** 2).sum(axis=1).mean()
            )
        # A class of one hit has no spread of its own.
        return Stage(scaling, scaled, owner, np.maximum(spread, 0.25 * np.sqrt((spread**2).mean())))

    # Kits.

    def as_dict(self) -> dict[str, Any]:
        """What a kit holds of the learner: enough to give the same classes, bit for bit.

        Raises
        ------
        ValueError
            If nothing has been learned yet.
        """
        if self._centres is None:
            raise ValueError(
                f"Expected classes to save, got {counted(self.heard, 'hit')} and none yet."
            )
        return {
            "names": list(self.names),
            "taught": self._taught,
            "heard": self.heard,
            "scaling": {stage: scaling.as_dict() for stage, scaling in self._scaling.items()},
            "centres": self._centres.as_dict(),
            "prototypes": [
                {
                    "class": hit.class_,
                    "guess": hit.guess.tolist(),
                    "final": hit.final.tolist(),
                    "zcr": hit.zcr,
                    "whole": hit.whole,
                    "taught": hit.taught,
                }
                for hit in self._history.prototypes(MAX_CENTRES)
            ],
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any], settings: Settings) -> Learner:
        """The learner that :meth:`as_dict` described; the kit has checked its shapes."""
        out = cls(settings)
        out.names = list(stored["names"])
        out._wanted = len(out.names)
        out._taught, out.heard = bool(stored["taught"]), int(stored["heard"])
        for stage, scaling in stored["scaling"].items():
            out._scaling[stage] = scaling_from(scaling, settings.features)
        rest = (settings.memory, out._random, out._clusterer)
        out._centres = Centres.from_dict(stored["centres"], *rest)
        for hit in stored["prototypes"]:
            out._history.add(
                StoredHit(
                    EARLIER_SESSION,
                    np.array(hit["guess"], dtype=np.float64),
                    np.array(hit["final"], dtype=np.float64),
                    float(hit["zcr"]),
                    bool(hit["whole"]),
                    int(hit["class"]),
                    bool(hit["taught"]),
                )
            )
        return out


def _mean(values: Array) -> float:
    """Mean; infinite where there are none, so that an empty class comes last."""
    return float(values.mean()) if values.size else np.inf


def _means(hits: Array, labels: Labels) -> Partition:
    """Start k-means from the means of a partition."""
    centres = np.array([hits[labels == c].mean(axis=0) for c in range(int(labels.max()) + 1)])
    return settle(hits, centres)


def warm_up() -> None:
    """Load and compile what learning needs, so that no hit of a session has to wait for it."""
    hits = np.array([[0.0, 0.0], [0.0, 1.0], [5.0, 5.0], [5.0, 6.0]])
    found = kmeans(hits, 2, 1, np.random.RandomState(0))
    seeding.match(found.labels, found.labels, found.centres, found.centres)
    scaling = MinMaxScaling()
    scaling.learn(hits)
    weights = np.ones(2)
    centres = Centres(hits[1:3], weights, np.arange(2), hits[:2], 0, np.random.RandomState(0))
    centres.learn(hits[0], scaling)
