"""Everything that the report shows, computed; nothing drawn or written yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rtcluster.notebook import compare, engine, optima
from rtcluster.notebook.audio import Recording, Tick
from rtcluster.notebook.clusters import Algorithm, Analysis, cluster
from rtcluster.notebook.reference import Hits, measure
from rtcluster.sources.annotations import Annotations
from rtcluster.sources.matching import Pairing, pair

Choice = Literal["kmeans", "affinity", "both"]

Stage = Callable[[str], Tick]
"""Begins a stage of the work by its name, and gives the function that takes its progress."""


@dataclass(frozen=True, slots=True, eq=False)
class Duel:
    """The streaming engine against the reference, on the same sound.

    The engine hears it at the file's own rate, as it would live; the reference works at the rate
    that was asked for.

    Parameters
    ----------
    run : EngineRun
        What the engine made of them.
    onsets : Pairing
        Its onsets against librosa's.
    features : FeatureCheck
        Its features against librosa and SciPy over the samples that the engine was given.
    classes : Agreement
        Classes of the matched hits that have one in both: rows the reference, columns the
        engine.
    nearest : tuple of (Optimum, float), or None
        Where KMeans has several optima: the one that the engine's classes agree with best, and
        their adjusted Rand index.
    """

    run: engine.EngineRun
    onsets: Pairing
    features: compare.FeatureCheck
    classes: compare.Agreement
    nearest: tuple[optima.Optimum, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """One list of hits against the truth.

    Parameters
    ----------
    by, on : str
        What made the classes, and on whose onsets.
    onsets : Pairing
        They against the truth.
    classes : Agreement
        Of all matched hits that have a class: rows the true labels, columns the classes, each
        also where no such hit has it.
    alone : Agreement
        The same over hits that sound alone.
    """

    by: str
    on: str
    onsets: Pairing
    classes: compare.Agreement
    alone: compare.Agreement


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """All numbers of a report.

    Parameters
    ----------
    recording : Recording
        The sound, as the reference was given it.
    hits : Hits
        Onsets and features by the reference.
    analyses : tuple of Analysis
        One for each algorithm, KMeans first.
    survey : Survey or None
        The optima of KMeans, where it ran.
    seed : int or None
        As asked.
    duel : Duel or None
        The engine's part; None where it did not run.
    duel_note : str
        Why it did not run.
    truth : Annotations or None
        The truth, where given.
    scores : tuple of Score
        Reference and engine against the truth.
    """

    recording: Recording
    hits: Hits
    analyses: tuple[Analysis, ...]
    survey: optima.Survey | None
    seed: int | None
    duel: Duel | None
    duel_note: str
    truth: Annotations | None
    scores: tuple[Score, ...]


def compute(
    recording: Recording,
    *,
    own: Recording,
    classes: int,
    algorithm: Choice,
    delta: float,
    wait: int,
    seed: int | None,
    truth: Annotations | None,
    stage: Stage,
) -> Results:
    """Run the reference, the survey of optima, the engine, and the comparisons.

    Parameters
    ----------
    recording : Recording
        The sound.
    own : Recording
        The same at the file's own rate, for the engine.
    classes, algorithm, delta, wait, seed
        As in `rtcluster.notebook.analyze`; "both" runs both algorithms.
    truth : Annotations, optional
        What to score against.
    stage : callable
        Told each stage as it begins.

    Returns
    -------
    Results
        All of it.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    """
    x, fs = recording.samples, recording.rate
    hits = measure(x, fs, delta=delta, wait=wait, tick=stage("onsets and features"))
    names: tuple[Algorithm, ...] = ("kmeans", "affinity") if algorithm == "both" else (algorithm,)
    analyses = []
    for name in names:
        tick = stage("KMeans" if name == "kmeans" else "AffinityPropagation")
        analyses.append(cluster(hits, name, classes, seed=seed))
        tick(1, 1)
    survey = None
    if analyses[0].algorithm == "kmeans" and analyses[0].model is not None:
        survey = optima.survey(hits.scaled, classes, tick=stage("optima of KMeans"))

    duel, note = None, ""
    try:
        run = engine.run(own.samples, own.rate, classes, tick=stage("streaming engine"))
    except (ImportError, OSError) as error:  # OSError: a library that does not load
        note = f"The streaming engine could not be loaded: {error}."
    except ValueError as error:
        note = f"The streaming engine refused to run: {error}"
    else:
        duel = face(own, analyses[0], run, survey)
    return Results(
        recording=recording,
        hits=hits,
        analyses=tuple(analyses),
        survey=survey,
        seed=seed,
        duel=duel,
        duel_note=note,
        truth=truth,
        scores=() if truth is None else tuple(_scores(truth, analyses, duel)),
    )


def face(
    recording: Recording,
    analysis: Analysis,
    run: engine.EngineRun,
    survey: optima.Survey | None = None,
) -> Duel:
    """Hold an engine's run against the reference.

    Parameters
    ----------
    recording : Recording
        The sound as the engine was given it.
    analysis : Analysis
        The reference's hits and classes.
    run : EngineRun
        The engine's.
    survey : Survey, optional
        The optima of KMeans, to find the one that the engine's classes are nearest to.

    Returns
    -------
    Duel
        Onsets, features and classes compared.
    """
    pairing = pair(analysis.onset_times, run.onset_times)
    left, right = analysis.labels[pairing.reference], run.labels[pairing.other]
    both = (left >= 0) & (right >= 0)
    nearest = None
    if survey is not None and len(survey.optima) > 1 and both.any():
        places, names = pairing.reference[both], class_names(right[both])
        nearest = max(
            ((o, compare.agree(o.labels[places], names).adjusted_rand) for o in survey.optima),
            key=lambda scored: scored[1],
        )
    return Duel(
        run,
        pairing,
        compare.check_features(
            recording.samples, recording.rate, run.onset_samples, run.spans, run.features
        ),
        compare.agree(
            class_names(left[both]),
            class_names(right[both]),
            class_names(analysis.classes),
            class_names(run.classes),
        ),
        nearest,
    )


def class_names(labels: Iterable[int]) -> list[str]:
    """Name classes as the report does."""
    return [f"class {c}" for c in labels]


def _scores(truth: Annotations, analyses: list[Analysis], duel: Duel | None) -> list[Score]:
    names = {"kmeans": "KMeans", "affinity": "Affinity"}
    rivals = [
        (names[a.algorithm], "librosa's onsets", a.onset_times, a.labels, class_names(a.classes))
        for a in analyses
    ]
    if duel is not None:
        run = duel.run
        classes = class_names(run.classes)
        rivals.append(("engine", "its own onsets", run.onset_times, run.labels, classes))
    scores = []
    for by, on, times, labels, classes in rivals:
        pairing = pair(truth.times, times)
        known = labels[pairing.other] >= 0
        matched = pairing.reference[known]
        true = np.array([truth.labels[i] for i in matched], str)
        got = np.array(class_names(labels[pairing.other][known]), str)
        alone = truth.alone[matched]
        agreement = compare.agree(true, got, sorted(set(truth.labels)), classes)
        scores.append(Score(by, on, pairing, agreement, compare.agree(true[alone], got[alone])))
    return scores
