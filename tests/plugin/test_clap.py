"""The plug-in as CLAP: the same notes as LV2's, and the engine's."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from rtcluster import Final, Guess
from rtcluster.commands.app import app
from rtcluster.errors import RtclusterError
from tests.plugin.conftest import RATES, URI, expected
from tests.support.host import DRUMS, GAIN, MASK, STAGE, THRESHOLD, ClapHost

FIRST = THRESHOLD
"""LV2's port that is the first control."""


@pytest.fixture(scope="session")
def play_clap(clap, compiler, tmp_path_factory):
    """Play audio through the plug-in: `ClapHost.play`."""
    host = ClapHost(compiler, tmp_path_factory.mktemp("clap_host"))

    def run(audio, rate=44100, blocks="64", controls=None, library=clap, options=(), times=1):
        """The controls are by LV2's port, and (port, frame)."""
        given = [
            f"{place - FIRST}={value}"
            if isinstance(place, int)
            else f"{place[0] - FIRST}@{place[1]}={value}"
            for place, value in (controls or {}).items()
        ]
        return host.play(library, URI, audio, rate, blocks, times, [*options, *given])

    return run


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("stage", [Guess, Final])
def test_it_plays_the_notes_of_the_engine_and_of_lv2(play_clap, play, kit, hits, rate, stage):
    audio = hits(rate)
    controls = {STAGE: int(stage is Final)}
    wanted = expected(kit, audio, rate, stage)
    lv2 = play(audio, rate, "64", controls)
    for blocks in ("64", "4096,1,17"):
        played = play_clap(audio, rate, blocks, controls)
        assert played.notes == wanted
        assert played.messages == lv2.messages
        assert np.array_equal(played.audio, audio)


def test_processing_asks_for_no_memory_and_takes_no_lock(play_clap, hits):
    played = play_clap(hits(), controls={GAIN: -6, (STAGE, 44100): 1}, times=2)
    assert (played.allocations, played.locks) == (0, 0)


def test_a_reset_begins_anew(play_clap, kit, hits):
    audio = hits()
    assert play_clap(audio, times=2).notes == 2 * expected(kit, audio)


def test_the_controls_are_those_of_lv2(play_clap, play, drums):
    audio = drums.audio[: 3 * 44100]
    usual = play(audio).messages
    for controls in (
        {THRESHOLD: 0.45}, {MASK: 400}, {STAGE: 1}, {DRUMS: 99}, {DRUMS + 3: 1}, {GAIN: -60.0},
    ):  # fmt: skip
        one, other = play_clap(audio, controls=controls), play(audio, controls=controls)
        assert one.messages == other.messages
        assert np.array_equal(one.audio, other.audio)
        assert one.messages != usual or not one.audio.any()


def test_a_control_holds_from_its_frame_on(play_clap, hits):
    audio = hits()
    usual = play_clap(audio).notes
    at = usual[len(usual) // 2][0] - 5
    controls = {(DRUMS, at): 99, (DRUMS + 2, at): 98, (DRUMS + 4, at): 97, (GAIN, at): -60}
    for blocks in ("4096", "7"):
        played = play_clap(audio, blocks=blocks, controls=controls)
        assert [frame for frame, *_ in played.notes] == [frame for frame, *_ in usual]
        before = {note for frame, note, _ in played.notes if frame < at}
        after = {note for frame, note, _ in played.notes if frame >= at}
        assert before == {36, 38, 42}
        assert after == {99, 98, 97}
        assert np.array_equal(played.audio[:at], audio[:at])
        assert not played.audio[at:].any()


def test_a_control_is_held_to_its_range(play_clap):
    controls = {THRESHOLD: 7, MASK: -1, STAGE: np.nan, DRUMS: 1000}
    told = play_clap(np.zeros(64), controls=controls).controls
    assert told[:5] == [
        "1.000000 Onset threshold (0: the kit's)|1.00",
        "0.000000 Mask (0: the kit's)|0.00 ms",
        "0.000000 Note at|guess, 30 ms",
        "0.000000 Audio through|0.00 dB",
        "127.000000 kick: note|127",
    ]


def test_a_session_comes_back_and_a_kit_of_other_drums_keeps_what_it_knows(
    play_clap, hits, tmp_path
):
    audio, state = hits(), tmp_path / "state"
    values = {THRESHOLD: 0.4, MASK: 60, STAGE: 1, GAIN: -6, DRUMS: 50, DRUMS + 3: 1}
    before = play_clap(audio, controls=values, options=[f"save={state}"])
    usual = play_clap(audio)
    after = play_clap(audio, options=[f"load={state}"])
    assert after.controls == before.controls != usual.controls
    assert after.messages == before.messages != usual.messages
    assert np.array_equal(after.audio, before.audio)
    lines = state.read_text().splitlines()
    kept = [line for line in lines if "kick_note" in line]
    part = tmp_path / "part"
    part.write_text("drum_gong_note=42c80000\n" + "x" * 3000 + "\n" + "".join(kept) + "\n")
    other = play_clap(audio, options=[f"load={state}", f"load={part}"])
    assert other.controls[4] == "50.000000 kick: note|50"
    assert other.controls[:4] + other.controls[5:] == usual.controls[:4] + usual.controls[5:]


def test_a_kit_that_is_damaged_missing_or_for_another_rate_is_not_activated(
    play_clap, clap, tmp_path
):
    folder = shutil.copytree(clap.parent, tmp_path / "copy")
    library = folder / clap.name
    assert play_clap(np.zeros(64), library=library).messages == []
    with pytest.raises(RuntimeError, match="is not for the host's sample rate"):
        play_clap(np.zeros(64), rate=8000, library=library)
    content = (folder / "kit.rtkit").read_bytes()
    (folder / "kit.rtkit").write_bytes(content[:-1])
    with pytest.raises(RuntimeError, match=r"is damaged.*\nnot activated"):
        play_clap(np.zeros(64), library=library)
    (folder / "kit.rtkit").unlink()
    with pytest.raises(RuntimeError, match=r"cannot be read\nnot activated"):
        play_clap(np.zeros(64), library=library)


def test_only_lv2_can_be_generic(tmp_path):
    with pytest.raises(RtclusterError, match="--generic is for LV2 alone"):
        app(
            ["plugin", "build", "--generic", "--format", "clap", "--out", str(tmp_path)],
            standalone_mode=False,
        )
