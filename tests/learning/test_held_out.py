"""Which drums are hard to tell apart, each stroke judged by the others."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from rtcluster.commands.kit import show
from rtcluster.learning import kit_edit
from rtcluster.learning.held_out import held_out
from rtcluster.learning.kit_file import save
from rtcluster.learning.kit_format import CHECK, MARK
from rtcluster.learning.kit_schema import Unfit, check
from rtcluster.learning.strokes import LEAD_S, Stroke
from tests.support.taught import RATE, stroke, taught_kit

DRUMS = ("kick", "snare", "hat")


def strokes(names, count=3):
    """Strokes of drums, one class a name."""
    random = np.random.default_rng(0)
    lead = np.zeros(int(LEAD_S * RATE))
    made = []
    for class_, name in enumerate(names):
        for _ in range(count):
            own = np.concatenate([lead, 0.3 * stroke(name, RATE, random)])[: int(0.15 * RATE)]
            made.append(Stroke(class_, own.astype(np.float32)))
    return made


@pytest.fixture(scope="module")
def apart():
    return held_out(strokes(DRUMS), 3, RATE)


def test_drums_that_sound_different_are_not_taken_for_each_other(apart):
    taken = np.array(apart["taken"])
    assert np.trace(taken) == taken.sum()
    assert (taken.sum(axis=1) > 0).all()
    assert apart["fewer"] == [0.0, 0.0, 0.0]


def test_two_names_for_one_drum_are_taken_for_each_other():
    found = held_out(strokes(("kick", "snare", "snare")), 3, RATE)
    taken = np.array(found["taken"], float)
    assert taken[0, 0] == taken[0].sum()
    assert taken[1, 2] + taken[2, 1] > 0.2 * taken[1:].sum()
    assert found["fewer"][0] == 0.0


def test_of_one_stroke_nothing_is_known_and_of_two_not_what_another_is_worth():
    assert held_out(strokes(DRUMS, 1), 3, RATE) == {"taken": [[0] * 3] * 3, "fewer": [None] * 3}
    found = held_out(strokes(DRUMS, 2), 3, RATE)
    assert found["fewer"] == [None] * 3
    assert np.array(found["taken"]).sum() > 0


def test_the_order_of_the_strokes_does_not_matter_across_drums(apart):
    mixed = [one for n in range(3) for one in strokes(DRUMS)[n::3]]
    assert held_out(mixed, 3, RATE) == apart


@pytest.fixture(scope="module")
def kit():
    return taught_kit()


def test_show_says_that_all_strokes_are_told_apart(kit, tmp_path, capsys):
    save(tmp_path / "kit", kit)
    show(str(tmp_path / "kit"))
    assert "each stroke judged by the others: all are told apart" in capsys.readouterr().out


def test_show_says_which_drums_are_confused_and_what_a_stroke_would_help(kit, tmp_path, capsys):
    found = {"taken": [[90, 10, 0], [0, 100, 0], [0, 0, 0]], "fewer": [0.15, 0.0, None]}
    save(tmp_path / "kit", replace(kit, strokes=kit.strokes | {"held_out": found}))
    show(str(tmp_path / "kit"))
    said = capsys.readouterr().out
    assert "each stroke judged by the others: taken wrongly are kick for snare 10%\n" in said
    assert "one more stroke of kick would help: 10% are wrong, and 15% with one" in said
    assert "one more stroke of hat: it has one, so nothing is known of it yet\n" in said


def test_an_edited_kit_has_no_verdict_on_classes_that_are_gone(kit):
    assert "held_out" in kit.strokes
    assert "held_out" in kit_edit.rename(kit, "hat", "cymbal").strokes
    assert "held_out" not in kit_edit.remove(kit, "hat").strokes
    assert "held_out" not in kit_edit.merge(kit, "kick", "hat").strokes
    assert "held_out" in kit.strokes


@pytest.mark.parametrize(
    "wrong", [{"taken": [[1]]}, {"fewer": [2.0, 0.0, 0.0]}, {"fewer": [None]}, {"odd": 1}]
)
def test_a_verdict_that_does_not_fit_the_classes_is_refused(kit, tmp_path, wrong):
    save(tmp_path / "kit", kit)
    content = json.loads((tmp_path / "kit").read_text())
    own = {key: one for key, one in content.items() if key not in (MARK, CHECK)}
    check(own)
    own["strokes"]["held_out"] |= wrong
    with pytest.raises(Unfit):
        check(own)
