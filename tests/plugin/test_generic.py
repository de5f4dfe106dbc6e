"""The plug-in without a kit: one that is chosen in the host plays as one that is built in."""

from __future__ import annotations

import shutil
import struct
import zlib

import numpy as np
import pytest

from rtcluster.commands.app import app
from rtcluster.errors import RtclusterError
from rtcluster.learning import kit_file
from rtcluster.plugin import description, image
from tests.plugin.conftest import GENERIC, RATES, expected
from tests.support import lilv
from tests.support.host import DRUMS, GENERIC_DRUMS

KIT, TOLD = f"{GENERIC}#kit", f"{GENERIC}#drums"
OWN_NOTES = {DRUMS + 2 * n: -1 for n in range(GENERIC_DRUMS)}
BLOCK = 64


@pytest.fixture
def instance(generic):
    """An instance in a host of its own."""
    if reason := lilv.missing():
        pytest.skip(reason)
    with lilv.Plugin(generic, GENERIC) as plugin:
        yield plugin


def later(notes, frames):
    return [(at + frames, note, loud) for at, note, loud in notes]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("blocks", ["64", "4096,1,17"])
def test_a_kit_that_is_chosen_plays_as_one_that_is_built_in(
    play, generic, chosen, hits, rate, blocks
):
    audio = hits(rate)
    first = int(blocks.split(",")[0])  # the block with which it is chosen; it plays after that
    silence = np.concatenate([np.zeros(first, np.float32), audio])
    played = play(silence, rate, blocks, OWN_NOTES, folder=generic, uri=GENERIC, kits={0: chosen})
    assert played.notes == later(play(audio, rate).notes, first)
    assert len(played.notes) > 8
    assert np.array_equal(played.audio, silence)


def test_another_kit_takes_over_with_a_block_and_asks_the_audio_thread_for_nothing(
    play, generic, chosen, kit, other_kit, other_chosen, hits
):
    audio = hits()
    at = 3 * 44100 // BLOCK * BLOCK
    played = play(
        audio, controls=OWN_NOTES, folder=generic, uri=GENERIC, kits={0: chosen, at: other_chosen}
    )
    swap = at + BLOCK
    first = later(expected(kit, audio[BLOCK:swap]), BLOCK)
    second = later(expected(other_kit, audio[swap:]), swap)
    assert played.notes == first + second
    assert first
    assert {note for _, note, _ in second} == {47}  # tom, clave and bell: all of it is the tom's
    assert (played.allocations, played.locks) == (0, 0)


def test_a_note_that_sounds_ends_when_another_kit_takes_over(
    play, generic, chosen, other_chosen, hits
):
    audio = hits()
    [(frame, note, _), *_] = play(audio).notes
    at = (frame + 300) // BLOCK * BLOCK
    played = play(
        audio, controls=OWN_NOTES, folder=generic, uri=GENERIC, kits={0: chosen, at: other_chosen}
    )
    [on, off, *_] = played.messages
    assert on[2] == off[2] == note
    assert off[0] - on[0] == 2205
    assert at < off[0]


def test_notes_and_mutes_are_by_number_and_a_kit_has_its_own(instance, chosen, kit, hits):
    audio = hits()
    wanted = later(expected(kit, audio[BLOCK:]), BLOCK)
    instance.set(KIT, "Path", str(chosen))
    assert instance.play(audio, BLOCK) == wanted
    assert instance.parameters == {KIT: str(chosen), TOLD: "kick, snare, hat"}
    instance.controls.update(drum_1_note=50, drum_2_mute=1)
    assert instance.play(audio, BLOCK) == [
        (at, {36: 50, 42: 42}[note], loud) for at, note, loud in expected(kit, audio) if note != 38
    ]


def test_without_a_kit_audio_goes_through_and_the_host_is_told(instance, hits):
    instance.get()
    assert instance.play(hits(), 1024) == []
    assert instance.parameters == {KIT: "", TOLD: "no kit is chosen"}


def test_messages_that_are_none_of_its_own_change_nothing(instance, chosen, hits):
    for parameter, kind, value in (
        (KIT, "String", str(chosen)),
        ("urn:another", "Path", str(chosen)),
        (KIT, "Path", "x" * 5000),
    ):
        instance.set(parameter, kind, value)
        assert instance.play(hits()[:4096], 1024) == []
        assert instance.parameters == {}
    for cut in range(4, 100, 4):
        instance.set(KIT, "Path", str(chosen))
        instance._message = instance._message[:4] + instance._message[4:][:cut]
        instance.play(hits()[:128], BLOCK)


def sealed(content):
    """With a checksum that fits."""
    return content[:12] + struct.pack("<I", zlib.crc32(content[16:])) + content[16:]


def put(content, at, value):
    return content[:at] + struct.pack("<Q", value) + content[at + 8 :]


DRUMS_AT, RATE_AT = 48, 48 + 3 * 32
IMAGE_AT = RATE_AT + len(RATES) * 24
BAD = {
    "empty": (lambda good: b"", "cannot be read"),
    "a text": (lambda good: b"no kit\n" * 20, "is no kit of a plug-in"),
    "cut to a header": (lambda good: good[:40], "is no kit of a plug-in"),
    "cut by a byte": (lambda good: good[:-1], "is damaged"),
    "cut in half": (lambda good: good[: len(good) // 16 * 8], "is damaged"),
    "longer": (lambda good: good + bytes(8), "is damaged"),
    "a version to come": (lambda good: good[:8] + b"\2" + good[9:], "another version"),
    "another kernel": (lambda good: sealed(put(good, 24, 1)), "another version"),
    "too many drums": (lambda good: sealed(put(good, 32, 1 << 40)), "more drums"),
    "too many rates": (lambda good: sealed(put(good, 40, 1 << 60)), "is damaged"),
    "no such note": (lambda good: sealed(put(good, DRUMS_AT, 200)), "is damaged"),
    "an endless name": (
        lambda good: sealed(good[:DRUMS_AT] + b"\1" + 31 * b"x" + good[DRUMS_AT + 32 :]),
        "is damaged",
    ),
    "another rate": (
        lambda good: sealed(put(good, RATE_AT, 8000)),
        "not for the host's sample rate",
    ),
    "an image beyond the end": (lambda good: sealed(put(good, RATE_AT + 8, 1 << 63)), "is damaged"),
    "an endless image": (lambda good: sealed(put(good, RATE_AT + 16, 1 << 63)), "is damaged"),
    "a state without end": (lambda good: sealed(put(good, IMAGE_AT, 1 << 62)), "is damaged"),
    "a small state": (lambda good: sealed(put(good, IMAGE_AT, 64)), "is damaged"),
    "endless stretches": (lambda good: sealed(put(good, IMAGE_AT + 8, 1 << 60)), "is damaged"),
    "endless pointers": (lambda good: sealed(put(good, IMAGE_AT + 16, 1 << 60)), "is damaged"),
    "a stretch beyond": (lambda good: sealed(put(good, IMAGE_AT + 24, 1 << 63)), "is damaged"),
    "an endless stretch": (lambda good: sealed(put(good, IMAGE_AT + 32, (1 << 64) - 4)), "is dam"),
}
"""Files that are no kit, and what is said of them."""


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_in_one_line_and_a_good_one_plays_after_it(
    instance, chosen, hits, tmp_path, name, capfd
):
    spoil, words = BAD[name]
    bad = tmp_path / "bad.rtkit"
    bad.write_bytes(spoil(chosen.read_bytes()))
    audio = hits()[: 2 * 44100]
    instance.set(KIT, "Path", str(chosen))
    assert instance.play(audio, BLOCK)
    instance.set(KIT, "Path", str(bad))
    assert instance.play(audio, BLOCK) == []
    assert instance.parameters[KIT] == str(bad)
    assert instance.parameters[TOLD].startswith("bad.rtkit ")
    assert words in instance.parameters[TOLD]
    assert capfd.readouterr().err == f"rtcluster: {instance.parameters[TOLD]}\n"
    instance.set(KIT, "Path", str(chosen))
    assert instance.play(audio, BLOCK)


def test_a_file_of_which_any_byte_is_wrong_is_refused(instance, chosen, tmp_path):
    good = chosen.read_bytes()
    random = np.random.default_rng(0)
    places = [*range(IMAGE_AT + 40), *random.integers(0, len(good), 200)]
    bad = tmp_path / "bad.rtkit"
    for place in places:
        spoiled = bytearray(good)
        spoiled[place] ^= 1 << random.integers(8)
        bad.write_bytes(spoiled)
        instance.set(KIT, "Path", str(bad))
        instance.play(np.zeros(2 * BLOCK, np.float32), BLOCK)
        assert instance.parameters[TOLD].startswith("bad.rtkit "), place


@pytest.mark.parametrize("name", ["none.rtkit", ""])
def test_what_cannot_be_read_is_told(instance, tmp_path, name):
    instance.set(KIT, "Path", str(tmp_path / name))
    instance.play(np.zeros(2 * BLOCK, np.float32), BLOCK)
    assert "cannot be read" in instance.parameters[TOLD]


def test_the_command_writes_a_kit_and_replaces_nothing_else(chosen, kit, tmp_path):
    assert chosen.read_bytes()[:8] == b"rtcl-kit"
    image.check_file(chosen)
    mine = tmp_path / "mine.rtkit"
    mine.write_text("mine")
    with pytest.raises(RtclusterError, match="it holds something else"):
        app(["plugin", "kit", str(kit), "-o", str(mine)], standalone_mode=False)
    assert mine.read_text() == "mine"


def test_more_drums_than_there_are_controls_are_refused(kit, tmp_path, monkeypatch):
    monkeypatch.setattr(image, "MOST_DRUMS", 2)
    with pytest.raises(RtclusterError, match=r"has 3 drums, and .* controls for 2; build one"):
        app(["plugin", "kit", str(kit), "-o", str(tmp_path / "a")], standalone_mode=False)


def test_a_name_that_is_too_long_is_cut_at_a_letter(kit, monkeypatch):
    taught = kit_file.load(kit)
    monkeypatch.setattr(image, "RATES", ())
    object.__setattr__(taught, "names", ("kick", "ü" * 40, "hat"))
    assert image.file_of(taught)[DRUMS_AT + 33 : DRUMS_AT + 64] == ("ü" * 15).encode() + b"\0"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Expected a kit or --generic"),
        (["KIT", "--generic"], "Expected a kit or --generic"),
        (["--generic", "--name", "a"], "--name is that of a kit"),
    ],
)
def test_a_plug_in_is_built_with_a_kit_or_without(kit, tmp_path, arguments, words):
    given = [str(kit) if word == "KIT" else word for word in arguments]
    with pytest.raises(RtclusterError, match=words):
        app(["plugin", "build", *given, "--out", str(tmp_path)], standalone_mode=False)


def test_a_session_finds_its_kit_where_it_was_moved(instance, generic, chosen, kit, hits, tmp_path):
    audio = hits()
    here, moved = tmp_path / "session", tmp_path / "elsewhere"
    own = tmp_path / "own.rtkit"
    shutil.copy(chosen, own)
    instance.set(KIT, "Path", str(own))
    instance.controls.update(drum_1_note=50)
    instance.play(audio[:4096], BLOCK)
    instance.save(here)
    assert str(tmp_path) not in (here / "state.ttl").read_text()
    shutil.copytree(here, moved)  # with the files that are linked to, as an archive
    shutil.rmtree(here)
    own.unlink()
    wanted = [(at, {36: 50}.get(note, note), loud) for at, note, loud in expected(kit, audio)]
    with lilv.Plugin(generic, GENERIC) as after:
        after.restore(moved)
        assert after.play(audio, BLOCK) == wanted
        assert after.parameters == {KIT: str(moved / "own.rtkit"), TOLD: "kick, snare, hat"}


def test_a_session_without_a_kit_takes_away_the_one_there_is(instance, generic, chosen, tmp_path):
    with lilv.Plugin(generic, GENERIC) as before:
        before.save(tmp_path / "session")
    instance.set(KIT, "Path", str(chosen))
    instance.play(np.zeros(2 * BLOCK, np.float32), BLOCK)
    assert instance.parameters[TOLD] == "kick, snare, hat"
    instance.restore(tmp_path / "session")
    instance.play(np.zeros(BLOCK, np.float32), BLOCK)
    assert instance.parameters == {KIT: "", TOLD: "no kit is chosen"}


def test_a_missing_kit_stays_in_the_session(instance, generic, chosen, tmp_path):
    own = tmp_path / "own.rtkit"
    shutil.copy(chosen, own)
    instance.set(KIT, "Path", str(own))
    instance.play(np.zeros(2 * BLOCK, np.float32), BLOCK)
    instance.save(tmp_path / "a")
    own.unlink()
    with lilv.Plugin(generic, GENERIC) as between:
        between.restore(tmp_path / "a")
        between.play(np.zeros(2 * BLOCK, np.float32), BLOCK)
        assert "own.rtkit cannot be read" in between.parameters[TOLD]
        between.save(tmp_path / "b")
    shutil.copy(chosen, own)
    instance.restore(tmp_path / "b")
    instance.play(np.zeros(2 * BLOCK, np.float32), BLOCK)
    assert instance.parameters[TOLD] == "kick, snare, hat"


def test_the_uri_is_not_that_of_a_kit():
    assert description.uri_of(None) == GENERIC
    assert description.uri_of("plugin") != GENERIC
