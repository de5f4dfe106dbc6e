"""What is heard live is what a run on the file finds, hit by hit."""

import json
import signal
from functools import partial

import numpy as np
import pytest
import soundfile

from rtcluster.sources.groove import render
from tests.support import jackd
from tests.support.microphones import ALL, NAMES, performance

pytestmark = [pytest.mark.live, pytest.mark.alone]

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
    lead, tail = (
        np.zeros((int(s * SAMPLERATE), *audio.shape[1:]), np.float32) for s in (LEAD_S, TAIL_S)
    )
    return np.concatenate([lead, audio, tail])


def played_live(listen, audio, finals, *options):
    """All lines of a live session that hears some audio, until it told so many finals."""
    channels = max(2, audio[0].size)
    server = jackd.Server(channels=channels, patient=True)
    with server, jackd.Player(server, audio) as player:

        def heard():
            # Where the machine stands still for longer than a patient server waits, that one is
            # out of step with its clients from then on, and says so.
            assert not server.count(jackd.OUT_OF_STEP)
            return player.done and len(live.lines("final")) >= finals

        with listen(server, "-d", jackd.DEVICE, *options) as live:
            live.wait_for("session")
            player.connect()
            player.play()
            jackd.wait_until(heard, f"{finals} finals")
            assert live.end(signal.SIGINT) == 130
            return live.all()


def of(lines, *kinds, channel=None):
    """Events of some kinds, and of one channel if it is given."""
    return [
        line for line in lines if line["event"] in kinds and channel in (None, line.get("channel"))
    ]


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


def compare(file, live, offset, kind, disputed):
    """Events of a kind are the file's, but for the decisions on hits whose model came late."""
    for heard, expected in zip(live(kind), file(kind), strict=True):
        left_out = DECISION if expected["id"] in disputed else ()
        assert shifted(heard, offset, left_out) == shifted(expected, 0, left_out)


def in_dispute(file, live, offset):
    """Hits that a model decided in the file that came late live."""
    disputes = times_in_dispute(
        {line["version"]: line["effective"] for line in file("model")},
        {line["version"]: line["effective"] - offset for line in live("model")},
    )
    # A hop's decisions are made with the models that were due when the hop began.
    return {
        line["id"]
        for line in file("guess") + file("final")
        if any(due < line["emitted"] <= came for due, came in disputes)
    }


def classes(lines):
    return [(line["id"], line["class"]) for line in lines]


def test_a_recording_played_live_gives_the_hits_classes_and_features_of_its_file(
    recording, dummy_driver, listen, rtcluster, tmp_path
):
    audio = between_silences(recording)
    wav = tmp_path / "recording.wav"
    soundfile.write(wav, audio, SAMPLERATE, subtype="FLOAT")
    ran = rtcluster("run", wav, "-k", "3")
    assert ran.returncode == 0, ran.stderr
    file = [json.loads(line) for line in ran.stdout.splitlines()]

    heard = played_live(listen, audio, len(of(file, "final")), "-k", "3")
    of_file, of_live = partial(of, file), partial(of, heard)

    onsets = of_file("onset")
    assert len(onsets) > 20
    assert len(of_live("onset")) == len(onsets)
    offset = of_live("onset")[0]["sample"] - onsets[0]["sample"]
    assert offset > 0
    assert offset % HOP == 0, "the blocks of JACK keep to the grid of the detector's hops"

    disputed = in_dispute(of_file, of_live, offset)
    compare(of_file, of_live, offset, "onset", set())
    for kind in ("guess", "final"):
        compare(of_file, of_live, offset, kind, disputed)
    assert len(disputed) <= len(onsets) / 4, "models come in time for most hits"
    assert classes(of_live("relabel")) == classes(of_file("relabel")) != []


def test_two_channels_played_live_give_the_lines_of_their_file_in_its_order(
    dummy_driver, listen, rtcluster, tmp_path
):
    tracks = [render(SECONDS, SAMPLERATE, seed=n, bpm=96.0 + 20 * n).audio for n in range(2)]
    audio = between_silences(np.stack(tracks, axis=1))
    wav = tmp_path / "recording.wav"
    soundfile.write(wav, audio, SAMPLERATE, subtype="FLOAT")
    ran = rtcluster("run", wav, "-k", "3", "-c", "all")
    assert ran.returncode == 0, ran.stderr
    file = [json.loads(line) for line in ran.stdout.splitlines()]
    heard = played_live(listen, audio, len(of(file, "final")), "-k", "3", "-c", "all")

    def order(lines):
        hits = of(lines, "onset", "guess", "final", "relabel")
        return [(line["event"], line["channel"], line["id"]) for line in hits]

    [session], [summary] = of(heard, "session"), of(heard, "summary")
    assert (session["channel"], session["channels"]) == ("all", 2)
    assert summary["hits"] == file[-1]["hits"] == len(of(heard, "onset"))
    assert order(heard) == order(file)
    offset = of(heard, "onset")[0]["sample"] - of(file, "onset")[0]["sample"]
    assert offset % HOP == 0
    for channel in (1, 2):
        of_file = partial(of, file, channel=channel)
        of_live = partial(of, heard, channel=channel)
        assert len(of_file("onset")) > 20
        disputed = in_dispute(of_file, of_live, offset)
        compare(of_file, of_live, offset, "onset", set())
        for kind in ("guess", "final"):
            compare(of_file, of_live, offset, kind, disputed)
        assert len(disputed) <= len(of_file("onset")) / 4, "models come in time for most hits"
        assert classes(of_live("relabel")) == classes(of_file("relabel")) != []


EIGHT = [0, 1, 2, 0, 1, 2, 0, 1]
"""Eight microphones: some of them near the same drum, one nearer than the other."""


def test_a_kit_on_eight_microphones_played_live_gives_the_events_of_its_file(
    dummy_driver, listen, rtcluster, tmp_path
):
    gains = np.linspace(1.0, 0.5, len(EIGHT), dtype=np.float32)
    random, kit = np.random.default_rng(6), tmp_path / "my.kit"
    lone = [(name,) for name in NAMES for _ in range(5)]
    take, starts = performance(lone, random, apart=0.5)
    soundfile.write(tmp_path / "take.wav", take[:, EIGHT] * gains, SAMPLERATE, subtype="FLOAT")
    rows = [f"{start / SAMPLERATE},{name}" for start, [name] in zip(starts, lone, strict=True)]
    (tmp_path / "take.csv").write_text("\n".join(["time,label", *rows, ""]))
    taught = rtcluster(
        "teach", "--from", tmp_path / "take.wav", "--truth", tmp_path / "take.csv", "-c", "all",
        "--save-kit", kit,
    )  # fmt: skip
    assert taught.returncode == 0, taught.stderr

    song, _ = performance(ALL * 2, random)
    audio = between_silences(song[:, EIGHT] * gains)
    wav = tmp_path / "song.wav"
    soundfile.write(wav, audio, SAMPLERATE, subtype="FLOAT")
    ran = rtcluster("run", wav, "--kit", kit, "--freeze")
    assert ran.returncode == 0, ran.stderr
    file = [json.loads(line) for line in ran.stdout.splitlines()]
    heard = played_live(listen, audio, len(of(file, "final")), "--kit", str(kit), "--freeze")
    kinds = ("onset", "guess", "final")
    offset = of(heard, "onset")[0]["sample"] - of(file, "onset")[0]["sample"]
    assert offset % HOP == 0
    assert len(of(file, "final")) >= len(ALL)
    assert [shifted(line, offset) for line in of(heard, *kinds)] == [
        shifted(line, 0) for line in of(file, *kinds)
    ]
