"""Training examples made of taught strokes: lone hits, and two or three that no one has played.

Audio adds. So what two drums sound like together can be made from what each sounds like alone, at
any balance and any few milliseconds apart; and what still rings of a third can be put behind them.
Deterministic for a seed. Belongs to the main thread, before a stream begins.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from rtcluster.events import MOST_PARTS, NOBODY
from rtcluster.learning.strokes import LEAD_S, Audio, Stroke

LONE = 120
"""Examples of each taught stroke, ..."""

MOST_LONE, FEWEST_LONE = 1200, 10
"""... of all of them at most, and of each at least."""

TOGETHER = {2: (600, 3000), 3: (200, 1200)}
"""By how many drums sound together: examples of each such set, and of all of them at most. With a
few of each, chance decides too much, and with more of all a kit of many drums would take long."""

FEWEST_TOGETHER = 6
"""Of each set at least."""

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

DrumSet: TypeAlias = tuple[int, ...]
"""The classes of a set, in order, and ``NOBODY`` up to three."""

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
    drums : list of tuple of int
        The sets, as :func:`sets_of` gives them.
    """

    audio: Iterator[Audio]
    starts: npt.NDArray[np.int64]
    sets: npt.NDArray[np.int64]
    drums: list[DrumSet]


def sets_of(classes: int, sizes: Sequence[int] = (1, 2)) -> list[DrumSet]:
    """Sets of so many drums that may sound in one hit, the small ones first."""
    return [
        (*drums, *(NOBODY,) * (MOST_PARTS - size))
        for size in sizes
        for drums in itertools.combinations(range(classes), size)
    ]


def make(
    strokes: Sequence[Stroke],
    classes: int,
    samplerate: int,
    before: int,
    length: int,
    seed: int,
    *,
    sizes: Sequence[int] = (1, 2),
) -> Examples:
    """Make examples of every set of so many drums.

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
    sizes : sequence of int
        Of lone hits, 1, there are as many of each stroke, drum by drum in the strokes' order.
    """
    # The noise has a generator of its own: at any rate the same strokes are put together.
    random, noise = map(np.random.default_rng, np.random.SeedSequence(seed).spawn(2))
    drums = sets_of(classes, sizes)
    # A row for each microphone.
    heard = [np.atleast_2d(one.audio.T) for one in strokes]
    owner = [one.class_ for one in strokes]
    by_class = [
        [x for x, own in zip(heard, owner, strict=True) if own == c] for c in range(classes)
    ]
    microphones = len(heard[0])
    lone = max(FEWEST_LONE, min(LONE, MOST_LONE // len(strokes)))
    wanted: list[tuple[int, list[Audio]]] = []
    for place, members in enumerate(drums):
        sounding = [c for c in members if c != NOBODY]
        if len(sounding) == 1:
            wanted += [(place, [audio]) for audio in by_class[members[0]] for _ in range(lone)]
            continue
        each, most = TOGETHER[len(sounding)]
        each = min(each, most // math.comb(classes, len(sounding)))
        for _ in range(max(FEWEST_TOGETHER, each)):
            chosen = [by_class[c][random.integers(len(by_class[c]))] for c in sounding]
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
            add(row[:, onset - lead + delay :], part, random.uniform(*GAIN_DB))
        if random.random() < TAIL_ODDS:
            ringing = heard[random.integers(len(heard))]
            after = lead + int(random.uniform(*TAIL_AFTER_S) * samplerate)
            add(row, ringing[:, after:], random.uniform(*TAIL_DB))
        if microphones > 1:
            gain = random.uniform(-MICROPHONE_DB, MICROPHONE_DB, (microphones, 1))
            row *= (10.0 ** (gain / 20.0)).astype(np.float32)

    sets = np.array([place for place, _ in wanted], np.int64)
    return Examples(added(), starts, sets, drums)


def add(row: Audio, audio: Audio, gain_db: float) -> None:
    """Add a stroke in place, as much as there is room for; shapes (..., samples)."""
    count = min(row.shape[-1], audio.shape[-1])
    row[..., :count] += np.float32(10.0 ** (gain_db / 20.0)) * audio[..., :count]
