"""A synthetic kit with three microphones: each has a drum of its own, and hears the others."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rtcluster import Processor, Settings
from rtcluster.commands.lessons import Strikes
from rtcluster.learning.kit import Kit
from rtcluster.learning.teaching import Teacher, measuring
from tests.support.taught import NAMES, RATE, stroke

MICROPHONES = (1, 2, 3)

BLEED = np.array([[1.0, 0.12, 0.06], [0.10, 1.0, 0.15], [0.05, 0.12, 1.0]])
"""Gain of each drum on each microphone: 16 to 26 dB of crosstalk."""

DELAY = np.array([[0, 90, 140], [90, 0, 70], [140, 70, 0]])
"""Samples at 44.1 kHz from a drum to each microphone, after its own: 0.5 to 1.1 m."""

GAIN = np.array([1.0, 0.5, 1.6])
"""Of the microphones' inputs."""


def performance(
    sets: Sequence[tuple[str, ...]],
    random: np.random.Generator,
    apart: float = 0.4,
    gain: npt.NDArray[np.float64] = GAIN,
) -> tuple[npt.NDArray[np.float32], list[int]]:
    """Audio of hits in which these drums sound, shape (frames, 3), and where each begins."""
    starts = [int((0.2 + apart * n) * RATE) for n in range(len(sets))]
    audio = 1e-4 * random.standard_normal((int((0.5 + apart * len(sets)) * RATE), 3))
    for start, drums in zip(starts, sets, strict=True):
        for drum in drums:
            own = random.uniform(0.5, 1.0) * 0.3 * stroke(drum, RATE, random)
            late = int(random.uniform(0.0, 0.004) * RATE) if len(drums) > 1 else 0
            row = NAMES.index(drum)
            for m, at in enumerate(start + late + DELAY[row]):
                end = min(len(audio), at + len(own))
                audio[at:end, m] += BLEED[row, m] * own[: end - at]
    return (audio * gain).astype(np.float32), starts


def taught_kit(columns: Sequence[int] = (0, 1, 2), silent: int | None = None) -> Kit:
    """A kit that was taught five strokes of each drum before these of the microphones.

    One of them may have given nothing.
    """
    sets = [(name,) for name in NAMES for _ in range(5)]
    audio, _ = performance(sets, np.random.default_rng(0), apart=0.5)
    if silent is not None:
        audio[:, silent] = 0.0
    audio, microphones = audio[:, columns], tuple(range(1, len(columns) + 1))
    teacher = Teacher(Settings(features="taught"), NAMES)
    processor = Processor(measuring(teacher.settings), microphones=microphones)
    processor.prepare(RATE, channels=len(columns))
    processor.record["synchronous"] = 0
    strikes, struck = Strikes(processor), []
    for at in range(0, len(audio), 4096):
        processor.advance(np.ascontiguousarray(audio[at : at + 4096]))
        struck += strikes.take(processor.collect())
    struck += strikes.take(processor.flush(), ended=True)
    assert len(struck) == len(sets)
    for n, hit in enumerate(struck):
        teacher.offer(n // 5, hit.guess, hit.final, hit.audio, believe=True)
    return teacher.kit(RATE, microphones=microphones)


ALL: list[tuple[str, ...]] = [(a,) for a in NAMES]
ALL += list(itertools.combinations(NAMES, 2))
