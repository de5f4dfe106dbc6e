"""Learning hit by hit: our learner, scikit-learn's ``partial_fit`` loop, and river's KMeans.

All of them get the same hits, in the same order, in this process, turn by turn:

- *rtcluster*: :class:`rtcluster.learning.learner.Learner`, in an engine that hears the audio. What
  is timed is a call of ``learn``: scaling, centres, the looks at the held hits, and the model that
  it makes for the kernel;
- *scikit-learn*: ``partial_fit`` of ``MinMaxScaler`` and ``MiniBatchKMeans``, then the class by
  ``predict``, as a tutorial has it, begun with the first :data:`FIRST` hits. Once with OpenMP as it
  comes and once held to one thread;
- *river*, where it is installed: ``MinMaxScaler | KMeans``, by ``learn_one`` and ``predict_one``,
  with its own ``halflife`` of 0.5 and with one of 0.1.

The hits are those of the synthesised groove, and of annotated recordings where there are some
(:mod:`bench.recordings`). *V* is the V-measure against the drums that were struck: of the classes
as they were told at each hit, the first :data:`FIRST` left out, and for rtcluster also as they
stand after its relabels. *Inertia* is the mean squared distance of the hits to the nearest centre
at the end, over that of k-means on all hits at once: 1 is as good as offline.
``python -m bench.learning`` prints the tables and writes ``bench/results/learning.json``.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from rich.table import Table
from threadpoolctl import threadpool_limits

from bench.classes.heard import gather
from bench.classes.truth import Annotations, annotated, matched, truth_of
from bench.classes.worth import v_and_rand
from bench.recordings import DATA, Recording, load
from bench.report import console as report_console
from bench.report import percentiles, write
from rtcluster import Processor, Settings
from rtcluster.learning.learner import Update
from rtcluster.learning.lesson import Lesson
from rtcluster.settings import FEATURE_SETS
from rtcluster.sources.groove import DRUMS, render

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

SAMPLERATE = 44100
FIRST = 8
"""Hits before there are classes: our own warm-up, and scikit-learn's first batch."""

OURS = "rtcluster"


@dataclass(frozen=True, slots=True)
class Learned:
    """What came of learning from a stream of hits.

    Attributes
    ----------
    us : ndarray of float64, shape (n_hits,)
        Time that each hit took, in us.
    told : ndarray of int64, shape (n_hits,)
        The class of each hit as it was told; -1 for none.
    standing : ndarray of int64, shape (n_hits,)
        The class at the end.
    centres : ndarray of float64, shape (n_centres, n_features)
        At the end, in the scale -1 to 1 of all hits.
    """

    us: Array
    told: Labels
    standing: Labels
    centres: Array


@dataclass(frozen=True, slots=True)
class Stream:
    """Hits as the engine measured them.

    Attributes
    ----------
    times : ndarray of float64, shape (n_hits,)
        In s.
    hits : ndarray of float64, shape (n_hits, n_features)
        Raw features of the finals.
    """

    times: Array
    hits: Array

    @property
    def scaled(self) -> Array:
        """All hits from -1 to 1 by their range."""
        return scale(self.hits, self.hits)


Learn = Callable[[Array, int], Learned]
"""Takes raw hits, shape (n_hits, n_features), and the number of classes."""


def scale(rows: Array, hits: Array) -> Array:
    """Map the range of the hits to -1 to 1, and rows with it."""
    low, high = hits.min(axis=0), hits.max(axis=0)
    return np.asarray(2.0 * (rows - low) / np.where(high > low, high - low, 1.0) - 1.0)


def ours(recording: Recording, k: int, features: str) -> tuple[Stream, Learned]:
    """Let an engine hear a recording, and time its learner."""
    processor = Processor(
        Settings(classes=k, features=FEATURE_SETS[features], warmup=max(FIRST, k))
    )
    processor.prepare(recording.samplerate)
    learner, inner, spent = processor.learner, processor.learner.learn, []

    def learn(lesson: Lesson) -> Update:
        began = time.perf_counter_ns()
        update = inner(lesson)
        spent.append((time.perf_counter_ns() - began) / 1e3)
        return update

    learner.learn = learn  # type: ignore[method-assign]  # its own method, with a clock around it
    events = processor.process(recording.audio) + processor.flush()
    heard = gather(events, recording.samplerate, k)
    stream = Stream(heard.times, heard.features["final"])
    raw, _ = learner.centres()
    centres = scale(raw, stream.hits) if len(raw) else np.zeros((1, stream.hits.shape[1]))
    processor.close()
    return stream, Learned(np.array(spent), heard.told["final"], heard.final, centres)


def scikit_learn(hits: Array, k: int) -> Learned:
    """The incremental loop as a tutorial has it."""
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.preprocessing import MinMaxScaler

    first = max(FIRST, k)
    scaler = MinMaxScaler(feature_range=(-1, 1))
    model = MiniBatchKMeans(k, n_init=10, random_state=0, reassignment_ratio=0.0)
    spent, told = [], np.full(len(hits), -1, dtype=np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.partial_fit(scaler.partial_fit(hits[:first]).transform(hits[:first]))
        for i in range(first, len(hits)):
            began = time.perf_counter_ns()
            row = scaler.partial_fit(hits[i : i + 1]).transform(hits[i : i + 1])
            told[i] = model.partial_fit(row).predict(row)[0]
            spent.append((time.perf_counter_ns() - began) / 1e3)
        standing = model.predict(scaler.transform(hits)).astype(np.int64)
    return Learned(np.array(spent), told, standing, model.cluster_centers_)


def one_thread(hits: Array, k: int) -> Learned:
    """The same with OpenMP held to one thread."""
    with threadpool_limits(1):
        return scikit_learn(hits, k)


def river(hits: Array, k: int, halflife: float = 0.5) -> Learned:
    """The pipeline of river, which needs no first batch."""
    cluster: Any = import_module("river.cluster")
    preprocessing: Any = import_module("river.preprocessing")
    scaler = preprocessing.MinMaxScaler()
    model = cluster.KMeans(n_clusters=k, halflife=halflife, seed=0)
    names = range(hits.shape[1])
    rows = [dict(zip(names, row, strict=True)) for row in hits.tolist()]
    spent, told = [], np.full(len(hits), -1, dtype=np.int64)
    for i, row in enumerate(rows):
        began = time.perf_counter_ns()
        scaler.learn_one(row)
        scaled = scaler.transform_one(row)
        model.learn_one(scaled)
        told[i] = model.predict_one(scaled)
        spent.append((time.perf_counter_ns() - began) / 1e3)
    standing = [model.predict_one(scaler.transform_one(row)) for row in rows]
    centres = np.array([[model.centers[c][name] for name in names] for c in range(k)])
    return Learned(np.array(spent), told, np.array(standing, np.int64), 2.0 * centres - 1.0)


def rivals() -> dict[str, Learn]:
    """All that can run here but our own."""
    found: dict[str, Learn] = {"scikit-learn": scikit_learn, "scikit-learn, 1 thread": one_thread}
    if find_spec("river"):
        found["river"] = river
        found["river, halflife 0.1"] = lambda hits, k: river(hits, k, 0.1)
    return found


def inertia(scaled: Array, centres: Array) -> float:
    """Mean squared distance to the nearest centre."""
    squares = ((scaled[:, None] - centres[None]) ** 2).sum(axis=2)
    return float(squares.min(axis=1).mean())


def offline_inertia(scaled: Array, k: int) -> float:
    """That of k-means on all hits at once."""
    from sklearn.cluster import KMeans

    k = min(k, len(np.unique(scaled, axis=0)))
    with threadpool_limits(1):
        found = KMeans(k, n_init=10, random_state=0).fit(scaled)
    return float(found.inertia_) / len(scaled)


def worth(truth: Annotations, stream: Stream, learned: Learned, best: float) -> dict[str, float]:
    """V-measures, and inertia over the best."""
    i, j = matched(truth.times, stream.times)
    i, j = i[j >= FIRST], j[j >= FIRST]
    names, alone = [truth.names[n] for n in i], truth.alone[i]
    return {
        "v_told": v_and_rand(names, alone, learned.told[j])[0],
        "v_standing": v_and_rand(names, alone, learned.standing[j])[0],
        "inertia": inertia(stream.scaled, learned.centres) / best if best else np.nan,
    }


def compare(
    recording: Recording, truth: Annotations, features: str, turns: int
) -> tuple[dict[str, list[float]], dict[str, dict[str, float]]]:
    """Times in us by learner, of all turns, and what each is worth."""
    k = truth.classes
    stream, own = ours(recording, k, features)  # this one compiles and loads; it is not timed
    best = offline_inertia(stream.scaled, k)
    values = {OURS: worth(truth, stream, own, best)}
    times: dict[str, list[float]] = {OURS: []}
    for turn in range(turns):
        times[OURS] += ours(recording, k, features)[1].us.tolist()
        others = list(rivals().items())
        for name, learn in others[:: -1 if turn % 2 else 1]:
            learned = learn(stream.hits, k)
            times.setdefault(name, []).extend(learned.us.tolist())
            values[name] = worth(truth, stream, learned, best)
    return {name: times[name] for name in values}, values


def groove(seconds: float) -> tuple[Recording, Annotations]:
    """The synthesised groove as an annotated recording."""
    made = render(seconds, SAMPLERATE)
    times = np.array([s.sample / SAMPLERATE for s in made.strokes])
    none = np.zeros(0)
    recording = Recording("groove", "exact", SAMPLERATE, made.audio, times, none, times)
    truth = Annotations(times, tuple(s.drum for s in made.strokes))
    assert truth.classes == len(DRUMS)
    return recording, truth


def row(
    what: str,
    features: str,
    times: dict[str, list[float]],
    values: Sequence[dict[str, dict[str, float]]],
) -> dict[str, Any]:
    """Of one table: distributions of the times, ratios to ours, and means of what it is worth."""
    us = {name: percentiles(spent) for name, spent in times.items()}
    return {
        "hits": what,
        "features": features,
        "us_per_hit": us,
        "ratio_to_ours": {
            name: {cut: round(cuts[cut] / us[OURS][cut], 2) for cut in ("p50", "p99")}
            for name, cuts in us.items()
        },
        "worth": {
            name: {
                key: round(float(np.nanmean([one[name][key] for one in values])), 3)
                for key in ("v_told", "v_standing", "inertia")
            }
            for name in us
        },
    }


def _table(found: dict[str, Any]) -> Table:
    table = Table(title=f"Learning from {found['hits']} by {found['features']} features: us a hit")
    for name in ("learner", "p50", "p95", "p99", "max", "p50/ours", "p99/ours"):
        table.add_column(name, justify="left" if name == "learner" else "right", no_wrap=True)
    for name in ("V told", "V at end", "inertia"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, cuts in found["us_per_hit"].items():
        ratios, values = found["ratio_to_ours"][name], found["worth"][name]
        table.add_row(
            name,
            *(f"{cuts[cut]:.0f}" for cut in ("p50", "p95", "p99", "max")),
            *(f"{ratios[cut]:.2f}" for cut in ("p50", "p99")),
            *(f"{values[key]:.3f}" for key in ("v_told", "v_standing")),
            f"{values['inertia']:.2f}",
        )
    return table


def main(
    data: Annotated[Path, typer.Option(help="Folder of the recordings.")] = DATA,
    seconds: Annotated[float, typer.Option(help="Of the groove.", min=10.0)] = 240.0,
    turns: Annotated[int, typer.Option(help="Over the groove.", min=1)] = 3,
    only: Annotated[
        list[str] | None, typer.Option(help="Part of a recording's name; may be repeated.")
    ] = None,
) -> None:
    """Compare learners hit by hit."""
    console = report_console()
    console.print(f"groove of {seconds:g} s, {turns} turns ...", style="dim")
    times, values = compare(*groove(seconds), "notebook", turns)
    rows = [row(f"a groove of {seconds:g} s", "notebook", times, [values])]
    if (data / "recordings.csv").is_file():
        labels, recordings = annotated(data), load(data, only)
        for features in ("notebook", "best"):
            spent: dict[str, list[float]] = {}
            worths = []
            for recording in recordings:
                console.print(f"{recording.name}, {features} ...", style="dim")
                truth = truth_of(recording, labels[recording.name])
                times, values = compare(recording, truth, features, 1)
                worths.append(values)
                for name, us in times.items():
                    spent.setdefault(name, []).extend(us)
            rows.append(row(f"{len(recordings)} recordings", features, spent, worths))
    for found in rows:
        console.print(_table(found))
    console.print("Inertia: over that of k-means on all hits at once.")
    if not find_spec("river"):
        console.print("river is not installed (pip install 'rtcluster[bench]').")
    if len(rows) == 1:
        console.print(f"There are no recordings in {data}; set RTCLUSTER_DATA to their folder.")
    if data != DATA or only:
        console.print("Nothing is written: this is part of the comparison.")
        return
    console.print(f"Written: bench/results/{write('learning', {'rows': rows}).name}")


if __name__ == "__main__":
    typer.run(main)
