"""All figures of a recording and a set of features."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.classes.heard import Heard, hear
from bench.classes.rivals import affinity, kmeans, nearest_hits, nearest_mean, scaled, stream
from bench.classes.truth import Annotations, Labels, Mask, explained, matched
from bench.classes.worth import agreement, halves, names_of, share, v_and_rand, worth
from bench.recordings import Recording
from rtcluster import Settings
from rtcluster.learning.lesson import Lesson
from rtcluster.settings import AUTO

LESSONS = 5
"""Hits of each drum that are taught."""

STAGES = ("guess", "final")
OTHERS = ("kmeans", "stream", "affinity", "means", "3-nn")


def beginning(names: Sequence[str], alone: Mask, most: int = LESSONS) -> list[int]:
    """Places of the first hits of each drum that sound alone, in order of time."""
    seen: Counter[str] = Counter()
    out = []
    for place, name in enumerate(names):
        seen[name] += bool(alone[place])
        if alone[place] and seen[name] <= most:
            out.append(place)
    return out


def measure(
    recording: Recording, truth: Annotations, features: str, heard: Heard
) -> dict[str, Any]:
    """All figures of a recording and a set of features, heard with as many classes as it has."""
    k = truth.classes
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


def _taught(
    recording: Recording, truth: Annotations, heard: Heard, features: str
) -> dict[str, float]:
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


def _auto(recording: Recording, truth: Annotations, features: str) -> dict[str, float]:
    """Classes found, and what they are worth."""
    heard = hear(recording, Settings(classes=AUTO, features=features))
    i, j = matched(truth.times, heard.times)
    v, rand = v_and_rand([truth.names[n] for n in i], truth.alone[i], heard.final[j])
    return {"found": heard.classes, "used": len(np.unique(heard.final[j])), "V": v, "A": rand}
