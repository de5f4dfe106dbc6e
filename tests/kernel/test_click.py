"""The mixer against numpy: what sounds is the sum of the sounds, each at its frame."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rtcluster import Final, Guess, Onset, Processor, RtclusterError, Settings
from rtcluster.kernel import click, state
from rtcluster.kernel.entry import mix
from rtcluster.playback.clicks import LEVEL, Clicks, Pings, bank
from rtcluster.playback.tones import click as tone

RATE, HOP = 44100, 64


@pytest.fixture
def record():
    """A state whose bank is made of three sounds, with a stereo output."""
    made = state.create()
    made["hop"] = HOP
    made["click"]["outputs"] = 2
    rng = np.random.default_rng(0)
    made_of = [rng.normal(0, 0.05, n).astype(np.float32) for n in (1000, 3, 300)]
    keep = bank(made[0]["click"][0], made_of)
    yield made, made_of
    del keep


def mixed(made, frames, blocksize=HOP):
    """The output of some blocks, shape (frames, 2)."""
    out = np.full((frames, int(made[0]["click"]["outputs"][0])), np.nan, np.float32)
    for at in range(0, frames, blocksize):
        block = out[at : at + blocksize]
        made["filled"][0] += len(block)  # as if it had been heard
        mix(made, block.ctypes.data, len(block))
    return out


def summed(placed, frames):
    """Sounds at their frames, with their gains, shape (frames,)."""
    out = np.zeros(frames + 50000, np.float32)
    for sound, frame, gain in placed:
        out[frame : frame + len(sound)] += np.float32(gain) * sound
    return np.clip(out[:frames], -1, 1)


@pytest.mark.parametrize("blocksize", [1, 17, 64, 441, 4096])
def test_the_output_is_the_sum_of_the_sounds_at_their_frames_in_every_channel(record, blocksize):
    made, sounds = record
    placed = [(0, 0, 1.0), (1, 130, 0.5), (2, 131, 0.25), (0, 900, 0.75)]
    for number, frame, gain in placed:
        click.begin(made[0], number, frame, np.float32(gain))
    out = mixed(made, 4096, blocksize)
    expected = summed([(sounds[n], frame, gain) for n, frame, gain in placed], 4096)
    np.testing.assert_array_equal(out[:, 0], expected)
    np.testing.assert_array_equal(out[:, 1], expected)


def test_one_sound_too_many_takes_the_place_of_the_one_that_began_first(record):
    made, sounds = record
    frames = [40 - 2 * v for v in range(click.VOICES)]  # the last one is the first to begin
    for frame in [*frames, 50]:
        click.begin(made[0], 0, frame, np.float32(0.1))
    placed = [(sounds[0], frame, 0.1) for frame in [*frames[:-1], 50]]
    np.testing.assert_allclose(mixed(made, 2048)[:, 0], summed(placed, 2048), atol=1e-6)


def test_a_voice_is_free_when_its_sound_is_over(record):
    made, _ = record
    click.begin(made[0], 0, 0, np.float32(1.0))
    for frame in range(0, 3 * 40, 3):
        click.begin(made[0], 1, frame, np.float32(1.0))
        made["clock"] = frame
        mixed(made, 3)
        made["filled"] = 0
    assert made["voices"]["left"][0, 0] == 1000 - 120
    assert not made["voices"]["left"][0, 1:].any()


def test_too_much_at_once_is_clipped_at_full_scale(record):
    made, _ = record
    for _ in range(10):
        click.begin(made[0], 0, 0, np.float32(20.0))
    assert np.abs(mixed(made, 1024)).max() == 1.0


def test_silence_is_written_where_nothing_sounds(record):
    made, _ = record
    assert not mixed(made, 200).any()


def test_pings_begin_at_their_frames_and_there_are_no_more():
    pings = Pings(3, 0.1, 0.25, -6.0)
    processor = Processor()
    processor.prepare(RATE, HOP)
    pings.prepare(processor, 2)
    out = mixed(processor.record, RATE)
    placed = [(pings.sound(RATE), frame, 1.0) for frame in pings.frames(RATE)]
    np.testing.assert_array_equal(out[:, 0], summed(placed, RATE))
    assert np.abs(out).max() == pytest.approx(10 ** (-6 / 20))


@pytest.fixture(scope="module")
def kit(drums, tmp_path_factory):
    """What the groove teaches, in a file."""
    path = tmp_path_factory.mktemp("kit") / "groove.kit"
    processor = Processor(Settings(classes=3))
    processor.prepare(RATE, HOP)
    processor.process(drums.audio)
    processor.flush()
    for class_, name in enumerate(("kick", "snare", "hat")):
        processor.rename(class_, name)
    processor.save_kit(path)
    return path


def play(kit, audio, clicks, blocksize=HOP, driver=None, muted=(), before=lambda _: None):
    """Events and output of a stream with a stereo output, or with none."""
    processor = Processor(kit=kit, driver=driver)
    processor.prepare(RATE, blocksize)
    processor.record["synchronous"] = 0
    out = np.full((len(audio), 2), np.nan, np.float32)
    if clicks is not None:
        clicks.prepare(processor, 2)
    for class_ in muted:
        processor.mute(class_, True)
    before(processor)
    events = []
    for at in range(0, len(audio), blocksize):
        block = np.ascontiguousarray(audio[at : at + blocksize].reshape(-1, 1))
        processor.advance(block)
        if clicks is not None:
            mix(processor.record, out[at:].ctypes.data, len(block))
        new = processor.collect()
        events += new + processor.learn(new)
    return events, out[:, 0]


def expected_of(events, kind, frames, grid, sound_of):
    """The tones of the events of a kind, at the frames where they belong."""
    placed = [
        (sound, event.emitted - grid, np.float32(event.velocity / 127.0))
        for event in events
        if type(event) is kind and (sound := sound_of(event)) is not None
    ]
    assert placed
    return summed(placed, frames)


def tone_of(event):
    return (LEVEL * tone(RATE, event.class_)).astype(np.float32) if event.class_ >= 0 else None


@pytest.mark.parametrize("blocksize", [16, 64, 100, 128, 441, 480])
@pytest.mark.parametrize("driver", ["compiled", "python"])
def test_a_tone_begins_at_a_fixed_distance_from_the_end_of_its_hop(drums, kit, blocksize, driver):
    audio = drums.audio[: 3 * RATE]
    events, out = play(kit, audio, Clicks(), blocksize, driver)
    grid = math.gcd(HOP, blocksize)
    # Of a block of no whole hops the grid is known once the first has been heard.
    expected = expected_of(events, Guess, len(audio), grid, tone_of)
    np.testing.assert_allclose(out, expected, atol=1e-6)
    assert np.abs(out).max() > 0.1


@pytest.mark.parametrize("kind", [Guess, Final])
def test_a_sound_follows_the_event_that_was_asked_for(drums, kit, kind):
    audio = drums.audio[: 3 * RATE]
    events, out = play(kit, audio, Clicks(send=kind.__name__.lower()))
    np.testing.assert_allclose(out, expected_of(events, kind, len(audio), HOP, tone_of), atol=1e-6)


def test_on_onsets_all_hits_sound_alike(drums, kit):
    audio = drums.audio[: 3 * RATE]
    events, out = play(kit, audio, Clicks(send="onset"))
    same = (LEVEL * tone(RATE)).astype(np.float32)
    expected = expected_of(events, Onset, len(audio), HOP, lambda _: same)
    np.testing.assert_allclose(out, expected, atol=1e-6)


def test_hits_without_a_class_make_no_sound(drums):
    events, out = play(None, drums.audio[:RATE], Clicks())
    assert any(type(event) is Guess for event in events)
    assert not out.any()


def test_a_muted_class_is_silent_until_it_is_let_sound_again(drums, kit):
    audio = drums.audio[: 3 * RATE]
    events, out = play(kit, audio, Clicks(), muted=(1, 2))
    expected = expected_of(
        events, Guess, len(audio), HOP, lambda e: tone_of(e) if e.class_ == 0 else None
    )
    np.testing.assert_allclose(out, expected, atol=1e-6)
    _, whole = play(
        kit, audio, Clicks(), muted=(1,), before=lambda processor: processor.mute(1, False)
    )
    np.testing.assert_array_equal(whole, play(kit, audio, Clicks())[1])


def test_only_a_class_that_there_is_can_be_muted(kit):
    processor = Processor(kit=kit)
    processor.prepare(RATE, HOP)
    with pytest.raises(RtclusterError, match="Expected a class from 0 to 2, got 3"):
        processor.mute(3, True)


def test_a_sound_changes_no_event(drums, kit):
    audio = drums.audio[: 3 * RATE]
    assert play(kit, audio, Clicks())[0] == play(kit, audio, None)[0] != []


def test_a_new_stream_begins_in_silence_and_with_the_sounds_of_before(kit):
    processor = Processor(kit=kit)
    processor.prepare(RATE, HOP)
    clicks = Clicks()
    clicks.prepare(processor, 2)
    click.begin(processor.record[0], 0, 10**9, np.float32(1.0))
    processor.reset()
    assert not processor.record["voices"]["left"].any()
    assert processor.record["click"]["outputs"] == 2
    assert processor.record["click"]["of_class"][0, 0, :3].tolist() == [0, 1, 2]
