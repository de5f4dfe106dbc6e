"""Live teaching: what is asked for, what is taken back, and what does not count."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest

from rtcluster import Settings
from rtcluster.commands.asking import PAUSE_S, Asking, Typed
from rtcluster.commands.lessons import Strikes
from rtcluster.engine.processor import Processor
from rtcluster.learning.teaching import Teacher, measuring
from rtcluster.settings import FEATURE_SETS
from tests.commands.conftest import strokes

RATE = 44100


@pytest.fixture(scope="module")
def struck():
    """Hits of a kick and of a snare, as they are heard live."""
    settings = Settings(features=FEATURE_SETS["taught"])
    out = {}
    for drum in ("kick", "snare"):
        with Processor(measuring(settings)) as processor:
            processor.prepare(RATE, 64)
            strikes = Strikes(processor)
            hits = []
            for block in np.array_split(strokes(drum, 6), 200):
                hits += strikes.take(processor.process(block))
            out[drum] = hits
    return out


@pytest.fixture
def ask():
    teacher = Teacher(Settings(features=FEATURE_SETS["taught"]), ["kick", "snare"])
    return Asking(teacher, 3, RATE), teacher


def test_drums_are_asked_for_in_turn_until_all_were_struck(ask, struck, capsys):
    asking, teacher = ask
    now = struck["snare"][1].final.sample
    for hit in struck["kick"][:3]:
        asking.hear(hit, now - int(PAUSE_S * RATE) + 1)
    assert (teacher.count(0), asking.done) == (3, False)
    for hit in struck["snare"][:2]:
        asking.hear(hit, now)
    assert teacher.count(1) == 0, "so soon they are of the drum before"
    for hit in struck["snare"][2:]:
        asking.hear(hit, now)
    assert (teacher.count(1), asking.done) == (3, True)
    told = capsys.readouterr().err
    assert told.startswith("  kick 1 of 3   ▮")
    assert "\nsnare: strike it 3 times.\n" in told
    assert told.count(" dBFS") == 6


def test_the_last_stroke_is_taken_back_and_into_the_drum_before(ask, struck, capsys):
    asking, teacher = ask
    asking.typed("u", 0)
    assert "nothing to take back" in capsys.readouterr().err
    for hit in struck["kick"][:3]:
        asking.hear(hit, 0)
    asking.typed("u", 0)
    assert "taken back: kick 2 of 3" in capsys.readouterr().err
    assert (teacher.count(0), teacher.count(1)) == (2, 0)
    asking.hear(struck["kick"][3], 0)
    assert teacher.count(0) == 3
    assert "snare: strike it 3 times." in capsys.readouterr().err


def test_what_is_struck_in_a_pause_does_not_count(ask, struck, capsys):
    asking, teacher = ask
    asking.hear(struck["kick"][0], 0)
    asking.typed("p", 0)
    asking.hear(struck["kick"][1], 0)
    assert teacher.count(0) == 1
    asking.typed("p", struck["kick"][2].final.sample + 1)
    asking.hear(struck["kick"][2], 0)
    assert teacher.count(0) == 1, "it was struck in the pause, and heard after it"
    asking.hear(struck["kick"][3], 0)
    assert teacher.count(0) == 2
    assert "kick: strike it 2 times." in capsys.readouterr().err


def test_anything_else_that_is_typed_says_what_can_be(ask, capsys):
    asking, _ = ask
    asking.typed("help", 0)
    assert "u and Enter takes a stroke back, p and Enter pauses" in capsys.readouterr().err


def test_each_drum_is_counted_down_to_and_no_stroke_counts_meanwhile(struck, capsys):
    teacher = Teacher(Settings(features=FEATURE_SETS["taught"]), ["kick", "snare"])
    asking = Asking(teacher, 3, RATE, countdown_s=2)
    assert capsys.readouterr().err == "kick in 2\n"
    kick = struck["kick"]
    asking.hear(kick[0], kick[0].final.sample)
    assert teacher.count(0) == 0
    for clock in range(0, 3 * RATE, RATE // 4):
        asking.advance(clock)
    assert capsys.readouterr().err == "  1\nkick: strike it 3 times.\n"
    late = [hit for hit in kick if hit.final.sample >= 2 * RATE]
    early = [hit for hit in kick if hit.final.sample < 2 * RATE]
    for hit in [*early, *late, *late, *late]:
        asking.hear(hit, 3 * RATE)
    assert teacher.count(0) == 3
    assert capsys.readouterr().err.endswith("snare in 2\n"), "each drum has its own"
    asking.hear(struck["snare"][-1], 3 * RATE)
    assert teacher.count(1) == 0
    asking.typed("u", 3 * RATE)
    asking.advance(9 * RATE)
    assert capsys.readouterr().err == "  taken back: kick 2 of 3\n", "undo ends a countdown"


@pytest.fixture
def doubtful(struck):
    """Asking for a kick, and strokes of which the third is a snare."""
    teacher = Teacher(Settings(features=FEATURE_SETS["taught"]), ["kick", "hat"])
    kick = struck["kick"]
    return teacher, [kick[0], kick[1], struck["snare"][2], kick[3], kick[4]]


def test_a_stroke_unlike_the_others_is_asked_about_and_struck_again(doubtful, struck, capsys):
    teacher, hits = doubtful
    asking = Asking(teacher, 5, RATE, answered=True)
    for hit in hits:
        asking.hear(hit, 0)
    question = "stroke 3 of kick is unlike the others: k and Enter keeps it, r and Enter strikes"
    assert question in capsys.readouterr().err
    asking.hear(struck["kick"][5], 0)
    assert teacher.count(0) == 5, "no stroke counts while the answer is awaited"
    asking.typed("?", 0)
    assert question in capsys.readouterr().err
    asking.typed("r", 0)
    assert teacher.count(0) == 4
    assert "kick: strike it 1 time." in capsys.readouterr().err
    asking.hear(struck["kick"][5], 0)
    assert teacher.count(0) == 5
    assert capsys.readouterr().err.endswith("hat: strike it 5 times.\n")


def test_a_stroke_unlike_the_others_is_kept_if_it_is_meant(doubtful, capsys):
    teacher, hits = doubtful
    asking = Asking(teacher, 5, RATE, answered=True)
    for hit in hits:
        asking.hear(hit, 0)
    asking.typed("p", 0)
    asking.typed("p", 0)
    asking.typed("k", 0)
    assert teacher.count(0) == 5
    assert capsys.readouterr().err.endswith("hat: strike it 5 times.\n")


def test_taking_a_stroke_back_ends_the_question(doubtful, struck, capsys):
    teacher, hits = doubtful
    asking = Asking(teacher, 5, RATE, answered=True)
    for hit in hits:
        asking.hear(hit, 0)
    asking.typed("u", 0)
    assert teacher.count(0) == 4
    asking.hear(struck["kick"][5], 0)
    assert teacher.count(0) == 5
    assert capsys.readouterr().err.count("stroke 3 of kick is unlike") == 2, "it is still there"


def test_where_nobody_answers_it_is_told_and_kept(doubtful, capsys):
    teacher, hits = doubtful
    asking = Asking(teacher, 5, RATE)
    for hit in hits:
        asking.hear(hit, 0)
    assert teacher.count(0) == 5
    assert capsys.readouterr().err.endswith(
        "  stroke 3 of kick is unlike the others\nhat: strike it 5 times.\n"
    )


@pytest.mark.skipif(os.name != "posix", reason="it reads a POSIX terminal")
def test_lines_are_read_from_a_terminal_and_from_nothing_else(monkeypatch):
    import pty

    assert Typed().take() == []  # pytest's standard input is none
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "r") as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        monkeypatch.setattr(os, "tcgetpgrp", lambda _: os.getpgrp())
        typed = Typed()
        assert typed.possible
        assert typed.take() == []
        os.write(ours, b"U\nfoo \n")
        assert typed.take() in (["u", "foo"], ["u"])
        monkeypatch.setattr(os, "tcgetpgrp", lambda _: 0)
        os.write(ours, b"u\n")
        assert typed.take() == [], "another program has the terminal"
    os.close(ours)
