"""What a session comes to: the figures, as frozen dataclasses; see :mod:`rtcluster.performance`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, is_dataclass

import numpy as np
from numpy.typing import NDArray

from rtcluster.performance.drums import Drum, Timing
from rtcluster.performance.runs import Intervals, Run
from rtcluster.performance.statistics import Array, Estimate


@dataclass(frozen=True, slots=True)
class Tempo:
    """How fast, and how the tempo moved.

    Attributes
    ----------
    bpm : Estimate
        Beats a minute, the mean of the stretch.
    drift : Estimate or None
        In bpm a minute; negative is slowing down. None if the stretch is too short.
    drift_percent : Estimate or None
        The same in per cent of the tempo a minute.
    begin, end : Estimate
        In bpm.
    halved, doubled : float
        The tempi an octave off, in bpm: the same hits, counted in other notes.
    sure : bool
        Whether the next best tempo explains the hits clearly less.
    rivals : tuple of float
        Tempi in bpm that explain the hits nearly as well.
    """

    bpm: Estimate
    drift: Estimate | None
    drift_percent: Estimate | None
    begin: Estimate
    end: Estimate
    halved: float
    doubled: float
    sure: bool
    rivals: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Swing:
    """How uneven pairs of notes are.

    Attributes
    ----------
    notes : str
        Which ones.
    percent : Estimate
        Where the second note begins, in per cent of the pair: 50 is straight, 66.7 triplets.
    ratio : float
        Length of the first over that of the second.
    heard : bool
        Whether it is more than its uncertainty.
    """

    notes: str
    percent: Estimate
    ratio: float
    heard: bool


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of playing between pauses.

    Attributes
    ----------
    begin, end : float
        First and last hit, in s.
    hits : int
    grid : str
        How the beat is divided; "" without a steady tempo.
    tempo : Tempo or None
    swing : Swing or None
    reason : str
        Why there is no tempo.
    """

    begin: float
    end: float
    hits: int
    grid: str
    tempo: Tempo | None
    swing: Swing | None
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Performance:
    """The figures of a session.

    Attributes
    ----------
    hits : int
    seconds : float
        From the first hit to the last.
    basis : {"estimated", "given", "absolute", "none"}
        What the hits are held against: the player's own pulse; a given tempo, laid over the hits
        as well as it goes; a given tempo from a given moment on; nothing.
    reason : str
        Why there is no steady tempo; "" if there is one.
    given_bpm : float or None
    tempo : Tempo or None
        Of the longest stretch, as played.
    swing : Swing or None
        Of the longest stretch.
    grid : str
        How the beat is divided.
    timing : Timing or None
        Of all drums together.
    drums : tuple of Drum
        By class; learning (-1) and unknown (-2) last.
    fastest : Run or None
    intervals : Intervals or None
    stretches : tuple of Section
    times, velocities : ndarray of float64, shape (hits,)
        Onsets in s, rising, and velocities.
    classes, names : ndarray of int64, tuple of str
        Of each hit.
    deviations, uncertainties : ndarray of float64, shape (hits,)
        In s, late is positive; nan where there is no grid.
    verdicts : tuple of str
        ``early``, ``on time``, ``late`` or ``""``.
    positions, sways : ndarray of float64, shape (hits,)
        Where on the grid, in beats, and how far the swing moves that place.
    curve : ndarray of float64, shape (m, 3)
        Time in s, tempo in bpm, half-width of its interval; a row of nan between stretches.
    """

    hits: int
    seconds: float
    basis: str
    reason: str
    given_bpm: float | None
    tempo: Tempo | None
    swing: Swing | None
    grid: str
    timing: Timing | None
    drums: tuple[Drum, ...]
    fastest: Run | None
    intervals: Intervals | None
    stretches: tuple[Section, ...]
    times: Array = field(repr=False, metadata={"array": True})
    classes: NDArray[np.int64] = field(repr=False, metadata={"array": True})
    velocities: Array = field(repr=False, metadata={"array": True})
    names: tuple[str, ...] = field(repr=False, metadata={"array": True})
    deviations: Array = field(repr=False, metadata={"array": True})
    uncertainties: Array = field(repr=False, metadata={"array": True})
    verdicts: tuple[str, ...] = field(repr=False, metadata={"array": True})
    positions: Array = field(repr=False, metadata={"array": True})
    sways: Array = field(repr=False, metadata={"array": True})
    curve: Array = field(repr=False, metadata={"array": True})

    def as_dict(self) -> dict[str, object]:
        """The figures for JSON, without the arrays; None where nothing is known."""
        out: dict[str, object] = {}
        for one in fields(self):
            if not one.metadata.get("array"):
                out[one.name] = plain(getattr(self, one.name))
        return out

    def hit_rows(self) -> list[dict[str, object]]:
        """One object a hit, for JSON; deviation and uncertainty are in ms."""
        return [
            {
                "time": round(float(self.times[i]), 6),
                "class": int(self.classes[i]),
                "name": self.names[i],
                "velocity": plain(float(self.velocities[i])),
                "deviation_ms": plain(1e3 * float(self.deviations[i])),
                "uncertainty_ms": plain(1e3 * float(self.uncertainties[i])),
                "verdict": self.verdicts[i] or None,
                "beat": plain(float(self.positions[i])),
            }
            for i in range(len(self.times))
        ]


def plain(value: object) -> object:
    """A figure as JSON has it: dataclasses as objects, and None where a number is not known."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name.rstrip("_"): plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    if isinstance(value, float):
        return float(f"{value:.7g}") if math.isfinite(value) else None
    return value
