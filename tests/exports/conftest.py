"""Sessions to export, with known hits."""

from __future__ import annotations

import json

import pytest

from rtcluster.exports import Wanted, export
from rtcluster.exports.take import read

RATE = 44100
LENGTH = 4 * RATE

HITS = (
    (4410, 0, "kick", 100),
    (15001, 1, "snare", 64),
    (30000, 2, "hats", 30),
    (52007, 0, "kick", 127),
    (60000, -2, "unknown", 50),
    (99999, 2, "hats", 1),
)
"""Sample, class, name and velocity."""


UNITS = {"air": "dB", "level": "dBFS"}
"""Of the features of ``lines_of(units=UNITS)``: the first is the hit's number."""


def lines_of(hits, rate=RATE, samples=LENGTH, source="groove.wav", summary=True, units=None):
    """The events of a session whose hits are these; one of class -1 is not classified."""
    out = [{"event": "session", "version": 1, "samplerate": rate, "source": source, "settings": {}}]
    if units:
        out[0]["units"] = units
    for number, (sample, class_, name, velocity) in enumerate(hits):
        hit = {"id": number, "sample": sample}
        out.append(
            {"event": "onset", **hit, "time": sample / rate, "emitted": sample + 128}
            | {"velocity": velocity, "strength": 1.5}
        )
        if class_ != -1:
            out.append(
                {"event": "final", **hit, "emitted": sample + 3969, "class": class_, "name": name}
                | {"margin": 0.75, "zcr": 40, "energy": 2.5, "span": 3969, "velocity": velocity}
                | {"revised": False, "overlapped": False}
                | ({"features": dict.fromkeys(units, float(number))} if units else {})
            )
    if summary:
        out.append({"event": "summary", "hits": len(hits), "xruns": 0, "samples": samples})
    return out


def written(path, lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture
def take_of(tmp_path):
    """Make a recording's folder of hits, and read it."""

    def make(hits=HITS, **options):
        return read(written(tmp_path / "events.jsonl", lines_of(hits, **options)))

    return make


@pytest.fixture
def exported(take_of):
    """Export hits in a format; return the file and the number of hits in it."""

    def make(name, hits=HITS, wanted=Wanted(), **options):  # noqa: B008  # it is frozen
        return export(name, take_of(hits, **options), wanted)

    return make
