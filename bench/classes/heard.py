"""What the engine makes of a recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.classes.truth import Array, Labels
from bench.recordings import Recording
from rtcluster import Processor, Settings
from rtcluster.events import Classified, Event, Final, Relabel
from rtcluster.learning.history import EARLIER_SESSION
from rtcluster.learning.lesson import Lesson, Pairs


@dataclass(frozen=True, slots=True)
class Heard:
    """The hits of one run, in order of time.

    Attributes
    ----------
    times : ndarray of float64, shape (n_hits,)
        In s.
    features : dict of ndarray of float64, shape (n_hits, n_features)
        Of each stage, raw; so are the next two.
    told : dict of ndarray of int64, shape (n_hits,)
        Classes as the events had them.
    margins : dict of ndarray of float64, shape (n_hits,)
    final : ndarray of int64, shape (n_hits,)
        The final's classes after all relabelling.
    classes : int
        How many there were at the end.
    lessons : list of Lesson
        What each hit would teach, its class left open.
    """

    times: Array
    features: dict[str, Array]
    told: dict[str, Labels]
    margins: dict[str, Array]
    final: Labels
    classes: int
    lessons: list[Lesson]


def hear(recording: Recording, settings: Settings, taught: Sequence[Lesson] = ()) -> Heard:
    """Run the engine over a recording, after some lessons."""
    processor = Processor(settings)
    processor.prepare(recording.samplerate)
    for lesson in taught:
        processor.learner.learn(lesson)
    if taught:
        processor.reset()  # what was learned decides from sample 0
    events = processor.process(recording.audio) + processor.flush()
    heard = gather(events, recording.samplerate, len(processor.learner.names))
    processor.close()
    return heard


def gather(events: Sequence[Event], samplerate: int, classes: int) -> Heard:
    """Hits out of events; those without a guess and a final are left out."""
    now = {event.id: event.class_ for event in events if isinstance(event, Final | Relabel)}
    pairs = sorted(Pairs().of(events), key=lambda pair: pair[1].sample)
    both: dict[str, list[Classified]] = {
        "guess": [*(guess for guess, _ in pairs)],
        "final": [*(final for _, final in pairs)],
    }
    return Heard(
        times=np.array([f.sample / samplerate for _, f in pairs]),
        features={s: np.array([e.features for e in es]) for s, es in both.items()},
        told={s: np.array([e.class_ for e in es], dtype=np.int64) for s, es in both.items()},
        margins={s: np.array([e.margin for e in es]) for s, es in both.items()},
        final=np.array([now[f.id] for _, f in pairs], dtype=np.int64),
        classes=classes,
        lessons=[
            Lesson(
                EARLIER_SESSION, np.array(g.features), np.array(f.features), f.zcr,
                not f.overlapped,
            )
            for g, f in pairs
        ],
    )  # fmt: skip
