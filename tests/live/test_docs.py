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

import pytest
import soundfile

from bench import jackd
from bench.tape import Tape
from rtcluster.sources import groove
from tests.live.conftest import RTCLUSTER

pytestmark = [pytest.mark.live, pytest.mark.alone]

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))))

LIVE = ("listen", "teach", "tune")
"""Commands that go on until they are stopped."""

ELSEWHERE = ("make", "python3 -m venv", ".venv/bin/", "pip install", "apt install")
"""What installs, and what CI itself calls: ``make demo`` and ``make test``."""

HITS_S = 2.5
"""How long a live command is played to."""


def commands():
    """Commands in shell blocks, by document, in order."""
    for name in DOCUMENTS:
        text = (ROOT / name).read_text(encoding="utf-8")
        for kind, block in re.findall(r"```(sh|console)\n(.*?)```", text, re.DOTALL):
            for line in block.splitlines():
                if kind == "console" and not line.startswith("$ "):
                    continue
                command = line.removeprefix("$ ").partition(" #")[0].strip()
                if command and not command.startswith(ELSEWHERE):
                    yield command


@pytest.fixture
def place(tmp_path):
    """A folder with what the commands name: a recording, a folder of them, and a kit."""
    audio = groove.render(6.0).audio
    soundfile.write(tmp_path / "take.wav", audio, 44100)
    (tmp_path / "takes").mkdir()
    soundfile.write(tmp_path / "takes" / "one.wav", audio, 44100)
    subprocess.run(
        [RTCLUSTER, "run", "take.wav", "-k", "3", "--save-kit", "my.kit"],
        cwd=tmp_path, stdout=subprocess.DEVNULL, check=True, timeout=120,
    )  # fmt: skip
    return tmp_path


def test_every_command_of_the_documents_runs(place, patient_server):
    found = list(dict.fromkeys(commands()))
    assert len(found) > 15
    environment = patient_server.environment | {
        "XDG_CONFIG_HOME": str(place),
        "MPLBACKEND": "agg",
        "PYTHONPATH": str(ROOT),
    }
    kit = (place / "my.kit").read_bytes()
    for command in found:
        (place / "my.kit").write_bytes(kit)  # what a stopped lesson leaves is not the point here
        words = shlex.split(command)
        if "-d" in words:
            words[words.index("-d") + 1] = jackd.DEVICE  # whatever number it has there
        if words[0] == "python":
            words[0] = sys.executable
        if words[0] == "rtcluster":
            words[0] = RTCLUSTER
        code, said = call(words, place, environment, patient_server)
        live = len(words) > 1 and words[1] in LIVE
        assert code == (130 if live else 0), f"{command}: {said}"
        assert "Traceback" not in said, f"{command}: {said}"


def call(words, place, environment, server):
    """Run a command, with what it needs to hear; its exit code, and what it said."""
    options = {"cwd": place, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    with jackd.child(words, environment, **options) as process:
        if words[1:2] == ["latency"]:
            with Tape(server, 500) as tape:
                stream_in, stream_out = tape.stream_ports()
                tape.connect(stream_out, tape.inputs[0])
                tape.connect(tape.output, stream_in)
                _, said = process.communicate(timeout=jackd.TIMEOUT_S)
        elif words[1:2] and words[1] in LIVE:
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
