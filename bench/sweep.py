"""One setting of the drum detector at a time: what each value is worth on the recordings.

``python -m bench.sweep`` starts from a preset, moves each setting of :data:`GRID` by itself, and
prints a table. The settings of ``rtcluster.kernel`` were chosen this way. Settings are
changed in the detector's record, after it is configured, so nothing is compiled again; and the
bands, which take most of the time, are measured once for each window and then replayed.

The threshold follows the player, as by default: it is what the rule's shares are taken of. The
constants that are compiled into the kernel (the rule's shares, the echo rule, the attack's search)
are not in it.
Writes ``bench/results/sweep.json``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import typer
from numba import njit
from rich.table import Table

from bench.recordings import DATA, Hits, Recording, Scores, load, score, summary
from bench.report import console as report_console
from bench.report import write
from rtcluster.durations import Duration
from rtcluster.kernel import aubio_c, flux, picker, spectrum
from rtcluster.kernel.detector import DETECTOR, configure, decide
from rtcluster.presets import DRUMS_MASK, DRUMS_SILENCE, PRESETS
from rtcluster.settings import rate_factor

PAST_S = 0.300
"""How much of the past the detector is given: well over what it looks at, in s."""

HOP = 64
"""Samples at 44.1 kHz."""

Values = dict[str, float]

GRID: dict[str, tuple[float, ...]] = {
    "threshold": (0.060, 0.065, 0.070, 0.075, 0.080, 0.085, 0.090, 0.100, 0.120),
    "mask_ms": (24, 27, 30, 32, 34, 40),
    "louder_db": (0, 1, 2, 4),
    "ratio": (0.5, 0.6, 0.7, 0.85, 1.0, 1.2),
    "decay_ms": (30, 35, 45, 60),
    "rise": (0.2, 0.3, 0.4, 0.6),
    "lag_ms": (7.0, 8.5, 10.0, 11.5, 13.0, 16.0),
    "fall_db_ms": (0.25, 0.30, 0.35, 0.40, 0.50),
    "neighbour_db": (3, 6, 9),
    "cap": (0.4, 0.5, 0.65, 0.8),
    "background_gain": (1.0, 1.5, 2.0, 3.0),
    "background_rise_db_s": (0.3, 1.0, 2.0, 3.0),
    "tilt": (0.0, 0.2, 0.3, 0.35, 0.4, 0.5),
    "lowest_hz": (60, 110, 160, 220, 300, 350),
    "peak": (0.65, 0.75, 0.80, 0.85, 0.90, 0.95),
    "frame": (256, 512, 1024, 2048),
}
"""By setting, the values to try. ``frame`` is in samples at 44.1 kHz, ``peak`` a share of it."""

WINDOW = ("frame", "peak", "lowest_hz")
"""The settings that the bands themselves depend on."""


def preset_values(preset: str) -> Values:
    """The settings of a preset, by the names of :data:`GRID`."""
    chosen = PRESETS[preset]
    return {
        "threshold": chosen.threshold,
        "mask_ms": 1e3 * Duration.of(DRUMS_MASK).samples(1_000_000) / 1e6,
        "louder_db": picker.LOUDER_DB,
        "ratio": picker.RATIO,
        "decay_ms": 1e3 * picker.DECAY_S,
        "rise": picker.RISE,
        "lag_ms": 1e3 * flux.LAG_S,
        "fall_db_ms": flux.FALL_DB_MS,
        "neighbour_db": flux.NEIGHBOUR_DB,
        "cap": flux.CAP,
        "background_gain": flux.BACKGROUND_GAIN,
        "background_rise_db_s": flux.BACKGROUND_RISE_DB_S,
        "tilt": spectrum.BRIGHT_TILT,
        "lowest_hz": spectrum.LOWEST_HZ,
        "peak": chosen.peak,
        "frame": chosen.frame,
    }


F = TypeVar("F", bound=Callable[..., Any])

uncached: Callable[[F], F] = njit(nogil=True, error_model="numpy")
"""Not cached on disk: Numba would not notice a change in the kernel."""


@uncached
def measure_all(record: Any, padded: Any, past: int, bands: Any) -> None:
    """Measure the bands of every hop of ``padded``, which begins with ``past`` zeros."""
    for h in range(len(bands)):
        now = (h + 1) * record.hop
        spectrum.measure_bands(record, padded[now : now + past])
        for b in range(record.bands):
            bands[h, b] = record.band[b]


@uncached
def replay(record: Any, padded: Any, past: int, bands: Any, samples: Any, emitted: Any) -> int:
    """Decide on every hop from bands measured before; return the number of hits."""
    count = 0
    for h in range(len(bands)):
        now = (h + 1) * record.hop
        record.previous += record.hop
        for b in range(record.bands):
            record.band[b] = bands[h, b]
        if decide(record, padded[now : now + past], min(now, past)) > 0.0:
            samples[count], emitted[count] = now - record.offset, now
            count += 1
    return count


@dataclass(slots=True)
class Take:
    """A recording whose bands are measured under one window after another."""

    recording: Recording
    padded: npt.NDArray[np.float32]
    past: int
    window: tuple[float, ...] = ()
    bands: npt.NDArray[np.float32] | None = None

    @classmethod
    def of(cls, recording: Recording) -> Take:
        """Put silence before the recording."""
        past = int(PAST_S * recording.samplerate)
        padded = np.concatenate([np.zeros(past, np.float32), recording.audio])
        return cls(recording, padded, past)

    def record(self, values: Values) -> npt.NDArray[Any]:
        """A detector's record, shape (1,), configured with these values."""
        rate, record = self.recording.samplerate, np.zeros(1, DETECTOR)
        detector: Any = record[0]
        frame, hop = (int(n * rate_factor(rate)) for n in (values["frame"], HOP))
        with patch.object(spectrum, "LOWEST_HZ", values["lowest_hz"]):
            configure(detector, rate, "balanced", frame, hop)
            spectrum.configure_spectrum(detector, rate, frame, hop, values["peak"])
            centres = spectrum.band_centres(rate)
        hop_s = hop / rate
        for name in ("threshold", "ratio", "rise", "cap", "background_gain"):
            detector[name] = values[name]
        detector["follows"], detector["silence"] = 1, DRUMS_SILENCE
        detector["mask"] = values["mask_ms"] / 1e3
        detector["decay"] = values["decay_ms"] / 1e3
        detector["louder"] = 10 ** (values["louder_db"] / 20)
        detector["lag"] = round(values["lag_ms"] / 1e3 / hop_s)
        detector["fall"] = 10 ** (-values["fall_db_ms"] * 1e3 * hop_s / 20)
        detector["neighbour"] = 10 ** (-values["neighbour_db"] / 20)
        detector["background_rise"] = 10 ** (values["background_rise_db_s"] * hop_s / 20)
        share = centres ** values["tilt"]
        detector["bright_weight"][: len(share)] = share / share.sum()
        return record

    def score(self, values: Values) -> Scores:
        """Detect with these values, and compare with the truth."""
        record = self.record(values)
        detector: Any = record[0]
        window = tuple(values[name] for name in WINDOW)
        if window != self.window or self.bands is None:
            fft = aubio_c.Fft(detector)
            shape = (len(self.recording.audio) // int(detector["hop"]), int(detector["bands"]))
            self.bands, self.window = np.zeros(shape, np.float32), window
            measure_all(detector, self.padded, self.past, self.bands)
            fft.close()
        samples, emitted = np.zeros((2, len(self.bands)), np.int64)
        n = replay(detector, self.padded, self.past, self.bands, samples, emitted)
        rate = self.recording.samplerate
        return score(self.recording, Hits.of(samples[:n] / rate, emitted[:n] / rate))


def figures(takes: list[Take], values: Values) -> dict[str, float]:
    """:func:`bench.recordings.summary` of a detector with these values."""
    scores = [take.score(values) for take in takes]
    return summary([take.recording for take in takes], scores)


COLUMNS = {
    "F50": ("f50", 3),
    "min": ("f50_min", 3),
    "F10": ("f10", 3),
    "F10 exact": ("f10_exact", 3),
    "P": ("precision", 3),
    "R": ("recall", 3),
    "p50 ms": ("latency_p50_ms", 2),
    "p95 ms": ("pooled_p95_ms", 2),
    "doubles": ("doubles", 4),
}


def _table(preset: str, base: Values, rows: list[dict[str, Any]]) -> Table:
    table = Table(title=f"One setting at a time, from '{preset}' (* is its own value)")
    for name in ("setting", "value", *COLUMNS):
        table.add_column(name, justify="left" if name == "setting" else "right", no_wrap=True)
    last = ""
    for row in rows:
        name = row["setting"]
        if last and name != last:
            table.add_section()
        mark = "*" if row["value"] == base[name] else ""
        table.add_row(
            name if name != last else "",
            f"{mark}{row['value']:g}",
            *(f"{row['figures'][key]:.{digits}f}" for key, digits in COLUMNS.values()),
            style="bold" if mark else None,
        )
        last = name
    return table


def main(
    settings: Annotated[
        list[str] | None, typer.Argument(help="Settings to vary, by default all.")
    ] = None,
    data: Annotated[Path, typer.Option(help="Folder of the recordings.", exists=True)] = DATA,
    preset: Annotated[str, typer.Option(help="Where to start from.")] = "balanced",
    only: Annotated[list[str] | None, typer.Option(help="Part of a recording's name.")] = None,
    gain: Annotated[float, typer.Option(help="Of the recordings, in dB.")] = 0.0,
) -> None:
    """Vary one setting at a time."""
    unknown = {*(settings or ()), preset} - {*GRID, *PRESETS}
    if unknown:
        raise typer.BadParameter(f"Expected settings of {', '.join(GRID)}, got {unknown}.")
    console = report_console()
    began = time.perf_counter()
    takes = [Take.of(recording.at(gain_db=gain)) for recording in load(data, only)]
    base = preset_values(preset)
    own = figures(takes, base)
    rows: list[dict[str, Any]] = []
    for name in settings or GRID:
        console.print(f"{name} ...", style="dim")
        for value in sorted({*GRID[name], base[name]}):
            found = own if value == base[name] else figures(takes, base | {name: value})
            rows.append({"setting": name, "value": value, "figures": found})
    console.print(_table(preset, base, rows))
    seconds = sum(take.recording.seconds for take in takes)
    console.print(
        f"{len(takes)} recordings, {seconds:.0f} s, {gain:+g} dB; "
        f"{len(rows)} variations in {time.perf_counter() - began:.0f} s."
    )
    for row in rows:
        row["figures"] = {key: round(value, 4) for key, value in row["figures"].items()}
    content = {"preset": preset, "gain_db": gain, "settings": base, "rows": rows}
    console.print(f"Written: bench/results/{write('sweep', content).name}")


if __name__ == "__main__":
    typer.run(main)
