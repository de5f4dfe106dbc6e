"""The plug-in in a host: the same notes as the engine in Python, and a host's promises kept."""

from __future__ import annotations

import csv
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtcluster import Final, Guess
from rtcluster.learning import kit_file
from rtcluster.plugin import image
from tests.plugin.conftest import RATES, expected, lacking
from tests.support.host import DRUMS, GAIN, MASK, STAGE, THRESHOLD

ON, OFF = 0x99, 0x89
SPECIFICATIONS = (
    "core", "atom", "midi", "patch", "resize-port", "schemas", "state", "units", "urid", "worker",
)  # fmt: skip


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("stage", [Guess, Final])
def test_it_plays_the_notes_that_the_engine_tells(play, kit, hits, rate, stage):
    audio = hits(rate)
    wanted = expected(kit, audio, rate, stage)
    assert len({note for _, note, _ in wanted}) == 3
    for blocks in ("64", "4096,1,17"):
        played = play(audio, rate, blocks, {STAGE: int(stage is Final)})
        assert played.notes == wanted
        assert np.array_equal(played.audio, audio)


def test_a_development_recording_gives_the_same_notes(play, kit, data):
    with (data / "recordings.csv").open() as file:
        paths = [data / row["file"] for row in csv.DictReader(file)]
    for path in paths[::4]:
        audio, rate = soundfile.read(path, frames=8 * 44100, dtype="float32", always_2d=True)
        if rate in RATES:
            mono = audio.mean(axis=1)
            assert play(mono, rate, "128").notes == expected(kit, mono, rate), path


def test_a_kit_without_the_audio_of_its_strokes_is_heard_at_another_rate(
    play, kit, hits, built, tmp_path, monkeypatch
):
    before = replace(kit_file.load(kit), strokes=None)
    folder = shutil.copytree(built, tmp_path / "old.lv2")
    monkeypatch.setattr(image, "RATES", (48000,))
    (folder / "kit.rtkit").write_bytes(image.file_of(before))
    audio = hits(48000)
    wanted = expected(before, audio, 48000)
    assert len(wanted) > 8
    assert play(audio, 48000, folder=folder).notes == wanted


def test_each_note_ends_after_50_ms_or_before_the_next_of_its_pitch(play, hits):
    audio, every = hits(), {DRUMS + 2 * n: 40 for n in range(3)}
    audio = np.concatenate([audio, *np.split(audio, [2000])[1:], np.zeros(4410, np.float32)])
    for blocks in ("1024", "7"):
        played = play(audio, 44100, blocks, every)
        began = [frame for frame, *_ in played.notes]
        ends = [frame for frame, kind, *_ in played.messages if kind == OFF]
        after = [*began[1:], len(audio)]
        assert ends == [min(a + 2205, b) for a, b in zip(began, after, strict=True)]
        assert [frame for frame, *_ in played.messages] == sorted(began + ends)
        assert [kind for _, kind, *_ in played.messages] == [ON, OFF] * len(began)


def test_the_controls_are_the_engines(play, kit, drums):
    def firm(processor):
        processor.threshold = 0.45

    def slow(processor):
        processor.mask = "400ms"

    audio = drums.audio[: 3 * 44100]
    usual = expected(kit, audio)
    for port, value, set_up in ((THRESHOLD, 0.45, firm), (MASK, 400, slow)):
        wanted = expected(kit, audio, set_up=set_up)
        assert wanted != usual
        assert play(audio, controls={port: value}).notes == wanted


def test_a_drum_can_be_given_another_note_and_be_muted(play, kit, hits):
    audio = hits()
    notes = play(audio, controls={DRUMS: 99, DRUMS + 3: 1}).notes
    other = {36: 99, 42: 42}
    assert notes == [
        (frame, other[note], loud) for frame, note, loud in expected(kit, audio) if note in other
    ]


def test_what_is_no_number_is_silence_and_the_gain_is_in_decibels(play, kit, hits):
    audio = hits()
    audio[30000], audio[30100] = np.nan, np.inf
    played = play(audio, controls={GAIN: -6.0206})
    assert played.notes == expected(kit, audio)
    finite = np.where(np.isfinite(audio), audio, 0.0)
    np.testing.assert_allclose(played.audio, 0.5 * finite, rtol=1e-5)
    assert not play(audio, controls={GAIN: -60.0}).audio.any()


def test_activating_begins_anew(play, kit, hits):
    audio = hits()
    assert play(audio, times=2).notes == 2 * expected(kit, audio)


def test_running_asks_for_no_memory_and_takes_no_lock(play, hits):
    played = play(hits())
    assert (played.allocations, played.locks) == (0, 0)


def test_a_kit_that_is_damaged_and_another_rate_are_refused(play, built, tmp_path):
    folder = shutil.copytree(built, tmp_path / "x.lv2")
    with pytest.raises(
        RuntimeError, match=r"kit\.rtkit is not for the host's sample rate, but for 44100"
    ):
        play(np.zeros(64), rate=8000, folder=folder)
    content = (folder / "kit.rtkit").read_bytes()
    (folder / "kit.rtkit").write_bytes(content[:-8])
    with pytest.raises(RuntimeError, match=r"kit\.rtkit is damaged; write it again with"):
        play(np.zeros(64), folder=folder)


@pytest.mark.parametrize("kind", ["built", "generic"])
def test_its_description_is_valid(kind, request):
    bundle = request.getfixturevalue(kind)
    lacking("sord_validate", "sordi")
    lacking("lv2info", "lilv-utils")
    specifications = [
        str(path)
        for name in SPECIFICATIONS
        for path in sorted((lv2_folder() / f"{name}.lv2").glob("*.ttl"))
    ]

    def errors(*files):
        done = subprocess.run(
            ["sord_validate", *specifications, *files], capture_output=True, text=True, check=False
        )
        return done.stderr.rpartition("\nFound ")[0]  # LV2's own files have some

    own = [str(path) for path in bundle.glob("*.ttl")]
    assert errors(*own) == errors()


def lv2_folder():
    """Where LV2's own specifications are."""
    found = Path("/usr/lib/lv2")
    if not (found / "core.lv2").is_dir():
        pytest.skip("not installed: LV2's specifications (Debian: lv2-dev)")
    return found
