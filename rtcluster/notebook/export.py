"""The report's parts as files: a table, a label track, the engine's events, pictures, sounds."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path

from rtcluster.durations import WINDOW_S
from rtcluster.exports.audacity import label_track
from rtcluster.notebook.clusters import UNCLASSIFIED, Analysis
from rtcluster.notebook.reference import Hits
from rtcluster.notebook.results import Duel, Results
from rtcluster.notebook.sounds import ClassSounds
from rtcluster.pages.canvas import Picture


def write_features(path: Path, hits: Hits, analyses: Iterable[Analysis]) -> None:
    """Write one row per hit: where it is, its features, its classes.

    Parameters
    ----------
    path : Path
        The CSV file.
    hits : Hits
        Onsets and features.
    analyses : iterable of Analysis
        Each gives a column of classes, named after its algorithm.
    """
    shown = list(analyses)
    header = ["hit", "time", "frame", "sample", "zcr", "energy", "zcr_scaled", "energy_scaled"]
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(header + [a.algorithm for a in shown])
        for i in range(len(hits)):
            zcr, energy = hits.features[i]
            scaled = [f"{v:.9g}" for v in hits.scaled[i]]
            where = [f"{hits.onset_times[i]:.6f}", hits.onset_frames[i], hits.onset_samples[i]]
            table.writerow(
                [i, *where, int(zcr), f"{energy:.9g}", *scaled, *(a.labels[i] for a in shown)]
            )


def write_labels(path: Path, analysis: Analysis) -> None:
    """Write a label track for Audacity: start and end in s, and the class, parted by tabs.

    Parameters
    ----------
    path : Path
        The text file.
    analysis : Analysis
        Hits and classes; each label spans the 90 ms that were measured.
    """
    track = label_track(
        (time, time + WINDOW_S, "onset" if label == UNCLASSIFIED else f"class {label}")
        for time, label in zip(analysis.onset_times, analysis.labels, strict=True)
    )
    path.write_text(track, encoding="utf-8", newline="\n")


def write_events(path: Path, duel: Duel, source: str) -> None:
    """Write the engine's events as JSON Lines, with the session before and the summary after.

    Parameters
    ----------
    path : Path
        The JSON Lines file.
    duel : Duel
        The engine's run.
    source : str
        Name of the sound.
    """
    run = duel.run
    session = {
        "event": "session",
        "version": 1,
        "samplerate": run.samplerate,
        "source": source,
        "settings": dict(run.settings),
    }
    summary = {"event": "summary", "hits": len(run.onset_samples), "xruns": 0}
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for event in (session, *run.events, summary):
            file.write(json.dumps(event, default=str, separators=(",", ":")) + "\n")


def write_parts(
    folder: Path, results: Results, pictures: Iterable[Picture], sounds: Iterable[ClassSounds]
) -> None:
    """Write every part of a report but the page itself.

    Parameters
    ----------
    folder : Path
        Where they go, empty; pictures and sounds in folders of their own.
    results : Results
        The numbers.
    pictures : iterable of Picture
        Written in their main layout, light (``NAME.png``) and dark (``NAME-dark.png``).
    sounds : iterable of Sound
        Written as WAV files.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    write_features(folder / "features.csv", results.hits, results.analyses)
    write_labels(folder / "labels.txt", results.analyses[0])
    if results.duel is not None:
        write_events(folder / "events.jsonl", results.duel, results.recording.name)
    for inner in ("pictures", "sounds"):
        (folder / inner).mkdir()
    for picture in pictures:
        stem = folder / "pictures" / picture.name
        stem.with_suffix(".png").write_bytes(picture.images["light", picture.layout])
        dark = stem.with_name(f"{picture.name}-dark.png")
        dark.write_bytes(picture.images["dark", picture.layout])
    for sound in sounds:
        (folder / "sounds" / f"{sound.name}.wav").write_bytes(sound.wav)
