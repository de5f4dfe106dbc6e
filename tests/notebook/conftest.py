"""Signals that the project makes itself, a stand-in for the engine, and where the data is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from rtcluster.notebook import engine

FS = 22050


@dataclass(frozen=True)
class Groove:
    """A synthesised loop: kicks and hats in turn, every 0.25 s from 0.1 s on."""

    x: NDArray[np.float32]
    fs: int
    times: NDArray[np.float64]
    labels: tuple[str, ...]


def make_groove(hits: int = 16, fs: int = FS) -> Groove:
    rng = np.random.default_rng(7)
    x = 1e-3 * rng.standard_normal(int((0.3 + 0.25 * hits) * fs))
    t = np.arange(int(0.12 * fs)) / fs
    times, labels = [], []
    for hit in range(hits):
        start = int((0.1 + 0.25 * hit) * fs)
        level = rng.uniform(0.6, 0.9)
        if hit % 2 == 0:
            drum, label = np.sin(2 * np.pi * 60 * t) * np.exp(-t / 0.05), "kick"
        else:
            drum, label = 0.4 * rng.standard_normal(len(t)) * np.exp(-t / 0.02), "hat"
        x[start : start + len(t)] += level * drum * (1 - t / t[-1])
        times.append(start / fs)
        labels.append(label)
    return Groove(x.astype(np.float32), fs, np.array(times), tuple(labels))


@pytest.fixture(scope="session")
def groove() -> Groove:
    return make_groove()


@pytest.fixture
def groove_file(groove: Groove, tmp_path: Path) -> Path:
    path = tmp_path / "groove.wav"
    soundfile.write(path, groove.x, groove.fs, subtype="FLOAT")
    return path


@dataclass(frozen=True)
class FakeEvent:
    fields: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        return self.fields


class FakeEngine:
    """Hears every kick and hat of a groove 3 ms late, by its zero crossings."""

    def __init__(self, groove: Groove) -> None:
        self.onsets = [round((time + 0.003) * groove.fs) for time in groove.times]
        self.blocks: list[NDArray[np.float32]] = []
        self.fs = 0

    def prepare(self, samplerate: int, blocksize: int) -> None:
        self.fs = samplerate

    def process(self, block: NDArray[np.float32]) -> Iterable[FakeEvent]:
        self.blocks.append(block)
        return []

    def flush(self) -> Iterable[FakeEvent]:
        from rtcluster.notebook.reference import measure_at

        x = np.concatenate(self.blocks)
        events = []
        for i, (zcr, energy) in enumerate(measure_at(x, self.fs, self.onsets)):
            where = {"id": i, "sample": self.onsets[i]}
            span = min(len(x), int(self.onsets[i] + 0.09 * self.fs)) - self.onsets[i]
            what = {"class": -1 if i < 4 else int(zcr > 100), "zcr": int(zcr), "energy": energy}
            events += [
                {"event": "onset", **where, "emitted": self.onsets[i] + 128},
                {"event": "guess", **where, "emitted": self.onsets[i] + 672, **what},
                {"event": "final", **where, "emitted": self.onsets[i] + 2048, **what, "span": span},
            ]
        for i in range(min(4, len(self.onsets))):
            events.append({"event": "relabel", "id": i, "class": i % 2, "name": ""})
        return [FakeEvent(fields) for fields in events]


@pytest.fixture
def new_engine(groove: Groove) -> Callable[[], FakeEngine]:
    """Make a stand-in that has heard nothing yet."""
    return lambda: FakeEngine(groove)


@pytest.fixture
def fake_engine(groove: Groove, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every run of the engine be a run of the stand-in."""
    real = engine.run

    def run(*args: Any, **options: Any) -> engine.EngineRun:
        return real(*args, **options, engine=FakeEngine(groove))

    monkeypatch.setattr(engine, "run", run)


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the engine be missing."""

    def run(*args: Any, **options: Any) -> engine.EngineRun:
        raise ImportError("no engine here")

    monkeypatch.setattr(engine, "run", run)


@pytest.fixture(scope="session")
def report(groove: Groove, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a report of everything, in full, with a truth and the stand-in for the engine."""
    from rtcluster.notebook import run_analyze

    folder = tmp_path_factory.mktemp("report")
    name = f"a_groove_with_{'a_long_' * 9}name.wav"
    soundfile.write(folder / name, groove.x, groove.fs, subtype="FLOAT")
    rows = [f"{t:.6f},{label}" for t, label in zip(groove.times, groove.labels, strict=True)]
    (folder / "truth.csv").write_text("\n".join(["time,label", *rows]) + "\n")
    real = engine.run
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            engine,
            "run",
            lambda *args, **options: real(*args, **options, engine=FakeEngine(groove)),
        )
        return run_analyze(
            folder / name, folder / "out", algorithm="both", truth=folder / "truth.csv"
        )
