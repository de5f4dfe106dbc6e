"""The documents tell the truth: what they link to and name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

documents = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


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


def test_the_plugins_of_the_manual_keep_the_contract(tmp_path, monkeypatch):
    text = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    for block in blocks:
        named = re.match(r"# (\w+)\.py\n", block)
        if named:
            (tmp_path / f"{named[1]}.py").write_text(block, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    [checks] = [block for block in blocks if "check_feature(" in block]
    exec(compile(checks, "plugins.md", "exec"), {})


def test_the_sink_of_the_manual_counts(tmp_path, monkeypatch, capsys, drums):
    import soundfile

    text = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    [block] = [b for b in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "Counter" in b]
    soundfile.write(tmp_path / "take.wav", drums.audio, 44100)
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "plugins.md", "exec"), {})
    assert "'class 2': 15" in capsys.readouterr().out
