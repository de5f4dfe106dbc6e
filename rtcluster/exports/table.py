"""Hits as CSV: a row a hit, for spreadsheets and data frames."""

from __future__ import annotations

import csv
from pathlib import Path

from rtcluster.exports import Wanted
from rtcluster.exports.take import Take, drums, label, measured
from rtcluster.recording.log import columns_of

COLUMNS = (
    "id", "time", "sample", "class", "name", "velocity", "zcr", "energy", "margin", "latency_ms",
    "guess", "span", "revised", "overlapped", "parts",
)  # fmt: skip
"""As in the event schema. ``time`` is in s; ``class`` -1 is learning and -2 unknown; ``guess`` is
the class of the guess; ``latency_ms`` runs from the hit's first sample to the one at which the
onset was known; ``parts`` has the name and the velocity of each drum that sounds, the strongest
first. What the session did not come to know is empty. A column for each further feature follows,
named as in :class:`rtcluster.Hits`."""

_MEASURED = ("zcr", "energy", "margin", "span", "revised", "overlapped")


def write(target: Path, take: Take, wanted: Wanted) -> int:
    """Write all hits; return how many."""
    with target.open("w", newline="", encoding="utf-8") as file:
        further = dict(zip(take.features, columns_of(take.features, COLUMNS), strict=True))
        table = csv.DictWriter(file, (*COLUMNS, *further.values()), lineterminator="\n")
        table.writeheader()
        for hit in take.hits:
            row = {key: hit.line.get(key) for key in _MEASURED}
            row |= {column: measured(hit).get(name) for name, column in further.items()}
            row |= {
                "id": hit.id,
                "time": f"{hit.sample / take.samplerate:.6f}",
                "sample": hit.sample,
                "class": hit.class_,
                "name": label(hit),
                "velocity": hit.velocity,
                "latency_ms": f"{1e3 * (hit.emitted - hit.sample) / take.samplerate:.3f}",
                "guess": hit.guessed,
                "parts": " + ".join(f"{one.name} {one.velocity}" for one in drums(hit)),
            }
            table.writerow(row)
    return len(take.hits)
