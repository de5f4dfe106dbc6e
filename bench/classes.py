"""Classes: what the live labels are worth beside offline clustering, and beside the truth.

``python -m bench.classes`` runs :class:`rtcluster.Processor` over each annotated recording, once
for each set of features, and puts its labels beside those of others *on the same hits and the same
features*:

- *live*: the classes of the events, the final's after all ``relabel`` events, the guess's as it was
  told;
- *kmeans*: scikit-learn's ``KMeans(n_init=10)`` over all hits, as in the notebook, offline;
- *stream*: the plain loop of ``MinMaxScaler`` and ``MiniBatchKMeans``, ``partial_fit`` hit by hit
  after a warm-up of k hits; each hit has the class it has once it was learned;
- *affinity*: the notebook's ``AffinityPropagation``, which finds the number of classes itself;
- *means*, *3-nn*: the nearest mean of a drum, and the majority of the three nearest hits, where
  the truth of all *other* hits is known: bounds, not rivals.

k is the number of drums that sound alone somewhere in the recording, at least 2. The measures:

- *V*: V-measure of the classes against what sounds, over the hits that match the truth within
  50 ms (mir_eval). Drums struck together are a label of their own, so 1 cannot be reached;
- *A*: adjusted Rand index over those of them that sound alone. It is harsh where nearly all are one
  drum's: a single wrong hit may cost all of it;
- *right*: share of those whose class has their drum's name, where each class has the name of the
  drum it holds most of. A drum that sounds alone once cannot be right by *means* and *3-nn*;
- *agree*: share of the hits whose guess was the final class, over all hits with a guess;
- *margins*: share right, as the events told it, in the upper and in the lower half of the
  margins of a recording;
- *taught*: the learner is given the first five hits of each drum that sound alone; then the whole
  recording is heard. Share of the other hits that sound alone that are named right;
- *auto*: classes found and V with ``--classes auto``, beside the true number and V with that. A
  recording is of *one voice* if no two drums are struck together in it.

Which hits match, which may be missed and which sound alone is told in :mod:`bench.recordings`.
A complete run writes ``bench/results/classes.json``.
"""

from __future__ import annotations

import csv
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import mir_eval
import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console
from rich.table import Table
from sklearn.cluster import AffinityPropagation, KMeans, MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score, v_measure_score
from sklearn.preprocessing import MinMaxScaler
from threadpoolctl import threadpool_limits

from bench.recordings import DATA, MATCH_S, TOGETHER_S, Recording, load, mean
from bench.report import console as report_console
from bench.report import write
from rtcluster import Processor, Settings
from rtcluster.events import Event, Final, Guess, Relabel
from rtcluster.learning.history import EARLIER_SESSION
from rtcluster.learning.learner import Lesson
from rtcluster.settings import AUTO, FEATURE_SETS

DRUMS = {
    "sidestick": "snare", "rimshot": "snare", "hihat": "hihat", "tom": "tom",
    "crash": "cymbal", "ride": "cymbal", "china": "cymbal", "bongo": "bongo",
}  # fmt: skip
"""The drum that a listener would name, by the start of a label; other labels are drums."""

LESSONS = 5
"""Hits of each drum that are taught."""

NEIGHBOURS = 3

STAGES = ("guess", "final")
MEASURES = ("V", "A", "right")
OTHERS = ("kmeans", "stream", "affinity", "means", "3-nn")

OFFLINE_SLACK, GUESS_SLACK, AUTO_SLACK = 0.02, 0.0, 0.05
BEST_GAIN, TAUGHT_RIGHT, AGREE, WITHIN = 0.10, 0.90, 0.90, 1
"""What the classes are to reach."""

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Truth:
    """What sounds in a recording.

    Attributes
    ----------
    times : ndarray of float64, shape (n,)
        In s.
    names : tuple of str
        The drums of each time, joined by ``+``.
    """

    times: Array
    names: tuple[str, ...]

    @property
    def alone(self) -> Mask:
        """Whether one drum sounds alone, shape (n,)."""
        return np.array(["+" not in name for name in self.names], dtype=bool)

    @property
    def drums(self) -> list[str]:
        """The drums that sound alone somewhere."""
        return sorted({name for name in self.names if "+" not in name})

    @property
    def classes(self) -> int:
        """Classes that are asked for."""
        return max(2, len(self.drums))

    @property
    def one_voice(self) -> bool:
        """Whether no two drums are struck together."""
        return bool(self.alone.all())


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


# The truth, and which hits it explains.


def drum(label: str) -> str:
    """Name of the drum behind a label."""
    return next((name for start, name in DRUMS.items() if label.startswith(start)), label)


def truth_of(recording: Recording, rows: Iterable[tuple[float, str]]) -> Truth:
    """What sounds at each of a recording's times.

    Parameters
    ----------
    recording : Recording
    rows : iterable of (float, str)
        Time in s and label of every annotated hit.
    """
    known = list(rows)
    together = TOGETHER_S[recording.kind]
    names = (
        "+".join(sorted({drum(label) for at, label in known if 0.0 <= at - begin < together}))
        for begin in recording.truth
    )
    return Truth(recording.truth, tuple(names))


def annotated(folder: Path) -> dict[str, list[tuple[float, str]]]:
    """Times in s and labels by the names of the recordings."""
    with (folder / "recordings.csv").open(newline="", encoding="utf-8") as file:
        files = {row["name"]: folder / row["file"] for row in csv.DictReader(file)}
    found = {}
    for name, path in files.items():
        if path.with_suffix(".csv").is_file():
            with path.with_suffix(".csv").open(newline="", encoding="utf-8") as file:
                found[name] = [(float(r["time"]), r["label"]) for r in csv.DictReader(file)]
    return found


def matched(truth: Array, times: Array) -> tuple[Labels, Labels]:
    """Indices of the true and of the found times that are pairs."""
    pairs = mir_eval.util.match_events(truth, times, MATCH_S)
    i, j = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return i, j


def explained(recording: Recording, times: Array) -> Mask:
    """All found times but those that only a hit that may be missed explains."""
    out = np.ones(len(times), dtype=bool)
    if recording.optional.size and times.size:
        out = np.abs(times[:, None] - recording.optional[None]).min(axis=1) > MATCH_S
        out[matched(recording.truth, times)[1]] = True
    return out


# The measures.


def share_right(names: Sequence[str], alone: Mask, classes: Labels) -> float:
    """Share of the hits that sound alone whose class has their drum's name; NaN of none."""
    single = [name for name, one in zip(names, alone, strict=True) if one]
    drum_of = names_of(classes[alone], single)
    return share([drum_of[int(c)] == n for c, n in zip(classes[alone], single, strict=True)])


def worth(names: Sequence[str], alone: Mask, classes: Labels) -> dict[str, float]:
    """The measures of a labelling."""
    v, rand = v_and_rand(names, alone, classes)
    return {"V": v, "A": rand, "right": share_right(names, alone, classes)}


def v_and_rand(names: Sequence[str], alone: Mask, classes: Labels) -> tuple[float, float]:
    """V-measure of all hits, and adjusted Rand index of those that sound alone; NaN of none."""
    v = float(v_measure_score(names, classes)) if len(names) else np.nan
    single = [name for name, one in zip(names, alone, strict=True) if one]
    rand = float(adjusted_rand_score(single, classes[alone])) if single else np.nan
    return v, rand


def share(of: npt.ArrayLike) -> float:
    """Share of what is true; NaN of nothing."""
    flags = np.asarray(of, dtype=bool)
    return float(flags.mean()) if flags.size else np.nan


def agreement(guess: Labels, final: Labels) -> float:
    """Share of the hits with a guess that it was the final class of."""
    known = guess != -1
    return share(guess[known] == final[known])


def names_of(classes: Labels, drums: Sequence[str]) -> dict[int, str]:
    """The drum that each class holds most of, the first by name where two are level."""
    held: dict[int, Counter[str]] = {}
    for class_, name in zip(classes, drums, strict=True):
        held.setdefault(int(class_), Counter())[name] += 1
    return {class_: min(n, key=lambda name: (-n[name], name)) for class_, n in held.items()}


def halves(margins: Array, right: Mask) -> tuple[float, float]:
    """Share right in the upper and in the lower half of the margins; NaN of fewer than two hits."""
    order = np.argsort(margins, kind="stable")
    half = len(order) // 2
    return share(right[order[len(order) - half :]]), share(right[order[:half]])


# The rivals; all take scaled hits of shape (n_hits, n_features) and give labels.


def scaled(hits: Array) -> Array:
    """The notebook's ``MinMaxScaler(-1, 1)`` over all hits."""
    return np.asarray(MinMaxScaler(feature_range=(-1, 1)).fit_transform(hits))


def kmeans(hits: Array, k: int) -> Labels:
    """The notebook's, offline."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer hits differ than k
        model = KMeans(min(k, len(hits)), n_init=10, random_state=0)
        return np.asarray(model.fit_predict(scaled(hits)), dtype=np.int64)


def stream(hits: Array, k: int) -> Labels:
    """scikit-learn's incremental loop as a tutorial has it, after a warm-up of k hits."""
    if len(hits) < k:
        return np.zeros(len(hits), dtype=np.int64)
    scaler = MinMaxScaler(feature_range=(-1, 1)).partial_fit(hits[:k])
    first = scaler.transform(hits[:k])
    model = MiniBatchKMeans(k, n_init=10, random_state=0, reassignment_ratio=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        labels = list(model.partial_fit(first).predict(first))
        for hit in hits[k:, None]:
            row = scaler.partial_fit(hit).transform(hit)
            labels.append(model.partial_fit(row).predict(row)[0])
    return np.array(labels, dtype=np.int64)


def affinity(hits: Array) -> Labels:
    """The notebook's second algorithm; every hit in one class where it does not converge."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = AffinityPropagation(random_state=0).fit_predict(scaled(hits))
    return np.asarray(found, dtype=np.int64)


def nearest_mean(hits: Array, known: Array, labels: Labels, own: Labels) -> Labels:
    """Label of the nearest mean.

    Parameters
    ----------
    hits : ndarray of float64, shape (n_hits, n_features)
    known : ndarray of float64, shape (n_known, n_features)
    labels : ndarray of int64, shape (n_known,)
    own : ndarray of int64, shape (n_hits,)
        Which of the known each hit is, and is not to be judged by; -1: none.
    """
    k = int(labels.max()) + 1
    sums = np.array([known[labels == c].sum(axis=0) for c in range(k)])
    counts = np.bincount(labels, minlength=k).astype(np.float64)
    out = np.empty(len(hits), dtype=np.int64)
    for n, hit in enumerate(hits):
        total, count = sums.copy(), counts.copy()
        if own[n] >= 0:
            total[labels[own[n]]] -= known[own[n]]
            count[labels[own[n]]] -= 1.0
        square = ((total / np.maximum(count, 1.0)[:, None] - hit) ** 2).sum(axis=1)
        out[n] = np.where(count > 0.0, square, np.inf).argmin()
    return out


def nearest_hits(hits: Array, known: Array, labels: Labels, own: Labels) -> Labels:
    """Majority of the three nearest, the nearest one's where all differ; as the nearest mean."""
    square = ((hits[:, None, :] - known[None, :, :]) ** 2).sum(axis=2)
    itself = np.flatnonzero(own >= 0)
    square[itself, own[itself]] = np.inf
    near = labels[np.argsort(square, axis=1, kind="stable")[:, :NEIGHBOURS]]
    votes = (near[:, :, None] == near[:, None, :]).sum(axis=2)
    return np.asarray(near[np.arange(len(near)), votes.argmax(axis=1)])


# The runs.


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


def gather(events: Iterable[Event], samplerate: int, classes: int) -> Heard:
    """Hits out of events; those without a guess and a final are left out."""
    guesses: dict[int, Guess] = {}
    finals: dict[int, Final] = {}
    now: dict[int, int] = {}
    for event in events:
        if isinstance(event, Final):
            finals[event.id] = event
            now[event.id] = event.class_
        elif isinstance(event, Guess):
            guesses[event.id] = event
        elif isinstance(event, Relabel):
            now[event.id] = event.class_
    ids = sorted(guesses.keys() & finals.keys(), key=lambda id_: finals[id_].sample)
    pairs = [(guesses[id_], finals[id_]) for id_ in ids]
    both: dict[str, list[Guess]] = {
        "guess": [guess for guess, _ in pairs],
        "final": [final for _, final in pairs],
    }
    return Heard(
        times=np.array([f.sample / samplerate for _, f in pairs]),
        features={s: np.array([e.features for e in es]) for s, es in both.items()},
        told={s: np.array([e.class_ for e in es], dtype=np.int64) for s, es in both.items()},
        margins={s: np.array([e.margin for e in es]) for s, es in both.items()},
        final=np.array([now[id_] for id_ in ids], dtype=np.int64),
        classes=classes,
        lessons=[
            Lesson(
                EARLIER_SESSION, np.array(g.features), np.array(f.features), f.zcr,
                not f.overlapped,
            )
            for g, f in pairs
        ],
    )  # fmt: skip


def beginning(names: Sequence[str], alone: Mask, most: int = LESSONS) -> list[int]:
    """Places of the first hits of each drum that sound alone, in order of time."""
    seen: Counter[str] = Counter()
    out = []
    for place, name in enumerate(names):
        seen[name] += bool(alone[place])
        if alone[place] and seen[name] <= most:
            out.append(place)
    return out


def measure(recording: Recording, truth: Truth, features: str) -> dict[str, Any]:
    """All figures of a recording and a set of features."""
    k = truth.classes
    heard = hear(recording, Settings(classes=k, features=features))
    i, j = matched(truth.times, heard.times)
    order = np.argsort(j)
    i, j = i[order], j[order]
    names, alone = [truth.names[n] for n in i], truth.alone[i]
    scored = explained(recording, heard.times)
    out: dict[str, Any] = {
        "hits": len(heard.times),
        "agree": agreement(heard.told["guess"][scored], heard.final[scored]),
        "agree_told": agreement(heard.told["guess"][scored], heard.told["final"][scored]),
        "live": _live(heard, j, names, alone),
        "margins": _margins(heard, j, names, alone),
        "taught": _taught(recording, truth, heard, features),
        "auto": _auto(recording, truth, features),
    }
    for method, labels in _rivals(heard, k, j, names, alone).items():
        out[method] = {stage: worth(names, alone, labels[stage][j]) for stage in STAGES}
        if method == "affinity":
            out["affinity_found"] = int(labels["final"].max()) + 1
    return out


def _live(heard: Heard, j: Labels, names: list[str], alone: Mask) -> dict[str, dict[str, float]]:
    """The live labels: all of them, and where there is a guess, told during and after the run."""
    known = heard.told["guess"][j] >= 0
    some = [name for name, one in zip(names, known, strict=True) if one]
    rows = {
        "final": (names, alone, heard.final[j]),
        "guess": (some, alone[known], heard.told["guess"][j][known]),
        "final_of_guessed": (some, alone[known], heard.final[j][known]),
        "told_of_guessed": (some, alone[known], heard.told["final"][j][known]),
    }
    return {row: worth(*what) for row, what in rows.items()}


def _margins(heard: Heard, j: Labels, names: list[str], alone: Mask) -> dict[str, dict[str, float]]:
    places = j[alone]
    single = np.array([name for name, one in zip(names, alone, strict=True) if one])
    drum_of = names_of(heard.final[places], list(single))
    out = {}
    for stage in STAGES:
        told = heard.told[stage][places]
        known = told >= 0
        right = np.array([drum_of.get(int(c)) == n for c, n in zip(told, single, strict=True)])
        top, bottom = halves(heard.margins[stage][places][known], right.astype(bool)[known])
        out[stage] = {"top": top, "bottom": bottom}
    return out


def _rivals(
    heard: Heard, k: int, j: Labels, names: list[str], alone: Mask
) -> dict[str, dict[str, Labels]]:
    """Labels of all hits by the others, of each stage."""
    places = j[alone]
    single = [name for name, one in zip(names, alone, strict=True) if one]
    number = np.unique(single, return_inverse=True)[1].astype(np.int64)
    own = np.full(len(heard.times), -1, dtype=np.int64)
    own[places] = np.arange(len(places))
    out: dict[str, dict[str, Labels]] = {method: {} for method in OTHERS}
    for stage in STAGES:
        raw = heard.features[stage]
        hits = scaled(raw)
        out["kmeans"][stage] = kmeans(raw, k)
        out["stream"][stage] = stream(raw, k)
        out["affinity"][stage] = affinity(raw)
        out["means"][stage] = nearest_mean(hits, hits[places], number, own)
        out["3-nn"][stage] = nearest_hits(hits, hits[places], number, own)
    return out


def _taught(recording: Recording, truth: Truth, heard: Heard, features: str) -> dict[str, float]:
    """Share named right, of the hits that sound alone and were not taught."""
    drums = truth.drums
    i, j = matched(truth.times, heard.times)
    order = np.argsort(j)
    i, j = i[order], j[order]
    names = [truth.names[n] for n in i]
    first = beginning(names, truth.alone[i])
    lessons = [_lesson(heard.lessons[j[n]], drums.index(names[n])) for n in first]
    again = hear(recording, Settings(classes=truth.classes, features=features), lessons)
    rest = [n for n in np.flatnonzero(truth.alone[i]) if n not in set(first)]
    wanted = np.array([drums.index(names[n]) for n in rest], dtype=np.int64)
    places = j[rest]
    return {
        "taught": len(first),
        "hits": len(rest),
        "guess": share(again.told["guess"][places] == wanted),
        "final": share(again.told["final"][places] == wanted),
    }


def _lesson(hit: Lesson, class_: int) -> Lesson:
    return Lesson(hit.id, hit.guess, hit.final, hit.zcr, hit.whole, class_, class_)


def _auto(recording: Recording, truth: Truth, features: str) -> dict[str, float]:
    """Classes found, and what they are worth."""
    heard = hear(recording, Settings(classes=AUTO, features=features))
    i, j = matched(truth.times, heard.times)
    v, rand = v_and_rand([truth.names[n] for n in i], truth.alone[i], heard.final[j])
    return {"found": heard.classes, "used": len(np.unique(heard.final[j])), "V": v, "A": rand}


# The tables.

Pick = Callable[[dict[str, Any]], float]


def _averages(rows: list[dict[str, Any]], features: str, *path: str) -> float:
    return mean(_at(row["sets"][features], *path) for row in rows)


def _at(row: dict[str, Any], *path: str) -> float:
    value: Any = row
    for key in path:
        value = value[key]
    return float(value)


def means(rows: list[dict[str, Any]], features: str) -> dict[str, Any]:
    """Means over the recordings of a set of features."""

    def average(*path: str) -> float:
        return _averages(rows, features, *path)

    exact = [row for row in rows if row["kind"] == "exact"]
    one_voice = [row for row in rows if row["one_voice"]]
    sets = [row["sets"][features]["auto"]["found"] - row["drums"] for row in one_voice]
    stages = ("final", "guess", "final_of_guessed", "told_of_guessed")
    return {
        "live": {stage: {m: average("live", stage, m) for m in MEASURES} for stage in stages},
        **{
            method: {stage: {m: average(method, stage, m) for m in MEASURES} for stage in STAGES}
            for method in OTHERS
        },
        "affinity_found": average("affinity_found"),
        "agree": average("agree"),
        "agree_told": average("agree_told"),
        "margins": {
            stage: {half: average("margins", stage, half) for half in ("top", "bottom")}
            for stage in STAGES
        },
        "taught": {stage: average("taught", stage) for stage in STAGES},
        "taught_exact": {stage: _averages(exact, features, "taught", stage) for stage in STAGES},
        "taught_exact_least": {
            stage: min((_at(r["sets"][features], "taught", stage) for r in exact), default=np.nan)
            for stage in STAGES
        },
        "auto": {m: average("auto", m) for m in "VA"},
        "auto_off_one_voice": max((abs(off) for off in sets), default=0),
    }


def bars(figures: dict[str, dict[str, Any]]) -> list[tuple[str, str, bool]]:
    """What is wanted, what there is, and whether that will do; of the sets there are."""
    out: list[tuple[str, str, bool]] = []

    def bar(wanted: str, there: float, least: float) -> None:
        out.append((wanted, f"{there:.3f}, wanted {least:.3f}", bool(there >= least)))

    for name, one in figures.items():
        live, offline = one["live"], one["kmeans"]["final"]
        if name == "notebook":
            for m in "VA":
                bar(f"{name}: {m} of finals", live["final"][m], offline[m] - OFFLINE_SLACK)
            for m in "VA":
                wanted = live["final_of_guessed"][m] - GUESS_SLACK
                bar(f"{name}: {m} of guesses, to finals", live["guess"][m], wanted)
                wanted = live["told_of_guessed"][m] - GUESS_SLACK
                bar(f"{name}: {m} of guesses, to finals as told", live["guess"][m], wanted)
        if name == "best" and "notebook" in figures:
            least = figures["notebook"]["live"]["final"]["V"] + BEST_GAIN
            bar("best: V of finals, to the notebook's", live["final"]["V"], least)
        bar(f"{name}: guess agrees with final", one["agree"], AGREE)
        bar(f"{name}: guess agrees with final as told", one["agree_told"], AGREE)
        for stage in STAGES:
            top, bottom = one["margins"][stage]["top"], one["margins"][stage]["bottom"]
            out.append(
                (f"{name}: {stage}, margins", f"{top:.3f}, lower half {bottom:.3f}", top > bottom)
            )
        if name == "taught":
            for stage in STAGES:
                bar(f"{name}: {stage} right, exact", one["taught_exact"][stage], TAUGHT_RIGHT)
        off = one["auto_off_one_voice"]
        out.append((f"{name}: auto, off by (one voice)", f"{off}, wanted {WITHIN}", off <= WITHIN))
        bar(f"{name}: auto, V", one["auto"]["V"], live["final"]["V"] - AUTO_SLACK)
    return out


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title)
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left", no_wrap=True)
    return table


def _figure(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else "-"


def _offline_table(figures: dict[str, dict[str, Any]]) -> Table:
    columns = [f"{stage}\n{m}" for stage in ("final", "guess") for m in MEASURES]
    title = "Live, offline, and with the truth known: means"
    table = _table(title, "features", "labels", *columns)
    for name, one in figures.items():
        live = one["live"]
        rows = [("live", live["final"], None)]
        rows += [("live, hits with a guess", live["final_of_guessed"], live["guess"])]
        rows += [("the same, as told", live["told_of_guessed"], live["guess"])]
        rows += [(method, one[method]["final"], one[method]["guess"]) for method in OTHERS]
        for label, final, guess in rows:
            both = [stage[m] if stage else np.nan for stage in (final, guess) for m in MEASURES]
            table.add_row(name, label, *map(_figure, both))
        table.add_section()
    return table


def _by_recording(rows: list[dict[str, Any]], title: str, columns: dict[str, Pick]) -> Table:
    """A row for each recording, a column for each figure of each set of features."""
    names = list(rows[0]["sets"])
    heads = [f"{name}\n{column}" for name in names for column in columns]
    table = _table(title, "recording", "drums", *heads)
    values = []
    for row in rows:
        values.append([pick(row["sets"][name]) for name in names for pick in columns.values()])
        mark = " *" if row["one_voice"] else ""
        table.add_row(row["name"] + mark, str(row["drums"]), *map(_figure, values[-1]))
    table.add_section()
    table.add_row("mean", "", *(_figure(mean(column)) for column in zip(*values, strict=True)))
    return table


def _margins_table(figures: dict[str, dict[str, Any]]) -> Table:
    table = _table(
        "Right by margin: means", "features", "stage", "upper half", "lower half", "all taught"
    )
    for name, one in figures.items():
        for stage in STAGES:
            halves_ = one["margins"][stage]
            values = (halves_["top"], halves_["bottom"], one["taught"][stage])
            table.add_row(name, stage, *map(_figure, values))
    return table


def show(console: Console, rows: list[dict[str, Any]], figures: dict[str, dict[str, Any]]) -> None:
    """One table for each question."""
    console.print(_offline_table(figures))
    console.print(
        _by_recording(
            rows,
            "Guess and final, and V of kmeans on the same hits",
            {
                "V": lambda s: _at(s, "live", "final", "V"),
                "kmeans": lambda s: _at(s, "kmeans", "final", "V"),
                "agree": lambda s: _at(s, "agree"),
            },
        )
    )
    console.print(_margins_table(figures))
    console.print(
        _by_recording(
            rows,
            f"Taught with the first {LESSONS} hits of each drum: share of the others named right",
            {
                "guess": lambda s: _at(s, "taught", "guess"),
                "final": lambda s: _at(s, "taught", "final"),
            },
        )
    )
    console.print(
        _by_recording(
            rows,
            "How many drums: --classes auto (* one voice)",
            {
                "found": lambda s: _at(s, "auto", "found"),
                "V auto": lambda s: _at(s, "auto", "V"),
                "V true": lambda s: _at(s, "live", "final", "V"),
            },
        )
    )
    table = _table("What is wanted, and what there is", "bar", "figure", "met")
    for wanted, there, met in bars(figures):
        table.add_row(wanted, there, "yes" if met else "no")
    console.print(table)


def rounded(value: Any) -> Any:
    """Figures to four digits, and null for those that do not apply, as JSON has no NaN."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    if isinstance(value, float):
        return round(value, 4) if np.isfinite(value) else None
    return value


def main(
    data: Annotated[Path, typer.Option(help="Folder of the recordings.", exists=True)] = DATA,
    split: Annotated[str, typer.Option(help="Part of the recordings.")] = "dev",
    features: Annotated[
        list[str] | None, typer.Option(help="Set or list of features; may be repeated.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Part of a recording's name; may be repeated.")
    ] = None,
) -> None:
    """Compare live classes with offline ones and with the truth."""
    console = report_console()
    began = time.perf_counter()
    sets = features or list(FEATURE_SETS)
    labels = annotated(data)
    rows: list[dict[str, Any]] = []
    with threadpool_limits(1):  # on few hits, threads cost more than they give
        for recording in load(data, only, split):
            console.print(f"{recording.name} ...", style="dim")
            truth = truth_of(recording, labels[recording.name])
            rows.append(
                {
                    "name": recording.name,
                    "kind": recording.kind,
                    "drums": len(truth.drums),
                    "one_voice": truth.one_voice,
                    "sets": {name: measure(recording, truth, name) for name in sets},
                }
            )
    figures = {name: means(rows, name) for name in sets}
    show(console, rows, figures)
    console.print(f"{len(rows)} recordings in {time.perf_counter() - began:.0f} s.")
    if data != DATA or split != "dev" or features or only:
        console.print("Nothing is written: this is part of the comparison.")
        return
    content = {
        "features": {name: list(FEATURE_SETS[name]) for name in sets},
        "means": figures,
        "bars": [{"bar": b, "figure": f, "met": met} for b, f, met in bars(figures)],
        "recordings": rows,
    }
    console.print(f"Written: bench/results/{write('classes', rounded(content)).name}")


if __name__ == "__main__":
    typer.run(main)
