"""A session's hits, measured: those of a log, with every drum that sounds in each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rtcluster.performance.drums import Further
from rtcluster.performance.figures import Performance
from rtcluster.performance.measures import measure
from rtcluster.recording.log import Hit
from rtcluster.text import printable


def measure_hits(hits: Sequence[Hit], **options: Any) -> Performance:
    """Measure the hits of a log.

    Parameters
    ----------
    hits : sequence of Hit
        By time, as :func:`rtcluster.recording.log.hits` gives them.
    **options
        Of :func:`rtcluster.performance.measure`: ``bpm``, ``beat_at`` and so on.
    """
    return measure(
        [hit.time for hit in hits],
        [hit.class_ for hit in hits],
        [hit.parts[0]["velocity"] if hit.parts else hit.velocity for hit in hits],
        [printable(hit.name) for hit in hits],
        further=[
            Further(place, one["class"], one["velocity"], printable(one["name"]))
            for place, hit in enumerate(hits)
            for one in hit.parts[1:]
        ],
        **options,
    )
