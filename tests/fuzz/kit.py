"""Target: the reader of kits, and engines that begin with what it lets through."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np

from rtcluster import Processor, Settings
from rtcluster.learning import kit_format
from rtcluster.learning.detection import Detection
from rtcluster.learning.kit import Kit
from rtcluster.learning.kit_file import load, save
from rtcluster.sources.groove import render
from tests.fuzz.feed import Feed, mutated
from tests.fuzz.watch import answer, check_events, folder


@cache
def kits() -> tuple[dict[str, Any], ...]:
    """Contents of some kits: learned in two ways, and tuned."""
    audio = render(6.0).audio
    found = []
    for settings in (Settings(classes=3), Settings(classes=2, features="best", scaling="robust")):
        processor = Processor(settings)
        processor.prepare(44100)
        processor.process(audio)
        found.append(Kit.of(processor.learner, settings, 44100).content())
        processor.close()
    detection = Detection("hfc", threshold=0.2, silence=-60.0, mask="40ms", velocity_floor_db=-50.0,
                          velocity_ceiling_db=-3.0)  # fmt: skip
    return (*found, {**found[0], "detector": detection.as_dict()})


@cache
def _audio() -> Any:
    return render(1.0, seed=1).audio


def text_of(feed: Feed) -> bytes:
    """A file: any bytes, a whole kit with damage, or another content with its right check sum."""
    way = feed.whole(0, 4)
    if way == 0:
        return feed.rest()
    content = feed.one_of(kits())
    if way == 1:
        text = bytearray(kit_format.text_of(content).encode())
        for _ in range(feed.whole(0, 4)):
            text[feed.whole(0, len(text) - 1)] = feed.whole(0, 255)
        return bytes(text[: feed.whole(0, len(text))] if feed.yes() else text)
    whole = mutated(feed, {kit_format.MARK: kit_format.VERSION, **content})
    if isinstance(whole, dict):
        try:
            whole = whole | {kit_format.CHECK: kit_format.check_sum(whole)}
        except ValueError:
            whole = whole | {kit_format.CHECK: "0" * 16}
    try:
        return json.dumps(whole).encode()
    except ValueError:  # a whole number that Python does not write out
        return b'{"rtcluster_kit": ' + b"9" * 5000 + b"}"


def one(data: bytes) -> None:
    """Load a file; use the kit if it is one."""
    feed = Feed(data)
    kits()
    text = text_of(feed)
    with folder() as place:
        path = place / "a.json"
        path.write_bytes(text)
        kit = answer(lambda: load(path))
        if kit is None:
            return
        save(place / "b.json", kit)
        if load(place / "b.json") != kit:
            raise AssertionError("a kit that was saved is another one when it is loaded")
    answer(lambda: _use(kit))


def _use(kit: Kit) -> None:
    processor = Processor(kit=kit)
    try:
        processor.prepare(kit.samplerate)
        with np.errstate(all="ignore"):
            events = [*processor.process(_audio()), *processor.flush()]
    finally:
        processor.close()
    check_events(events)
