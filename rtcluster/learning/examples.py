"""Training examples made of taught strokes: lone hits, and pairs that no one has played.

Audio adds. So what two drums sound like together can be made from what each sounds like alone, at
any balance and any few milliseconds apart; and what still rings of a third can be put behind them.
Deterministic for a seed. Belongs to the main thread, before a stream begins.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rtcluster.events import NOBODY
from rtcluster.learning.strokes import LEAD_S, Audio, Stroke

LONE = 120
"""Examples of each taught stroke, ..."""

MOST_LONE, FEWEST_LONE = 1200, 10
"""... of all of them at most, and of each at least."""

TOGETHER = 600
"""Examples of each two drums together. With a few of each, chance decides too much, ..."""

MOST_TOGETHER, FEWEST_TOGETHER = 3000, 6
"""... and with more than these of all pairs a kit of many drums would take long."""

GAIN_DB = (-9.0, 6.0)
"""Of each stroke."""

APART_S = 0.012
"""From one stroke of a pair to the other at most, in seconds: no two are struck exactly at once."""

JITTER_S = 0.001
"""By how much the first sample of a hit is found too early or too late, in seconds."""

TAIL_ODDS = 0.7
"""Share of the examples behind which another stroke still rings ..."""

TAIL_DB = (-18.0, 0.0)
"""... at this gain, ..."""

TAIL_AFTER_S = (0.03, 0.06)
"""... from so long after its own first sample on, in seconds."""

MICROPHONE_DB = 4.0
"""By how much the gain of each of several microphones differs, up or down: they are touched."""

AT_ONCE = 64
"""Examples that are made at once."""

NOISE = 1e-4
"""Standard deviation of the noise, -80 dBFS."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Hits that were made.

    Attributes
    ----------
    audio : iterator of ndarray of float32, shape (count, microphones, samples)
        All of them in their order, some at a time: at once they would take much memory.
    starts : ndarray of int64, shape (n,)
        The first sample of each.
    sets : ndarray of int64, shape (n,)
        Place in ``drums`` of what sounds.
    drums : list of (int, int)
        The sets, as :func:`sets_of` gives them.
    """

    audio: Iterator[Audio]
    starts: npt.NDArray[np.int64]
    sets: npt.NDArray[np.int64]
    drums: list[tuple[int, int]]


def sets_of(classes: int) -> list[tuple[int, int]]:
    """Sets of drums that may sound in one hit: the lone ones first, then two together.

    Three at once are heard as two of them: sets of three were tried, and what they find is less
    than what they take from the pairs.
    """
    return [(a, NOBODY) for a in range(classes)] + list(itertools.combinations(range(classes), 2))


def make(
    strokes: Sequence[Stroke],
    classes: int,
    samplerate: int,
    before: int,
    length: int,
    seed: int,
    *,
    pairs: bool = True,
) -> Examples:
    """Make examples of every drum and every pair of drums.

    Parameters
    ----------
    strokes : sequence of Stroke
        At ``samplerate``; at least one of each class.
    classes : int
    samplerate : int
        Hz.
    before, length : int
        Samples needed before and from the first sample of a hit on.
    seed : int
    pairs : bool
        Otherwise lone hits alone: as many of each stroke, drum by drum in the strokes' order.
    """
    # The noise has a generator of its own: at any rate the same strokes are put together.
    random, noise = map(np.random.default_rng, np.random.SeedSequence(seed).spawn(2))
    drums = sets_of(classes)
    # A row for each microphone.
    heard = [np.atleast_2d(one.audio.T) for one in strokes]
    owner = [one.class_ for one in strokes]
    by_class = [
        [x for x, own in zip(heard, owner, strict=True) if own == c] for c in range(classes)
    ]
    microphones = len(heard[0])
    lone = max(FEWEST_LONE, min(LONE, MOST_LONE // len(strokes)))
    together = max(FEWEST_TOGETHER, min(TOGETHER, MOST_TOGETHER // max(1, len(drums) - classes)))
    wanted = [
        (place, [audio])
        for place in range(classes)
        for audio in by_class[place]
        for _ in range(lone)
    ]
    for place in range(classes, len(drums) if pairs else classes):
        for _ in range(together):
            chosen = [by_class[c][random.integers(len(by_class[c]))] for c in drums[place]]
            wanted.append((place, chosen))
    lead, jitter = int(LEAD_S * samplerate), int(JITTER_S * samplerate) + 1
    onset = before + jitter + lead
    samples = onset + length + jitter
    early = random.uniform(-JITTER_S, JITTER_S, len(wanted))
    starts = onset + np.rint(early * samplerate).astype(np.int64)

    def added() -> Iterator[Audio]:
        for begin in range(0, len(wanted), AT_ONCE):
            now = wanted[begin : begin + AT_ONCE]
            audio = noise.standard_normal((len(now), microphones, samples), np.float32)
            audio *= np.float32(NOISE)
            for row, (_, parts) in zip(audio, now, strict=True):
                add_up(row, parts)
            yield audio

    def add_up(row: Audio, parts: list[Audio]) -> None:
        first = random.integers(len(parts))
        for place, part in enumerate(parts):
            delay = 0 if place == first else int(random.uniform(0.0, APART_S) * samplerate)
            _add(row[:, onset - lead + delay :], part, random.uniform(*GAIN_DB))
        if random.random() < TAIL_ODDS:
            ringing = heard[random.integers(len(heard))]
            after = lead + int(random.uniform(*TAIL_AFTER_S) * samplerate)
            _add(row, ringing[:, after:], random.uniform(*TAIL_DB))
        if microphones > 1:
            gain = random.uniform(-MICROPHONE_DB, MICROPHONE_DB, (microphones, 1))
            row *= (10.0 ** (gain / 20.0)).astype(np.float32)

    sets = np.array([place for place, _ in wanted], np.int64)
    return Examples(added(), starts, sets, drums)


def _add(row: Audio, audio: Audio, gain_db: float) -> None:
    count = min(row.shape[1], audio.shape[1])
    row[:, :count] += np.float32(10.0 ** (gain_db / 20.0)) * audio[:, :count]
