from __future__ import annotations

import io

import pytest
from rich.console import Console

from rtcluster.sinks.console import HitLines, HitTable, bar
from tests.conftest import run

SESSION = {"samplerate": 44100, "warmup": 8, "source": "groove"}


@pytest.fixture(scope="module")
def events(drums):
    return run(drums.audio)


def shown(sink_class, events, **options):
    out = io.StringIO()
    sink = sink_class(Console(file=out, width=110, **options))
    sink.begin(SESSION)
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
