from __future__ import annotations

import sys
import threading

import pytest

from rtcluster import Processor, Settings
from rtcluster.session.gil import SWITCH_S, ShortSwitchInterval
from rtcluster.session.pump import Pump
from rtcluster.session.session import Session
from rtcluster.sinks import Sink


@pytest.fixture(autouse=True)
def interval():
    before = sys.getswitchinterval()
    yield before
    sys.setswitchinterval(before)


def test_the_last_one_that_leaves_puts_back_what_was_there(interval):
    short_switch_interval = ShortSwitchInterval()
    with short_switch_interval:
        with short_switch_interval:
            assert sys.getswitchinterval() == pytest.approx(SWITCH_S, rel=0.05)
        assert sys.getswitchinterval() == pytest.approx(SWITCH_S, rel=0.05)
    assert sys.getswitchinterval() == pytest.approx(interval, rel=0.05)


def test_a_program_that_is_brisker_already_is_left_alone():
    sys.setswitchinterval(0.0001)
    with ShortSwitchInterval():
        assert sys.getswitchinterval() == pytest.approx(0.0001, rel=0.05)
    assert sys.getswitchinterval() == pytest.approx(0.0001, rel=0.05)


def test_threads_give_way_sooner_while_a_pump_runs_and_only_then(interval):
    processor = Processor(Settings(classes=3))
    processor.prepare(44100)
    inside, seen = [], threading.Event()

    class Interval(Sink):
        wants_status = True

        def status(self, _):
            inside.append(sys.getswitchinterval())
            seen.set()

    with Pump(Session(processor, "nothing", [Interval()], pytest.fail)):
        assert seen.wait(30.0)
    assert inside[0] == pytest.approx(SWITCH_S, rel=0.05)
    assert sys.getswitchinterval() == pytest.approx(interval, rel=0.05)
