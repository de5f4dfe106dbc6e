from __future__ import annotations

import re
from pathlib import Path

import pytest

import rtcluster
from rtcluster.commands.terminal import say_summary
from rtcluster.text import counted

SUMMARY = {
    "hits": 1, "seconds": 2.0, "xruns": 1, "classes": {"kick": 1}, "bad_hops": 0,
    "events_dropped": 0, "late_models": 0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("count", "noun", "expected"),
    [(0, "hit", "0 hits"), (1, "hit", "1 hit"), (2, "hit", "2 hits"), (2, "class", "2 classes")],
)
def test_a_noun_goes_with_its_count(count, noun, expected):
    assert counted(count, noun) == expected


def test_a_session_of_one_hit_has_one_hit(capsys):
    say_summary(SUMMARY)
    assert capsys.readouterr().err == "\n1 hit in 2.0 s: 1 kick; 1 xrun\n"


def test_what_is_counted_for_people_may_be_one():
    """Every number from a variable that a plural of ours follows in a text goes by its count.

    What is a constant, or follows "all" or "of the", is more than one.
    """
    number = r"(?<!all )(?<!of the )\{(?!counted|\w*\.?[A-Z]{2})[^{}]*\}"
    literal = re.compile(number + r" (?:hits|strokes|files|events|xruns|times|more belong)\b")
    found = [
        f"{path.name}: {match.group()}"
        for path in sorted(Path(rtcluster.__file__).parent.rglob("*"))
        if path.suffix in (".py", ".j2")
        for match in literal.finditer(path.read_text())
    ]
    assert found == []
