from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import replace

import pytest
from rich.color_triplet import ColorTriplet
from rich.console import Console
from rich.style import Style

from rtcluster.events import Control, Final, Guess, MergeOffer, ModelChange, Onset, Part, Relabel
from rtcluster.pages.palette import mark
from rtcluster.sinks.console import HitLines, HitTable, bar, class_text
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
    class_of = {e.id: e.class_ for e in events if isinstance(e, Final | Relabel)}
    counts = Counter(class_of.values())
    assert len(class_of) == len(drums.strokes) == counts.total()
    assert caption(text) == {f"class {c}": counts[c] for c in range(3)}


def caption(text):
    """The counts under the last table, by name."""
    counted = re.findall(r"(?:\w+ )*\w+ \d+(?:   (?:\w+ )*\w+ \d+)+", text)[-1]
    return {name: int(n) for name, n in (one.rsplit(" ", 1) for one in counted.split("   "))}


def hit(number, class_, name, velocity=90):
    """The three events of a hit, whose onset was taken to be softer than it was."""
    at, span = 4410 * (number + 1), 1323
    rest = (class_, name, 0.5, 100, 4.0, span, velocity)
    return [
        Onset(number, at, at / 44100, at + 128, 40, 1.5),
        Guess(number, at, at + span, *rest),
        Final(number, at, at + 3 * span, *rest),
    ]


KICK_AND_SNARE = [*hit(0, 0, "kick"), *hit(1, 0, "kick"), *hit(2, 1, "snare")]


@pytest.mark.parametrize("sink_class", [HitLines, HitTable])
def test_two_drums_at_once_are_shown_by_both_names(sink_class):
    parts = (Part(1, "snare", 88), Part(3, "hat", 40))
    first, *judged = hit(0, 1, "snare")
    both = [first, *(replace(event, parts=parts) for event in judged)]
    text = shown(sink_class, both, force_terminal=sink_class is HitTable)
    assert "snare + hat" in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


def test_a_relabelled_hit_is_counted_once_in_its_new_class():
    events = [*KICK_AND_SNARE, Relabel(1, 1, "snare")]
    assert caption(shown(HitTable, events, force_terminal=True)) == {"kick": 1, "snare": 2}


def test_a_renamed_class_has_one_name_in_the_counts():
    renamed = Control(44100, "rename", {"class": 1, "name": "clap"})
    events = [*KICK_AND_SNARE, renamed]
    assert caption(shown(HitTable, events, force_terminal=True)) == {"kick": 2, "clap": 1}
    events += hit(3, 1, "clap")
    assert caption(shown(HitTable, events, force_terminal=True)) == {"kick": 2, "clap": 2}


def test_the_next_session_begins_with_no_hits_in_the_table():
    out = io.StringIO()
    sink = HitTable(Console(file=out, width=110, force_terminal=True))
    for events in (KICK_AND_SNARE, [*hit(0, 0, "tom"), *hit(1, 1, "ride")]):
        sink.begin(SESSION)
        for event in events:
            sink.event(event)
        sink.end({})
    assert caption(out.getvalue()) == {"tom": 1, "ride": 1}
    assert "kick" not in out.getvalue().rsplit("groove, 44100 Hz", 1)[1]


@pytest.mark.parametrize("sink_class", [HitLines, HitTable])
def test_a_row_shows_the_velocity_of_the_final(sink_class):
    text = shown(sink_class, hit(0, 0, "kick", velocity=111), force_terminal=True)
    assert f"111 {bar(111)} " in text
    assert f"40 {bar(40)} " not in text


@pytest.mark.parametrize("sink_class", [HitLines, HitTable])
def test_a_late_model_is_nothing_that_a_player_can_act_on(sink_class):
    text = shown(sink_class, [ModelChange(221, 44100, late=True)], force_terminal=True)
    assert "221" not in text


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


def test_a_class_has_the_colour_that_it_has_in_pictures():
    for class_ in range(8):
        style = class_text(class_, "kick", 9, 8).style
        assert Style.parse(str(style)).color.get_truecolor() == ColorTriplet(
            *bytes.fromhex(mark(class_).colour[1:])
        )
