"""What is asked of an engine while it runs: its latency, its counts and its callback's time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.presets import AUBIO_PRESETS, PRESETS
from rtcluster.settings import Settings, Spans


@dataclass(frozen=True, slots=True)
class Latency:
    """Samples from the start of a hit to each event, at the latest, once it is detected.

    Attributes
    ----------
    onset : int
        Nominal: until the attack stands where the detector's window weighs it by half, and the
        rest of a hop. What it is in fact depends on the drum: README.md has measured figures.
    guess, final : int
        The span, and the rest of the hop that it ends in.
    """

    onset: int
    guess: int
    final: int

    @classmethod
    def of(cls, settings: Settings, spans: Spans) -> Latency:
        """Of settings whose durations are so many samples."""
        if settings.method in AUBIO_PRESETS:
            onset = spans.buffer // 2 + 2 * spans.hop  # aubio's peak picker looks a hop ahead
        else:  # until an attack stands under the middle of what the detector weighs most
            onset = int((1.0 - PRESETS[settings.preset].peak) * spans.buffer) // 2 + spans.hop
        rest = spans.hop - 1
        return cls(onset=onset, guess=spans.guess + rest, final=spans.window + rest)


@dataclass(frozen=True, slots=True)
class Counts:
    """What has happened since the stream began, for the summary."""

    samples: int
    hits: int
    xruns: int
    bad_hops: int
    events_dropped: int
    late_models: int

    @classmethod
    def of(cls, record: Any) -> Counts:
        """Of the kernel's record."""
        return cls(
            samples=int(record["clock"]) + int(record["filled"]),
            hits=int(record["next_id"]),
            xruns=int(record["xruns"]),
            bad_hops=int(record["bad_hops"]),
            events_dropped=int(record["events_dropped"]),
            late_models=int(record["late_models"]),
        )


def callback_work_us(record: Any) -> npt.NDArray[np.float64]:
    """Time that each of the latest callbacks took, in microseconds, shape (n,)."""
    kept = min(int(record["callbacks"]), len(record["work"]))
    return np.asarray(record["work"][:kept] / 1e3)


def callback_load(record: Any, samplerate: int) -> dict[str, float]:
    """Share of the real time that the callback took, mean and 99th percentile; empty before one."""
    if not record["callbacks"]:
        return {}
    work = callback_work_us(record) / 1e6
    period = float(record["frames"]) / float(record["callbacks"]) / samplerate
    return {
        "mean": round(float(work.mean() / period), 4),
        "p99": round(float(np.percentile(work, 99) / period), 4),
    }
