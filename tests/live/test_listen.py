"""``rtcluster listen``: how it ends, and what it says of input that it cannot use."""

import signal

import numpy as np
import pytest

from rtcluster.sources import groove
from tests.support import jackd
from tests.support.unread import ended_by_two_ctrl_c, unread

pytestmark = pytest.mark.live


ENDINGS = pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"]
)


@ENDINGS
def test_a_signal_ends_listening_with_a_summary_and_exit_code_130(number, server, listen):
    audio = np.zeros(2048, np.float32)
    with jackd.Player(server, audio) as player, listen(server, "-d", jackd.DEVICE) as live:
        live.wait_for("session")
        player.connect()
        player.play()
        jackd.wait_until(lambda: player.done, "the end of the audio")
        assert live.end(number) == 130
        [summary] = live.lines("summary")
    assert summary["hits"] == 0
    assert summary["samples"] >= 1024


@ENDINGS
def test_a_signal_while_the_stream_starts_ends_listening_too(number, server, listen):
    with listen(server, "-d", jackd.DEVICE) as live:
        live.wait_for("session")  # written just before the stream starts
        assert live.end(number) == 130
        assert len(live.lines("summary")) == 1


def test_two_ctrl_c_end_listening_though_nobody_reads(server):
    with jackd.Player(server, groove.render(8.0).audio, loop=True) as player:
        steps = iter((player.connect, player.play))
        with unread(
            "listen", "-d", jackd.DEVICE, "--jsonl", "-",
            environment=server.environment, meanwhile=lambda: next(steps, int)(),
        ) as process:  # fmt: skip
            assert ended_by_two_ctrl_c(process) < 5.0
    assert process.returncode == 130


def fails_in_one_line(result):
    assert result.returncode == 1
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.startswith("rtcluster: Expected ")
    return line


def test_an_unknown_device_is_told_in_one_line(server, rtcluster):
    result = rtcluster("listen", "-d", "no such thing", environment=server.environment)
    assert "'no such thing'" in fails_in_one_line(result)


def test_a_device_without_inputs_is_told_in_one_line(server, rtcluster):
    import jack

    with jack.Client("loudspeaker", servername=server.name, no_start_server=True) as client:
        client.inports.register("in")  # it takes audio and gives none
        result = rtcluster("listen", "-d", "loudspeaker", environment=server.environment)
    assert "'loudspeaker' (0 inputs)" in fails_in_one_line(result)


def test_a_rate_that_the_device_refuses_is_told_in_one_line(server, rtcluster):
    result = rtcluster("listen", "-d", jackd.DEVICE, "-r", "48000", environment=server.environment)
    assert (result.returncode, result.stdout) == (1, "")
    [line] = result.stderr.splitlines()
    says = f"Cannot open '{jackd.DEVICE}' at 48000 Hz: it runs at 44100 Hz; leave -r out."
    assert line.startswith(f"rtcluster: {says}")
