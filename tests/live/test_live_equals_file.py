"""What is heard live is what a run on the file finds, hit by hit."""

import json
import signal

import numpy as np
import pytest
import soundfile

from bench import jackd
from rtcluster.sources.groove import render

pytestmark = pytest.mark.live

SAMPLERATE, HOP, SECONDS = 44100, 64, 8
LEAD_S, TAIL_S = 0.3, 0.5

DECISION = ("class", "name", "margin", "revised")
"""What a guess and a final owe to the model; all else they owe to the audio."""


@pytest.fixture(params=["groove", "dev1_rock_one_voice"])
def recording(request):
    """Some seconds of the groove, and of a rendered performance where the data are here."""
    if request.param == "groove":
        return render(SECONDS, SAMPLERATE).audio
    path = request.getfixturevalue("data") / "rendered" / f"{request.param}.flac"
    audio, rate = soundfile.read(path, frames=SECONDS * SAMPLERATE, dtype="float32", always_2d=True)
    assert rate == SAMPLERATE
    return audio[:, 0].copy()


def between_silences(audio):
    """Live input is silent before and after; so that the file is, too."""
    lead, tail = (np.zeros(int(s * SAMPLERATE), np.float32) for s in (LEAD_S, TAIL_S))
    return np.concatenate([lead, audio, tail])


def shifted(line, offset, left_out=()):
    """A live event on the file's clock."""
    return {
        key: value - offset if key in ("sample", "emitted") else value
        for key, value in line.items()
        if key not in ("time", "host_time", *left_out)
    }


def times_in_dispute(file_models, live_models):
    """Stretches in which a model that came late live was not yet the one of the file run."""
    return [
        (due, min((came for other, came in live_models.items() if other >= version), default=due))
        for version, due in file_models.items()
    ]


def test_a_recording_played_live_gives_the_hits_classes_and_features_of_its_file(
    recording, patient_server, listen, rtcluster, tmp_path
):
    audio = between_silences(recording)
    wav = tmp_path / "recording.wav"
    soundfile.write(wav, audio, SAMPLERATE, subtype="FLOAT")
    ran = rtcluster("run", wav, "-k", "3")
    assert ran.returncode == 0, ran.stderr
    file = [json.loads(line) for line in ran.stdout.splitlines()]

    def of_file(kind):
        return [line for line in file if line["event"] == kind]

    with (
        jackd.Player(patient_server, audio) as player,
        listen(patient_server, "-d", jackd.DEVICE, "-k", "3") as live,
    ):
        live.wait_for("session")
        player.connect()
        player.play()
        jackd.wait_until(lambda: player.done, "the end of the recording", 60.0)
        live.wait_for("final", len(of_file("final")))
        assert live.end(signal.SIGINT) == 130

    onsets = of_file("onset")
    assert len(onsets) > 20
    assert len(live.lines("onset")) == len(onsets)
    offset = live.lines("onset")[0]["sample"] - onsets[0]["sample"]
    assert offset > 0
    assert offset % HOP == 0, "the blocks of JACK keep to the grid of the detector's hops"

    for heard, expected in zip(live.lines("onset"), onsets, strict=True):
        assert shifted(heard, offset) == shifted(expected, 0)

    disputes = times_in_dispute(
        {line["version"]: line["effective"] for line in of_file("model")},
        {line["version"]: line["effective"] - offset for line in live.lines("model")},
    )
    # A hop's decisions are made with the models that were due when the hop began.
    disputed = {
        line["id"]
        for line in of_file("guess") + of_file("final")
        if any(due < line["emitted"] <= came for due, came in disputes)
    }
    for kind in ("guess", "final"):
        for heard, expected in zip(live.lines(kind), of_file(kind), strict=True):
            left_out = DECISION if expected["id"] in disputed else ()
            assert shifted(heard, offset, left_out) == shifted(expected, 0, left_out)
    assert len(disputed) <= len(onsets) / 4, "models come in time for most hits"

    def classes(lines):
        return [(line["id"], line["class"]) for line in lines]

    assert classes(live.lines("relabel")) == classes(of_file("relabel")) != []
