"""Whether live ``teach`` tells a stroke of another drum, and lets strokes of the same drum be.

``python -m bench.unlike`` draws lessons of five strokes, :data:`LESSONS` a drum; in half of them
one stroke is of another drum of the same kit. The sources are four kits of one-shots, each drum
struck at levels :data:`OVER_DB` apart; loose kicks and snares; a kit through the bleed of its
microphones; and what sounds alone in songs. Each source counts alike, and in a source each drum.
The limit (``STANDS_OUT`` of :mod:`rtcluster.learning.teaching`) is chosen on all sources but one
and measured on that one: the least with which at most :data:`HONEST` of the lessons of one drum
have a stroke that is told. Run by name: it asks for the data.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from rich.table import Table

from bench.drums import strokes_of
from bench.rates import TAUGHT_AT as RATE
from bench.rates import at
from bench.recordings import DATA
from bench.recordings import drum as kind_of
from bench.report import console as report_console
from bench.report import write
from rtcluster import Final, Processor, Settings
from rtcluster.learning.teaching import STANDS_OUT, standing_out

STROKES, OVER_DB, APART_S = 26, 14.0, 0.9
SOFTEST_DB, SPREAD = -30.0, 0.6
"""Level of the softest layer of a one-shot in dB, and how many layers off its own one is taken."""

HITS, LESSONS, HONEST = 5, 200, 0.04
LIMITS = np.round(np.arange(0.05, 0.41, 0.01), 2)
LOOSE = "mir_drum_samples"
BEFORE_S, AFTER_S, NEAR_S = 0.05, 0.1, 0.05

Bands = npt.NDArray[np.float64]
Kit = dict[str, Bands]
"""The bands of each stroke, shape (strokes, 20), by the label of the drum."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What came of a lesson.

    Attributes
    ----------
    source, label : str
    other : str
        The drum of the stroke that does not belong; empty in a lesson of one drum.
    apart : float
        How far the stroke is that is told first, if it is the one that does not belong, or if all
        belong; 0 if none or another one is told.
    """

    source: str
    label: str
    other: str
    apart: float


def heard(audio: Any, strokes: Iterable[tuple[float, str]]) -> Kit:
    """The bands of strokes, by time in s and label, of audio at :data:`RATE`."""
    processor = Processor(Settings(features="best", freeze=True))
    processor.prepare(RATE)
    events = processor.process(audio) + processor.flush()
    processor.close()
    finals = [event for event in events if isinstance(event, Final)]
    times = np.array([final.sample for final in finals]) / RATE
    found = defaultdict(list)
    for time, label in strokes:
        nearest = int(np.abs(times - time).argmin())
        if abs(times[nearest] - time) <= NEAR_S:
            found[label].append(finals[nearest].features)
    return {label: np.array(rows) for label, rows in found.items() if len(rows) >= HITS}


def struck(data: Path, kit: str, random: np.random.Generator) -> Kit:
    """The drums of a kit of one-shots, struck one after the other; loose ones each as it is."""
    with (data / "one_shots.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["kit"] == kit]
    layers = defaultdict(list)
    for row in rows:
        attack = int(row["attack_sample"]) * RATE // int(row["sample_rate"])
        shot = at(data / row["file"], RATE)[attack:]
        layers[row["label"]].append(shot / np.abs(shot).max())
    pieces: list[Any] = []
    strokes: list[tuple[float, str]] = []
    for label, shots in layers.items():
        loose = kit == LOOSE
        for level in random.permutation(np.linspace(-OVER_DB, 0, len(shots) if loose else STROKES)):
            place = (1 - level / SOFTEST_DB) * (len(shots) - 1) + random.uniform(-SPREAD, SPREAD)
            layer = len(strokes) % len(shots) if loose else round(place)
            shot = shots[min(max(layer, 0), len(shots) - 1)]
            strokes.append((APART_S * (1 + len(pieces)), label))
            piece = np.zeros(int(APART_S * RATE), np.float32)
            length = min(len(shot), len(piece))
            piece[:length] = 0.5 * 10 ** (level / 20) * shot[:length]
            pieces.append(piece)
    audio = np.concatenate([np.zeros(int(APART_S * RATE)), *pieces])
    audio += 1e-4 * random.standard_normal(len(audio))
    return heard(audio.astype(np.float32), strokes)


def alone(path: Path) -> Kit:
    """What sounds alone in a recording."""
    strokes = strokes_of(path)
    times = np.array([-1.0, *(one.time for one in strokes), np.inf])
    free = (np.diff(times)[:-1] > BEFORE_S) & (np.diff(times)[1:] > AFTER_S)
    chosen = [(one.time, one.drum) for one, lone in zip(strokes, free, strict=True) if lone]
    return heard(at(path, RATE), chosen)


def sources(data: Path) -> dict[str, list[Kit]]:
    """The kits of each source."""
    random = np.random.default_rng(0)
    kits = ("black_pearl", "linndrum", "pearl_master", "red_zeppelin", LOOSE)
    found = {kit: [struck(data, kit, random)] for kit in kits}
    take = data / "multi" / "teach" / "multi_teach.flac"
    labelled = [(one.time, one.label) for one in strokes_of(take)]
    found["through the bleed"] = [heard(at(take, RATE), labelled)]
    songs = [alone(path) for path in sorted((data / "mdb").glob("*.flac"))]
    return found | {"songs": [song for song in songs if len(song) > 1]}


def lessons(source: str, kit: Kit, random: np.random.Generator) -> Iterable[Lesson]:
    """Lessons of each drum of a kit, every other one with a stroke of another drum."""
    for label, own in kit.items():
        others = [one for one in kit if one != label]
        for number in range(LESSONS):
            hits, other, odd = own[random.choice(len(own), HITS, replace=False)], "", -1
            if number % 2:
                other, odd = str(random.choice(others)), int(random.integers(HITS))
                hits[odd] = random.choice(kit[other])
            place, apart = next(standing_out(hits), (-1, 0.0))
            yield Lesson(source, label, other, apart if odd in (-1, place) else 0.0)


def shares(drawn: Sequence[Lesson], limit: float) -> tuple[float, float, float]:
    """Shares told: of the lessons of one drum, of strokes of another, and of another kind."""

    def told(kind: Any) -> float:
        drums = defaultdict(list)
        for one in drawn:
            if kind(one):
                drums[one.source, one.label].append(one.apart > limit)
        by_source = defaultdict(list)
        for (source, _), found in drums.items():
            by_source[source].append(np.mean(found))
        return float(np.mean([np.mean(found) for found in by_source.values()]))

    return (
        told(lambda one: not one.other),
        told(lambda one: one.other),
        told(lambda one: one.other and kind_of(one.other) != kind_of(one.label)),
    )


def choose(drawn: Sequence[Lesson]) -> float:
    """The least limit with which few honest lessons are told."""
    return next(
        (float(limit) for limit in LIMITS if shares(drawn, limit)[0] <= HONEST), float(LIMITS[-1])
    )


def main(
    data: Annotated[Path, typer.Option(help="Folder of the recordings.", exists=True)] = DATA,
) -> None:
    """Score the check of strokes that are unlike the others of their drum."""
    console, random = report_console(), np.random.default_rng(1)
    drawn = {
        source: [one for kit in kits for one in lessons(source, kit, random)]
        for source, kits in sources(data).items()
    }
    left_out = {
        source: choose([one for other in drawn if other != source for one in drawn[other]])
        for source in drawn
    }
    own = {source: shares(found, left_out[source]) for source, found in drawn.items()}
    every = [one for found in drawn.values() for one in found]
    rows = [("chosen on the other sources", "", np.mean([*own.values()], axis=0))]
    rows += [(f"as set, {STANDS_OUT:g}", "", shares(every, STANDS_OUT))]
    rows += [
        (source, f"{left_out[source]:.2f}", shares(found, STANDS_OUT))
        for source, found in drawn.items()
    ]
    table = Table(title=f"Strokes told, of {len(every)} lessons; by source as set")
    for head in ("", "limit left out", "of one drum, %", "of another, %", "of another kind, %"):
        table.add_column(head, justify="right" if head else "left")
    for name, limit, found in rows:
        table.add_row(name, limit, *(f"{100 * share:.1f}" for share in found))
    console.print(table)
    if data == DATA:
        content = {name: [round(float(share), 4) for share in found] for name, _, found in rows}
        console.print(f"Written: bench/results/{write('unlike', {'shares': content}).name}")


if __name__ == "__main__":
    typer.run(main)
