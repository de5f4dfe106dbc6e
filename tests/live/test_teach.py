"""``rtcluster teach`` on several microphones, played through: from the strokes to the kit."""

import json

import numpy as np
import pytest
import soundfile

from rtcluster.learning.bleed import bleed_of
from rtcluster.learning.kit_file import load
from rtcluster.learning.strokes import read
from tests.live.conftest import RTCLUSTER
from tests.support import jackd
from tests.support.microphones import ALL, MICROPHONES, NAMES, RATE, performance

pytestmark = [pytest.mark.live, pytest.mark.alone]

HITS = 5


def test_a_kit_is_taught_live_on_all_inputs_drum_by_drum(dummy_driver, rtcluster, tmp_path):
    random, kit, said = np.random.default_rng(6), tmp_path / "my.kit", tmp_path / "said"
    server = jackd.Server(channels=len(MICROPHONES), patient=True)
    command = [RTCLUSTER, "teach", *NAMES, "--hits", str(HITS), "-c", "all"]
    command += ["-d", jackd.DEVICE, "--save-kit", str(kit)]
    with (
        server,
        said.open("w") as told,
        jackd.child(command, server.environment, stderr=told) as teach,
    ):
        for name in NAMES:
            asks = f"{name}: strike it {HITS} times."
            jackd.wait_until(lambda asks=asks: asks in said.read_text(), asks)
            lessons, starts = performance([(name,)] * HITS, random, apart=0.5)
            # After digital silence the noise would begin like a hit, so it comes up slowly.
            lead = np.tile(lessons[: starts[0] - 100], (5, 1))
            lead *= np.geomspace(1e-4, 1.0, len(lead), dtype=np.float32)[:, None]
            lessons = np.concatenate([lead, lessons])
            with jackd.Player(server, lessons) as player:
                player.connect()
                player.play()
                jackd.wait_until(
                    lambda name=name: f"{name} {HITS} of {HITS}" in said.read_text(),
                    f"{HITS} strokes of {name}",
                )
        assert teach.wait(jackd.TIMEOUT_S) == 0, said.read_text()

    text = said.read_text()
    assert "refused" not in text
    assert f"Saved {', '.join(NAMES)} in {kit}." in text
    taught = load(kit)
    assert taught.microphones == MICROPHONES
    strokes = read(taught.strokes, RATE)
    assert [one.class_ for one in strokes] == [n for n in range(len(NAMES)) for _ in range(HITS)]
    assert bleed_of(strokes, len(NAMES), RATE).home.tolist() == [0, 1, 2]

    song, _ = performance(ALL, random)
    soundfile.write(tmp_path / "song.wav", song, RATE, subtype="FLOAT")
    ran = rtcluster("run", tmp_path / "song.wav", "--kit", kit)
    finals = [e for e in map(json.loads, ran.stdout.splitlines()) if e["event"] == "final"]
    assert [{part["name"] for part in one["parts"]} for one in finals] == [{*one} for one in ALL]
