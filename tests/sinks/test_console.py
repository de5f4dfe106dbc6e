from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from rtcluster.events import MergeOffer
from rtcluster.sinks.console import HitLines, HitTable, bar
from tests.conftest import run

SESSION = {"samplerate": 44100, "warmup": 8, "source": "groove"}


@pytest.fixture(scope="module")
def events(drums):
    return run(drums.audio)


def shown(sink_class, events, session=SESSION, **options):
    out = io.StringIO()
    sink = sink_class(Console(file=out, width=110, **options))
    sink.begin(session)
    for event in events:
        sink.event(event)
    sink.end({})
    return out.getvalue()


def test_every_hit_has_its_line(drums, events):
    text = shown(HitLines, events)
    assert text.count(" s  ") == len(drums.strokes)
    assert "learning 3 of 8" in text
    assert "classes formed: " in text
    assert "class 2" in text


def test_the_table_shows_the_latest_hits_and_the_counts(drums, events):
    text = shown(HitTable, events, force_terminal=True)
    assert "groove, 44100 Hz" in text
    assert f"{drums.strokes[-1].sample / 44100:.3f}"[:4] in text
    assert "class 0" in text


def test_the_bar_is_as_long_as_the_hit_is_loud():
    assert [len(bar(v)) for v in (1, 64, 127)] == [1, 8, 16]


EVERY = SESSION | {"channel": "all", "channels": 2}


@pytest.fixture(scope="module")
def of_two(events):
    """The same hits in two channels, in the second from the third on; one after the other."""
    second = [replace(event, channel=2) for event in events if getattr(event, "id", 9) > 1]
    first = [replace(event, channel=1) for event in events]
    pairs = zip(first[len(first) - len(second) :], second, strict=True)
    return [*first[: len(first) - len(second)], *(event for pair in pairs for event in pair)]


def test_a_line_tells_the_channel_of_the_hit(drums, of_two):
    text = shown(HitLines, of_two, EVERY)
    assert text.count(" s  channel 1  ") == len(drums.strokes)
    assert text.count(" s  channel 2  ") == len(drums.strokes) - 2
    formed = [line.split()[:4] for line in text.splitlines() if "formed" in line]
    assert ["channel", "1:", "classes", "formed:"] in formed
    assert ["channel", "2:", "classes", "formed:"] in formed


def test_the_table_has_a_column_for_the_channel_where_there_are_several(events, of_two):
    text = shown(HitTable, of_two, EVERY, force_terminal=True)
    assert "channel 1: class 0" in text
    assert "channel 2: class 0" in text
    assert "channel" not in shown(HitTable, events, force_terminal=True)


def test_an_offer_to_merge_tells_the_channel_and_no_kit_that_cannot_be_saved():
    assert "kit merge" in shown(HitLines, [MergeOffer(0, 1)])
    text = shown(HitLines, [MergeOffer(0, 1, channel=2)], EVERY)
    assert text == "channel 2: class 0 and class 1 sound alike\n"
