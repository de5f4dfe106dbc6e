"""The compiled callback keeps its time, whatever Python does in the same process."""

import json
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

from rtcluster.sources.groove import render
from tests.support import jackd

pytestmark = [pytest.mark.live, pytest.mark.alone]

SAMPLERATE, PERIOD, SECONDS = 44100, 64, 3.0
SESSIONS = 3

EDGES = 2
"""Blocks that may lie on the edges of the measurement."""

SHARE = 0.1
"""Of what a Python callback loses under the same load, that the compiled one may lose at most."""

LOST_BY_PLAYER = r"client = player\S* was not (?:run|finished)"
"""jackd's words when the player, whose callback is compiled and has no load, came too late."""


def machine_late(server):
    """How often a thread that runs no Python was late so far, the server's own or the player's.

    A virtual machine may stop a core for longer than a block. Who is late then is chance.
    """
    return server.count(jackd.LOST_BY_SERVER) + server.count(LOST_BY_PLAYER)


def session_under_load(server, driver):
    """A live session with two busy Python threads: its counts, and JACK's of the same time."""
    command = [sys.executable, "-m", "bench.case", "--driver", driver, "--busy", "2"]
    command += ["--seconds", str(SECONDS)]
    late_before = machine_late(server)
    with (
        jackd.Player(server, render(20.0).audio, loop=True) as player,
        jackd.child(
            command, server.environment, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
        ) as process,
    ):
        player.connect()
        player.play()
        output, _ = process.communicate(timeout=jackd.TIMEOUT_S)
        cycles = player.cycles
    assert process.returncode == 0
    case = json.loads(output)
    cycles = cycles[(cycles >= case["from_ns"]) & (cycles < case["to_ns"])]
    late = machine_late(server) - late_before
    return {
        "events": case["events"],
        "played": len(cycles),
        "lost": max(0, abs(len(case["began_ns"]) - len(cycles)) - EDGES - late),
        "xruns": max(0, case["xruns"] - late),
        "late": late,
    }


def test_no_block_is_lost_under_two_busy_python_threads(server):
    """What the machine did not lose; a Python callback in the same run says what a loss is."""
    if not server.realtime:
        pytest.skip("this user may not use real-time priority (see /etc/security/limits.conf)")
    sessions = [session_under_load(server, "compiled") for _ in range(SESSIONS)]
    peer = session_under_load(server, "python")
    for session in sessions:
        assert session["events"]["final"] > 0, "hits were really computed"
        assert session["played"] > 0.5 * SECONDS * SAMPLERATE / PERIOD
    for lost in ("lost", "xruns"):
        assert median(session[lost] for session in sessions) <= SHARE * peer[lost], (sessions, peer)
