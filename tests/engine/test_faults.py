"""A microphone of a kit that fails is told, left out, and back when it sounds again."""

from __future__ import annotations

import numpy as np
import pytest

from rtcluster import Final, Microphone, Processor, Settings
from rtcluster.kernel.faults import CLIPPED_HITS, UNCLIPPED_HITS
from tests.support.microphones import ALL, RATE, performance, taught_kit

SPLIT = 7
"""The hit from which on a microphone fails."""


@pytest.fixture(scope="module")
def kit():
    return taught_kit()


@pytest.fixture(scope="module")
def played():
    sets = [ALL[n % len(ALL)] for n in range(21)]
    return sets, *performance(sets, np.random.default_rng(5))


def heard(kit, audio, block=None):
    processor = Processor(Settings(), kit=kit)
    processor.prepare(RATE, channels=audio.shape[1])
    block = block or len(audio)
    events = [
        e for at in range(0, len(audio), block) for e in processor.process(audio[at : at + block])
    ]
    return [*events, *processor.flush()]


def told(events):
    return [(e.channel, e.state) for e in events if isinstance(e, Microphone)]


def right(events, sets):
    finals = [{part.name for part in e.parts} for e in events if isinstance(e, Final)]
    assert len(finals) == len(sets)
    return [one == {*drums} for one, drums in zip(finals, sets, strict=True)]


def unplugged(audio, starts, microphone, noise=0.0, until=None):
    """The audio with nothing on a microphone from a hit on."""
    out, begin = audio.copy(), starts[SPLIT] - int(0.1 * RATE)
    end = len(audio) if until is None else starts[until] - int(0.1 * RATE)
    out[begin:end, microphone] = noise * np.random.default_rng(1).standard_normal(end - begin)
    return out


@pytest.mark.parametrize("microphone", [0, 1, 2])
@pytest.mark.parametrize("noise", [0.0, 1e-5])
def test_a_microphone_without_sound_is_told_and_not_judged_by(kit, played, microphone, noise):
    sets, audio, starts = played
    events = heard(kit, unplugged(audio, starts, microphone, noise))
    assert told(events) == [(microphone + 1, "silent")]
    found = next(e for e in events if isinstance(e, Microphone))
    assert starts[SPLIT] - 0.005 * RATE <= found.sample <= starts[SPLIT + 2] + 0.005 * RATE
    known = next(n for n, start in enumerate(starts) if start > found.sample - 0.005 * RATE)
    assert right(events, sets)[known:].count(False) <= 3  # of 12 to 14; judged by it, 5 to 7
    assert not {e.channel for e in events if isinstance(e, Final) and e.sample > found.sample} & {
        microphone + 1
    }


def test_with_its_silence_judged_by_drums_are_taken_for_others(kit, played, monkeypatch):
    """What the rule is for: the same kit, with the classifier of all microphones in its place."""
    sets, audio, starts = played
    processor = Processor(Settings(), kit=kit)
    processor.prepare(RATE, channels=3)
    processor.record["silences"] = 1
    events = [*processor.process(unplugged(audio, starts, 1)), *processor.flush()]
    assert told(events) == []
    assert right(events, sets)[SPLIT:].count(False) >= 5


def test_it_is_back_as_soon_as_its_own_detector_fires(kit, played):
    sets, audio, starts = played
    events = heard(kit, unplugged(audio, starts, 1, until=14))
    assert told(events) == [(2, "silent"), (2, "back")]
    assert all(right(events, sets)[14:])


@pytest.mark.parametrize("block", [17, 64, 4096])
def test_any_block_size_finds_it_at_the_same_sample(kit, played, block):
    _, audio, starts = played
    audio = unplugged(audio, starts, 0, until=14)
    assert heard(kit, audio, block) == heard(kit, audio)


def test_a_microphone_that_clips_hard_is_told_and_comes_back(kit, played):
    # The microphone of the kick, which is in each hit here: far too much gain, then as taught.
    sets = [("kick",)] * (CLIPPED_HITS + UNCLIPPED_HITS + 2)
    audio, starts = performance(sets, np.random.default_rng(5))
    end = starts[CLIPPED_HITS] - int(0.1 * RATE)
    loud = audio.copy()
    loud[:end, 0] = np.clip(30.0 * loud[:end, 0], -1.0, 1.0)
    events = heard(kit, loud)
    assert told(events) == [(1, "clips"), (1, "back")]
    clips, back = (e for e in events if isinstance(e, Microphone))
    assert abs(clips.sample - starts[CLIPPED_HITS - 1]) <= 0.005 * RATE
    assert abs(back.sample - starts[CLIPPED_HITS + UNCLIPPED_HITS - 1]) <= 0.005 * RATE


def test_a_peak_that_clips_now_and_then_is_no_fault(kit, played):
    sets, audio, _ = played
    events = heard(kit, np.clip(audio * 1.5 / np.abs(audio).max(), -1.0, 1.0).astype(np.float32))
    assert told(events) == []
    assert all(right(events, sets))


def test_a_microphone_that_was_silent_when_taught_is_none_that_fails(played):
    kit = taught_kit(silent=2)
    _, audio, _ = played
    audio = audio.copy()
    audio[:, 2] = 0.0
    assert told(heard(kit, audio)) == []
