"""Hits in JAMS, the JSON format of music research: where they are, and what was hit.

``onset`` has the times. ``tag_open`` has the name of the drum, over what was measured of the hit,
and as confidence the margin: 0 between two classes, 1 on a centre. JAMS has no namespace for
drums, and of those with names only the open tags take any name and may overlap. ``vector`` has the
features of each hit that was measured: ``zcr``, ``energy`` and those that the classes were told by
besides; the ``sandbox`` of the annotation names them in their order, with their units.
"""

from __future__ import annotations

from pathlib import Path

import jams

from rtcluster import __version__
from rtcluster.exports import Wanted
from rtcluster.exports.take import Take, end, measured, names
from rtcluster.settings import ALWAYS_MEASURED, FEATURE_UNITS


def write(target: Path, take: Take, wanted: Wanted) -> int:
    """Write all hits; return how many. Those without a class are ``learning`` or ``unknown``."""
    rate = take.samplerate
    onsets, drums, vectors = (_annotation(n, take) for n in ("onset", "tag_open", "vector"))
    units = {**{name: FEATURE_UNITS[name] for name in ALWAYS_MEASURED}, **take.features}
    vectors.sandbox.features = [{"name": name, "unit": unit} for name, unit in units.items()]
    for hit in take.hits:
        onsets.append(time=hit.sample / rate, duration=0.0)
        place = {"time": hit.sample / rate, "duration": (end(hit, rate) - hit.sample) / rate}
        drums.append(**place, value=names(hit), confidence=hit.line.get("margin"))
        values = measured(hit)
        if values.keys() >= units.keys():
            vectors.append(**place, value=[values[name] for name in units])
    about = jams.FileMetadata(title=take.source, duration=take.seconds)
    file = jams.JAMS(annotations=[onsets, drums, vectors], file_metadata=about)
    with target.open("w", encoding="utf-8") as out:
        file.save(out, strict=True)
    return len(take.hits)


def _annotation(namespace: str, take: Take) -> jams.Annotation:
    """An empty annotation of the whole session that says what made it."""
    return jams.Annotation(
        namespace,
        time=0.0,
        duration=take.seconds,
        annotation_metadata=jams.AnnotationMetadata(
            annotation_tools=f"rtcluster {__version__}",
            version=__version__,
            data_source="program",
            annotator=dict(take.settings),
        ),
    )
