"""Onset detectors on the same recordings: which hits they find, how exactly, and how soon.

``python -m bench.detector`` compares

- *rtcluster*: the presets of the drum detector, through :class:`rtcluster.Processor`;
- *rtcluster, stock*: aubio's methods with our settings, our dating and our rule of one event a hit;
- *aubio*: the same methods as they come, by aubio's own Python binding, with its defaults and its
  own times (``get_last``), at a buffer of 512 and a hop of 64 samples;
- *librosa*: ``onset_detect`` on the whole recording, as it comes and with settings for drums;
- *madmom*, where it is installed: SuperFlux and the recurrent network online, the convolutional
  network on the whole recording.

What the figures mean stands in :mod:`bench.recordings`. A detector that needs the whole recording
has no latency. A complete run writes ``bench/results/detector.json`` and
``docs/pictures/detector.png``; one of some recordings, of some detectors, or at another rate or
level only prints its table.

Long, because it has an adapter for each rival, and a rival is of use here alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import aubio
import numpy as np
import typer
from rich import box
from rich.table import Table

from bench.recordings import DATA, Hits, Recording, Scores, load, score, summary
from bench.report import console as report_console
from bench.report import write
from rtcluster import Processor, Settings
from rtcluster.events import Onset
from rtcluster.presets import AUBIO_PRESETS, PRESETS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rtcluster.pages.canvas import Layout, Theme

PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "detector.png"

NEVER_WARM = 1_000_000
"""Hits of warm-up: the classes are not what is measured here."""

AUBIO_BUFFER, AUBIO_HOP = 512, 64

LIBROSA_DRUMS: dict[str, Any] = {"hop_length": 128, "n_fft": 1024}
LIBROSA_DELTA = 0.05
LIBROSA_WAIT_S = 0.03
"""The best on 16 of these recordings, of hops of 128 and 256, frames of 1024 and 2048, SuperFlux's
maximum filter or none, and deltas of 0.015 to 0.07."""

Detect = Callable[[Recording], Hits]


@dataclass(frozen=True, slots=True)
class Detector:
    """A detector under test.

    Attributes
    ----------
    family, name : str
        Whose it is, and what it is called.
    detect : callable
        Takes a recording, returns its hits.
    """

    family: str
    name: str
    detect: Detect


def rtcluster(recording: Recording, settings: Settings) -> Hits:
    """Our engine, in this process."""
    processor = _prepared(settings, recording.samplerate)
    events = processor.process(recording.audio) + processor.flush()
    processor.reset(forget=True)
    rate = recording.samplerate
    onsets = [event for event in events if isinstance(event, Onset)]
    return Hits.of((e.sample / rate for e in onsets), (e.emitted / rate for e in onsets))


@cache
def _prepared(settings: Settings, samplerate: int) -> Processor:
    processor = Processor(settings)
    processor.prepare(samplerate)
    return processor


def stock_aubio(recording: Recording, method: str) -> Hits:
    """The detector of aubio, and its own times."""
    rate, audio = recording.samplerate, recording.audio
    onset = aubio.onset(method, AUBIO_BUFFER, AUBIO_HOP, rate)
    times, known = [], []
    for start in range(0, len(audio) - AUBIO_HOP + 1, AUBIO_HOP):
        if onset(audio[start : start + AUBIO_HOP])[0]:
            times.append(onset.get_last() / rate)
            known.append((start + AUBIO_HOP) / rate)
    return Hits.of(times, known)


def librosa_default(recording: Recording) -> Hits:
    """With its own settings, as in the notebook."""
    import librosa

    x, rate = recording.audio, recording.samplerate
    return Hits.of(librosa.onset.onset_detect(y=x, sr=rate, units="time"))


def librosa_drums(recording: Recording) -> Hits:
    """With a short hop and a short frame."""
    import librosa

    rate, hop = recording.samplerate, LIBROSA_DRUMS["hop_length"]
    envelope = librosa.onset.onset_strength(y=recording.audio, sr=rate, **LIBROSA_DRUMS)
    return Hits.of(
        librosa.onset.onset_detect(
            onset_envelope=envelope,
            sr=rate,
            hop_length=hop,
            units="time",
            delta=LIBROSA_DELTA,
            wait=round(LIBROSA_WAIT_S * rate / hop),
        )
    )


def madmom_superflux(recording: Recording) -> Hits:
    """SuperFlux as madmom runs it online."""
    onsets = import_module("madmom.features.onsets")

    activate = onsets.SpectralOnsetProcessor(
        "superflux", online=True, fps=200, num_channels=1, num_bands=24
    )
    pick = onsets.OnsetPeakPickingProcessor(
        online=True, fps=200, threshold=1.1, pre_max=0.01, pre_avg=0.15, combine=0.03
    )
    return _online(pick(activate(_madmom_signal(recording))))


def madmom_rnn(recording: Recording) -> Hits:
    """The recurrent network of madmom as it runs online."""
    onsets = import_module("madmom.features.onsets")

    activate = onsets.RNNOnsetProcessor(online=True)
    pick = onsets.OnsetPeakPickingProcessor(online=True, fps=100, threshold=0.3, combine=0.03)
    return _online(pick(activate(_madmom_signal(recording))))


def madmom_cnn(recording: Recording) -> Hits:
    """The convolutional network of madmom, which looks ahead."""
    onsets = import_module("madmom.features.onsets")

    pick = onsets.OnsetPeakPickingProcessor(fps=100, threshold=0.54, smooth=0.05)
    return Hits.of(pick(onsets.CNNOnsetProcessor()(_madmom_signal(recording))))


def _online(times: Any) -> Hits:
    """Hits dated to the end of the frame that gave them away, as madmom does online."""
    return Hits.of(times, times)


def _madmom_signal(recording: Recording) -> Any:
    """The recording at the rate that madmom's models are made for."""
    signal = import_module("madmom.audio.signal")
    at = recording.at(44100)
    return signal.Signal((at.audio * 32767).astype(np.int16), sample_rate=at.samplerate)


def detectors() -> Iterator[Detector]:
    """All there are to compare here."""
    for preset in PRESETS:
        settings = Settings(preset=preset, freeze=True, warmup=NEVER_WARM)
        yield Detector("rtcluster", preset, partial(rtcluster, settings=settings))
    for method in AUBIO_PRESETS:
        settings = Settings(method=method, freeze=True, warmup=NEVER_WARM)
        yield Detector("rtcluster, stock", method, partial(rtcluster, settings=settings))
    for method in AUBIO_PRESETS:
        yield Detector("aubio", method, partial(stock_aubio, method=method))
    yield Detector("librosa", "defaults", librosa_default)
    yield Detector("librosa", "drums", librosa_drums)
    if find_spec("madmom"):
        yield Detector("madmom", "SuperFlux online", madmom_superflux)
        yield Detector("madmom", "RNN online", madmom_rnn)
        yield Detector("madmom", "CNN", madmom_cnn)


COLUMNS = {
    "F50": ("f50", 3),
    "F25": ("f25", 3),
    "F10": ("f10_exact", 3),
    "P": ("precision", 3),
    "R": ("recall", 3),
    "dbl": ("doubles", 3),
    "bias": ("bias_ms", 2),
    "MAD": ("mad_ms", 2),
    "p50": ("latency_p50_ms", 1),
    "p95": ("latency_p95_ms", 1),
    "all\np50": ("pooled_p50_ms", 1),
    "all\np95": ("pooled_p95_ms", 1),
}


def _table(rows: list[dict[str, Any]]) -> Table:
    title = "Onset detectors: hits found, and times in ms"
    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("detector", *COLUMNS):
        table.add_column(name, justify="left" if name == "detector" else "right", no_wrap=True)
    family = ""
    for row in rows:
        if family and row["family"] != family:
            table.add_section()
        cells = (_cell(row["figures"][key], digits) for key, digits in COLUMNS.values())
        table.add_row(f"{row['family']} {row['name']}", *cells)
        family = row["family"]
    return table


def _cell(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if np.isfinite(value) else "-"


def _figures(values: dict[str, float]) -> dict[str, float | None]:
    """Rounded for a JSON file, which knows no NaN."""
    return {key: round(v, 4) if np.isfinite(v) else None for key, v in values.items()}


def _one(recording: Recording, scores: Scores) -> dict[str, float | None]:
    return _figures(
        {
            "f50": scores.f50,
            "f25": scores.f25,
            "f10": scores.f10,
            "precision": scores.precision,
            "recall": scores.recall,
            "doubles": scores.doubles,
            "bias_ms": scores.bias,
            "mad_ms": scores.mad,
            "latency_p50_ms": scores.latency(50),
            "latency_p95_ms": scores.latency(95),
        }
    )


def measure(
    detector: Detector, recordings: list[Recording]
) -> tuple[dict[str, float], dict[str, dict[str, float | None]]]:
    """Summary of a detector, and its figures for each recording."""
    scores = [score(recording, detector.detect(recording)) for recording in recordings]
    single = {r.name: _one(r, s) for r, s in zip(recordings, scores, strict=True)}
    return summary(recordings, scores), single


STYLES = {
    "rtcluster": ("o", "#D55E00", 90.0),
    "rtcluster, stock": ("s", "#2f86c9", 40.0),
    "aubio": ("D", "#8C8C8C", 36.0),
    "madmom": ("^", "#009E73", 55.0),
    "librosa": ("", "#b565c9", 0.0),
}
"""Marker, colour and size by family."""

LEGENDS = {
    "rtcluster": "rtcluster's presets",
    "rtcluster, stock": "aubio's methods in rtcluster",
    "aubio": "aubio as it comes",
    "madmom": "madmom online",
}


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """F-measure against latency; a line for each detector that needs the whole recording.

    For a light page and, beside it, for a dark one.
    """
    from rtcluster.pages.canvas import WIDE, render

    picture = render("detector", "", "", (WIDE,), lambda theme, layout: _plot(rows, theme, layout))
    path.parent.mkdir(exist_ok=True)
    for (theme, _), png in picture.images.items():
        ending = "" if theme == "light" else "-dark"
        path.with_stem(path.stem + ending).write_bytes(png)


def _plot(rows: list[dict[str, Any]], theme: Theme, layout: Layout) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(layout.width, 6.0), dpi=layout.dpi, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    live = [row for row in rows if np.isfinite(row["figures"]["pooled_p50_ms"])]
    offline = [row for row in rows if row not in live]
    for family, legend in LEGENDS.items():
        of_family = [row["figures"] for row in live if row["family"] == family]
        if of_family:
            marker, colour, size = STYLES[family]
            x = [f["pooled_p50_ms"] for f in of_family]
            y = [f["f50"] for f in of_family]
            axes.scatter(x, y, s=size, c=colour, marker=marker, label=legend, zorder=3)
    latest = max((row["figures"]["pooled_p50_ms"] for row in live), default=10.0)
    lowest = min(row["figures"]["f50"] for row in rows)
    axes.set_xlim(0.0, latest + 4.0)
    axes.set_ylim(np.floor(20 * lowest - 0.5) / 20, 1.0)
    axes.set_xlabel("latency (ms), median over all hits")
    axes.set_ylabel("F-measure within 50 ms")
    labels = [
        (
            row["figures"]["pooled_p50_ms"],
            row["figures"]["f50"],
            row["name"],
            STYLES[row["family"]][1],
        )
        for row in live
    ]
    for row in offline:
        at, colour = row["figures"]["f50"], STYLES[row["family"]][1]
        axes.axhline(at, color=colour, linewidth=1.0, linestyle="--", zorder=1)
        text = f"{row['family']} {row['name']}, the whole recording"
        labels.insert(0, (axes.get_xlim()[1], at, text, colour))
    axes.legend(loc="lower left", frameon=True, facecolor=theme.paper, framealpha=1.0)
    canvas.draw()  # type: ignore[no-untyped-call]  # matplotlib leaves draw() without annotations
    _label(figure, axes, labels, [row["figures"]["f50"] for row in offline])
    return figure


def _label(
    figure: Any, axes: Any, labels: list[tuple[float, float, str, str]], lines: list[float]
) -> None:
    """Write each label beside its point, at the nearest place where nothing else stands."""
    renderer = figure.canvas.get_renderer()
    points = axes.transData.transform([label[:2] for label in labels])
    taken = [(x - 7, y - 7, x + 7, y + 7) for x, y in points]
    taken.append(tuple(axes.get_legend().get_window_extent(renderer).padded(6).extents))
    frame = axes.get_window_extent(renderer).extents
    heights = axes.transData.transform([(0.0, line) for line in lines])[:, 1] if lines else []
    taken += [(frame[0], y - 2, frame[2], y + 2) for y in heights]
    text = axes.text(0, 0, "", fontsize=9)
    for (x, y), (at_x, at_y, name, colour) in zip(points, labels, strict=True):
        text.set_text(name)
        box = text.get_window_extent(renderer)
        width, height = box.width, box.height
        for left, low in _places(x, y, width, height):
            new = (left - 3, low - 1, left + width + 3, low + height + 1)
            if not _inside(new, frame) or any(_overlap(new, old) for old in taken):
                continue
            taken.append(new)
            place = axes.transData.inverted().transform((left, low))
            far = abs(low + height / 2 - y) > height
            axes.annotate(
                name,
                (at_x, at_y),
                place,
                fontsize=9,
                color=colour,
                zorder=4,
                arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.6} if far else None,
            )
            break
    text.remove()


def _places(x: float, y: float, width: float, height: float) -> Iterator[tuple[float, float]]:
    """Lower left corners for a label of a point, the nearest first, in pixels."""
    for step in range(40):
        for up in (step, -step):
            low = y - height / 2 + up * height / 2
            yield x + 12, low
            yield x - 12 - width, low
            yield x - width / 2, low


Box = tuple[float, float, float, float]


def _inside(box: Box, frame: Box) -> bool:
    return box[0] >= frame[0] and box[1] >= frame[1] and box[2] <= frame[2] and box[3] <= frame[3]


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def main(
    data: Annotated[Path, typer.Option(help="Folder of the recordings.", exists=True)] = DATA,
    rate: Annotated[int | None, typer.Option(help="Resample to this rate, in Hz.")] = None,
    gain: Annotated[float, typer.Option(help="Of the recordings, in dB.")] = 0.0,
    only: Annotated[
        list[str] | None, typer.Option(help="Part of a recording's name; may be repeated.")
    ] = None,
    detector: Annotated[
        list[str] | None, typer.Option(help="Part of a detector's name; may be repeated.")
    ] = None,
) -> None:
    """Compare onset detectors on annotated recordings."""
    console = report_console()
    recordings = [recording.at(rate, gain) for recording in load(data, only)]
    rows: list[dict[str, Any]] = []
    for one in detectors():
        title = f"{one.family} {one.name}"
        if detector and not any(word in title for word in detector):
            continue
        console.print(f"{title} ...", style="dim")
        began = time.perf_counter()
        figures, single = measure(one, recordings)
        rows.append(
            {
                "family": one.family,
                "name": one.name,
                "figures": figures,
                "recordings": single,
                "wall_s": round(time.perf_counter() - began, 1),
            }
        )
    if not rows:
        raise typer.BadParameter(f"Expected part of a detector's name, got {detector}.")
    console.print(_table(rows))
    console.print(
        f"{len(recordings)} recordings, {sum(r.seconds for r in recordings):.0f} s. F10, doubles "
        "(dbl) and times: exact truth only; p50 and p95: means over recordings, all: over all hits."
    )
    if not find_spec("madmom"):
        console.print("madmom is not installed.")
    if data != DATA or rate or gain or only or detector:
        console.print("Nothing is written: this is part of the comparison.")
        return
    draw(rows, PICTURE)
    for row in rows:
        row["figures"] = _figures(row["figures"])
    path = write("detector", {"recordings": len(recordings), "rows": rows})
    console.print(f"Written: bench/results/{path.name}, docs/pictures/{PICTURE.name}")


if __name__ == "__main__":
    typer.run(main)
