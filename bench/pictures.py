"""The pictures of README and docs, drawn by the program on its own groove (``make pictures``)."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import soundfile

from bench.hit import draw_hit
from rtcluster.notebook import run_analyze
from rtcluster.sources.groove import DRUMS, render

WANTED = ("engine-time", "engine-time-dark", "kmeans", "kmeans-dark")
"""Pictures of the report that the README shows."""

SECONDS = 8.0


def main() -> None:
    """Write the pictures into ``docs``."""
    docs = Path(__file__).parents[1] / "docs"
    docs.mkdir(exist_ok=True)
    groove = render(SECONDS)
    with tempfile.TemporaryDirectory() as folder:
        sound, truth = Path(folder, "groove.wav"), Path(folder, "groove.csv")
        soundfile.write(sound, groove.audio, groove.samplerate, subtype="FLOAT")
        rows = [f"{s.sample / groove.samplerate:.6f},{s.drum}\n" for s in groove.strokes]
        truth.write_text("time,label\n" + "".join(rows), encoding="utf-8")
        page = run_analyze(sound, Path(folder, "report"), classes=len(DRUMS), truth=truth)
        for name in WANTED:
            shutil.copy(page.parent / "pictures" / f"{name}.png", docs / f"{name}.png")
    for (theme, _layout), png in draw_hit().images.items():
        (docs / ("hit.png" if theme == "light" else f"hit-{theme}.png")).write_bytes(png)


if __name__ == "__main__":
    main()
