"""Which drums a taught kit hears, one or two in a hit, against the time of the guess.

``python -m bench.drums`` teaches a kit for each recording and scores what it hears. A rendered
recording is taught by the take of its kit (``teach/`` of the data): other strokes of it, at other
loudnesses. A song is taught by its own first :data:`LESSONS` strokes of each drum that sound alone;
those are not scored, and a drum with fewer than :data:`FEWEST` of them is neither taught nor
scored. So each kit is left out of nothing but itself: what is chosen between programs has to be
chosen with whole kits and songs left out (docs/lab-book/measurements.md says what was).

- *F*: F-measure of (time, drum) within 50 ms, summed over the drums; a tom is a tom;
- *lone*, *both*: share of the hits in which one drum sounds, and in which several begin within
  30 ms, that were found and whose drums are told exactly.

A rendered stroke that stands out by less than 3 dB counts neither way. A complete run writes
``bench/results/drums.json``, which ``python -m bench.plots`` draws.
"""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import mir_eval
import numpy as np
import soundfile
import typer
from rich.table import Table

from bench.rates import taught
from bench.recordings import DATA, MASKED_DB, MATCH_S, mean
from bench.recordings import drum as drum_of
from bench.report import console as report_console
from bench.report import write
from rtcluster import Processor, Settings
from rtcluster.events import Classified, Final, Guess
from rtcluster.learning.kit import Kit

GUESSES_MS = (10, 15, 20, 25, 30)
TOGETHER_S, CLEAR_S = 0.030, 0.050
LESSONS, FEWEST = 5, 3
MEASURES = ("F", "lone", "both")

Told = list[tuple[float, frozenset[str]]]
"""Time in s and drums of each hit, in order."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """A stroke that was annotated: time in s, its label, and whether it has to be heard."""

    time: float
    label: str
    audible: bool

    @property
    def drum(self) -> str:
        """The drum that a listener would name."""
        return drum_of(self.label)


@dataclass(frozen=True, slots=True)
class Task:
    """A recording, what teaches its kit, and what is scored.

    Attributes
    ----------
    path, take : Path
    strokes : list of Stroke
    lessons : list of (float, str)
        Time in s and drum, in the take.
    left_out : set of float
        Times of the strokes that were lessons of their own recording.
    """

    path: Path
    take: Path
    strokes: list[Stroke]
    lessons: list[tuple[float, str]]
    left_out: set[float]


def rows(path: Path) -> list[dict[str, str]]:
    """A table of the data."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def strokes_of(path: Path) -> list[Stroke]:
    """All strokes of a recording, in order."""
    over: dict[tuple[str, str], float] = {}
    if (details := path.with_suffix(".hits.csv")).is_file():
        over = {(r["time"], r["label"]): float(r["over_rest_db"]) for r in rows(details)}
    found = [
        Stroke(
            float(row["time"]),
            row["label"],
            over.get((f"{float(row['time']):.9f}", row["label"]), np.inf) >= MASKED_DB,
        )
        for row in rows(path.with_suffix(".csv"))
    ]
    return sorted(found, key=lambda one: one.time)


def lone_lessons(strokes: Sequence[Stroke]) -> list[tuple[float, str]]:
    """The first strokes of each drum of a song with nothing else near."""
    seen: Counter[str] = Counter()
    out = []
    for n, one in enumerate(strokes):
        before = n == 0 or one.time - strokes[n - 1].time > TOGETHER_S
        after = n + 1 == len(strokes) or strokes[n + 1].time - one.time > CLEAR_S
        if before and after and seen[one.drum] < LESSONS:
            seen[one.drum] += 1
            out.append((one.time, one.drum))
    return [(time, drum) for time, drum in out if seen[drum] >= FEWEST]


def tasks(data: Path, only: Sequence[str] = ()) -> list[Task]:
    """The recordings of which two drums or more can be taught."""
    kits = json.loads((data / "teach" / "kits.json").read_text())
    out = []
    for row in rows(data / "recordings.csv"):
        if only and not any(word in row["name"] for word in only):
            continue
        path = data / row["file"]
        if row["name"] in kits:
            strokes, take = strokes_of(path), data / "teach" / f"{kits[row['name']]}.flac"
            wanted = {one.label for one in strokes}
            known = [(one.time, one.label) for one in strokes_of(take)]
            lessons = [(time, label) for time, label in known if label in wanted]
            if wanted <= {label for _, label in lessons}:
                out.append(Task(path, take, strokes, lessons, set()))
        elif row["truth"] == "human":
            strokes = strokes_of(path)
            lessons = lone_lessons(strokes)
            out.append(Task(path, path, strokes, lessons, {time for time, _ in lessons}))
    return [one for one in out if len({drum_of(label) for _, label in one.lessons}) > 1]


def hear(path: Path, kit: Kit, guess_ms: float) -> dict[str, Told]:
    """What a kit tells of a recording, by stage."""
    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    processor = Processor(Settings(guess=f"{guess_ms}ms"), kit=kit)
    processor.prepare(rate)
    events = processor.process(audio.mean(axis=1)) + processor.flush()
    processor.close()

    def told(kind: type[Classified]) -> Told:
        found = [e for e in events if isinstance(e, kind) and e.class_ >= 0]
        named = [(e.sample / rate, frozenset(drum_of(p.name) for p in e.parts)) for e in found]
        return sorted(named, key=lambda one: one[0])

    return {"guess": told(Guess), "final": told(Final)}


def score(task: Task, told: Told) -> dict[str, float]:
    """The measures of one stage."""
    drums = {drum_of(label) for _, label in task.lessons}
    scored = [s for s in task.strokes if s.audible and s.time not in task.left_out]
    doubtful = np.array(
        [s.time for s in task.strokes if not s.audible or s.drum not in drums]
        + sorted(task.left_out)
    )
    hits = wrong = missed = 0
    for drum in drums:
        true = np.array([s.time for s in scored if s.drum == drum])
        found = np.array([time for time, sounding in told if drum in sounding])
        pairs = mir_eval.util.match_events(true, found, MATCH_S)
        rest = np.delete(found, [j for _, j in pairs])
        wrong += sum(_far(time, doubtful) for time in rest)
        hits, missed = hits + len(pairs), missed + len(true) - len(pairs)
    right = defaultdict(list)
    groups = [g for g in _groups(task.strokes) if g[0].time not in task.left_out]
    groups = [g for g in groups if any(s.audible for s in g)]
    onsets = np.array([time for time, _ in told])
    for i, j in mir_eval.util.match_events(np.array([g[0].time for g in groups]), onsets, MATCH_S):
        sounding = {s.drum for s in groups[i]}
        if sounding <= drums and all(s.audible for s in groups[i]):
            right[len(sounding) > 1].append(told[j][1] == sounding)
    return {
        "F": 2 * hits / max(1, 2 * hits + wrong + missed),
        "lone": float(np.mean(right[False])) if right[False] else np.nan,
        "both": float(np.mean(right[True])) if right[True] else np.nan,
    }


def _far(time: float, others: Any) -> bool:
    return not len(others) or float(np.abs(others - time).min()) > MATCH_S


def _groups(strokes: Iterable[Stroke]) -> list[list[Stroke]]:
    """Strokes that begin together."""
    out: list[list[Stroke]] = []
    for one in strokes:
        if out and one.time - out[-1][0].time < TOGETHER_S:
            out[-1].append(one)
        else:
            out.append([one])
    return out


def measure(task: Task, guesses_ms: Sequence[int] = GUESSES_MS) -> dict[str, Any]:
    """Scores of the guess at each time, and of the final."""
    rate = soundfile.info(task.path).samplerate
    kit = taught(task.take, task.lessons, rate)
    guess: dict[str, dict[str, float]] = {}
    for ms in guesses_ms:
        told = hear(task.path, kit, ms)
        guess[str(ms)] = score(task, told["guess"])
    return {"name": task.path.stem, "guess": guess, "final": score(task, told["final"])}


def main(
    data: Annotated[Path, typer.Option(help="Folder of the recordings.", exists=True)] = DATA,
    only: Annotated[
        list[str] | None, typer.Option(help="Part of a recording's name; may be repeated.")
    ] = None,
) -> None:
    """Score which drums taught kits hear."""
    console = report_console()
    found = []
    for task in tasks(data, only or ()):
        console.print(f"{task.path.stem} ...", style="dim")
        found.append(measure(task))
    table = Table(title=f"Which drums: means over {len(found)} recordings")
    for place, head in enumerate(("stage", *MEASURES, "least F")):
        table.add_column(head, justify="right" if place else "left")
    means: dict[str, dict[str, float]] = {}
    for stage in (*map(str, GUESSES_MS), "final"):
        own = [one["final"] if stage == "final" else one["guess"][stage] for one in found]
        means[stage] = {m: mean(one[m] for one in own) for m in MEASURES}
        cells = [f"{means[stage][m]:.3f}" for m in MEASURES]
        name = stage if stage == "final" else f"guess, {stage} ms"
        table.add_row(name, *cells, f"{min(one['F'] for one in own):.3f}")
    console.print(table)
    if data != DATA or only:
        console.print("Nothing is written: this is part of the comparison.")
        return
    content = {"means": means, "recordings": found}
    console.print(f"Written: bench/results/{write('drums', _plain(content)).name}")


def _plain(value: Any) -> Any:
    """Figures to four digits, and null where there is none: JSON has no NaN."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return round(value, 4) if np.isfinite(value) else None
    return value


if __name__ == "__main__":
    typer.run(main)
