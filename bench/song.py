"""The picture of a real song in README: its waveform, the drums as heard, and as annotated.

The kit is taught with the song's own first five strokes of each drum that sound alone (of the kick
there is one), so the figures say what a player gets who has taught those.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from bench.recordings import DATA
from rtcluster.notebook.timeline import Lane, timeline
from rtcluster.pages.canvas import WIDE, Picture, render
from rtcluster.sources.annotations import read

SONG = "mdb/MusicDelta_Britpop"
"""Of MDB Drums (Southall, Wu, Lerch and Hockman, ISMIR 2017; audio of MedleyDB)."""

SPAN_S = (10.0, 17.0)

DRUMS = {"kick": ["kick"], "snare": ["snare"], "hat": ["hihat_closed", "hihat_open"]}
"""Lanes from top to bottom, and the song's labels for each."""


def heard(data: Path) -> list[tuple[float, str]]:
    """Time in s and label of each drum that sounds, by the finals of a run with a taught kit."""
    song = data / SONG
    program = [sys.executable, "-m", "rtcluster"]
    with tempfile.TemporaryDirectory() as folder:
        kit = str(Path(folder, "song.kit"))
        lesson = ["--from", f"{song}.flac", "--truth", f"{song}.csv", "--save-kit", kit]
        subprocess.run([*program, "teach", *lesson], check=True, capture_output=True)
        out = subprocess.run(
            [*program, "run", f"{song}.flac", "--kit", kit], check=True, capture_output=True
        ).stdout
    events = [json.loads(line) for line in out.splitlines()]
    rate = events[0]["samplerate"]
    finals = [event for event in events if event["event"] == "final"]
    return [(e["sample"] / rate, part["name"]) for e in finals for part in e["parts"]]


def draw_song(data: Path = DATA) -> Picture:
    """The picture, light and dark."""
    audio, rate = soundfile.read(data / f"{SONG}.flac", dtype="float32")
    truth = read(data / f"{SONG}.csv")
    found = heard(data)
    lanes = []
    for class_, (name, labels) in enumerate(DRUMS.items()):
        times = np.array([time for time, one in found if one in labels])
        lanes.append(Lane(name, times, np.full(len(times), class_)))
        marked = zip(truth.times, truth.labels, strict=True)
        true = [time for time, all_ in marked if {*labels} & {*all_.split("+")}]
        lanes.append(Lane("annotated", np.array(true), lines=False))

    return render(
        "song", "", "", (WIDE,),
        lambda theme, layout: timeline(audio, rate, SPAN_S, lanes, theme, layout),
    )  # fmt: skip
