"""The page: results, pictures and sounds put into one self-contained HTML file.

Pictures and sounds stand in the page as data URIs, and its Content-Security-Policy forbids
everything else, so it opens from disk, offers nothing to a network, and can be mailed.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from importlib import resources
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from rtcluster.notebook import canvas, clusters, compare, optima, palette, sonify
from rtcluster.notebook.canvas import Picture
from rtcluster.notebook.clusters import Analysis
from rtcluster.notebook.results import Results
from rtcluster.notebook.sounds import CLASSES_HEARD, Sound

ROWS = 300
"""Rows of a table that the page shows; `features.csv` has them all."""

OPTIMA_LISTED = 8

_QUANTILES = (("p50", 0.50), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))


def page(results: Results, pictures: Mapping[str, Picture], sounds: Mapping[str, Sound]) -> str:
    """Write the report.

    Parameters
    ----------
    results : Results
        The numbers.
    pictures : dict of str to Picture
        Of `rtcluster.notebook.pictures.draw_all`.
    sounds : dict of str to Sound
        Of `rtcluster.notebook.sounds.make_all`.

    Returns
    -------
    str
        A whole HTML document.
    """
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        uri=_uri,
        chip=_chip,
        plural=_plural,
        fixed=_fixed,
        clock=_clock,
        group=_group,
        median=lambda values: float(np.median(values)),
    )
    source = resources.files(__package__).joinpath("report.html.j2").read_text(encoding="utf-8")
    hits, recording = results.hits, results.recording
    return environment.from_string(source).render(
        results=results,
        recording=recording,
        hits=hits,
        n=len(hits),
        pictures=pictures,
        sounds=sounds,
        algorithms=[_algorithm(a) for a in results.analyses],
        rows=_rows(results),
        row_limit=ROWS,
        ranges=_ranges(results),
        distance=float(np.median(np.diff(hits.onset_times))) if len(hits) > 1 else math.nan,
        optimum=_optimum(results),
        latency=_latency(results),
        light=canvas.LIGHT,
        dark=canvas.DARK,
        heard=min(recording.duration, sonify.EXCERPT_S),
        cut=recording.duration > sonify.EXCERPT_S,
        match_ms=compare.WINDOW_S * 1e3,
        classes_heard=CLASSES_HEARD,
    )


def _algorithm(analysis: Analysis) -> dict[str, Any]:
    """Return what the page says of one clustering."""
    rows = []
    for label in analysis.classes:
        chosen = analysis.labels == label
        middle = np.median(analysis.features[chosen], axis=0)
        rows.append({"label": label, "hits": int(chosen.sum()), "zcr": middle[0], "e": middle[1]})
    return {
        "id": analysis.algorithm,
        "title": "KMeans" if analysis.algorithm == "kmeans" else "AffinityPropagation",
        "analysis": analysis,
        "classes": rows,
        "sequence": [int(c) for c in analysis.labels[:ROWS]],
    }


def _rows(results: Results) -> list[dict[str, Any]]:
    hits = results.hits
    return [
        {
            "time": float(hits.onset_times[i]),
            "frame": int(hits.onset_frames[i]),
            "sample": int(hits.onset_samples[i]),
            "zcr": int(hits.features[i, 0]),
            "energy": float(hits.features[i, 1]),
            "scaled": tuple(float(v) for v in hits.scaled[i]),
            "classes": [int(a.labels[i]) for a in results.analyses],
        }
        for i in range(min(len(hits), ROWS))
    ]


def _ranges(results: Results) -> list[dict[str, Any]]:
    hits = results.hits
    return [
        {
            "name": name,
            "places": places,
            "low": float(hits.features[:, column].min()),
            "high": float(hits.features[:, column].max()),
            "scaled": (float(hits.scaled[:, column].min()), float(hits.scaled[:, column].max())),
        }
        for column, (name, places) in enumerate((("zero crossings", 0), ("energy", 4)))
        if len(hits)
    ]


def _optimum(results: Results) -> dict[str, Any] | None:
    """Return which optimum of KMeans is shown and the others that starts end in."""
    survey, analysis = results.survey, results.analyses[0]
    if survey is None or analysis.model is None:
        return None
    shown = survey.find(analysis.labels)
    most = max(len(o.seeds) for o in survey.optima)
    return {
        "optimum": shown,
        "inertia": float(analysis.model.inertia_),
        "starts": survey.starts,
        "found": 0 if shown is None else len(shown.seeds),
        "is_best": shown is survey.optima[0],
        "all": len(survey.optima),
        "how": (
            f"the best of {clusters.STARTS} starts"
            if results.seed is None
            else f"one start from seed {results.seed}"
        ),
        "rows": [
            {
                "inertia": o.inertia,
                "found": len(o.seeds),
                "share": len(o.seeds) / survey.starts,
                "bar": 100 * len(o.seeds) / most,
                "seed": o.seeds[0],
                "shown": o is shown,
            }
            for o in survey.optima[:OPTIMA_LISTED]
        ],
        "fewer": survey.starts < optima.STARTS,
    }


def _latency(results: Results) -> list[dict[str, Any]]:
    if results.duel is None:
        return []
    run = results.duel.run
    return [
        {"kind": kind, "n": len(values), "ms": _quantiles(values / run.samplerate * 1e3)}
        for kind, values in run.latency.items()
        if len(values)
    ]


def _quantiles(values: NDArray[np.float64]) -> dict[str, float]:
    return {name: float(np.quantile(values, q)) for name, q in _QUANTILES}


def _uri(data: bytes, mime: str) -> Markup:
    return Markup("data:{};base64,{}").format(mime, base64.b64encode(data).decode("ascii"))


def _chip(label: int, size: int = 12) -> Markup:
    """Return a class's mark as a small inline SVG."""
    look = palette.mark(label)
    drawn = Markup('fill="none" stroke="{0}" stroke-width="2"' if label < 0 else 'fill="{0}"')
    return Markup(
        '<svg class="chip" width="{0}" height="{0}" viewBox="0 0 {0} {0}" aria-hidden="true">'
        '<path d="{1}" {2}/></svg>'
    ).format(size, palette.outline(look.marker, size), drawn.format(look.colour))


def _plural(count: int, word: str) -> str:
    ending = "es" if word.endswith("s") else "s"
    return f"{_group(count)} {word}{'' if count == 1 else ending}"


def _fixed(value: float, places: int = 3, sign: bool = False) -> str:
    if math.isnan(value):
        return "–"  # a dash in a table
    return f"{value:+.{places}f}" if sign else f"{value:.{places}f}"


def _group(value: int) -> str:
    return f"{value:,}".replace(",", "\u202f")


def _clock(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d} h" if hours else f"{minutes}:{rest:02d} min"
