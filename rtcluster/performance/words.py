"""The figures in people's words: a few lines for a terminal and for the head of a page."""

from __future__ import annotations

import math

from rtcluster.performance.figures import Performance, Section, Swing, Tempo
from rtcluster.performance.statistics import Estimate
from rtcluster.text import counted


def told(estimate: Estimate | None, sign: bool = False, least: int = 1) -> str:
    """A figure with its uncertainty, to as many places as that is worth."""
    if estimate is None or not math.isfinite(estimate.value):
        return "–"
    value, half = estimate.value, estimate.uncertainty
    if not math.isfinite(half):
        return f"{value:{'+' if sign else ''}.{least}f} (too few hits to say how sure)"
    places = least
    if 0 < half < 10.0**-least:
        places = min(4, math.ceil(-math.log10(half)))
    return f"{value:{'+' if sign else ''}.{places}f} ± {half:.{places}f}"


def tempo(found: Tempo) -> str:
    """The tempo, which octave it is in, and what else it could be."""
    text = f"{told(found.bpm)} bpm (counted at half or double: {found.halved:.0f}, "
    text += f"{found.doubled:.0f})"
    if not found.sure:
        rivals = ", ".join(f"{bpm:.0f}" for bpm in found.rivals)
        text += f"; {rivals} bpm fits nearly as well, --bpm settles it"
    return text


def drift(found: Tempo) -> str:
    """The drift, and whether it is one."""
    if found.drift is None or found.drift_percent is None:
        return "too few hits to tell"
    text = f"{told(found.drift, True)} bpm a minute ({told(found.drift_percent, True)} %)"
    if abs(found.drift.value) <= found.drift.uncertainty:
        return f"none to be told: {text}"
    way = "speeds up" if found.drift.value > 0 else "slows down"
    return f"{way} by {text}, from {found.begin.value:.1f} to {found.end.value:.1f} bpm"


def swing(found: Swing) -> str:
    """The swing, and whether it is one."""
    where = f"second of two {found.notes} at {told(found.percent)} % of the pair"
    if not found.heard:
        return f"straight: {where}"
    return f"{where}, {found.ratio:.2f} to 1"


def basis(found: Performance) -> str:
    """What the hits are held against."""
    if found.basis == "given":
        return f"an even grid of {found.given_bpm:g} bpm, laid over the hits"
    if found.basis == "absolute":
        return f"the grid of {found.given_bpm:g} bpm as it was given"
    return "the player's own pulse"


def stretch(found: Section) -> str:
    """A stretch in a line."""
    text = f"{found.begin:.1f} to {found.end:.1f} s, {counted(found.hits, 'hit')}: "
    return text + (tempo(found.tempo) if found.tempo else f"no steady tempo, {found.reason}")


def lines(found: Performance) -> list[str]:
    """The figures as a short table, a line each."""
    if not found.hits:
        return ["No hits: there is nothing to measure."]
    out = [f"hits       {found.hits} in {found.seconds:.1f} s"]
    if found.tempo is None:
        out.append(f"tempo      no steady tempo: {found.reason or 'of the longest stretch'}")
    else:
        out.append(f"tempo      {tempo(found.tempo)}")
        out.append(f"drift      {drift(found.tempo)}")
        out.append(f"grid       {found.grid}, against {basis(found)}")
        if found.swing is not None:
            out.append(f"swing      {swing(found.swing)}")
    if found.timing is not None:
        whole = found.timing
        out.append(
            f"timing     {whole.early} early, {whole.on_time} on time, {whole.late} late"
            + (f", {whole.stray} off the grid" if whole.stray else "")
            + f"; steady to {told(whole.sd_ms)} ms"
        )
    if found.fastest is not None:
        run = found.fastest
        out.append(
            f"fastest    {counted(run.strokes, 'stroke')} at {told(run.rate)} a second, "
            f"from {run.begin:.2f} s"
        )
    width = max((len(drum.name) for drum in found.drums), default=4)
    for drum in found.drums:
        parts = [counted(drum.hits, "hit")]
        if drum.timing is not None:
            parts.append(f"{told(drum.timing.mean_ms, True)} ms, {drum.timing.verdict}")
            parts.append(f"steady to {told(drum.timing.sd_ms)} ms")
        if drum.dynamics is not None:
            d = drum.dynamics
            parts.append(
                f"velocity {d.p10.value:.0f}/{d.p50.value:.0f}/{d.p90.value:.0f}, "
                f"{counted(d.accents, 'accent')}"
            )
        out.append(f"{drum.name:<{max(10, width)}} " + "; ".join(parts))
    if len(found.stretches) > 1:
        out.append(
            f"pauses     {len(found.stretches) - 1}; tempo, drift and swing are of the stretch "
            "with the most hits"
        )
    return out
