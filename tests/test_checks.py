"""The contract suite: our own sinks pass it, and one that breaks the contract does not."""

from __future__ import annotations

import io

import pytest

from rtcluster.checks import check_sink
from rtcluster.sinks import Sink
from rtcluster.sinks.jsonl import JsonLines


class Good(Sink):
    wants_status = True

    def __init__(self) -> None:
        self.calls = []

    def begin(self, session):
        self.calls.append("begin")

    def event(self, event):
        self.calls.append(type(event).__name__)

    def status(self, status):
        self.calls.append("status")

    def finish(self):
        self.calls.append("finish")

    def end(self, summary):
        self.calls.append("end")

    def close(self):
        self.calls.append("close")


class Counting(Good):
    """Its figures change by being asked for."""

    def figures(self):
        self.calls.append("figures")
        return {"asked": len(self.calls)}


class Endless(Good):
    def figures(self):
        return {"delay_ms": float("inf")}


class Greedy(Good):
    """Changes what the other sinks are given too."""

    def begin(self, session):
        session["mine"] = True


class Deaf(Good):
    """Knows no Xrun."""

    def event(self, event):
        self.calls.append({"Onset": 1, "Guess": 2, "Final": 3, "Relabel": 4}[type(event).__name__])


def test_a_sink_gets_each_call_of_two_sessions_in_order():
    sink = Good()
    check_sink(lambda: sink)
    for call in ("begin", "status", "finish", "end"):
        assert sink.calls.count(call) == 2
    assert {"Onset", "Guess", "Final", "Relabel", "Xrun", "Control"} < {*sink.calls}
    assert (sink.calls[0], sink.calls[-1]) == ("begin", "close")


def test_our_lines_keep_the_contract():
    check_sink(lambda: JsonLines(io.StringIO()))


@pytest.mark.parametrize("broken", [Counting, Greedy])
def test_what_a_sink_may_not_do_is_found(broken):
    with pytest.raises(AssertionError, match="Expected"):
        check_sink(broken)


def test_figures_have_to_be_json():
    with pytest.raises(ValueError, match="JSON"):
        check_sink(Endless)


def test_a_sink_that_does_not_know_an_event_is_found():
    with pytest.raises(KeyError):
        check_sink(Deaf)
