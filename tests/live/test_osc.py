"""OSC over a real socket: received by python-osc's server in another process."""

from __future__ import annotations

import time

import numpy as np
import pytest

from rtcluster import Final, Guess, Onset, Processor, Settings
from rtcluster.events import Classified, Relabel
from rtcluster.session.pump import Pump
from rtcluster.session.session import Session
from rtcluster.sinks.osc import OscOut
from rtcluster.sources.groove import render
from rtcluster.sources.virtual import VirtualInput
from tests.conftest import Kept
from tests.support.jackd import wait_until
from tests.support.listener import Listener

RATE, SECONDS = 44100, 5.0
KINDS = {Onset: "onset", Guess: "guess", Final: "final", Relabel: "relabel"}


@pytest.fixture(scope="module")
def played():
    """A groove played through the live path: its events, what was received, its summary."""
    with Listener("osc") as listener:
        kept = Kept()
        processor = Processor(Settings(classes=3))
        source = VirtualInput(processor, render(SECONDS).audio, RATE)
        osc = OscOut.open(f"localhost:{listener.where}")
        session = Session(processor, source.name, [osc, kept], pytest.fail)
        with Pump(session), source:
            while source.active:
                time.sleep(0.02)
        summary = session.end()
        osc.close()
        wait_until(lambda: listener.came()[-1][2] == "/rtcluster/summary", "the summary")
        return [one for one in kept.events if type(one) in KINDS], listener.came(), summary


def test_every_event_is_received_once_and_in_order(played):
    events, came, summary = played
    assert [address for _, _, address, _ in came] == [
        "/rtcluster/session",
        *(f"/rtcluster/{KINDS[type(event)]}" for event in events),
        "/rtcluster/summary",
    ]
    assert len(events) > 60
    assert summary["osc"]["lost"] == 0
    assert summary["osc"]["sent"] == sum(isinstance(e, Onset | Classified) for e in events)


def test_the_arguments_are_those_of_the_events(played):
    events, came, summary = played
    for event, (_, _, _, arguments) in zip(events, came[1:-1], strict=True):
        assert arguments[0] == event.id
        if isinstance(event, Onset):
            expected = [event.time, event.velocity, event.strength]
        elif isinstance(event, Relabel):
            expected = [event.class_, event.name]
        else:
            expected = [event.class_, event.name, event.margin, event.velocity, event.zcr]
            expected += [event.energy, event.sample / RATE]
        if isinstance(event, Final):
            expected += [int(event.revised), int(event.overlapped)]
        for said, meant in zip(arguments[1:], expected, strict=True):
            assert said == (pytest.approx(meant, rel=1e-5) if meant != str(meant) else meant)
    assert came[-1][3][0] == summary["hits"]


def test_time_tags_keep_the_time_of_the_audio(played):
    """Against the samples' own time, whenever the messages were sent."""
    events, came, _ = played
    tagged = {Onset: [], Guess: [], Final: []}
    for event, (_, tag, _, _) in zip(events, came[1:-1], strict=True):
        if not isinstance(event, Relabel):
            tagged[type(event)].append((event.id, tag - event.sample / RATE))
    assert sorted(tagged[Onset]) == sorted(tagged[Guess]) == sorted(tagged[Final])
    beginnings = np.array([beginning for _, beginning in tagged[Onset]])
    assert np.median(np.abs(beginnings - np.median(beginnings))) < 0.005
    assert beginnings.min() > time.time() - 600.0
    assert beginnings.max() + SECONDS < time.time() + 0.1


def test_the_delay_is_in_the_summary(played):
    assert 0 < played[2]["osc"]["delay_ms"]["p50"] < 1000.0
