"""Every ``--help``: its examples can be typed, and its options stand in groups."""

from __future__ import annotations

import shlex
from dataclasses import fields

import pytest
import typer

from rtcluster import Settings
from rtcluster.commands.app import app
from rtcluster.commands.examples import EXAMPLES
from rtcluster.commands.options import ENGINE


def commands(command, words):
    """Every command and group by its words."""
    yield words, command
    for name, one in getattr(command, "commands", {}).items():
        yield from commands(one, f"{words} {name}")


ALL = dict(commands(typer.main.get_command(app), "rtcluster"))
GROUPS = [words for words, command in ALL.items() if hasattr(command, "commands")]


def test_every_command_and_group_has_its_examples():
    assert EXAMPLES.keys() == ALL.keys()
    for words, examples in EXAMPLES.items():
        assert 1 <= len(examples) <= 2
        assert all(f"{example} ".startswith(f"{words} ") for example in examples)


@pytest.mark.parametrize("example", sorted({one for own in EXAMPLES.values() for one in own}))
def test_the_parser_takes_each_example(example):
    """To the command that it names, with settings that are valid."""
    words = shlex.split(example.partition(" > ")[0])
    place, command = words[0], ALL[words[0]]
    rest = words[1:]
    while hasattr(command, "commands"):
        place += f" {rest.pop(0)}"
        command = ALL[place]
    given = command.make_context(place, rest).params
    if ENGINE.keys() <= given.keys():
        Settings(**{field.name: given[field.name] for field in fields(Settings)})


@pytest.mark.parametrize("words", ALL)
def test_help_ends_with_the_examples(words, rtcluster, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    code, out, _ = rtcluster(*words.split()[1:], "--help")
    assert code == 0
    told = [line.strip() for line in out.splitlines() if line.strip()]
    examples = EXAMPLES[words]
    assert tuple(told[-len(examples) :]) == examples


@pytest.mark.parametrize("words", [w for w, one in ALL.items() if w not in GROUPS])
def test_options_of_the_engine_come_after_the_commands_own(words):
    panels = list(dict.fromkeys(getattr(one, "rich_help_panel", None) for one in ALL[words].params))
    engine = [panel for panel in panels if (panel or "").startswith("Engine: ")]
    assert panels[len(panels) - len(engine) :] == engine
    for panel in panels:
        own = [one for one in ALL[words].params if getattr(one, "rich_help_panel", None) == panel]
        assert len([one for one in own if not getattr(one, "hidden", False)]) <= 12
