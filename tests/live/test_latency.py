"""``rtcluster latency`` on a loop of known length."""

import json
import subprocess

import pytest

from tests.live.conftest import RTCLUSTER
from tests.support import jackd
from tests.support.tape import Tape

pytestmark = [pytest.mark.live, pytest.mark.alone]

RATE, PERIOD = 44100, 64


def round_trip(server, tmp_path, delay, *options):
    """Run ``rtcluster latency`` on a loop with a delay; its JSON object, and what it said."""
    command = [RTCLUSTER, "latency", "--json", "-d", jackd.DEVICE, *options]
    environment = server.environment | {"XDG_CONFIG_HOME": str(tmp_path)}
    with (
        Tape(server, delay) as tape,
        jackd.child(
            command, environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process,
    ):
        stream_in, stream_out = tape.stream_ports()
        tape.connect(stream_out, tape.inputs[0])
        tape.connect(tape.output, stream_in)
        out, said = process.communicate(timeout=jackd.TIMEOUT_S)
    assert process.returncode == 0, said
    return json.loads(out), said


@pytest.mark.parametrize("delay", [0, 1000])
def test_a_loop_of_known_length_is_found_within_half_a_millisecond(delay, patient_server, tmp_path):
    found, _ = round_trip(patient_server, tmp_path, delay, "--count", "8", "--interval", "250ms")
    # A loop of JACK clients costs a period: what closes it hears the cycle before.
    truth = 1e3 * (delay + PERIOD) / RATE
    assert found["found"] == 8
    for which in ("p50", "p95", "min", "max"):
        assert found["round_trip_ms"][which] == pytest.approx(truth, abs=0.5)
