"""Which note a drum is."""

from __future__ import annotations

import pytest

from rtcluster.errors import SettingsError
from rtcluster.sinks.drum_map import FALLBACK, NOTES, note_of, parse_notes


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("kick", 36), ("Bass Drum", 36), ("BD", 36), ("snare", 38), ("side-stick", 37),
        ("Rimshot", 37), ("claps", 39), ("hat", 42), ("HH", 42), ("Closed Hi-Hat", 42),
        ("pedal hat", 44), ("OPEN_HAT", 46), ("floor tom", 43), ("low tom", 45), ("Mid Tom", 47),
        ("toms", 47), ("tom 1", 50), ("tom1", 50), ("high toms", 50), ("crash", 49), ("ride", 51),
        ("ride bell", 53), ("cowbell", 56), ("tambourine", 54), ("shaker", 70),
    ],
)  # fmt: skip
def test_drums_are_known_by_their_names(name, note):
    assert note_of(7, name, {}) == note


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("my snare 2", 38), ("big open hi-hat (left)", 46), ("closed hat soft", 42),
        ("clap snare", 38), ("snare rim", 37), ("kick2", 36),
    ],
)  # fmt: skip
def test_a_drum_is_known_by_the_longest_name_that_is_in_its_own(name, note):
    assert note_of(7, name, {}) == note


@pytest.mark.parametrize("name", ["class 0", "kicker", "what", "ridely", "", "鼓", "unknown"])
def test_parts_of_words_are_no_drums(name):
    assert note_of(1, name, {}) == FALLBACK[1] == 38


def test_classes_without_a_drums_name_are_all_different():
    notes = [note_of(number, f"class {number}", {}) for number in range(128)]
    assert sorted(notes) == list(range(128))
    assert notes[:4] == [36, 38, 42, 46]


def test_what_was_given_comes_first_by_name_and_then_by_number():
    given = {"Snare-Drum": 40, "0": 35, "class 5": 60}
    assert note_of(0, "snare drum", given) == 40
    assert note_of(0, "kick", given) == 35
    assert note_of(5, "class 5", given) == 60
    assert note_of(3, "snare", given) == 38


def test_a_hit_without_a_class_has_a_note():
    assert note_of(-2, "unknown", {}) == note_of(-1, "", {}) == 75
    assert note_of(-2, "unknown", {"unknown": 3}) == 3
    assert note_of(-1, "", {"-1": 4, "0": 5}) == 4


def test_all_notes_are_percussion_of_general_midi():
    assert set(NOTES.values()) == set(range(35, 82))
    assert all(note_of(99, name, {}) == note for name, note in NOTES.items())


def test_notes_are_read_one_by_one_or_with_commas():
    assert parse_notes(["snare=40", "kick = 35,2=46", "a=b=1"]) == {
        "snare": 40, "kick": 35, "2": 46, "a=b": 1,
    }  # fmt: skip
    assert parse_notes([]) == {}


@pytest.mark.parametrize(
    "value", ["snare", "snare=", "=38", "snare=128", "snare=-1", "snare=3.5", "snare=x", "!=38"]
)
def test_a_bad_note_is_refused_in_one_line(value):
    with pytest.raises(SettingsError, match=r"^Expected NAME=NOTE with a note from 0 to 127"):
        parse_notes([value])
