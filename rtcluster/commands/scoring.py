"""What ``rtcluster demo`` got right, from the groove's own truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtcluster.events import LEARNING, Event, Final, Onset, Relabel
from rtcluster.learning.assignment import assign
from rtcluster.sinks import Sink
from rtcluster.sources.groove import DRUMS, Groove
from rtcluster.sources.matching import WINDOW_S, pair
from rtcluster.timing import percentiles


@dataclass(frozen=True, slots=True)
class Score:
    """How a session compares with the truth.

    Attributes
    ----------
    strokes, matched, extra : int
        Hits in the truth, those found, and detections that are no hit.
    f_measure : float
        Of the onsets, 0 to 1.
    agreement : float
        Share of the found hits whose class is that of their drum, under the best one-to-one
        naming of the classes.
    latency_ms, error_ms : dict
        From the true start of a hit to its onset event, and of the onset's date: percentiles.
    drum_of : dict
        The drum that each class number turned out to be.
    """

    strokes: int
    matched: int
    extra: int
    f_measure: float
    agreement: float
    latency_ms: dict[str, float]
    error_ms: dict[str, float]
    drum_of: dict[int, str]


class HitCollector(Sink):
    """A sink that keeps the onsets and the class of each hit."""

    def __init__(self) -> None:
        self.onsets: list[Onset] = []
        self.classes: dict[int, int] = {}

    def begin(self, session: dict[str, object]) -> None:
        """Forget the take before."""
        self.onsets.clear()
        self.classes.clear()

    def event(self, event: Event) -> None:
        """Keep what the score needs."""
        if isinstance(event, Onset):
            self.onsets.append(event)
        elif isinstance(event, Final | Relabel):
            self.classes[event.id] = event.class_


def score(groove: Groove, heard: HitCollector) -> Score:
    """Compare what was heard with the groove that was played."""
    strokes = groove.strokes
    onsets = sorted(heard.onsets, key=lambda onset: onset.sample)
    found = pair(
        [stroke.sample for stroke in strokes],
        [onset.sample for onset in onsets],
        WINDOW_S * groove.samplerate,
    )
    pairs = [(strokes[i], onsets[j]) for i, j in zip(found.reference, found.other, strict=True)]
    matched, ms = len(pairs), 1e3 / groove.samplerate
    table = np.zeros((1 + max(heard.classes.values(), default=0), len(DRUMS)), int)
    for stroke, onset in pairs:
        class_ = heard.classes.get(onset.id, LEARNING)
        if class_ >= 0:
            table[class_, DRUMS.index(stroke.drum)] += 1
    rows, columns = assign(-table)
    return Score(
        strokes=len(strokes),
        matched=matched,
        extra=len(found.extra),
        f_measure=found.f_measure,
        agreement=float(table[rows, columns].sum() / max(1, matched)),
        latency_ms=percentiles([(o.emitted - s.sample) * ms for s, o in pairs]),
        error_ms=percentiles([abs(o.sample - s.sample) * ms for s, o in pairs]),
        drum_of={int(r): DRUMS[c] for r, c in zip(rows, columns, strict=True) if table[r, c]},
    )
