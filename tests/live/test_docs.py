"""Every command of README and docs does what it is there for: they are run, in their order.

What needs a sound card gets JACK's dummy driver with a groove playing into it, or an output looped
back into the input. A command that goes on until Ctrl-C gets one after the first hits. Only what
installs or would take minutes is left out, and listed here.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtcluster.sources import groove
from tests.live.conftest import RTCLUSTER
from tests.support import jackd
from tests.support.tape import Tape

pytestmark = [pytest.mark.live, pytest.mark.long]

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "reference" / "commands.md"
"""Written by the program: the examples of its help, which ``tests/commands/test_help.py`` reads."""

DOCUMENTS = (ROOT / "README.md", *sorted({*(ROOT / "docs").rglob("*.md")} - {EXAMPLES}))

LIVE = ("listen", "teach", "tune")
"""Commands that go on until they are stopped."""

ELSEWHERE = (
    "make",
    "python3 -m venv",
    ".venv/bin/",
    ". .venv/",
    "pip install",
    "pipx",
    "git clone",
    "apt install",
)
"""What installs, and what CI itself calls: ``make demo`` and ``make test``."""

HITS_S = 2.5
"""How long a live command is played to."""


def commands(document):
    """Commands in a document's shell blocks, in order."""
    text = document.read_text(encoding="utf-8")
    for kind, block in re.findall(r"```(sh|console)\n(.*?)```", text, re.DOTALL):
        for line in block.splitlines():
            if kind == "console" and not line.startswith("$ "):
                continue
            command = line.removeprefix("$ ").partition(" #")[0].strip()
            if command and not command.startswith(ELSEWHERE):
                yield command


def all_commands():
    """Every document that has commands, and those of them that no document before it has."""
    seen = set()
    for document in DOCUMENTS:
        found = [command for command in dict.fromkeys(commands(document)) if command not in seen]
        if found:
            seen.update(found)
            yield pytest.param(found, id=str(document.relative_to(ROOT)))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with what the commands name: recordings, a folder of them, and a kit."""
    tmp_path = tmp_path_factory.mktemp("docs")
    played = groove.render(6.0)
    groove.write(played, tmp_path / "take.wav", tmp_path / "take.csv")
    microphones = np.stack([played.audio, 0.5 * np.roll(played.audio, 40)], axis=1)
    soundfile.write(tmp_path / "mics.wav", microphones, played.samplerate)
    (tmp_path / "takes").mkdir()
    groove.write(played, tmp_path / "takes" / "one.wav", tmp_path / "one.csv")
    subprocess.run(
        [RTCLUSTER, "teach", "--from", "take.wav", "--truth", "take.csv", "--save-kit", "my.kit"],
        cwd=tmp_path, stdout=subprocess.DEVNULL, check=True, timeout=120,
    )  # fmt: skip
    return tmp_path


def test_there_are_documents_with_commands():
    assert sum(len(one.values[0]) for one in all_commands()) > 30


@pytest.mark.parametrize("found", list(all_commands()))
def test_every_command_of_the_documents_runs(place, patient_server, found):
    environment = patient_server.environment | {
        "HOME": str(place),
        "XDG_CONFIG_HOME": str(place),
        "MPLBACKEND": "agg",
        "PYTHONPATH": str(ROOT),
    }
    kit = (place / "my.kit").read_bytes()
    for command in found:
        (place / "my.kit").write_bytes(kit)  # what a stopped lesson leaves is not the point here
        words = shlex.split(command)
        target = place / words.pop() if ">" in words else Path(os.devnull)
        words = [word for word in words if word != ">"]
        if "-d" in words:
            words[words.index("-d") + 1] = jackd.DEVICE  # whatever number it has there
        if words[0] == "python":
            words[0] = sys.executable
        if words[0] == "rtcluster":
            words[0] = RTCLUSTER
        with target.open("wb") as out:
            code, said = call(words, place, environment, patient_server, out)
        live = is_live(words)
        assert code == (130 if live else 0), f"{command}: {said}"
        assert "Traceback" not in said, f"{command}: {said}"


def is_live(words):
    """Whether a command listens until it is stopped: teach does, unless it is given files."""
    return len(words) > 1 and words[1] in LIVE and "--from" not in words


def call(words, place, environment, server, out):
    """Run a command, with what it needs to hear; its exit code, and what it said."""
    options = {"cwd": place, "stdout": out, "stderr": subprocess.PIPE}
    with jackd.child(words, environment, **options) as process:
        if words[1:2] == ["latency"]:
            with Tape(server, 500) as tape:
                stream_in, stream_out = tape.stream_ports()
                tape.connect(stream_out, tape.inputs[0])
                tape.connect(tape.output, stream_in)
                _, said = process.communicate(timeout=jackd.TIMEOUT_S)
        elif is_live(words):
            audio = groove.render(6.0).audio
            with jackd.Player(server, audio, loop=True) as player:
                player.connect()
                player.play()
                try:
                    process.wait(HITS_S)
                except subprocess.TimeoutExpired:
                    os.kill(process.pid, signal.SIGINT)
                _, said = process.communicate(timeout=jackd.TIMEOUT_S)
        else:
            _, said = process.communicate(timeout=jackd.TIMEOUT_S)
    return process.returncode, said
