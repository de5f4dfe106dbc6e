"""Kits taught on synthetic strokes, and performances in which several of them sound at once."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster import Event, Processor, Settings
from rtcluster.learning.kit import Kit
from rtcluster.learning.lesson import Pairs
from rtcluster.learning.strokes import cut
from rtcluster.learning.teaching import Teacher, measuring
from rtcluster.sources import groove

RATE = 44100
NAMES = ("kick", "snare", "hat")
ALL: list[tuple[str, ...]] = [(a,) for a in NAMES]
ALL += list(itertools.combinations(NAMES, 2))


PAIR = ("kick", "hat")
"""The drums of :func:`pairs`."""

TONES = {"tom": 200.0, "clave": 1100.0, "bell": 6000.0}
"""Hz of drums that do not hide each other, so that three at once can be heard."""


def stroke(drum: str, rate: int, random: np.random.Generator) -> npt.NDArray[np.float64]:
    """A synthetic stroke; its noise and its decay differ a little from one to the next."""
    if drum in TONES:
        at = np.arange(int(0.3 * rate)) / rate
        own = np.sin(2 * np.pi * TONES[drum] * random.uniform(0.98, 1.02) * at)
        own *= np.exp(-at / 0.06)
    else:
        voice = {"kick": groove.kick, "snare": groove.snare, "hat": groove.hat}[drum]
        own = voice(rate, random)
    decay = np.exp(-np.arange(len(own)) / rate * random.uniform(0.0, 4.0))
    return np.asarray(own * decay, np.float64)


def performance(
    sets: Sequence[tuple[str, ...]],
    random: np.random.Generator,
    rate: int = RATE,
    gain: float = 1.0,
    apart: float = 0.5,
) -> tuple[npt.NDArray[np.float32], list[int]]:
    """Audio of hits in which these drums sound, and the first sample of each."""
    starts = [int((0.3 + apart * n) * rate) for n in range(len(sets))]
    audio = 1e-4 * random.standard_normal(int((0.8 + apart * len(sets)) * rate))
    for start, drums in zip(starts, sets, strict=True):
        for drum in drums:
            own = random.uniform(0.5, 1.0) * 0.3 * stroke(drum, rate, random)
            at = start + int(random.uniform(0.0, 0.004) * rate)
            audio[at : at + len(own)] += own
    return (gain * audio).astype(np.float32), starts


def pairs(
    distances: Sequence[float], rate: int = RATE
) -> tuple[npt.NDArray[np.float32], list[int]]:
    """Audio of hits of :data:`PAIR`, whose second drum comes that long after the first in seconds.

    And the first sample of each hit.
    """
    random = np.random.default_rng(21)
    starts = [int((0.3 + 0.5 * n) * rate) for n in range(len(distances))]
    audio = 1e-4 * random.standard_normal(int((0.8 + 0.5 * len(distances)) * rate))
    for start, distance in zip(starts, distances, strict=True):
        for drum, after in zip(PAIR, (max(0.0, -distance), max(0.0, distance)), strict=True):
            own = random.uniform(0.7, 1.0) * 0.3 * stroke(drum, rate, random)
            at = start + round(after * rate)
            audio[at : at + len(own)] += own
    return audio.astype(np.float32), starts


def taught_kit(names: Sequence[str] = NAMES) -> Kit:
    """A kit that was taught five strokes of each drum."""
    random = np.random.default_rng(0)
    audio, starts = performance([(name,) for name in names for _ in range(5)], random, apart=0.9)
    teacher = Teacher(Settings(features="taught"), names)
    processor = Processor(measuring(teacher.settings))
    processor.prepare(RATE)
    hits = Pairs().of([*processor.process(audio), *processor.flush()])
    for n, start in enumerate(starts):
        guess, final = min(hits, key=lambda pair: abs(pair[1].sample - start))
        own = cut(audio, final.sample, start + int(0.4 * RATE), RATE)
        teacher.offer(n // 5, guess, final, own, believe=True)
    return teacher.kit(RATE)


def heard(
    kit: Kit,
    audio: npt.NDArray[np.float32],
    rate: int = RATE,
    block: int | None = None,
    **settings: Any,
) -> list[Event]:
    """All events of audio that a kit hears, in blocks or at once."""
    processor = Processor(Settings(**settings), kit=kit)
    processor.prepare(rate)
    block = block or len(audio)
    events = [
        e for at in range(0, len(audio), block) for e in processor.process(audio[at : at + block])
    ]
    return [*events, *processor.flush()]
