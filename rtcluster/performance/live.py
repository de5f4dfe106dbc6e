"""The same figures while it is played, over the latest hits.

It runs in whatever thread feeds it, never in the audio thread. A hit costs a fraction of a
millisecond: the beat is searched for a small step at a time, one or two with each hit, and once it
is found the pulse is a straight line over the latest hits.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtcluster.performance import beat as beats
from rtcluster.performance import spread
from rtcluster.performance.beat import Beat
from rtcluster.performance.drums import OFF_GRID, verdict
from rtcluster.performance.measures import PAUSE_S, holds
from rtcluster.performance.pulse import follow
from rtcluster.performance.statistics import Array, middle, regress

WINDOW = 64
"""Hits that the figures are over."""

_FIRST = 8  # hits that a search takes
_SEARCHED = 48  # latest hits that it looks at
_BUDGET_S = 0.001  # of a search, with each hit
_SAME = 0.03  # periods nearer than this are one beat
_SWAY = 0.2  # share of a swing's error that is put right with each hit
_AGAIN = 32  # hits after which a beat that holds is searched for again, for another octave or grid


@dataclass(slots=True)
class _Hit:
    id: int
    time: float
    class_: int
    velocity: float
    name: str
    others: tuple[int, ...] = ()


class Live:
    """Timing over the latest hits.

    Parameters
    ----------
    bpm : float, optional
        The tempo to hold the hits against; by default the player's own.
    window : int
        Hits that the figures are over.
    spread_ms : float, optional
        As in :func:`rtcluster.performance.measure`.
    """

    def __init__(
        self, bpm: float | None = None, window: int = WINDOW, spread_ms: float | None = None
    ) -> None:
        self._bpm, self._spread_ms = bpm, spread_ms
        self._hits: deque[_Hit] = deque(maxlen=window)
        self._beat: Beat | None = None
        self._steps: Generator[None, None, Beat | None] | None = None
        self._since = 0  # hits since the latest search began
        self._anchor = 0  # hits since the one that the beat is known at
        self._figures: dict[str, Any] | None = None

    def add(
        self, id_: int, time_s: float, class_: int = -1, velocity: float = math.nan, name: str = ""
    ) -> dict[str, Any]:
        """Take a hit, and tell how things stand.

        Parameters
        ----------
        id_ : int
            Of the hit.
        time_s : float
            Its onset in s; hits come in order of time.
        class_, velocity, name : int, float, str
            As far as they are known.

        Returns
        -------
        dict
            As of :meth:`figures`.
        """
        if self._hits and not 0 <= time_s - self._hits[-1].time <= PAUSE_S:
            self._hits.clear()  # another stretch has its own pulse
            self._beat, self._steps, self._since = None, None, 0
        self._hits.append(_Hit(id_, time_s, class_, velocity, name))
        self._since += 1
        self._anchor += 1
        self._figures = None
        self._search()
        return self.figures()

    def label(
        self,
        id_: int,
        class_: int,
        name: str = "",
        velocity: float | None = None,
        others: Sequence[int] = (),
    ) -> None:
        """Give a hit its class (a guess, a final or a relabel); hits that are gone are passed.

        ``others`` are the classes of the drums that sound besides.
        """
        for hit in reversed(self._hits):
            if hit.id == id_:
                hit.class_, hit.name, hit.others = class_, name, tuple(others)
                if velocity is not None:
                    hit.velocity = velocity
                self._figures = None
                return

    def figures(self) -> dict[str, Any]:
        """How things stand, ready for JSON.

        Returns
        -------
        dict
            ``hits`` (in the window), ``tempo`` and ``tempo_uncertainty`` in bpm, ``drift`` and
            ``drift_uncertainty`` in bpm a minute, ``steadiness`` in ms: ``all`` and by class number
            as text, and ``last``: ``id``, ``deviation`` and ``uncertainty`` in ms, ``verdict``.
            None where nothing is known; ``reason`` says why there is no tempo.
        """
        if self._figures is None:
            self._figures = self._measure()
        return self._figures

    def _search(self) -> None:
        """A few steps of the search for the beat."""
        if self._steps is None:
            due = self._since >= (_FIRST if self._beat is None else _AGAIN)
            if not due or len(self._hits) < _FIRST:
                return
            latest = list(self._hits)[-_SEARCHED:]
            times = np.array([hit.time for hit in latest])
            classes = np.array([hit.class_ for hit in latest])
            self._steps = beats.search(times, classes, self._bpm)
            self._since = 0
        until = time.perf_counter() + _BUDGET_S
        try:
            while time.perf_counter() < until:
                next(self._steps)
        except StopIteration as end:
            self._steps = None
            self._take(end.value)

    def _take(self, found: Beat | None) -> None:
        """Go by another beat, if it is another."""
        known = self._beat
        if found is None:
            return
        if (
            known is None
            or abs(found.period / known.period - 1) > _SAME
            or (found.grid is not known.grid)
        ):
            self._beat, self._anchor = found, self._since + len(self._hits) // 4

    def _measure(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "hits": len(self._hits), "tempo": None, "tempo_uncertainty": None, "drift": None,
            "drift_uncertainty": None, "steadiness": {}, "last": None, "reason": "",
        }  # fmt: skip
        if self._beat is None:
            out["reason"] = "listening for the beat"
            return out
        hits = list(self._hits)
        times = np.array([hit.time for hit in hits])
        at = times - times[-1]
        moved = Beat(
            self._beat.period, self._beat.start - times[-1], self._beat.grid, self._beat.swing, 1.0
        )
        places = follow(at, moved, max(0, len(at) - 1 - self._anchor))
        design = np.stack([np.ones(len(at)), at], axis=1)
        if len(at) >= 24:
            design = np.concatenate([design, (at * at)[:, None]], axis=1)
        fitted = regress(design, places, 2)
        period = 1 / max(1e-3, float(fitted.coefficients[1]))
        late = fitted.residuals * -period  # a hit that is late is behind its place
        count = len(self._beat.grid.slots)
        hold = float(abs(np.exp(2j * np.pi * count * fitted.residuals).mean()))
        if hold < holds(len(hits)):
            out["reason"] = "no steady tempo"
            if self._anchor > _FIRST and self._steps is None:
                self._beat = None
            return out
        beat_at = times[-1] - (float(fitted.coefficients[0]) % 1.0) * period
        self._anchor = 0
        swing = self._swing(self._beat, places, -fitted.residuals)
        self._beat = Beat(period, beat_at, self._beat.grid, swing, 1.0)
        now = fitted.estimate(np.array([0.0, 60.0, 0.0])[: design.shape[1]], 60 / period)
        out["tempo"], out["tempo_uncertainty"] = _round(now.value), _round(now.uncertainty)
        if design.shape[1] == 3:
            curve = 7200 * float(fitted.coefficients[2])
            drift = fitted.estimate(np.array([0.0, 0.0, 7200.0]), curve)
            out["drift"], out["drift_uncertainty"] = _round(drift.value), _round(drift.uncertainty)
        latest = [hit.name for hit in hits[-2:]]  # two: a hit beside another is less exact
        dating = float(spread.of_hits(times[-2:], latest, self._spread_ms)[-1])
        doubt = math.hypot(fitted.t * float(fitted.errors(design[-1:])[0]) * period, dating)
        if self._bpm is not None:
            late = times - places * 60 / self._bpm
            late = late - np.median(late)
        out["steadiness"] = self._steadiness(1e3 * late, hits)
        deviation, half = float(late[-1]), doubt
        out["last"] = {
            "id": hits[-1].id,
            "deviation": _round(1e3 * deviation),
            "uncertainty": _round(1e3 * half),
            "verdict": (
                verdict(deviation, half) if abs(deviation) < period / count / 2 else OFF_GRID
            ),
        }
        return out

    @staticmethod
    def _swing(beat: Beat, places: Array, late: Array) -> float:
        """The swing, moved towards what the hits on the notes that swing say."""
        grid = beat.grid
        if not grid.swings:
            return 0.0
        sway = np.array(grid.sway)
        at = np.array(grid.slots) + beat.swing * sway
        off = (places % 1.0)[:, None] - at[None, :]
        moves = sway[np.abs(off - np.round(off)).argmin(axis=1)]
        moves = moves - moves.mean()
        power = float(moves @ moves)
        change = _SWAY * float(moves @ late) / power if power > 0.5 else 0.0
        return min(max(0.0, beat.swing + change), grid.most)

    @staticmethod
    def _steadiness(late_ms: Array, hits: list[_Hit]) -> dict[str, float]:
        keep = np.abs(late_ms) <= max(20.0, 6.7 * middle(np.abs(late_ms)))  # 4.5 deviations
        out: dict[str, float] = {}
        if keep.sum() > 2:
            out["all"] = round(float(late_ms[keep].std(ddof=1)), 3)
        sounding = [{hit.class_, *hit.others} for hit in hits]
        for class_ in sorted({class_ for one in sounding for class_ in one}):
            mine = late_ms[keep & np.array([class_ in one for one in sounding])]
            if len(mine) > 2:
                out[str(class_)] = round(float(mine.std(ddof=1)), 3)
        return out


def _round(value: float) -> float | None:
    return round(value, 3) if math.isfinite(value) else None
