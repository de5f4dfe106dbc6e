"""The pictures of README and docs, drawn by the program (``make pictures``).

Of its own groove, from the results of the benchmarks, and of one of the development recordings.
What needs something that is not there (those recordings, Chromium) stays as it is, with a line.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from bench import plots
from bench.hit import draw_hit
from bench.recordings import DATA
from bench.screens import shoot
from bench.song import SONG, draw_song
from rtcluster.notebook import run_analyze
from rtcluster.pages.canvas import Picture
from rtcluster.sources.groove import DRUMS, render, write

WANTED = ("engine-time", "engine-time-dark", "kmeans", "kmeans-dark")
"""Pictures of the report that the README shows."""

SECONDS = 8.0


def main() -> None:
    """Write the pictures into ``docs/pictures``."""
    docs = Path(__file__).parents[1] / "docs" / "pictures"
    docs.mkdir(exist_ok=True)
    groove = render(SECONDS)
    with tempfile.TemporaryDirectory() as folder:
        sound, truth = Path(folder, "groove.wav"), Path(folder, "groove.csv")
        write(groove, sound, truth)
        page = run_analyze(sound, Path(folder, "report"), classes=len(DRUMS), truth=truth)
        for name in WANTED:
            shutil.copy(page.parent / "pictures" / f"{name}.png", docs / f"{name}.png")
    _save(draw_hit(), docs)
    plots.main(docs)
    if (DATA / f"{SONG}.flac").is_file():
        _save(draw_song(), docs)
    else:
        print(f"song: not drawn, there is no {SONG}.flac in {DATA}.")
    if shutil.which("chromium"):
        shoot(docs)
    else:
        print("monitor: not taken; install Chromium.")


def _save(picture: Picture, folder: Path) -> None:
    for (theme, _), png in picture.images.items():
        ending = "" if theme == "light" else "-dark"
        (folder / f"{picture.name}{ending}.png").write_bytes(png)


if __name__ == "__main__":
    main()
