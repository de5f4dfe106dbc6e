"""What may be asked of a running session, and what is refused."""

from __future__ import annotations

import threading
import time

import pytest

from rtcluster import Processor, Settings
from rtcluster.errors import RtclusterError
from rtcluster.events import Control
from rtcluster.session.controls import CONTROLS, Controls, Request
from rtcluster.session.pump import Pump
from rtcluster.session.session import Session
from tests.conftest import Kept

RIGHT = [
    ("rename", {"class": 0, "name": "kick"}),
    ("freeze", True),
    ("threshold", 0.5),
    ("threshold", 2),
    ("mute", {"class": 1, "muted": True}),
    ("merge", {"class": 1, "into": 0}),
    ("undo", True),
    ("save", True),
    ("record", True),
    ("reset", True),
]

WRONG = [
    ("sing", True),
    ("", True),
    (None, True),
    (["rename"], True),
    ("rename", None),
    ("rename", "kick"),
    ("rename", {"class": 0}),
    ("rename", {"name": "kick"}),
    ("rename", {"class": "0", "name": "kick"}),
    ("rename", {"class": True, "name": "kick"}),
    ("rename", {"class": 0, "name": 7}),
    ("rename", {"class": 0, "name": "kick", "more": 1}),
    ("rename", [0, "kick"]),
    ("freeze", 1),
    ("freeze", "true"),
    ("freeze", None),
    ("threshold", True),
    ("threshold", "0.5"),
    ("threshold", None),
    ("mute", {"class": 0, "muted": 1}),
    ("mute", {"class": 0.0, "muted": True}),
    ("mute", True),
    ("merge", {"class": 0}),
    ("merge", {"class": 0, "into": "1"}),
    ("merge", {"class": 0, "into": 1, "name": "x"}),
    ("undo", 1),
    ("save", "/etc/my.kit"),
    ("record", "yes"),
    ("record", {"folder": "/etc"}),
    ("reset", 1),
]


@pytest.mark.parametrize(("what", "value"), RIGHT, ids=str)
def test_what_may_be_asked_is_taken(what, value):
    assert what in CONTROLS
    assert Request(what, value).value == value


@pytest.mark.parametrize(("what", "value"), WRONG, ids=str)
def test_anything_of_another_shape_is_refused_in_one_line(what, value):
    with pytest.raises(RtclusterError) as error:
        Request(what, value)
    text = str(error.value)
    assert text.startswith("Expected ")
    assert "\n" not in text
    assert len(text) < 250


def test_a_long_wrong_value_is_not_repeated_at_length():
    with pytest.raises(RtclusterError) as error:
        Request("rename", "x\n" * 10_000)
    assert len(str(error.value)) < 200
    assert "\n" not in str(error.value)


def test_requests_come_to_those_who_carry_them_out_in_order():
    controls = Controls()
    threads = [
        threading.Thread(target=lambda: [controls.ask(Request(*one)) for one in RIGHT])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pumped = [request.what for request in controls.pumped()]
    asked = ["rename", "freeze", "threshold", "threshold", "mute", "merge", "undo", "save"]
    assert sorted(pumped) == sorted(asked * 4)
    assert next(controls.taken()).what in ("record", "reset")
    assert len(list(controls.taken())) == 7
    assert list(controls.pumped()) == list(controls.taken()) == []


@pytest.fixture
def session():
    controls, told, kept = Controls(), [], Kept()
    processor = Processor(Settings(classes=2))
    processor.prepare(44100, 64)
    made = Session(processor, "a test", [kept], told.append, controls)
    made.ask = lambda *one: controls.ask(Request(*one))
    made.told, made.kept = told, kept
    return made


def test_what_is_done_is_told_to_the_sinks(session):
    session.ask("rename", {"class": 1, "name": "snare"})
    session.ask("freeze", True)
    session.ask("mute", {"class": 1, "muted": True})
    session.obey()
    assert session.processor.learner.names == ["class 0", "snare"]
    assert session.processor.frozen
    assert [event.as_dict() for event in session.kept.events] == [
        {"event": "control", "sample": 0, "what": "rename", "value": {"class": 1, "name": "snare"}},
        {"event": "control", "sample": 0, "what": "freeze", "value": True},
        {"event": "control", "sample": 0, "what": "mute", "value": {"class": 1, "muted": True}},
    ]
    assert session.told == []


@pytest.fixture
def four():
    controls, kept = Controls(), Kept()
    processor = Processor(Settings(classes=4))
    processor.prepare(44100, 64)
    made = Session(processor, "a test", [kept], pytest.fail, controls)

    def do(what, value):
        """Have it done; the names then, and what was told of them."""
        controls.ask(Request(what, value))
        before = len(kept.events)
        made.obey()
        told = [event.as_dict() for event in kept.events[before:]]
        assert all(line["event"] == "control" for line in told)
        values = [(line["what"], *line["value"].values()) for line in told]
        return list(processor.learner.names), values

    made.do = do
    return made


def test_a_merged_class_has_the_name_of_the_other_and_is_named_and_muted_with_it(four):
    assert four.do("rename", {"class": 0, "name": "tom"})[0][0] == "tom"
    names, told = four.do("merge", {"class": 2, "into": 0})
    assert names == ["tom", "class 1", "tom", "class 3"]
    assert told == [("rename", 2, "tom")]
    names, told = four.do("rename", {"class": 2, "name": "floor"})
    assert names == ["floor", "class 1", "floor", "class 3"]
    assert told == [("rename", 0, "floor"), ("rename", 2, "floor")]
    names, told = four.do("merge", {"class": 0, "into": 3})
    assert names == ["class 3", "class 1", "class 3", "class 3"]
    _, told = four.do("mute", {"class": 2, "muted": True})
    assert told == [("mute", 0, True), ("mute", 2, True), ("mute", 3, True)]


def test_what_was_named_and_merged_is_taken_back_the_latest_first(four):
    steps = [
        ("rename", {"class": 0, "name": "tom"}),
        ("merge", {"class": 2, "into": 0}),
        ("rename", {"class": 0, "name": "floor"}),
        ("merge", {"class": 0, "into": 3}),
    ]
    names = [list(four.processor.learner.names)]
    names += [four.do(*step)[0] for step in steps]
    four.do(
        "rename", {"class": 1, "name": "class 1"}
    )  # changes nothing, so there is nothing to undo
    for before in reversed(names[:-1]):
        now, told = four.do("undo", True)
        assert now == before
        assert told
    assert four.do("undo", False) == (names[0], [])


def test_a_name_is_not_taken_back_where_another_class_has_it_now(four):
    said = []
    four._report = said.append
    four.do("rename", {"class": 0, "name": "tom"})
    four.processor.name_as({1: "class 0"})  # as a class that comes later may be called
    assert four.do("undo", True) == (["tom", "class 0", "class 2", "class 3"], [])
    assert said == ["Expected 'class 0' to be free again, got a class of that name; rename it."]


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("rename", {"class": 2, "name": "hat"}),
        ("rename", {"class": -1, "name": "hat"}),
        ("rename", {"class": 10**30, "name": "hat"}),
        ("rename", {"class": 0, "name": "class 1"}),
        ("merge", {"class": 0, "into": 0}),
        ("merge", {"class": 0, "into": 2}),
        ("merge", {"class": -1, "into": 0}),
        ("undo", True),
        ("save", True),
        ("rename", {"class": 0, "name": ""}),
        ("rename", {"class": 0, "name": "two\nlines"}),
        ("rename", {"class": 0, "name": "x" * 1000}),
        ("threshold", 0),
        ("threshold", -0.5),
        ("threshold", 1e9),
        ("threshold", float("nan")),
        ("threshold", float("inf")),
        ("threshold", 10**400),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_be_done_is_told_in_one_line_and_changes_nothing(session, what, value):
    before = (list(session.processor.learner.names), session.processor.threshold)
    session.ask(what, value)
    session.ask("freeze", True)
    session.obey()
    [line] = session.told
    assert line.startswith("Expected ")
    assert "\n" not in line
    assert (session.processor.learner.names, session.processor.threshold) == before
    [event] = session.kept.events
    assert isinstance(event, Control)
    assert event.what == "freeze"


def test_a_pump_that_fails_says_so_and_hands_on_its_error(session, monkeypatch):
    def fail(events):
        raise ZeroDivisionError("in the learner")

    monkeypatch.setattr(session.processor, "learn", fail)
    with pytest.raises(ZeroDivisionError, match="in the learner"), Pump(session) as pump:
        end = time.monotonic() + 10.0
        while not pump.failed and time.monotonic() < end:
            time.sleep(0.01)
        assert pump.failed
