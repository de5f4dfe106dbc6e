"""The thread tags: one fixed form, on everything of the live path that is not for everyone."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import rtcluster
from rtcluster.engine.channels import Channels
from rtcluster.engine.processor import Processor
from rtcluster.engine.tap import Tap
from rtcluster.session.controls import Controls
from rtcluster.session.pump import Pump
from rtcluster.session.session import Session
from rtcluster.session.status import StatusReader
from rtcluster.session.takes import Takes
from rtcluster.sinks import Sink
from rtcluster.sources.live import LiveInput

ROOT = Path(rtcluster.__file__).parent

TAGS = {"[audio thread]", "[pump thread]", "[main thread]", "[any thread]"}

TAGGED = (
    Processor, Channels, Tap, Session, Pump, Controls, Takes, LiveInput, Sink, StatusReader,
)  # fmt: skip


def public(owner):
    """Functions that a class itself defines for others; of a property, the one that reads it."""
    for name, member in vars(owner).items():
        function = member.fget if isinstance(member, property) else member
        if inspect.isfunction(function) and not name.startswith("_"):
            yield name, function


@pytest.mark.parametrize("owner", TAGGED, ids=lambda owner: owner.__name__)
def test_each_method_of_the_live_path_says_whose_it_is(owner):
    wrong = {
        name: tags
        for name, function in public(owner)
        if len(tags := re.findall(r"\[\w+ thread\]", function.__doc__ or "")) != 1
    }
    assert not wrong


def test_there_is_no_other_tag():
    found = {
        tag
        for path in ROOT.rglob("*.py")
        for tag in re.findall(r"\[[a-z -]*threads?\]", path.read_text(encoding="utf-8"))
    }
    assert found == TAGS
