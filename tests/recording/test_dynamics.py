"""Velocities of a take that is over."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rtcluster import Guess, Settings
from rtcluster.errors import SourceError
from rtcluster.recording import log as logs
from rtcluster.recording.dynamics import rescale
from rtcluster.recording.log import Hit
from rtcluster.sources import groove
from tests.conftest import run

LEARNED = Settings().as_dict()


def hits(*levels, velocity=50):
    return [Hit(i, i, 0.0, 0, velocity, level=level) for i, level in enumerate(levels)]


def velocities(found):
    return [hit.velocity for hit in found]


def written(folder, lines):
    """A file of events."""
    session = {"event": "session", "version": 1, "samplerate": 44100, "settings": LEARNED}
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in (session, *lines)))
    return path


def test_the_same_level_has_the_same_velocity_from_the_first_hit_to_the_last():
    found = hits(-30.0, -6.0, -30.0, -6.0, -30.0)
    rescale(found, LEARNED)
    assert len(set(velocities(found))) == 2
    assert velocities(found)[0] < velocities(found)[1] < 127


@pytest.mark.parametrize(
    "change", [{"velocity_range": "-40,0"}, {"velocity": "new"}, {"velocity": []}]
)
def test_a_scale_that_was_set_or_is_not_known_is_left_as_it_is(change):
    found = hits(-30.0, -6.0)
    rescale(found, LEARNED | change)
    assert velocities(found) == [50, 50]


@pytest.mark.parametrize("settings", [None, {}, [], "text"])
def test_settings_that_are_none_change_nothing(settings):
    found = hits(-30.0, -6.0)
    rescale(found, settings)
    assert velocities(found) == [50, 50]


def test_a_hit_without_a_level_keeps_its_velocity():
    found = hits(-30.0, None, -6.0)
    rescale(found, LEARNED)
    assert velocities(found)[1] == 50
    rescale(alone := hits(None), LEARNED)
    assert velocities(alone) == [50]


def test_a_soft_beginning_is_soft_in_the_take_that_is_read_back(tmp_path):
    audio = groove.render(6.0).audio
    audio[: 2 * 44100] *= np.float32(0.05)
    events = run(audio)
    said = [event.velocity for event in events if type(event) is Guess]
    read = velocities(
        logs.hits(logs.read(written(tmp_path, [event.as_dict() for event in events])))
    )
    assert len(said) == len(read)
    assert said[0] > 90  # live, it is the loudest so far
    assert max(read[:5]) < 40
    assert max(read) > 110


@pytest.mark.parametrize("level", ["loud", None, True])
def test_a_level_that_is_no_number_is_refused(tmp_path, level):
    guess = {
        "event": "guess", "id": 0, "sample": 0, "emitted": 9, "class": 0, "name": "", "zcr": 1,
        "span": 9, "level": level,
    }  # fmt: skip
    with pytest.raises(SourceError, match=r"`[$].level`"):
        logs.read(written(tmp_path, [guess]))
