"""From the times and the loudness of hits to a session's figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rtcluster.errors import SettingsError
from rtcluster.performance import drums as by_drum
from rtcluster.performance import pulse as pulses
from rtcluster.performance import spread
from rtcluster.performance.drums import Further
from rtcluster.performance.figures import Performance, Section, Swing, Tempo
from rtcluster.performance.pulse import Pulse
from rtcluster.performance.runs import fastest, intervals
from rtcluster.performance.statistics import Array, Estimate, robust_sd

PAUSE_S = 4.0
"""A stretch of playing ends where nothing is hit for longer than this."""

SLOWEST_GIVEN, FASTEST_GIVEN = 20.0, 400.0
LATEST_S = 1e6
"""A beat is within so many seconds of the session's start: 11 days, at which float64 still has
0.1 ns."""
LARGEST_OFFSET_MS = 10_000.0

_SAME_TEMPO = 0.3  # octaves within which further stretches are looked for
_ELSEWHERE_S = 0.020  # nearer than this to its place a hit belongs to the grid, in any case
_ELSEWHERE_SDS = 4.5


def measure(
    times: Sequence[float] | Array,
    classes: Sequence[int] | NDArray[np.int64] | None = None,
    velocities: Sequence[float] | Array | None = None,
    names: Sequence[str] | None = None,
    *,
    further: Sequence[Further] = (),
    bpm: float | None = None,
    beat_at: float | None = None,
    latency_offset_ms: float = 0.0,
    spread_ms: float | None = None,
) -> Performance:
    """Measure a performance.

    Parameters
    ----------
    times : array_like of float, shape (n,)
        Onsets in seconds, in any order.
    classes : array_like of int, shape (n,), optional
        -1 while learning, -2 unknown; by default all one class.
    velocities : array_like of float, shape (n,), optional
        1 to 127.
    names : sequence of str, length n, optional
        The class of each hit by name.
    further : sequence of Further
        The other drums of hits in which several sound; they count in the figures of their drums.
    bpm : float, optional
        The tempo to hold the hits against; by default the player's own.
    beat_at : float, optional
        With `bpm`: the time of one of its beats in s. The grid is then absolute.
    latency_offset_ms : float
        With `beat_at`: how late the hits were heard, in ms; it is taken off every time.
    spread_ms : float, optional
        Half-width of the 95 % interval of the detector's dating in ms, in place of the table of
        :mod:`rtcluster.performance.spread`.

    Returns
    -------
    Performance

    Raises
    ------
    SettingsError
        If the lengths differ, a time is no number, or the tempo is out of range.
    """
    at = np.asarray(times, dtype=np.float64).reshape(-1)
    n = len(at)
    kinds = np.zeros(n, np.int64) if classes is None else np.asarray(classes, np.int64)
    loud = np.full(n, np.nan) if velocities is None else np.asarray(velocities, np.float64)
    said = [f"class {c}" for c in kinds] if names is None else list(names)
    _check(at, kinds, loud, said, bpm, beat_at, latency_offset_ms, spread_ms)
    order = np.argsort(at, kind="stable")
    place_of = np.argsort(order)
    also = [one._replace(hit=int(place_of[one.hit])) for one in further]
    at, kinds, loud = at[order], kinds[order], loud[order]
    called = tuple(said[i] for i in order)
    if beat_at is not None:
        at = at - latency_offset_ms / 1e3
    dating = spread.of_hits(at, called, spread_ms)

    late, doubt, place, moved = (np.full(n, np.nan) for _ in range(4))
    left = np.ones(n)
    stretches, found = [], []
    spans = _stretches(at)
    longest = max(spans, key=lambda span: span[1] - span[0], default=None)
    main: Pulse | None = None
    if longest is not None:
        main = pulses.find(at[slice(*longest)], kinds[slice(*longest)], bpm, 0.06)
    for span in spans:
        here = slice(*span)
        if span == longest:
            pulse = main
        elif main is not None and bpm is None:
            pulse = pulses.find(at[here], kinds[here], main.tempo.value, _SAME_TEMPO)
        else:
            pulse = pulses.find(at[here], kinds[here], bpm, 0.06)
        reason = _unsteady(at[here], pulse)
        stretches.append(_section(at[here], pulse, reason))
        if pulse is None or reason:
            continue
        found.append((span, pulse))
        place[here], moved[here] = pulse.positions, pulse.sways
        if bpm is None:
            late[here], doubt[here], left[here] = pulse.deviations, pulse.errors, pulse.left
        else:
            late[here], doubt[here] = _against(at[here], pulse, bpm, beat_at)
    doubt = np.sqrt(doubt**2 + dating**2)
    verdicts = tuple(map(by_drum.verdict, late.tolist(), doubt.tolist()))
    stray = _stray(late, kinds)
    chosen = next((s for s, span in zip(stretches, spans, strict=True) if span == longest), None)
    basis = "none"
    if found:
        basis = "estimated" if bpm is None else ("given" if beat_at is None else "absolute")
    inputs = by_drum.DrumHits(at, kinds, loud, called, late, doubt, left, dating, stray, verdicts)
    return Performance(
        hits=n,
        seconds=float(at[-1] - at[0]) if n else 0.0,
        basis=basis,
        reason="" if found else _why(n, chosen),
        given_bpm=bpm,
        tempo=chosen.tempo if chosen else None,
        swing=chosen.swing if chosen else None,
        grid=chosen.grid if chosen else "",
        timing=by_drum.timing(inputs, np.ones(n, bool)) if found else None,
        drums=by_drum.drums(inputs.with_further(also)),
        fastest=fastest(at, dating),
        intervals=intervals(at),
        stretches=tuple(stretches),
        times=at,
        classes=kinds,
        velocities=loud,
        names=called,
        deviations=late,
        uncertainties=doubt,
        verdicts=verdicts,
        positions=place,
        sways=moved,
        curve=_joined([pulse.curve for _, pulse in found]),
    )


def _check(
    times: Array,
    classes: NDArray[np.int64],
    velocities: Array,
    names: Sequence[str],
    bpm: float | None,
    beat_at: float | None,
    latency_offset_ms: float,
    spread_ms: float | None,
) -> None:
    n = len(times)
    for what, count in (
        ("class", len(classes)),
        ("velocity", len(velocities)),
        ("name", len(names)),
    ):
        if count != n:
            raise SettingsError(f"Expected a {what} for each hit, {n} in all, got {count}.")
    if not np.isfinite(times).all():
        raise SettingsError("Expected times in seconds, got one that is no number.")
    if bpm is not None and not SLOWEST_GIVEN <= bpm <= FASTEST_GIVEN:
        raise SettingsError(
            f"Expected a tempo from {SLOWEST_GIVEN:g} to {FASTEST_GIVEN:g} bpm, got {bpm:g}."
        )
    if beat_at is not None and bpm is None:
        raise SettingsError("Expected a tempo with the time of a beat, got none. Give --bpm too.")
    if beat_at is not None and not abs(beat_at) <= LATEST_S:
        raise SettingsError(f"Expected the time of a beat within {LATEST_S:g} s, got {beat_at:g}.")
    if not abs(latency_offset_ms) <= LARGEST_OFFSET_MS:
        raise SettingsError(
            f"Expected a latency offset within {LARGEST_OFFSET_MS:g} ms, got {latency_offset_ms:g}."
        )
    if spread_ms is not None and not 0 <= spread_ms <= 100:
        raise SettingsError(f"Expected a spread from 0 to 100 ms, got {spread_ms:g}.")


def _stretches(times: Array) -> list[tuple[int, int]]:
    """First and last-but-one index of each stretch between pauses."""
    if not len(times):
        return []
    cuts = [0, *(np.flatnonzero(np.diff(times) > PAUSE_S) + 1).tolist(), len(times)]
    return list(pairwise(cuts))


def holds(hits: int) -> float:
    """How well that many hits have to hold to their slots for a tempo to be called steady.

    A grid can be laid over any few hits. Of 100 simulations each of 6, 12, 16, 24, 40 and 80
    hits at random none passed the threshold; of 8 hits, two did.
    """
    return min(0.97, 0.5 + 5.5 / max(1, hits))


def _unsteady(times: Array, pulse: Pulse | None) -> str:
    """Why a stretch has no steady tempo; "" if it has."""
    if len(times) < pulses.FEWEST:
        return f"a tempo takes {pulses.FEWEST} hits, there are {len(times)}"
    if pulse is None or pulse.tempo.value <= 0:
        return "no distance between hits comes back"
    if not pulse.tempo.uncertainty < 0.1 * pulse.tempo.value:
        return "the hits are too few or too uneven to say how fast they are"
    if pulse.hold < holds(len(times)):
        return f"the hits fall all over the grid of the best tempo ({pulse.tempo.value:.0f} bpm)"
    return ""


def _why(hits: int, longest: Section | None) -> str:
    return "there are no hits" if not hits or longest is None else longest.reason


def _section(times: Array, pulse: Pulse | None, reason: str) -> Section:
    begin, end, n = float(times[0]), float(times[-1]), len(times)
    if pulse is None or reason:
        return Section(begin, end, n, "", None, None, reason)
    bpm, drift = pulse.tempo, pulse.drift
    percent = None
    if drift is not None:
        percent = Estimate(100 * drift.value / bpm.value, 100 * drift.uncertainty / bpm.value)
    rivals = tuple(60 / period for period, share in pulse.found.others if share >= 0.8)
    tempo = Tempo(
        bpm, drift, percent, *pulse.ends, bpm.value / 2, 2 * bpm.value, not rivals, rivals
    )
    return Section(begin, end, n, pulse.grid.name, tempo, _swing(pulse), "")


def _swing(pulse: Pulse) -> Swing | None:
    if pulse.swing is None:
        return None
    pair = 1.0 if pulse.grid.swings == "eighth notes" else 0.5
    share = 0.5 + pulse.swing.value / pair
    percent = Estimate(100 * share, 100 * pulse.swing.uncertainty / pair)
    ratio = share / (1 - share) if 0 < share < 1 else math.nan
    return Swing(pulse.grid.swings, percent, ratio, pulse.swung)


def _against(times: Array, pulse: Pulse, bpm: float, beat_at: float | None) -> tuple[Array, Array]:
    """Deviations from a grid of a given tempo, and the half-widths of its place."""
    off = times - (pulse.positions + pulse.sways) * 60 / bpm
    if beat_at is None:
        middle = float(np.median(off))
        half = 1.96 * 1.2533 * robust_sd(off) / math.sqrt(len(off))  # of a median
        return off - middle, np.full(len(off), half)
    slot = 60 / bpm / len(pulse.grid.slots)
    off = off - beat_at
    return off - slot * np.round(np.median(off) / slot), np.zeros(len(off))


def _stray(late: Array, classes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Hits that belong to no slot: far from theirs, and far for their drum."""
    out = np.isnan(late)
    known = ~out
    for one in np.unique(classes[known]):
        mine = (classes == one) & known
        values = late[mine]
        off = np.abs(values - np.median(values))
        sd = max(_core_sd(values), _core_sd(late[known]))
        out[mine] = (off > _ELSEWHERE_SDS * sd) & (off > _ELSEWHERE_S)
    return out


def _core_sd(values: Array) -> float:
    """Standard deviation by the nearest 38 %, half of one: a tenth or two may be strangers."""
    return 2 * float(np.quantile(np.abs(values - np.median(values)), 0.3829))


def _joined(curves: list[Array]) -> Array:
    """Tempo curves one after another, with a gap between."""
    rows: list[Array] = []
    for curve in curves:
        rows += [curve, np.full((1, 3), np.nan)]
    return np.concatenate(rows[:-1]) if rows else np.zeros((0, 3))
