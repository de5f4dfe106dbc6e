"""``rtcluster report``: how a recorded session was played."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rtcluster.commands.terminal import say
from rtcluster.commands.writing import guard, writes
from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.files import atomic_write, read_bytes
from rtcluster.libraries import extra
from rtcluster.text import printable, visible

if TYPE_CHECKING:
    from rtcluster.recording.log import Hit, Log

PAGE = "performance.html"
"""Name of the page in a recording's folder."""

PAGE_DIGEST = "page_sha256"
"""Field of the figures: they and the page are known by it as a report that nobody edited."""

_MAX_BYTES = 256 << 20


@writes
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
    from rtcluster.performance import words
    from rtcluster.performance.hits import measure_hits
    from rtcluster.recording import log as logs

    log = logs.read(recording)
    target = _target(recording, out)
    allowed = guard("out")
    for path in (target, target.with_suffix(".json")):
        allowed.check(path, lambda _: _require_report(target))
    hits = logs.hits(log)
    found = measure_hits(
        hits,
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
    _write(target, found, log, hits)
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


def _write(target: Path, found: Any, log: Log, hits: list[Hit]) -> None:
    """The page, and beside it the figures and every hit as JSON."""
    import json

    with extra("report"):
        from rtcluster.performance import pictures
        from rtcluster.performance.page import page

    name = log.path.parent.resolve().name if log.path.name == "events.jsonl" else log.path.name
    source = printable(log.session.get("source", "")) or "not told"
    drawn = pictures.draw_all(found) | _bleed(log)
    text = page(found, drawn, visible(name), source, log.summary is not None)
    rows = found.hit_rows()
    for row, hit in zip(rows, hits, strict=True):
        row["id"] = hit.id
        if len(hit.parts) > 1:
            row["parts"] = hit.parts
    page_bytes = text.encode()
    figures = {**found.as_dict(), "hit_list": rows, PAGE_DIGEST: _digest(page_bytes)}
    with (
        atomic_write(target.with_suffix(".json")) as figures_file,
        atomic_write(target) as page_file,
    ):
        page_file.write_bytes(page_bytes)
        figures_file.write_text(json.dumps(figures, allow_nan=False) + "\n", encoding="utf-8")


def _bleed(log: Log) -> dict[str, Any]:
    """The picture of the bleed, where the session began with a kit of several microphones."""
    from rtcluster.learning import bleed, kit_file
    from rtcluster.performance.bleed import picture_of
    from rtcluster.recording.log import KIT_FILE

    path = log.path.parent / KIT_FILE
    if "microphones" not in log.session or not path.is_file():
        return {}
    try:
        kit = kit_file.load(path)
    except RtclusterError as error:
        say(f"{error} The report is without its picture of the bleed.")
        return {}
    heard = bleed.of_kit(kit)
    if heard is None or len(log.session["microphones"]) != len(kit.microphones):
        return {}
    # Its channels are those of the session: the same microphones may be on other inputs.
    names = [visible(name) for name in kit.names]
    return {"bleed": picture_of(heard, names, log.session["microphones"])}


def _require_report(page: Path) -> None:
    """Refuse a page and figures that are not together as :func:`_write` left them.

    Raises
    ------
    RtclusterError
    """
    import json

    try:
        figures = json.loads(read_bytes(page.with_suffix(".json"), _MAX_BYTES))
        same = figures[PAGE_DIGEST] == _digest(read_bytes(page, _MAX_BYTES)) and figures["hit_list"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        same = False
    if not same:
        raise RtclusterError(f"{page} and its .json are no report, or were edited.")


def _digest(content: bytes) -> str:
    from hashlib import sha256

    return sha256(content).hexdigest()


def _played_to(session: Mapping[str, object]) -> float | None:
    """The tempo that was given with the session's own --bpm."""
    told = session.get("bpm")
    return float(told) if isinstance(told, float | int) and not isinstance(told, bool) else None
