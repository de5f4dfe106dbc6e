"""A callback that gets no processor for a while: the whole program is stopped, and goes on."""

from __future__ import annotations

import signal
import time

import pytest

from rtcluster.sources import groove
from tests.support import jackd

pytestmark = [pytest.mark.live, pytest.mark.alone]

STARVED_S = 0.1


def test_a_program_that_is_starved_for_100_ms_tells_so_and_goes_on(server, listen):
    audio = groove.render(3.0, bpm=160.0).audio
    with (
        jackd.Player(server, audio, loop=True) as player,
        listen(server, "-k", "2", "--warmup", "4") as program,
    ):
        player.connect()
        player.play()
        program.wait_for("model")
        before = len(program.lines("xrun"))
        program.process.send_signal(signal.SIGSTOP)
        time.sleep(STARVED_S)
        program.process.send_signal(signal.SIGCONT)
        program.wait_for("xrun", before + 1)
        heard = len(program.lines("final"))
        program.wait_for("final", heard + 8)
        assert program.end(signal.SIGINT) == 130
        onsets, finals = program.lines("onset"), program.lines("final")
        [summary] = program.lines("summary")
    assert [line["id"] for line in onsets] == list(range(summary["hits"]))
    assert [line["id"] for line in finals] == list(range(summary["hits"]))
    assert summary["xruns"] >= 1
    assert summary["events_dropped"] == 0
    late = finals[heard:]
    assert all(line["class"] in (0, 1) for line in late)
    assert all(line["sample"] > onsets[0]["sample"] for line in late)
