"""The page ``docs/lab-book/benchmarks.md``: what each benchmark printed when it last ran."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import report
from bench.suite import BENCHES, Bench

PAGE = Path(__file__).parents[1] / "docs" / "lab-book" / "benchmarks.md"

_HEAD = """# What the benchmarks print

Written by `python -m bench`, which runs all of these but {by_name}: those take longer, and are run
by name. What was concluded from them is in [measurements.md](measurements.md).
"""


def described(machine: Mapping[str, Any]) -> str:
    """A machine in a line."""
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    cores = f"{machine['cores']} cores"
    return f"{machine['cpu']}, {cores}, {machine['system']}, Python {machine['python']}; {packages}"


def page(benches: Sequence[Bench], results: Path) -> str:
    """The page, of those that have results; a folder of results has what was printed too."""
    by_name = ", ".join(f"`{bench.name}`" for bench in benches if bench.quick is None)
    parts, machines = [_HEAD.format(by_name=by_name)], []
    told = [(bench.name, bench.answers) for bench in benches]
    for name, answers in (*told, ("suite", "what came of each, and how long it took")):
        path = results / f"{name}.json"
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        if not found.get("printed"):
            continue
        machine = described(found["machine"])
        if machine not in machines:
            machines.append(machine)
            parts.append(f"On {machine}:\n")
        lines = "\n".join(found["printed"])
        parts.append(f"## {name}\n\n{answers[0].upper()}{answers[1:]}.\n\n```text\n{lines}\n```\n")
    return "\n".join(parts)


def write_page(page_path: Path = PAGE) -> None:
    """Write the page anew from ``bench/results``."""
    page_path.write_text(page(BENCHES, report.RESULTS), encoding="utf-8")
