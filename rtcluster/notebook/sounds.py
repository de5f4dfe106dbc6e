"""Which sounds a report has: the file, its onsets, each class, the engine's hits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rtcluster.notebook import sonify
from rtcluster.notebook.clusters import UNCLASSIFIED
from rtcluster.notebook.results import Results, Stage
from rtcluster.text import counted

CLASSES_HEARD = 12
"""Classes of an algorithm that get a player; the largest ones."""


@dataclass(frozen=True, slots=True)
class ClassSounds:
    """A sound of the report.

    Parameters
    ----------
    name : str
        Stem of its file.
    title : str
        What is heard.
    label : int or None
        The class whose clicks it has, if it is about one.
    player : Player
        Encoded for the page.
    wav : bytes
        The same as a WAV file.
    """

    name: str
    title: str
    label: int | None
    player: sonify.EncodedAudio
    wav: bytes


def make_all(results: Results, stage: Stage) -> dict[str, ClassSounds]:
    """Make every sound that the results give ground for.

    Parameters
    ----------
    results : Results
        The numbers.
    stage : callable
        Told the stage.

    Returns
    -------
    dict of str to Sound
        By name: sound, onsets, kmeans-class-0 and so on, affinity-class-0 and so on, engine.
        Each holds the first `sonify.EXCERPT_S` at most.
    """
    tick = stage("sounds")
    fs = results.recording.rate
    x = sonify.excerpt(results.recording.samples, fs)
    sounds: dict[str, ClassSounds] = {}

    def add(name: str, title: str, signal: NDArray[np.float32], label: int | None = None) -> None:
        sounds[name] = ClassSounds(
            name, title, label, sonify.player(signal, fs), sonify.wav(signal, fs)
        )
        tick(len(sounds), len(sounds) + 1)

    add("sound", "The sound", x)
    hits = results.hits
    if len(hits):
        add("onsets", "A click on every onset", sonify.with_clicks(x, fs, hits.onset_times))
    for analysis in results.analyses:
        for label in largest(analysis.labels):
            chosen = analysis.labels == label
            mixed = sonify.with_clicks(x, fs, analysis.onset_times[chosen], analysis.labels[chosen])
            count = f"{counted(chosen.sum(), 'hit')}"
            add(f"{analysis.algorithm}-class-{label}", f"class {label} · {count}", mixed, label)
    duel = results.duel
    if duel is not None and len(duel.run.onset_samples):
        mixed = sonify.with_clicks(x, fs, duel.run.onset_times, duel.run.labels)
        add("engine", "The engine's hits, a pitch for each class", mixed)
    tick(1, 1)
    return sounds


def largest(labels: NDArray[np.int64]) -> list[int]:
    """Return the classes that are heard, in order: the `CLASSES_HEARD` with the most hits."""
    values, counts = np.unique(labels[labels != UNCLASSIFIED], return_counts=True)
    return sorted(int(c) for c in values[np.argsort(-counts, kind="stable")[:CLASSES_HEARD]])
