"""The rule of layers: a module imports from its own room and from those below it, never upwards."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import rtcluster

ROOT = Path(rtcluster.__file__).parent

LAYERS = (
    ("text", "errors", "files", "timing", "libraries"),  # know no engine
    ("plugins", "durations", "presets", "settings", "events", "pages"),
    ("kernel",),
    ("learning",),
    ("engine", "cluster"),
    ("sources", "sinks"),
    ("session",),
    ("playback", "recording"),
    ("exports", "performance", "plugin"),
    ("monitor", "batch", "notebook"),
    ("commands", "checks"),
    ("cli",),
    ("__main__", "__init__"),
)
"""Rooms and loose modules, the lowest first. In the first two layers some stand on each other, in
the order in which they are named or not at all; above, those of one layer do not."""

MOST_LOOSE = 14


def rooms() -> set[str]:
    """Names of the packages in the package, and of the modules that are in none of them."""
    return {path.stem for path in ROOT.glob("*.py")} | {p.parent.name for p in ROOT.glob("*/*.py")}


def imported(path: Path) -> set[str]:
    """Rooms that a module names in an import, at its top or within a function, types included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "rtcluster":
            names = [f"rtcluster.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} has a relative import"
            names = [node.module or ""]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("rtcluster.")}
    return found & rooms()  # "from rtcluster import __version__" is no room


def test_every_room_has_a_layer():
    assert {room for layer in LAYERS for room in layer} == rooms()


def test_contributors_are_told_the_same():
    text = (ROOT.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    [told] = re.findall(r"`text errors[^\n]*\n[^\n]*`cli`", text)
    layers = [set(words.split()) for words in re.findall(r"`([^`]+)`", told)]
    assert layers == [set(layer) for layer in LAYERS[:-1]]


def test_few_modules_are_loose():
    assert len(list(ROOT.glob("*.py"))) <= MOST_LOOSE


@pytest.mark.parametrize("room", [room for layer in LAYERS[:-1] for room in layer])
def test_no_import_points_up_or_to_the_side(room):
    height = {room: level for level, layer in enumerate(LAYERS) for room in layer}
    ground = {r: i for i, r in enumerate(r for layer in LAYERS[:2] for r in layer)}
    paths = [ROOT / f"{room}.py"] if (ROOT / f"{room}.py").exists() else ROOT.glob(f"{room}/*.py")
    wrong = {
        f"{path.relative_to(ROOT)} -> {other}"
        for path in paths
        for other in imported(path) - {room}
        if height[other] > height[room]
        or (height[other] == height[room] and not ground.get(other, 99) < ground.get(room, 0))
    }
    assert not wrong
