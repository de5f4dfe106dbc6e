"""``rtcluster report``: how a recorded session was played."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rtcluster.commands.terminal import say
from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.names import printable, visible

if TYPE_CHECKING:
    from rtcluster.recording.log import Log

PAGE = "performance.html"
"""Name of the page in a recording's folder."""


def report(
    recording: Annotated[str, typer.Argument(help="A recording's folder, or its events.jsonl.")],
    bpm: Annotated[
        float | None,
        typer.Option(
            help="Tempo to hold the hits against.", show_default="the session's, or estimated"
        ),
    ] = None,
    beat_at: Annotated[
        float | None,
        typer.Option(help="With --bpm: time of one of its beats, s. The grid is then absolute."),
    ] = None,
    latency_offset: Annotated[
        float, typer.Option(help="With --beat-at: how late the hits were heard, ms.")
    ] = 0.0,
    spread: Annotated[
        float | None,
        typer.Option(help="How exactly hits are dated, ± ms.", show_default="by drum, as measured"),
    ] = None,
    out: Annotated[
        str | None, typer.Option("-o", "--out", help="Page to write.", show_default=f"DIR/{PAGE}")
    ] = None,
    open_: Annotated[
        bool, typer.Option("--open/--no-open", help="Show the page in the browser.")
    ] = False,
) -> None:
    """Measure how a recorded session was played: tempo, early and late, steadiness, dynamics."""
    from rtcluster import performance
    from rtcluster.performance import words
    from rtcluster.recording import log as logs

    log = logs.read(recording)
    hits = logs.hits(log)
    found = performance.measure(
        [hit.time for hit in hits],
        [hit.class_ for hit in hits],
        [hit.velocity for hit in hits],
        [printable(hit.name) for hit in hits],
        bpm=_played_to(log.session) if bpm is None else bpm,
        beat_at=beat_at,
        latency_offset_ms=latency_offset,
        spread_ms=spread,
    )
    if latency_offset and beat_at is None:
        say("--latency-offset moves all hits alike; without --beat-at it changes no figure.")
    for line in words.lines(found):
        say(line)
    if not hits:
        return
    target = _target(recording, out)
    _write(target, found, log, [hit.id for hit in hits])
    say(f"The report is {target}")
    if open_:
        import webbrowser

        webbrowser.open(target.resolve().as_uri())


def _target(recording: str, out: str | None) -> Path:
    """Where the page goes: into the folder, or beside a file of events."""
    given = Path(recording)
    if out is not None:
        target = Path(out)
    elif given.is_dir():
        return given / PAGE
    else:
        target = given.with_name(f"{given.stem}-{PAGE}")
    if target.suffix.lower() not in (".html", ".htm"):
        raise SettingsError(f"Expected a page that ends in .html, got {target}.")
    return target


def _write(target: Path, found: Any, log: Log, ids: list[int]) -> None:
    """The page, and beside it the figures and every hit as JSON."""
    import json

    try:
        from rtcluster.performance import pictures
        from rtcluster.performance.page import page
    except ModuleNotFoundError as error:
        raise RtclusterError(
            f"Expected the {error.name} package for the report, got none. "
            "Install it with: pip install 'rtcluster[report]'"
        ) from error

    name = log.path.parent.resolve().name if log.path.name == "events.jsonl" else log.path.name
    source = printable(log.session.get("source", "")) or "not told"
    text = page(found, pictures.draw_all(found), visible(name), source, log.summary is not None)
    rows = found.hit_rows()
    for row, id_ in zip(rows, ids, strict=True):
        row["id"] = id_
    figures = {**found.as_dict(), "hit_list": rows}
    try:
        target.write_text(text, encoding="utf-8", newline="\n")
        target.with_suffix(".json").write_text(
            json.dumps(figures, allow_nan=False) + "\n", encoding="utf-8"
        )
    except OSError as error:
        raise RtclusterError(f"Expected to write {target}, got: {error.strerror}.") from error


def _played_to(session: Mapping[str, object]) -> float | None:
    """The tempo that was given with the session's own --bpm."""
    told = session.get("bpm")
    return float(told) if isinstance(told, float | int) and not isinstance(told, bool) else None
