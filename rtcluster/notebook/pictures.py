"""Which pictures a report has, what their captions say, and what those who cannot see are told."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rtcluster.notebook import scatter, timeline
from rtcluster.notebook.clusters import Analysis
from rtcluster.notebook.compare import drums_of
from rtcluster.notebook.reference import HOP
from rtcluster.notebook.results import Duel, Results, Stage
from rtcluster.notebook.timeline import Lane
from rtcluster.pages.canvas import NARROW, SQUARE, WIDE, Layout, Picture, Theme, render
from rtcluster.sources.matching import WINDOW_S
from rtcluster.text import counted

OPTIMA_SHOWN = 6

_BOTH = (WIDE, NARROW)


def draw_all(results: Results, stage: Stage) -> dict[str, Picture]:
    """Draw every picture that the results give ground for.

    Parameters
    ----------
    results : Results
        The numbers.
    stage : callable
        Told the stage.

    Returns
    -------
    dict of str to Picture
        By name: waveform, onsets, features, scaled, kmeans, kmeans-time, optima, affinity,
        affinity-time, engine-time, engine, differences, latency. Those without hits are absent.
    """
    x, fs = results.recording.samples, results.recording.rate
    hits, duel = results.hits, results.duel
    span = timeline.close_up(results.recording.duration, hits.onset_times)
    tick = stage("pictures")
    done: list[Picture] = []

    def add(picture: Picture) -> None:
        done.append(picture)
        tick(len(done), 13)

    part = ""
    if span != (0.0, results.recording.duration):
        part = f" Shown: {span[0]:g} to {span[1]:g} s, the band in the first picture."
    add(
        render(
            "waveform",
            "The waveform: lowest and highest sample in each column of pixels, full scale at 1.",
            f"Waveform of {results.recording.duration:.1f} s.",
            _BOTH,
            lambda theme, layout: timeline.overview(x, fs, span, theme, layout),
        )
    )
    if len(hits):
        add(_onsets(results, span, part))
        add(_plane("features", results, False, "Each hit by its two features, in their own units."))
        add(_plane("scaled", results, True, "The same hits, each feature scaled to [-1, 1]."))
    for analysis in results.analyses:
        if analysis.model is not None:
            add(_classes(results, analysis))
            add(_classes_in_time(results, analysis, span, part))
    if results.survey is not None and len(results.survey.optima) > 1:
        add(_optima(results))
    if duel is not None and (len(duel.run.onset_samples) or len(hits)):
        add(_duel_in_time(results, duel, span, part))
        if len(duel.run.onset_samples):
            add(_duel_plane(duel))
            add(_latency(duel))
        if len(duel.onsets.differences):
            add(_differences(duel))
    tick(13, 13)
    return {picture.name: picture for picture in done}


def _onsets(results: Results, span: tuple[float, float], part: str) -> Picture:
    hits, fs = results.hits, results.recording.rate
    strength = hits.strength.astype(np.float64) - float(hits.strength.min())
    strength /= max(float(strength.max()), np.finfo(np.float64).tiny)
    frames = np.arange(len(strength))
    near = (frames * HOP >= (span[0] - 1) * fs) & (frames * HOP <= (span[1] + 1) * fs)
    lane = Lane("onset", hits.onset_times)
    return render(
        "onsets",
        "Onsets on the waveform, and below it the onset strength (scaled to 0 to 1) they were "
        f"picked from.{part}",
        f"Waveform with {counted(len(hits), 'onset')} marked, each at the foot of a "
        "peak of onset strength.",
        _BOTH,
        lambda theme, layout: timeline.timeline(
            results.recording.samples, fs, span, [lane], theme, layout,
            (frames[near] * HOP / fs, strength[near], "strength"),
        ),
    )  # fmt: skip


def _plane(name: str, results: Results, scaled: bool, caption: str) -> Picture:
    hits = results.hits
    points = hits.scaled if scaled else hits.features
    low, high = hits.features.min(axis=0), hits.features.max(axis=0)
    return render(
        name,
        caption,
        f"Scatter of {counted(len(hits), 'hit')}: {low[0]:.0f} to {high[0]:.0f} zero "
        f"crossings, energy {low[1]:.2f} to {high[1]:.2f}"
        + (", both scaled to minus 1 to 1." if scaled else "."),
        (SQUARE,),
        lambda theme, layout: scatter.features(
            points, None, None, scatter.SCALED if scaled else scatter.RAW, theme, layout
        ),
    )


def _classes(results: Results, analysis: Analysis) -> Picture:
    title = "KMeans" if analysis.algorithm == "kmeans" else "AffinityPropagation"
    centre = "centre" if analysis.algorithm == "kmeans" else "exemplar"
    assert analysis.model is not None
    centres = analysis.model.cluster_centers_
    drums = drums_of(results.truth, analysis.onset_times, analysis.labels)
    return render(
        analysis.algorithm,
        f"The classes of {title} over the scaled features; a cross is a class's {centre}.",
        f"Scatter of the hits in {counted(len(analysis.classes), 'class')}: "
        f"{_sizes(analysis.labels)}.",
        (SQUARE,),
        lambda theme, layout: scatter.features(
            analysis.scaled, analysis.labels, centres, scatter.SCALED, theme, layout, centre, drums
        ),
    )


def _classes_in_time(
    results: Results, analysis: Analysis, span: tuple[float, float], part: str
) -> Picture:
    lanes = []
    drums = drums_of(results.truth, analysis.onset_times, analysis.labels)
    for label in analysis.classes[:16]:
        chosen = analysis.labels == label
        name = drums.get(int(label), f"class {label}")
        lanes.append(Lane(name, analysis.onset_times[chosen], analysis.labels[chosen]))
    return render(
        f"{analysis.algorithm}-time",
        f"The same classes along time, one lane each.{part}",
        f"Waveform with each hit marked in the lane of its class: {_sizes(analysis.labels)}.",
        _BOTH,
        lambda theme, layout: timeline.timeline(
            results.recording.samples, results.recording.rate, span, lanes, theme, layout
        ),
    )


def _optima(results: Results) -> Picture:
    survey = results.survey
    assert survey is not None
    count = min(OPTIMA_SHOWN, len(survey.optima))
    best = ", ".join(
        f"{o.inertia:.{survey.places}f} ({len(o.seeds)})" for o in survey.optima[:count]
    )
    more = len(survey.optima) - count
    return render(
        "optima",
        f"Where {survey.starts} single starts of KMeans end, best first"
        + (f"; {more} more {'is' if more == 1 else 'are'} not drawn" if more else "")
        + ". Colours and shapes are those of the classes above.",
        f"Small scatters of {count} local optima by inertia (starts): {best}.",
        _BOTH,
        lambda theme, layout: scatter.optima(results.hits.scaled, survey, count, theme, layout),
    )


def _duel_in_time(results: Results, duel: Duel, span: tuple[float, float], part: str) -> Picture:
    reference = results.analyses[0]
    alone = np.zeros(len(reference.labels), bool)
    alone[duel.onsets.missed] = True
    extra = np.zeros(len(duel.run.labels), bool)
    extra[duel.onsets.extra] = True
    lanes = [
        Lane("librosa", reference.onset_times, reference.labels, alone, lines=False),
        Lane("engine", duel.run.onset_times, duel.run.labels, extra),
    ]
    drums = drums_of(results.truth, duel.run.onset_times, duel.run.labels)
    if results.truth is not None:
        lanes.append(Lane("annotated", results.truth.times, lines=False))
    return render(
        "engine-time",
        "Hits of the reference (librosa) and of the engine, coloured by class; an outline is a hit "
        f"that the other does not have. Lines are the engine's.{part}",
        f"Two lanes of marks over the waveform: {counted(len(duel.onsets.reference), 'hit')} in "
        f"both, {len(duel.onsets.missed)} in librosa's only, {len(duel.onsets.extra)} in the "
        "engine's only.",
        _BOTH,
        lambda theme, layout: timeline.timeline(
            results.recording.samples,
            results.recording.rate,
            span,
            lanes,
            theme,
            layout,
            drums=drums,
        ),
    )


def _duel_plane(duel: Duel) -> Picture:
    known = duel.run.spans > 0
    return render(
        "engine",
        "The engine's hits by its own features and classes.",
        f"Scatter of the engine's hits: {_sizes(duel.run.labels[known])}.",
        (SQUARE,),
        lambda theme, layout: scatter.features(
            duel.run.features[known], duel.run.labels[known], None,
            ("zero crossings (count)", scatter.RAW[1]), theme, layout,
        ),
    )  # fmt: skip


def _latency(duel: Duel) -> Picture:
    fs = duel.run.samplerate
    told = ", ".join(
        f"{kind} {np.median(values) / fs * 1e3:.1f} ms"
        for kind, values in duel.run.latency.items()
        if len(values)
    )
    return render(
        "latency",
        "How long after a hit's first sample the engine tells of it: the share of hits known "
        "within a time. The algorithm's own latency, without any sound card.",
        f"Rising curves of three kinds of event; medians: {told}.",
        (SQUARE,),
        lambda theme, layout: scatter.latencies(duel.run.latency, fs, theme, layout),
    )


def _differences(duel: Duel) -> Picture:
    seconds = duel.onsets.differences

    def draw(theme: Theme, layout: Layout) -> Figure:
        return scatter.differences(seconds, WINDOW_S, theme, layout)

    return render(
        "differences",
        "The engine's time less librosa's, for the hits that both have.",
        f"Histogram of time differences, median {np.median(seconds) * 1e3:+.1f} ms.",
        (SQUARE,),
        draw,
    )


def _sizes(labels: NDArray[np.int64]) -> str:
    values, counts = np.unique(labels, return_counts=True)
    return ", ".join(
        f"{count} of {'class ' + str(value) if value >= 0 else 'no class'}"
        for value, count in zip(values, counts, strict=True)
    )
