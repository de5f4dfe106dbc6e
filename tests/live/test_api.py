"""``rtcluster.listen`` on JACK's dummy driver: the compiled callback, from a program."""

import json
import os
import signal
import subprocess
import sys

import pytest

from rtcluster.recording.log import read
from rtcluster.recording.replay import Replay
from rtcluster.sources import groove
from tests.support import jackd

pytestmark = pytest.mark.live

PROGRAM = """
import json, sys, rtcluster
with rtcluster.listen(sys.argv[1], classes=3) as hits:
    for number, hit in enumerate(hits):
        print(json.dumps([hit.time, hit.name]), flush=True)
        if number == 9:
            hits.stop()
            break
print(json.dumps([hits.summary["hits"], len(hits.summary["callback_us"]), repr(hits)]))
"""


def test_a_program_hears_hits_through_the_compiled_callback(patient_server):
    audio = groove.render(8.0).audio
    with (
        jackd.Player(patient_server, audio, loop=True) as player,
        jackd.child(
            [sys.executable, "-c", PROGRAM, jackd.DEVICE], patient_server.environment,
            stdout=subprocess.PIPE,
        ) as process,
    ):  # fmt: skip
        player.connect()
        player.play()
        lines = [json.loads(line) for line in process.stdout]
        assert process.wait(jackd.TIMEOUT_S) == 0
    *hits, (count, callbacks, said) = lines
    assert len(hits) == 10
    assert hits == sorted(hits)
    assert count >= 10
    assert callbacks
    assert said.startswith("<Listening to ")


RECORDING = """
import json, sys, rtcluster
with rtcluster.listen(sys.argv[1], classes=3, record=sys.argv[2]) as hits:
    for hit in hits:
        print(json.dumps(hit.as_dict()), flush=True)
"""


def test_ctrl_c_in_a_program_that_records_keeps_each_hit(patient_server, tmp_path):
    take, told = tmp_path / "take", []
    with (
        jackd.Player(patient_server, groove.render(8.0).audio, loop=True) as player,
        jackd.child(
            [sys.executable, "-c", RECORDING, jackd.DEVICE, str(take)], patient_server.environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as process,
    ):  # fmt: skip
        player.connect()
        player.play()
        for line in process.stdout:
            told.append(json.loads(line))
            if len(told) == 8:
                os.kill(process.pid, signal.SIGINT)
        assert process.wait(jackd.TIMEOUT_S) != 0
    log = read(take)
    finals = [line for line in log.lines if line["event"] == "final"]
    assert finals[: len(told)] == told
    assert log.summary is not None
    assert log.summary["recording"]["complete"]
    with Replay(take) as replay:
        for _ in replay.play():
            pass
    assert replay.outcome().difference == ""
