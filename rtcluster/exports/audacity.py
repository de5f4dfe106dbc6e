"""Hits as a label track for Audacity: start and end in s, and a name, parted by tabs.

``File > Import > Labels`` opens it. `mir_eval.io.load_labeled_intervals` reads it too. The report
of ``rtcluster analyze`` writes its label track with :func:`label_track`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rtcluster.exports import Wanted
from rtcluster.exports.take import Take, end, names


def label_track(labels: Iterable[tuple[float, float, str]]) -> str:
    """Return the text of a label track of (start, end, name), with times in s to a microsecond."""
    return "".join(f"{start:.6f}\t{stop:.6f}\t{name}\n" for start, stop, name in labels)


def write(target: Path, take: Take, wanted: Wanted) -> int:
    """Write all hits, each as long as what was measured of it; return how many.

    Those without a class are called ``learning`` or ``unknown``.
    """
    rate = take.samplerate
    track = label_track((h.sample / rate, end(h, rate) / rate, names(h)) for h in take.hits)
    target.write_text(track, encoding="utf-8", newline="\n")
    return len(take.hits)
