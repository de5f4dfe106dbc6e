"""The page: results, pictures and sounds put into one self-contained HTML file.

Pictures and sounds stand in the page as data URIs, and its Content-Security-Policy forbids
everything else, so it opens from disk, offers nothing to a network, and can be mailed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtcluster.notebook import clusters, optima, sonify
from rtcluster.notebook.clusters import Analysis
from rtcluster.notebook.results import Results
from rtcluster.notebook.sounds import CLASSES_HEARD, ClassSounds
from rtcluster.pages import canvas, style
from rtcluster.pages.canvas import Picture
from rtcluster.sources.matching import WINDOW_S

ROWS = 300
"""Rows of a table that the page shows; `features.csv` has them all."""

_QUANTILES = (("p50", 0.50), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))


def page(
    results: Results, pictures: Mapping[str, Picture], sounds: Mapping[str, ClassSounds]
) -> str:
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
    hits, recording = results.hits, results.recording
    return (
        style.environment(__package__)
        .get_template("report.html.j2")
        .render(
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
            match_ms=WINDOW_S * 1e3,
            classes_heard=CLASSES_HEARD,
        )
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
        "is_best": survey.is_best(shown),
        "places": survey.places,
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
            for o in survey.optima[: optima.LISTED]
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
