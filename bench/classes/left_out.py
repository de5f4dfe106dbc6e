"""What is chosen for untaught classes, with whole songs and kits left out, and its worth there.

A choice is made by the mean V over all recordings but those of one song, loop or kit, and measured
on these; so in turn for all of them. Two kits that share their hats are one. Chosen are:

- *best*: to what power the bands of a hit's spectrum are taken, and over what stretch, by k-means
  offline with the true number of classes;
- *auto*: what counts the drums, and what one class more has to save, by the learner alone over the
  hits of the run, of both sets of features together. Beside it stand 2 classes and the true number.
"""

from __future__ import annotations

import itertools
import json
import warnings
from collections.abc import Hashable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from bench.classes.heard import Heard
from bench.classes.rivals import kmeans
from bench.classes.truth import Annotations, Array, Labels, matched
from bench.classes.worth import v_and_rand
from bench.recordings import Recording, mean
from rtcluster import Settings
from rtcluster.kernel import shape
from rtcluster.kernel.entry import measure_all
from rtcluster.kernel.shape import FLOOR_SHARE, SHAPE, SILENT, WHOLE_S
from rtcluster.learning import learner, seeding
from rtcluster.learning.learner import Learner
from rtcluster.learning.lesson import Lesson
from rtcluster.settings import AUTO, BANDS

FEATURES = ("notebook", "best")

PREFERENCES, GROWTHS = (0.35, 0.5, 0.7), (0.15, 0.25, 0.4)
RULES = list(itertools.product(PREFERENCES, GROWTHS))
RULE = (seeding.PREFERENCE, learner.GROWTH)

POWERS, SPANS_S = (1 / 5, 1 / 4, 1 / 3, 1 / 2), (0.030, 0.050, 0.060, 0.090)
SHAPES = list(itertools.product(POWERS, SPANS_S))
SHAPE_NOW = (1 / 4, WHOLE_S)

ONE_KIT = {"red_zeppelin": "black_pearl"}
"""Kits of which another one has the hats."""

Choice = TypeVar("Choice", bound=Hashable)


def groups(data: Path) -> dict[str, str]:
    """The kit of each rendered recording."""
    path = data / "teach" / "kits.json"
    kits = json.loads(path.read_text()) if path.is_file() else {}
    return {name: ONE_KIT.get(kit, kit) for name, kit in kits.items()}


def chosen(
    worth: Mapping[Choice, Mapping[str, float]], group_of: Mapping[str, str]
) -> dict[str, Choice]:
    """For each recording the choice that the others make, those of its own group left out.

    Parameters
    ----------
    worth : mapping
        Of each choice, by the recordings' names.
    group_of : mapping
        Of a recording; one that is not there is a group by itself.
    """
    names = list(next(iter(worth.values())))
    own = {name: group_of.get(name, name) for name in names}
    out = {}
    for name in names:
        rest = [other for other in names if own[other] != own[name]]
        out[name] = max(worth, key=lambda choice: mean(worth[choice][other] for other in rest))
    return out


def measure(
    recording: Recording, truth: Annotations, heard: Mapping[str, Heard]
) -> dict[str, dict[str, Any]]:
    """Worth of every choice on a recording.

    Parameters
    ----------
    recording : Recording
    truth : Annotations
    heard : mapping of Heard
        By the name of the features.
    """
    i, j = matched(truth.times, heard["best"].times)
    names, alone = [truth.names[n] for n in i], truth.alone[i]

    def v(labels: Labels) -> float:
        return v_and_rand(names, alone, labels[j])[0]

    spectra = shapes(recording, heard["best"].times)
    out: dict[str, dict[str, Any]] = {
        "offline": {
            "shapes": {one: v(_offline(hits, truth.classes)) for one, hits in spectra.items()},
            "notebook": v(kmeans(heard["notebook"].features["final"], truth.classes)),
        }
    }
    for features in FEATURES:
        lessons = heard[features].lessons
        told: dict[str, Any] = {
            name: v(alone_learned(lessons, Settings(classes=k, features=features))[0])
            for name, k in (("two", 2), ("true", truth.classes))
        }
        rules = {}
        for preference, growth in RULES:
            with (
                patch.object(seeding, "PREFERENCE", preference),
                patch.object(learner, "GROWTH", growth),
            ):
                labels, found = alone_learned(lessons, Settings(classes=AUTO, features=features))
            rules[preference, growth] = (v(labels), abs(found - truth.classes))
        out[features] = {**told, "rules": rules}
    return out


def alone_learned(lessons: list[Lesson], settings: Settings) -> tuple[Labels, int]:
    """Classes of the hits in the end, and how many, by the learner without the engine."""
    own = Learner(settings)
    labels = np.full(len(lessons), -1, np.int64)
    for n, lesson in enumerate(lessons):
        if own.ready:
            stage = own._final_stage() if lesson.whole else own._guess_stage()
            hit = lesson.final if lesson.whole else lesson.guess
            labels[n] = int(stage.classes_of(hit[None, :])[0])
        told = replace(lesson, id=n, class_=int(labels[n]))
        for relabel in own.learn(told).relabels:
            labels[relabel.id] = relabel.class_
    for relabel in own.end().relabels:
        labels[relabel.id] = relabel.class_
    return labels, len(own.names)


def shapes(recording: Recording, times: Array) -> dict[tuple[float, float], Array]:
    """The spectra of the hits as :data:`SHAPES` have them, each of shape (n_hits, BANDS)."""
    rate, record = recording.samplerate, np.zeros(1, SHAPE)
    starts = np.rint(times * rate).astype(np.int64)
    ends = [*starts[1:], len(recording.audio)]
    out: dict[tuple[float, float], Array] = {}
    for span_s in SPANS_S:
        rows = np.zeros((len(starts), BANDS))
        for n, (start, end) in enumerate(zip(starts, ends, strict=True)):
            span = int(min(span_s * rate, end - start))
            shape.configure(record[0], rate, 0.45 * rate, [0, span])
            before = int(record["before"][0])
            audio = np.pad(recording.audio, (before, span))[start : start + before + span]
            powers = np.zeros((1, 1, 2, BANDS), np.float32)
            measure_all(record, audio[None, None], np.array([before]), powers)
            now, rest = powers[0, 0, 1], powers[0, 0, 0]
            rows[n] = np.maximum(now - rest, FLOOR_SHARE * now) + SILENT
        for power in POWERS:
            roots = rows**power
            out[power, span_s] = roots / np.linalg.norm(roots, axis=1, keepdims=True)
    return out


def _offline(hits: Array, k: int) -> Labels:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer hits differ than k
        found = KMeans(min(k, len(hits)), n_init=10, random_state=0).fit_predict(hits)
    return np.asarray(found, dtype=np.int64)


def figures(found: Mapping[str, dict[str, Any]], group_of: Mapping[str, str]) -> dict[str, Any]:
    """Means over the recordings: left out, as set, and what they stand beside.

    Parameters
    ----------
    found : mapping
        What :func:`measure` gave, by the recordings' names.
    group_of : mapping
    """
    names = list(found)
    worth = {one: {n: found[n]["offline"]["shapes"][one] for n in names} for one in SHAPES}
    by = chosen(worth, group_of)
    out: dict[str, Any] = {
        "best": {
            "left_out": mean(worth[by[n]][n] for n in names),
            "set": mean(worth[SHAPE_NOW].values()),
            "notebook": mean(found[n]["offline"]["notebook"] for n in names),
            "chosen": sorted({f"1/{1 / p:.0f}, {1e3 * s:.0f} ms" for p, s in by.values()}),
        }
    }
    both = {
        rule: {n: mean(found[n][f]["rules"][rule][0] for f in FEATURES) for n in names}
        for rule in RULES
    }
    rules = chosen(both, group_of)
    for features in FEATURES:
        own = {n: found[n][features] for n in names}
        out[f"auto, {features}"] = {
            "two": mean(own[n]["two"] for n in names),
            "true": mean(own[n]["true"] for n in names),
            "left_out": mean(own[n]["rules"][rules[n]][0] for n in names),
            "set": mean(own[n]["rules"][RULE][0] for n in names),
            "off_left_out": mean(own[n]["rules"][rules[n]][1] for n in names),
            "off_set": mean(own[n]["rules"][RULE][1] for n in names),
            "chosen": sorted({f"{p:g}, {g:g}" for p, g in rules.values()}),
        }
    return out


def show(console: Console, left: dict[str, Any]) -> None:
    """A row for each choice."""
    table = Table(title="V where each song, loop and kit was left out of what chose, in turn")
    heads = ("", "chosen", "2", "notebook", "left out", "as set", "true k", "off", "as set")
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place > 1 else "left")
    keys = ("two", "notebook", "left_out", "set", "true", "off_left_out", "off_set")
    for what, row in left.items():
        cells = [f"{row[key]:.3f}" if key in row else "" for key in keys]
        table.add_row(what, "; ".join(row["chosen"]), *cells)
    console.print(table)
    console.print(
        "2: with 2 classes. notebook: its features and true k. off: drums too many or too few."
    )
