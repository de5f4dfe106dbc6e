"""From audio through the engine to the figures: known players come back."""

from __future__ import annotations

import numpy as np

from rtcluster import Processor, Settings
from rtcluster.events import Final, Onset, Relabel
from rtcluster.performance import measure
from tests.performance import grooves


def heard(played, classes=3):
    """Times, classes and velocities as the engine has them."""
    processor = Processor(Settings(classes=classes))
    processor.prepare(44100, 64)
    events = processor.process(grooves.sound(played)) + processor.flush()
    processor.close()
    times = {e.id: e.sample / 44100 for e in events if isinstance(e, Onset)}
    kinds = {e.id: e.class_ for e in events if isinstance(e, Final)}
    loud = {e.id: e.velocity for e in events if isinstance(e, Final)}
    kinds |= {e.id: e.class_ for e in events if isinstance(e, Relabel)}
    ids = sorted(times)
    return [times[i] for i in ids], [kinds[i] for i in ids], [loud[i] for i in ids]


PLAYERS = (
    {"bpm": 96.0, "jitter": 0.006, "seed": 1},
    {"bpm": 112.0, "jitter": 0.004, "swing": 0.07, "drift": 5.0, "seed": 2},
    {"bpm": 126.0, "jitter": 0.005, "swing": 0.14, "notes": "eighths", "bar": "K.h.S.h.",
     "drift": -4.0, "seed": 3},
)  # fmt: skip


def test_known_players_come_back_within_the_uncertainty():
    """Of twelve 95 % intervals two may miss; test_coverage holds them to their rate."""
    missed = []
    for player in PLAYERS:
        played = grooves.play(beats=56, **player)
        found = measure(*heard(played))
        assert found.hits == len(played.times)
        assert [drum.hits for drum in found.drums] == np.bincount(played.classes).tolist()
        pair = 1.0 if player.get("notes") == "eighths" else 0.5
        for name, estimate, truth in (
            ("tempo", found.tempo.bpm, played.tempo),
            ("drift", found.tempo.drift, player.get("drift", 0.0)),
            ("swing", found.swing.percent, 50 + 100 * player.get("swing", 0.0) / pair),
            ("jitter", found.timing.jitter_ms, 1e3 * player["jitter"]),
        ):
            error = abs(estimate.value - truth)
            assert error <= 2 * estimate.uncertainty, name
            if error > estimate.uncertainty:
                missed.append(name)
        off = found.deviations - (played.jitter - played.jitter.mean())
        assert np.mean(np.abs(off) <= found.uncertainties) > 0.9
    assert len(missed) <= 2, missed
