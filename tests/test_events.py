from __future__ import annotations

import json

import numpy as np

from rtcluster.events import (
    EVENT,
    FINAL,
    LATE,
    MODEL,
    NOBODY,
    NOT_TOLD,
    ONSET,
    OVERLAPPED,
    REVISED,
    XRUN,
    Guess,
    Part,
    Relabel,
    decode,
)


def row(**values):
    out = np.zeros(1, EVENT)
    out["others"], out["part_offset"] = NOBODY, NOT_TOLD
    for name, value in values.items():
        out[name] = value
    return out.tolist()[0]


def test_an_onset_has_the_schemas_fields_in_order():
    event = decode(
        row(kind=ONSET, id=17, sample=123456, emitted=123840, velocity=96, strength=1.83),
        44100, (), ("zcr", "energy"),
    )  # fmt: skip
    assert json.dumps(event.as_dict()) == (
        '{"event": "onset", "id": 17, "sample": 123456, "time": 2.799456, "emitted": 123840, '
        '"velocity": 96, "strength": 1.83}'
    )


def test_a_final_has_the_schemas_fields_in_order():
    event = decode(
        row(
            kind=FINAL, id=17, sample=123456, emitted=127440, class_=1, margin=0.84, zcr=435,
            energy=5.31, span=3969, velocity=90, part_velocity=(90, 0, 0),
            flags=REVISED | OVERLAPPED, stamp=5, features=1.0,
        ),
        44100, ("kick", "snare"), ("zcr", "energy"),
    )  # fmt: skip
    assert json.dumps(event.as_dict()) == (
        '{"event": "final", "id": 17, "sample": 123456, "emitted": 127440, "class": 1, '
        '"name": "snare", "margin": 0.84, "zcr": 435, "energy": 5.31, "span": 3969, '
        '"velocity": 90, "level": 0.0, "parts": [{"class": 1, "name": "snare", "velocity": 90}], '
        '"revised": true, "overlapped": true}'
    )


def test_features_that_have_no_field_of_their_own_are_told_by_name():
    names = ("air", "zcr", "attack", "level")
    measured = np.zeros(32)
    measured[:4] = -3.25, 435, np.nan, -20.5
    final = decode(row(kind=FINAL, zcr=435, features=measured), 44100, (), names)
    assert final.measured["zcr"] == 435
    assert list(final.measured) == list(names)
    told = json.loads(json.dumps(final.as_dict(), allow_nan=False))
    assert told["features"] == {"air": -3.25, "level": -20.5}
    assert told["level"] == 0.0


def test_two_drums_at_once_are_parts_the_first_of_which_the_event_has():
    event = decode(
        row(kind=FINAL, class_=1, others=(0, NOBODY), velocity=90, part_velocity=(88, 40, 0)),
        44100, ("kick", "snare"), ("zcr", "energy"),
    )  # fmt: skip
    assert event.parts == (Part(1, "snare", 88), Part(0, "kick", 40))
    assert (event.class_, event.name, event.label) == (1, "snare", "snare + kick")
    assert json.loads(json.dumps(event.as_dict()))["parts"] == [
        {"class": 1, "name": "snare", "velocity": 88},
        {"class": 0, "name": "kick", "velocity": 40},
    ]


def test_an_event_that_is_given_no_parts_has_one():
    event = Guess(0, 100, 1500, 1, "snare", 0.5, 120, 4.0, 1323, 90)
    assert event.parts == (Part(1, "snare", 90),)


def test_a_class_that_is_still_learned_has_no_name():
    event = decode(row(kind=FINAL, class_=-1), 44100, ("kick",), ("zcr", "energy"))
    assert event.name == ""


def test_models_xruns_and_relabels_are_told_by_the_schema():
    model = decode(row(kind=MODEL, id=9, sample=128000, flags=LATE), 44100, (), ("zcr", "energy"))
    assert model.as_dict() == {"event": "model", "version": 9, "effective": 128000, "late": True}
    xrun = decode(row(kind=XRUN, sample=123456, flags=2), 44100, (), ("zcr", "energy"))
    assert xrun.as_dict() == {"event": "xrun", "sample": 123456, "kind": "input_overflow"}
    assert Relabel(3, 0, "kick").as_dict() == {
        "event": "relabel", "id": 3, "class": 0, "name": "kick",
    }  # fmt: skip


def test_drums_that_were_struck_one_after_the_other_have_their_offsets():
    event = decode(
        row(
            kind=FINAL, class_=1, others=(0, NOBODY), part_velocity=(88, 40, 0),
            part_offset=(529, 0, NOT_TOLD),
        ),
        44100, ("kick", "snare"), ("zcr", "energy"),
    )  # fmt: skip
    assert event.parts == (Part(1, "snare", 88, 529), Part(0, "kick", 40, 0))
    assert json.loads(json.dumps(event.as_dict()))["parts"] == [
        {"class": 1, "name": "snare", "velocity": 88, "offset": 529},
        {"class": 0, "name": "kick", "velocity": 40, "offset": 0},
    ]
