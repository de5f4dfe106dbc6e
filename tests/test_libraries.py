"""Without an extra, all that does not need it works, and the rest is one line that mends it."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
import soundfile

from rtcluster.libraries import install

pytestmark = pytest.mark.long

HIDING = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {modules}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Hidden())
from rtcluster.cli import main

sys.argv[0] = "rtcluster"
main()
"""

NEEDING = {
    "report": ("analyze {audio} -o {folder}/a", "report {log} -o {folder}/page.html"),
    "midi": ("demo --seconds 1 --midi synth", "export {log} --to midi"),
    "osc": ("demo --seconds 1 --osc 127.0.0.1:9",),
    "monitor": ("demo --seconds 1 --monitor",),
    "export": ("export {log} --to jams",),
    "cluster": ("run {audio} --out {folder}/o --scheduler tcp://127.0.0.1:9",),
}
"""What needs an extra: every command and option that does."""

FREE = ("--help", "run {audio}", "export {log} --to csv,audacity,clicks.wav", "teach --help")


def brought_by(extra: str) -> set[str]:
    """The modules that an extra alone brings, as the package's own metadata say it."""
    provided: dict[str, set[str]] = {}
    for module, distributions in packages_distributions().items():
        for one in distributions:
            provided.setdefault(_plain(one), set()).add(module)
    found = [
        re.split(r"[^\w.-]", line, maxsplit=1)[0]
        for line in requires("rtcluster") or []
        if f"extra == '{extra}'" in line.replace('"', "'") and not line.startswith("rtcluster")
    ]
    return set().union(*(provided[_plain(name)] for name in found))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def call(modules: set[str], words: str, **places: Path) -> subprocess.CompletedProcess[str]:
    """Run a command where some modules are not installed."""
    return subprocess.run(
        [sys.executable, "-c", HIDING.format(modules=sorted(modules)),
         *(word.format(**places) for word in shlex.split(words))],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def places(tmp_path_factory, drums):
    folder = tmp_path_factory.mktemp("extras")
    audio, log = folder / "take.wav", folder / "take.jsonl"
    soundfile.write(audio, drums.audio, drums.samplerate)
    done = call(set(), "run {audio} -k 3", audio=audio)
    log.write_text(done.stdout)
    return {"folder": folder, "audio": audio, "log": log}


@pytest.mark.parametrize(
    ("extra", "words"), [(extra, words) for extra, each in NEEDING.items() for words in each]
)
def test_a_missing_extra_is_one_line_that_installs_it(extra, words, places):
    done = call(brought_by(extra), words, **places)
    *before, line = done.stderr.splitlines()
    assert done.returncode == 1, done.stderr
    assert line.endswith(install(extra)), done.stderr
    assert not [one for one in before if "Traceback" in one or "Error" in one], done.stderr


@pytest.mark.parametrize("words", FREE)
def test_what_needs_no_extra_works_without_any(words, places):
    modules = set().union(*(brought_by(extra) for extra in NEEDING))
    done = call(modules, words, **places)
    assert done.returncode == 0, done.stderr


def test_the_line_is_a_command_for_this_environment_and_this_source():
    words = shlex.split(install("report"))
    assert words[:4] == [sys.executable, "-m", "pip", "install"]
    assert words[-1].endswith("[report]")
