"""What all exports are made of: a session's hits, its length, and the audio beside it.

Read on the calling thread, after the session. A session that was cut off is as good as another:
where nothing says how long it was, it ends with what is known of its last hit.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rtcluster.durations import WINDOW_S
from rtcluster.errors import SourceError
from rtcluster.events import UNKNOWN, UNKNOWN_NAME, Part
from rtcluster.recording import log
from rtcluster.recording.audio import audio_of
from rtcluster.recording.log import Hit
from rtcluster.settings import ALWAYS_MEASURED
from rtcluster.text import printable

LEARNING_NAME = "learning"
"""What a hit is called that was heard before there were classes."""

_ENDLESS = 1 << 48  # samples; no session is as long as this


@dataclass(frozen=True, slots=True)
class Take:
    """A session as exports need it.

    Attributes
    ----------
    path : Path
        The file of events.
    source : str
        Where the session's audio came from, in printable characters.
    samplerate : int
        In Hz.
    samples : int
        Length of the session.
    hits : tuple of Hit
        By time.
    audio : Path or None
        The audio in the recording's folder, if there is any.
    settings : mapping
        The engine's, as the session line has them.
    features : mapping
        Unit of each feature that the hits tell besides ``zcr`` and ``energy``, by its name.
    """

    path: Path
    source: str
    samplerate: int
    samples: int
    hits: tuple[Hit, ...]
    audio: Path | None
    settings: Mapping[str, object]
    features: Mapping[str, str]

    @property
    def seconds(self) -> float:
        """Length of the session."""
        return self.samples / self.samplerate


def read(path: str | os.PathLike[str]) -> Take:
    """Read a recording's folder, or a file of events.

    Raises
    ------
    SourceError
        If it is not there, or no session.
    """
    session = log.read(path)
    hits = tuple(log.hits(session))
    for hit in hits:
        if not 0 <= hit.sample < _ENDLESS:
            raise SourceError(
                f"Expected hits at samples from 0 in {session.path}, got {hit.sample}. "
                "Export another session."
            )
    audio = None
    if session.path.name == log.EVENTS_FILE:
        with suppress(SourceError):
            audio = audio_of(session.path.parent)
    settings = session.session.get("settings")
    return Take(
        path=session.path,
        source=printable(session.session.get("source", "")),
        samplerate=session.samplerate,
        samples=_length(session, hits),
        hits=hits,
        audio=audio,
        settings=settings if isinstance(settings, dict) else {},
        features={n: session.session.get("units", {}).get(n, "") for n in log.further(session)},
    )


def label(hit: Hit) -> str:
    """What a hit is called: its class's name, or ``learning`` or ``unknown``; never empty."""
    if hit.class_ >= 0:
        return printable(hit.name) or f"class {hit.class_}"
    return UNKNOWN_NAME if hit.class_ == UNKNOWN else LEARNING_NAME


def drums(hit: Hit) -> list[Part]:
    """The drums that sound in a hit, the strongest first, with names to show; at least one."""
    if hit.class_ < 0 or not hit.parts:
        return [Part(hit.class_, label(hit), hit.velocity)]
    return [
        Part(
            one["class"],
            printable(one["name"]) or f"class {one['class']}",
            one["velocity"],
            one.get("offset"),
        )
        for one in hit.parts
    ]


def names(hit: Hit) -> str:
    """The names of all drums that sound in a hit: "snare + hat"."""
    return " + ".join(part.name for part in drums(hit))


def measured(hit: Hit) -> dict[str, float]:
    """Values of all features that a hit tells, by name; none of one that was only detected."""
    always = {name: hit.line[name] for name in ALWAYS_MEASURED if name in hit.line}
    return {**always, **hit.line.get("features", {})}


def end(hit: Hit, samplerate: int) -> int:
    """Sample after the last one that was measured of a hit, or would have been by default."""
    span = hit.line.get("span")
    return hit.sample + max(1, span if type(span) is int else round(WINDOW_S * samplerate))


def _length(session: log.Log, hits: tuple[Hit, ...]) -> int:
    """Samples of a session: as its summary says, but never less than what is known of it."""
    known = [end(hit, session.samplerate) for hit in hits]
    told = None if session.summary is None else session.summary.get("samples")
    if type(told) is int:
        return max([told, *(hit.sample + 1 for hit in hits)])
    for line in session.lines:
        known += [n for key in ("emitted", "sample") if type(n := line.get(key)) is int]
    return max(known, default=0)
