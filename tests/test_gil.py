from __future__ import annotations

import sys

import pytest

from rtcluster import Processor, Settings
from rtcluster.gil import SWITCH_S, Brisk
from rtcluster.session import Pump, Session
from rtcluster.sinks import Sink


@pytest.fixture(autouse=True)
def interval():
    before = sys.getswitchinterval()
    yield before
    sys.setswitchinterval(before)


def test_the_last_one_that_leaves_puts_back_what_was_there(interval):
    brisk = Brisk()
    with brisk:
        with brisk:
            assert sys.getswitchinterval() == pytest.approx(SWITCH_S, rel=0.05)
        assert sys.getswitchinterval() == pytest.approx(SWITCH_S, rel=0.05)
    assert sys.getswitchinterval() == pytest.approx(interval, rel=0.05)


def test_a_program_that_is_brisker_already_is_left_alone():
    sys.setswitchinterval(0.0001)
    with Brisk():
        assert sys.getswitchinterval() == pytest.approx(0.0001, rel=0.05)
    assert sys.getswitchinterval() == pytest.approx(0.0001, rel=0.05)


def test_threads_give_way_sooner_while_a_pump_runs_and_only_then(interval):
    processor = Processor(Settings(classes=3))
    processor.prepare(44100)
    inside = []

    class Look(Sink):
        def begin(self, _):
            pass

        def status(self, _):
            inside.append(sys.getswitchinterval())

        def end(self, _):
            pass

    with Pump(Session(processor, "nothing", [Look()], pytest.fail)):
        while not inside:
            pass
    assert inside[0] == pytest.approx(SWITCH_S, rel=0.05)
    assert sys.getswitchinterval() == pytest.approx(interval, rel=0.05)
