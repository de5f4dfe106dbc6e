"""Target: what a monitor page says, through the server's part and the parent's to the session."""

from __future__ import annotations

import json
from functools import cache, partial
from typing import Any

from rtcluster import Processor, Settings
from rtcluster.events import Event
from rtcluster.monitor.pages import Page, Pages
from rtcluster.session.controls import Controls, Request
from rtcluster.session.session import Session
from rtcluster.sinks import Sink
from rtcluster.sources.groove import render
from tests.fuzz.feed import Feed, mutated
from tests.fuzz.watch import Finding, answer

_RIGHT: tuple[dict[str, Any], ...] = (
    {"what": "rename", "value": {"class": 0, "name": "kick"}},
    {"what": "freeze", "value": True},
    {"what": "threshold", "value": 0.1},
    {"what": "mute", "value": {"class": 1, "muted": True}},
    {"what": "record", "value": False},
    {"what": "reset", "value": True},
)


class _Written(Sink):
    """A sink that fails where JSON does."""

    def event(self, event: Event) -> None:
        json.dumps(event.as_dict(), allow_nan=False)


@cache
def _engine() -> Processor:
    processor = Processor(Settings(classes=2, warmup=4))
    processor.prepare(44100)
    processor.process(render(2.0).audio)
    return processor


def text_of(feed: Feed) -> str | None:
    """A message: any text, one that is nearly right, or none (it was binary)."""
    way = feed.whole(0, 7)
    if way == 0:
        return feed.rest().decode("utf-8", "replace")
    if way == 1:
        return None
    message = mutated(feed, feed.one_of(_RIGHT))
    try:
        return json.dumps(message)
    except ValueError:  # a whole number that Python does not write out
        return '{"what": "threshold", "value": ' + "9" * 5000 + "}"


def one(data: bytes) -> None:
    """Say a few things to a session."""
    feed = Feed(data)
    for _ in range(feed.whole(1, 4)):
        _say(text_of(feed))


def _say(text: str | None) -> None:
    asked: list[dict[str, Any]] = []
    notices: list[str] = []
    pages = Pages({"event": "page"}, asked.append)
    page = Page(pages.present)
    page._behind = False
    pages._take(text, page)
    notices += page._queue
    if len(asked) + len(notices) != 1:
        raise Finding(f"Expected a request or a notice, got {asked} and {notices}")
    controls = Controls()
    for line in asked:
        line = json.loads(json.dumps(line))  # as it comes over the pipe
        request = answer(partial(Request, line.get("what"), line.get("value")))
        if request is not None:
            controls.ask(request)
    failures: list[str] = []
    session = Session(_engine(), "groove", [_Written()], failures.append, controls)
    answer(session.obey)
    if not session.listening:
        raise Finding(f"A sink failed: {failures}")
    for told in failures:
        if not told.isprintable():
            raise Finding(f"A report should be a line, got {told!r:.400}")
    answer(lambda: list(controls.taken()))
