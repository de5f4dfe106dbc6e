"""Annotated recordings, and what a list of hits is worth against their truth.

The recordings are those of ``RTCLUSTER_DATA``, or of ``shared/data`` beside the repository. A
folder of them has a ``recordings.csv``, and beside each audio file of it a ``.csv`` with a time and
a label for every hit. What counts:

- hits that begin together are one hit to be found: within 5 ms where the truth is exact (rendered),
  within 30 ms where people annotated it. Exact strokes of different drums are one hit up to 30 ms,
  strokes of one drum (flams, rolls) are not; a detection that only the later of the two explains
  is no false hit;
- a rendered hit that stands less than 3 dB out of what sounds already (``.hits.csv``) may be
  heard or missed: it is no miss, and a detection that only it explains is no false hit;
- F-measure, precision and recall are mir_eval's, within 50, 25 and 10 ms;
- timing is told only where the attack is known: in rendered recordings, and in those that come with
  machine-made attack times (``.attack.csv``). *Bias* is the median of found less true time,
  *MAD* the median distance from it, *latency* the time from the attack to the end of the hop
  in which the hit became known. For each recording they are told over mir_eval's pairs, which in
  a fast roll with a stroke missed may join every hit to its neighbour's truth; latencies
  pooled over recordings are those of hits and attacks that are each other's nearest;
- *doubles* is the share of true hits on which more than one detection falls, from 10 ms before the
  hit to 10 ms before the next one.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import mir_eval
import numpy as np
import numpy.typing as npt
import soundfile

DATA = Path(os.environ.get("RTCLUSTER_DATA", Path(__file__).parents[2] / "shared" / "data"))

TOGETHER_S = {"exact": 0.005, "human": 0.030, "assisted": 0.030}
"""By the kind of truth: hits nearer than this are one."""

SPREAD_S = 0.030
"""Exact strokes of different drums nearer than this are one hit to be found."""

DRUMS = {
    "sidestick": "snare", "rimshot": "snare", "hihat": "hihat", "tom": "tom",
    "crash": "cymbal", "ride": "cymbal", "china": "cymbal", "bongo": "bongo",
}  # fmt: skip
"""The drum that a listener would name, by the start of a label; other labels are drums."""

MASKED_DB = 3.0
"""A hit that stands out by less may be missed."""

WINDOWS_MS = (50, 25, 10)
MATCH_S = 0.050
EARLY_S = 0.010
"""A detection so far before a hit still belongs to that hit when doubles are counted."""

Times = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Recording:
    """Audio and its truth.

    Attributes
    ----------
    name : str
    kind : {"exact", "human", "assisted"}
        What the truth is worth.
    samplerate : int
        Hz.
    audio : ndarray of float32, shape (n,)
        The mean of the channels.
    truth, optional : ndarray of float64, shape (n_hits,)
        Times in s of the hits to be found, and of those that may be missed.
    attacks : ndarray of float64, shape (n_attacks,), or None
        Times in s at which the sound itself begins, where that is known.
    joined : ndarray of float64, shape (n_joined,)
        Times in s, among the optional ones, of strokes that belong to the hit before.
    """

    name: str
    kind: str
    samplerate: int
    audio: npt.NDArray[np.float32]
    truth: Times
    optional: Times
    attacks: Times | None
    joined: Times = field(default_factory=lambda: np.zeros(0), repr=False)

    @property
    def seconds(self) -> float:
        """Length in s."""
        return len(self.audio) / self.samplerate

    def at(self, samplerate: int | None = None, gain_db: float = 0.0) -> Recording:
        """The same at another rate in Hz and another level; over full scale it clips."""
        audio, rate = self.audio, samplerate or self.samplerate
        if rate != self.samplerate:
            import soxr

            audio = soxr.resample(audio, self.samplerate, rate)
        if gain_db:
            audio = np.clip(audio * np.float32(10 ** (gain_db / 20)), -1.0, 1.0)
        return replace(self, audio=audio, samplerate=rate)


@dataclass(frozen=True, slots=True)
class Hits:
    """What a detector found, in order of time.

    Attributes
    ----------
    times : ndarray of float64, shape (n_hits,)
        When each hit began, in s.
    known : ndarray of float64, shape (n_hits,)
        When it became known, in s: the end of the block that the detector needed for it. NaN
        for a detector that needs the whole recording.
    """

    times: Times
    known: Times

    @classmethod
    def of(cls, times: Iterable[float], known: Iterable[float] | None = None) -> Hits:
        """Put hits in order."""
        start = np.asarray(list(times), dtype=np.float64)
        end = np.full(len(start), np.nan) if known is None else np.asarray(list(known), np.float64)
        order = np.argsort(start, kind="stable")
        return cls(start[order], end[order])


@dataclass(frozen=True, slots=True)
class Scores:
    """What hits are worth against a recording's truth; NaN where a figure does not apply.

    Attributes
    ----------
    f50, f25, f10 : float
        F-measure within so many ms.
    precision, recall : float
        Within 50 ms.
    doubles : float
        Share of the true hits.
    errors, latencies : ndarray of float64, shape (n_matched,)
        Of the hits whose attack is known, in ms: found less true time, and time until known.
    nearest : ndarray of float64, shape (n_nearest,)
        Latencies in ms of the hits and attacks that are each other's nearest.
    """

    f50: float
    f25: float
    f10: float
    precision: float
    recall: float
    doubles: float
    errors: Times = field(repr=False)
    latencies: Times = field(repr=False)
    nearest: Times = field(repr=False)

    @property
    def bias(self) -> float:
        """Median error in ms."""
        return float(np.median(self.errors)) if self.errors.size else np.nan

    @property
    def mad(self) -> float:
        """Median distance of the errors from their median, in ms."""
        return float(np.median(np.abs(self.errors - self.bias))) if self.errors.size else np.nan

    def latency(self, percent: float) -> float:
        """A percentile of the latencies, in ms."""
        known = self.latencies[np.isfinite(self.latencies)]
        return float(np.percentile(known, percent)) if known.size else np.nan


def load(
    folder: Path = DATA, only: Sequence[str] | None = None, split: str = "dev"
) -> list[Recording]:
    """Recordings that have truth.

    Parameters
    ----------
    folder : Path
        Holds ``recordings.csv``.
    only : sequence of str, optional
        Words of which one must be in a recording's name; by default all recordings.
    split : str
        The part to load.

    Raises
    ------
    FileNotFoundError
        If there are no recordings, or none by these names.
    """
    index = folder / "recordings.csv"
    if not index.is_file():
        raise FileNotFoundError(
            f"Expected recordings in {folder}, found no recordings.csv there. "
            "Set RTCLUSTER_DATA to their folder."
        )
    chosen = [
        _load(folder / row["file"], row["name"], row["truth"])
        for row in _rows(index)
        if row["truth"] in TOGETHER_S
        and row["split"] == split
        and (not only or any(word in row["name"] for word in only))
    ]
    if not chosen:
        raise FileNotFoundError(f"Expected recordings named {only} in {folder}, found none.")
    return chosen


def _load(path: Path, name: str, kind: str) -> Recording:
    audio, samplerate = soundfile.read(path, dtype="float32", always_2d=True)
    truth = _begin(_times(path.with_suffix(".csv")), TOGETHER_S[kind])
    optional = joined = np.zeros(0)
    details = path.with_suffix(".hits.csv")
    if details.is_file():
        masked = _masked(truth, details)
        truth, optional = truth[~masked], truth[masked]
    machine_made = path.with_suffix(".attack.csv")
    attacks = None
    if kind == "exact":
        truth, joined = join(truth, _drums(path.with_suffix(".csv"), truth))
        optional, attacks = np.sort(np.concatenate([optional, joined])), truth
    if machine_made.is_file():
        attacks = _begin(_times(machine_made), TOGETHER_S["exact"])
    return Recording(name, kind, samplerate, audio.mean(axis=1), truth, optional, attacks, joined)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _times(path: Path) -> Times:
    return np.sort([float(row["time"]) for row in _rows(path)])


def _begin(times: Times, together_s: float) -> Times:
    """First time of each group of hits that begin together."""
    firsts: list[float] = []
    for time in times:
        if not firsts or time - firsts[-1] >= together_s:
            firsts.append(float(time))
    return np.array(firsts)


def drum(label: str) -> str:
    """Name of the drum behind a label."""
    return next((name for start, name in DRUMS.items() if label.startswith(start)), label)


def _drums(path: Path, times: Times) -> list[set[str]]:
    """Drums that are struck at each of these times."""
    struck: list[set[str]] = [set() for _ in times]
    for row in _rows(path):
        time, label = float(row["time"]), row["label"]
        for i in np.flatnonzero((times <= time) & (time < times + TOGETHER_S["exact"])):
            struck[i].add(drum(label))
    return struck


def join(times: Times, drums: list[set[str]]) -> tuple[Times, Times]:
    """Tell hits from strokes that belong to the hit before: within 30 ms of it, of other drums.

    Parameters
    ----------
    times : ndarray of float64, shape (n,)
        Of strokes, in s, rising.
    drums : list of set of str
        What is struck at each of them.

    Returns
    -------
    hits, joined : ndarray of float64
        Times in s.
    """
    firsts: list[float] = []
    joined: list[float] = []
    heard: set[str] = set()
    for time, struck in zip(times, drums, strict=True):
        if firsts and time - firsts[-1] < SPREAD_S and not struck & heard:
            heard = heard | struck
            joined.append(float(time))
        else:
            firsts.append(float(time))
            heard = struck
    return np.array(firsts), np.array(joined)


def _masked(times: Times, details: Path) -> npt.NDArray[np.bool_]:
    """Whether nothing that begins at each time stands out."""
    rows = _rows(details)
    at = np.array([float(row["time"]) for row in rows])
    over = np.array([float(row["over_rest_db"]) for row in rows])
    return np.array(
        [
            bool(over[near].max() < MASKED_DB)
            if (near := np.abs(at - time) < TOGETHER_S["exact"]).any()
            else False
            for time in times
        ],
        dtype=bool,
    )


def score(recording: Recording, hits: Hits) -> Scores:
    """Compare hits with the truth."""
    truth = recording.truth
    hits = _without_masked(recording, hits)
    within = {ms: mir_eval.onset.f_measure(truth, hits.times, window=ms / 1e3) for ms in WINDOWS_MS}
    errors = latencies = nearest = np.zeros(0)
    if recording.attacks is not None and recording.attacks.size and hits.times.size:
        pairs = mir_eval.util.match_events(recording.attacks, hits.times, MATCH_S)
        true = recording.attacks[[i for i, _ in pairs]]
        which = [j for _, j in pairs]
        errors = 1e3 * (hits.times[which] - true)
        latencies = 1e3 * (hits.known[which] - true)
        nearest = _nearest(recording.attacks, hits)
    return Scores(
        f50=float(within[50][0]),
        f25=float(within[25][0]),
        f10=float(within[10][0]),
        precision=float(within[50][1]),
        recall=float(within[50][2]),
        doubles=_doubles(recording, hits),
        errors=errors,
        latencies=latencies,
        nearest=nearest,
    )


def _nearest(attacks: Times, hits: Hits) -> Times:
    """Latencies in ms of the hits and attacks that are each other's nearest."""
    apart = np.abs(attacks[:, None] - hits.times[None])
    i, j = np.arange(len(attacks)), apart.argmin(axis=1)
    mutual = (apart.argmin(axis=0)[j] == i) & (apart[i, j] <= MATCH_S)
    return np.asarray(1e3 * (hits.known[j] - attacks)[mutual])


def _without_masked(recording: Recording, hits: Hits) -> Hits:
    """All hits but those that nothing explains save one that may be missed."""
    if not recording.optional.size or not hits.times.size:
        return hits
    near = np.abs(hits.times[:, None] - recording.optional[None]).min(axis=1) <= MATCH_S
    pairs = mir_eval.util.match_events(recording.truth, hits.times, MATCH_S)
    near[[j for _, j in pairs]] = False
    return Hits(hits.times[~near], hits.known[~near])


def _doubles(recording: Recording, hits: Hits) -> float:
    every = np.sort(np.concatenate([recording.truth, recording.optional]))
    slot = np.searchsorted(every - EARLY_S, hits.times) - 1
    counts = np.bincount(slot[slot >= 0], minlength=len(every))
    return float(np.maximum(counts - 1, 0).sum() / len(every))


def mean(values: Iterable[float]) -> float:
    """Mean of the figures that apply; NaN if none does."""
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else np.nan


def summary(recordings: Sequence[Recording], scores: Sequence[Scores]) -> dict[str, float]:
    """What a detector is worth over recordings.

    F-measures, precision and recall are means over the recordings, timing and doubles over those
    of exact truth (the ``f10_exact`` too); ``pooled`` latencies are over all the hits of these.
    """
    exact = [s for r, s in zip(recordings, scores, strict=True) if r.kind == "exact"]
    late = np.concatenate([s.nearest for s in exact]) if exact else np.zeros(0)
    late = late[np.isfinite(late)]
    pooled = np.percentile(late, (50, 95)) if late.size else (np.nan, np.nan)
    return {
        "f50": mean(s.f50 for s in scores),
        "f25": mean(s.f25 for s in scores),
        "f10": mean(s.f10 for s in scores),
        "f50_min": min(s.f50 for s in scores),
        "f50_exact": mean(s.f50 for s in exact),
        "f10_exact": mean(s.f10 for s in exact),
        "precision": mean(s.precision for s in scores),
        "recall": mean(s.recall for s in scores),
        "doubles": mean(s.doubles for s in exact),
        "bias_ms": mean(s.bias for s in exact),
        "mad_ms": mean(s.mad for s in exact),
        "latency_p50_ms": mean(s.latency(50) for s in exact),
        "latency_p95_ms": mean(s.latency(95) for s in exact),
        "pooled_p50_ms": float(pooled[0]),
        "pooled_p95_ms": float(pooled[1]),
    }
