"""The documents tell the truth: what they link to and name is there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
import typer

from docs.generate import PAGES
from rtcluster.commands.app import app
from rtcluster.settings import BAND_FEATURES, FEATURE_SETS, FEATURE_UNITS, FEATURES
from rtcluster.sinks import osc

ROOT = Path(__file__).parents[1]
DOCUMENTS = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))

documents = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)


@documents
def test_links_and_pictures_lead_somewhere(document):
    text = document.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)|(?:src|srcset)=\"([^\"]+)\"", text)
    for target in filter(None, (one for pair in targets for one in pair)):
        assert target.startswith("http") or (document.parent / target).exists(), target


@documents
def test_the_tests_that_it_names_are_there(document):
    for file, name in re.findall(
        r"`(tests/[\w/]+\.py)(?:::(\w+))?`", document.read_text(encoding="utf-8")
    ):
        source = (ROOT / file).read_text(encoding="utf-8")
        assert not name or f"def {name}(" in source, f"{file}::{name}"


@documents
def test_the_benchmarks_that_it_names_are_there(document):
    for name in re.findall(r"`(?:python -m )?bench[./](\w+)", document.read_text(encoding="utf-8")):
        there = (ROOT / "bench" / f"{name}.py", ROOT / "bench" / name)
        assert any(path.exists() for path in there), name


@pytest.mark.parametrize("name", PAGES)
def test_the_reference_is_what_the_program_says(name):
    page = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert page == PAGES[name](), "run make docs"


def test_every_option_of_every_command_is_in_the_reference():
    page = PAGES["commands.md"]()

    def told(group, words):
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                told(command, f"{words} {name}")
                continue
            section = page.partition(f"\n## {words} {name}\n")[2].partition("\n## ")[0]
            for one in command.params:
                if one.name != "help" and not getattr(one, "hidden", False):
                    names = [f"`{option}`" for option in one.opts if option.startswith("-")]
                    assert all(n in section for n in names), f"{words} {name} {one.opts}"
                    assert names or (one.metavar or one.name).upper() in section.upper()

    told(typer.main.get_command(app), "rtcluster")


def test_every_feature_is_defined():
    page = (ROOT / "docs" / "reference" / "features.md").read_text(encoding="utf-8")
    defined = re.findall(r"^\| `(\w+)`.*\|", page, re.MULTILINE)
    alone = [name for name in FEATURES if name not in BAND_FEATURES[1:]]  # one row for all bands
    assert sorted(defined) == sorted([*alone, *FEATURE_SETS])


def test_every_feature_has_the_unit_that_the_program_tells():
    page = (ROOT / "docs" / "reference" / "features.md").read_text(encoding="utf-8")
    for name, unit in FEATURE_UNITS.items():
        [row] = re.findall(rf"^\| `{name}`.*\|$", page, re.MULTILINE) or [""]
        shown = unit.replace(" * sqrt(samples)", " · √samples")
        assert name in BAND_FEATURES[1:] or f"| {shown}" in row, name


def test_every_osc_message_is_in_the_reference():
    page = (ROOT / "docs" / "reference" / "osc.md").read_text(encoding="utf-8")
    for name, tags, _ in osc._MESSAGES.values():
        assert re.search(rf"\| `/rtcluster/{name}` \| `{tags}`", page), name


@pytest.fixture(scope="module")
def manual(tmp_path_factory, drums):
    """The blocks of the manual of plug-ins, and a folder where its example is installed."""
    text = (ROOT / "docs" / "how-to" / "plugins.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```\w+\n(.*?)```", text, re.DOTALL)
    source, site = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    for block in blocks:
        if named := re.match(r"# ([\w.]+)\n", block):
            (source / named[1]).write_text(block, encoding="utf-8")
    # What "pip install ." does, without a network for the build's own tools.
    words = ["pip", "install", "--quiet", "--no-build-isolation", "--no-deps", "--target"]
    subprocess.run([sys.executable, "-m", *words, site, source], check=True)
    soundfile.write(site / "take.wav", drums.audio, drums.samplerate)

    def run(*arguments):
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=site, env=os.environ | {"PYTHONPATH": f"{site}:{ROOT}"},
            capture_output=True, text=True, timeout=300, check=True,
        ).stdout  # fmt: skip

    return blocks, run


def test_the_plugins_of_the_manual_keep_the_contract(manual):
    blocks, run = manual
    [checks] = [block for block in blocks if "check_feature(" in block]
    run("-c", checks)


def test_the_plugins_of_the_manual_are_found_by_their_names(manual):
    _, run = manual
    options = ["-k", "3", "--features", "zcr,crest", "--clusterer", "slow"]
    session, *_, summary = map(
        json.loads, run("-m", "rtcluster", "run", "take.wav", *options).splitlines()
    )
    assert session["settings"]["features"] == ["zcr", "crest"]
    assert session["settings"]["clusterer"] == "slow"
    assert len(summary["classes"]) == 3


def test_the_sink_of_the_manual_counts_the_hits_of_the_warm_up_too(manual):
    blocks, run = manual
    [block] = [block for block in blocks if "HitCounter" in block]
    out = run("-c", block)
    assert "'class 2': 19" in out, out
    assert "None" not in out
    assert "''" not in out
