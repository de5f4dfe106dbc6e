"""Do a kit's names stay the same at other rates? For the rendered recordings and their teach takes.

A kit is taught from a take at 44.1 kHz. It names a recording at 44.1 kHz, and the same resampled
(soxr HQ) to 48 and 96 kHz. Hits within 5 ms of each other are compared. Run by name:
``python -m bench.rates DATA``; the folder's README.md describes the takes.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mir_eval
import numpy as np
import soundfile
import soxr

from rtcluster import Final, Processor, Settings
from rtcluster.learning.kit import Kit
from rtcluster.learning.lesson import Pairs
from rtcluster.learning.strokes import cut
from rtcluster.learning.teaching import Teacher, measuring
from rtcluster.settings import FEATURE_SETS

TAUGHT_AT, RATES = 44100, (48000, 96000)
STROKES = 6
TAUGHT_S, ALIKE_S = 0.030, 0.005


def at(path: Path, rate: int) -> Any:
    """A recording, mono float32, at a rate."""
    audio, own = soundfile.read(path, dtype="float32", always_2d=True)
    return soxr.resample(audio.mean(axis=1), own, rate, quality="HQ").astype(np.float32)


def labelled(path: Path) -> list[tuple[float, str]]:
    """Time and label of each stroke of a recording."""
    with path.with_suffix(".csv").open(newline="") as file:
        return [(float(row["time"]), row["label"]) for row in csv.DictReader(file)]


def taught(take: Path, lessons: Sequence[tuple[float, str]], rate: int) -> Kit:
    """The kit that a take teaches, heard at a rate in Hz, by time in s and name of its strokes."""
    return lessons_of(at(take, rate), lessons, rate).kit(rate)


def lessons_of(audio: Any, lessons: Sequence[tuple[float, str]], rate: int) -> Teacher:
    """A teacher that has heard the strokes of some audio."""
    teacher = Teacher(
        Settings(features=FEATURE_SETS["taught"]), sorted({name for _, name in lessons})
    )
    processor, pairs = Processor(measuring(teacher.settings)), Pairs()
    processor.prepare(rate)
    found = pairs.of(processor.process(audio) + processor.flush())
    ends = [final.sample for _, final in found[1:]] + [len(audio)]
    times = np.array([final.sample for _, final in found]) / rate
    for time, name in lessons:
        nearest = int(np.abs(times - time).argmin())
        if abs(times[nearest] - time) <= TAUGHT_S:
            class_ = teacher.names.index(name)
            if teacher.count(class_) < STROKES:
                start = found[nearest][1].sample
                own = cut(audio, start, ends[nearest], rate)
                teacher.offer(class_, *found[nearest], own, believe=True)
    processor.close()
    return teacher


def named(kit: Kit, audio: Any, rate: int) -> tuple[Any, list[str]]:
    """Times in s and names of the hits of some audio."""
    processor = Processor(kit=kit)
    processor.prepare(rate)
    finals = [e for e in processor.process(audio) + processor.flush() if isinstance(e, Final)]
    return np.array([one.sample for one in finals]) / rate, [one.name for one in finals]


def agreement(data: Path, name: str, kit_name: str, rate: int) -> tuple[int, int, int]:
    """Hits at 44.1 kHz, those found at both rates, and those of them that have the same name."""
    recording = data / "rendered" / f"{name}.flac"
    drums = {label for _, label in labelled(recording)}
    take = data / "teach" / f"{kit_name}.flac"
    kit = taught(take, [one for one in labelled(take) if one[1] in drums], TAUGHT_AT)
    audio = at(recording, TAUGHT_AT)
    times, names = named(kit, audio, TAUGHT_AT)
    other = soxr.resample(audio, TAUGHT_AT, rate, quality="HQ").astype(np.float32)
    other_times, other_names = named(kit, other, rate)
    pairs = mir_eval.util.match_events(times, other_times, ALIKE_S)
    return len(times), len(pairs), sum(names[i] == other_names[j] for i, j in pairs)


def main() -> None:
    """Print the figures of every recording, and their sums."""
    data = Path(sys.argv[1])
    sums = {rate: np.zeros(3, int) for rate in RATES}
    for name, kit_name in json.loads((data / "teach" / "kits.json").read_text()).items():
        for rate in RATES:
            found = agreement(data, name, kit_name, rate)
            sums[rate] += found
            print(f"{name:28} {rate} Hz: {found[1]} of {found[0]} hits, {found[2]} names the same")
    for rate, (hits, both, same) in sums.items():
        print(f"{rate} Hz: {both} of {hits} hits found at both, {same / both:.2%} named the same")


if __name__ == "__main__":
    main()
