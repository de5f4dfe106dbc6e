"""Target: the reader of JSON Lines, and the exports of what it lets through."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from rtcluster import Processor, Settings
from rtcluster.events import Event
from rtcluster.exports import FORMATS, Wanted, export
from rtcluster.exports.take import read
from rtcluster.recording import log
from rtcluster.session.session import Session
from rtcluster.sinks import Sink
from rtcluster.sources.groove import render
from tests.fuzz.feed import Feed, mutated
from tests.fuzz.watch import answer, folder

_CONTROLS: tuple[dict[str, Any], ...] = (
    {"event": "control", "sample": 64, "what": "rename", "value": {"class": 0, "name": "kick"}},
    {"event": "control", "sample": 128, "what": "threshold", "value": 0.2},
    {"event": "control", "sample": 192, "what": "mask", "value": 400},
    {"event": "control", "sample": 192, "what": "freeze", "value": True},
    {"event": "lost_audio", "sample": 300, "frames": 64},
    {"event": "xrun", "sample": 300, "kind": "input_overflow"},
    {"event": "merge_offer", "first": 0, "second": 1},
)

_FORMATS = tuple(FORMATS)
MAX_SAMPLE = 1 << 24
"""Later hits are read but not exported: clicks of a year would fill the disk, rightly."""


class _Lines(Sink):
    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def begin(self, session: dict[str, object]) -> None:
        self.lines.append(session)

    def event(self, event: Event) -> None:
        self.lines.append(event.as_dict())

    def end(self, summary: dict[str, object]) -> None:
        self.lines.append(summary)


@cache
def session() -> tuple[dict[str, Any], ...]:
    """Lines of a session, with one of each event there is."""
    sink = _Lines()
    processor = Processor(Settings(classes=2, warmup=4))
    processor.prepare(44100)
    whole = Session(processor, "groove.wav", [sink], print)
    whole.begin()
    whole.handle(processor.process(render(1.6).audio))
    whole.handle(processor.flush())
    whole.end()
    *lines, summary = json.loads(json.dumps(sink.lines))
    return (*lines, *_CONTROLS, summary)


def text_of(feed: Feed) -> bytes:
    """A file: any bytes, or a session with changes to its lines or to its bytes."""
    way = feed.whole(0, 5)
    if way == 0:
        return feed.rest()
    lines: list[Any] = list(session())
    for _ in range(feed.whole(0, 3)):
        place = feed.whole(0, len(lines) - 1)
        lines[place] = mutated(feed, lines[place])
    if feed.whole(0, 7) == 0:
        lines = mutated(feed, lines)
    if not isinstance(lines, list):
        lines = [lines]
    try:
        text = bytearray("".join(json.dumps(line) + "\n" for line in lines).encode())
    except ValueError:  # a whole number that Python does not write out
        text = bytearray(b'{"event": ' + b"9" * 5000 + b"}\n")
    if way == 1 and text:
        for _ in range(feed.whole(0, 4)):
            text[feed.whole(0, len(text) - 1)] = feed.whole(0, 255)
        return bytes(text[: feed.whole(0, len(text))] if feed.yes() else text)
    return bytes(text)


def one(data: bytes) -> None:
    """Read a file; export it if it is a session."""
    feed = Feed(data)
    session()
    to = feed.one_of(_FORMATS)
    name = feed.one_of(("events.jsonl", "a.jsonl", ".jsonl"))
    text = text_of(feed)
    with folder() as place:
        path = place / name
        path.write_bytes(text)
        found = answer(lambda: log.read(path))
        if found is None:
            return
        answer(lambda: log.hits(found))
        take = answer(lambda: read(path))
        if take is not None and take.samples <= MAX_SAMPLE and take.samplerate <= MAX_SAMPLE:
            answer(lambda: export(to, take, Wanted()))
