"""``--click``: each tone follows its hit at once, whatever Python does in the same process.

A tape in JACK hears the drums on one track and rtcluster's output on the other, so that the time
between them is counted by neither.
"""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtcluster import Processor, Settings
from rtcluster.sources.groove import render
from tests.support import jackd
from tests.support.tape import Tape

pytestmark = [pytest.mark.live, pytest.mark.alone]

RATE, PERIOD, HOP = 44100, 64, 64
GUESS = int(0.030 * RATE)
SECONDS = 4.0
TONE = int(0.1 * RATE)
ATTEMPTS = 4


@pytest.fixture(scope="module")
def groove():
    """Hits further apart than a tone is long."""
    return render(SECONDS, RATE, noise_dbfs=-90.0)


@pytest.fixture(scope="module")
def kit(groove, tmp_path_factory):
    path = tmp_path_factory.mktemp("kit") / "groove.kit"
    processor = Processor(Settings(classes=3))
    processor.prepare(RATE, PERIOD)
    processor.process(groove.audio)
    processor.rename(0, "kick")
    processor.save_kit(path)
    return str(path)


def taped(server, groove, process, *, ready):
    """Play the groove into a stream that has an output.

    Whether all of it was played while the stream went on, and the output from its first sample on.
    """
    with jackd.Player(server, groove.audio) as player, Tape(server) as tape:
        stream_in, stream_out = tape.stream_ports()
        tape.connect(player.ports[0], stream_in)
        tape.connect(player.ports[0], tape.inputs[0])
        tape.connect(stream_out, tape.inputs[1])
        ready()
        player.play()
        jackd.wait_until(lambda: player.done, "the end of the groove")
        whole = process.poll() is None
        frames = tape.recorded().shape[1]
        jackd.wait_until(lambda: tape.recorded().shape[1] > frames + RATE // 4, "its last tone")
        drums, out = tape.recorded()
    lead = np.flatnonzero(drums)[0] - np.flatnonzero(groove.audio)[0]
    whole &= np.array_equal(drums[lead : lead + len(groove.audio)], groove.audio)
    return whole, out[lead:]


def starts(out):
    """First samples of the tones, which are apart from each other; a tone's first sample is 0."""
    heard = np.flatnonzero(out)
    return heard[np.diff(heard, prepend=-TONE) > RATE // 100] - 1


def delays(out, groove):
    """From each stroke to its tone, in samples."""
    begun = starts(out)
    assert len(begun) == len(groove.strokes)
    return begun - [stroke.sample for stroke in groove.strokes]


def test_each_tone_follows_its_hit_by_the_guess_and_less_than_two_blocks(
    patient_server, listen, groove, kit
):
    with listen(patient_server, "-d", jackd.DEVICE, "--kit", kit, "--click") as live:
        _, out = taped(patient_server, groove, live.process, ready=lambda: live.wait_for("session"))
        assert live.end(signal.SIGINT) == 130
        onsets, guesses = live.lines("onset"), live.lines("guess")
    late = delays(out, groove)
    assert late.min() > GUESS - HOP - PERIOD
    assert late.max() <= GUESS + 2 * PERIOD
    # By the program's own clock, too: as even as the ends of its hops.
    apart = np.diff(starts(out))
    np.testing.assert_array_equal(apart, np.diff([guess["emitted"] for guess in guesses]))
    assert len(onsets) == len(guesses)


def case(server, groove, kit, *options):
    """A live session with clicks: its output, and whether the machine kept time."""
    command = [sys.executable, "-m", "bench.case", "--click", "--kit", kit, *options]
    command += ["--seconds", str(SECONDS + 1.0)]
    late_before = server.count(jackd.LOST_BY_SERVER)
    with jackd.child(
        command,
        server.environment,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as process:
        whole, out = taped(server, groove, process, ready=lambda: None)
        process.communicate(timeout=jackd.TIMEOUT_S)
    assert process.returncode == 0
    undisturbed = whole and server.count(jackd.LOST_BY_SERVER) == late_before
    return undisturbed, out


def test_each_tone_is_in_time_under_two_busy_python_threads(server, groove, kit):
    if not server.realtime:
        pytest.skip("this user may not use real-time priority (see /etc/security/limits.conf)")
    # What no process on the machine can help, jackd's own clock waking late, gets another attempt.
    for _ in range(ATTEMPTS):
        undisturbed, out = case(server, groove, kit, "--busy", "2")
        late = delays(out, groove) if len(starts(out)) == len(groove.strokes) else None
        in_time = late is not None and late.max() <= GUESS + 2 * PERIOD
        if undisturbed or in_time:
            break
    assert in_time, late


def test_the_python_driver_plays_the_same(patient_server, groove, kit):
    _, out = case(patient_server, groove, kit, "--driver", "python")
    late = delays(out, groove)
    assert late.min() > GUESS - HOP - PERIOD
    assert late.max() <= GUESS + 2 * PERIOD


def test_a_sample_is_played_for_its_class_and_the_others_are_silent(
    patient_server, listen, groove, kit, tmp_path
):
    rng = np.random.default_rng(1)
    drum = rng.uniform(0.1, 0.9, 500)
    soundfile.write(tmp_path / "kick.wav", drum, RATE, subtype="FLOAT")
    option = f"kick={tmp_path / 'kick.wav'}"
    with listen(patient_server, "-d", jackd.DEVICE, "--kit", kit, "--click-file", option) as live:
        _, out = taped(patient_server, groove, live.process, ready=lambda: live.wait_for("session"))
        live.end(signal.SIGINT)
        kicks = [guess for guess in live.lines("guess") if guess["name"] == "kick"]
    begun = starts(out) + 1
    assert len(begun) == len(kicks) == [s.drum for s in groove.strokes].count("kick")
    for at, kick in zip(begun, kicks, strict=True):
        played = np.float32(kick["velocity"] / 127) * drum.astype(np.float32)
        np.testing.assert_allclose(out[at : at + 500], np.minimum(played, 1.0), atol=1e-6)


def fails_in_one_line(result):
    assert result.returncode in (1, 2)
    [line] = result.stderr.splitlines()
    assert line.startswith("rtcluster: Expected ")
    return line


def test_a_device_without_outputs_is_told_in_one_line(server, rtcluster):
    import jack

    with jack.Client("microphone", servername=server.name, no_start_server=True) as client:
        client.outports.register("out")  # it gives audio and takes none
        result = rtcluster("listen", "-d", "microphone", "--click", environment=server.environment)
        other = rtcluster(
            "listen", "--click", "--output-device", "microphone", environment=server.environment
        )
    assert "--output-device" in fails_in_one_line(result)
    assert "'microphone' (0 outputs)" in fails_in_one_line(other)
