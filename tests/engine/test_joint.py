"""One kit with several microphones: each stroke is told once, by whoever knows it best."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from rtcluster import Final, Guess, Onset, Processor, Settings
from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.kernel.joint import EVIDENCE, decide_onset, note_fired
from rtcluster.learning import kit_format
from rtcluster.learning.bleed import bleed_of
from rtcluster.learning.kit_file import load, save
from rtcluster.learning.strokes import Stroke, read
from tests.support.microphones import ALL, BLEED, DELAY, MICROPHONES, NAMES, RATE, performance
from tests.support.microphones import taught_kit as make_kit


@pytest.fixture(scope="module")
def kit():
    return make_kit()


@pytest.fixture(scope="module")
def played():
    sets = [ALL[n % len(ALL)] for n in range(18)]
    return sets, *performance(sets, np.random.default_rng(5))


def heard(kit, audio, block=None, driver=None, **options):
    processor = Processor(Settings(), kit=kit, driver=driver, **options)
    processor.prepare(RATE, channels=audio.shape[1])
    block = block or len(audio)
    events = [
        e for at in range(0, len(audio), block) for e in processor.process(audio[at : at + block])
    ]
    return [*events, *processor.flush()]


def of(events, kind):
    return [event for event in events if type(event) is kind]


@pytest.fixture(scope="module")
def events(kit, played):
    return heard(kit, played[1])


def test_each_stroke_is_told_once_where_it_began(events, played):
    sets, _, starts = played
    onsets = of(events, Onset)
    assert len(onsets) == len(starts)
    assert [e.id for e in onsets] == list(range(len(starts)))
    lone = [len(drums) == 1 for drums in sets]
    late = np.array([e.sample for e in onsets]) - starts
    assert np.abs(late[lone]).max() <= 44  # 1 ms; to the other microphones it is 1.6 to 3.2 ms
    for kind in (Guess, Final):
        assert [(e.id, e.sample) for e in of(events, kind)] == [(e.id, e.sample) for e in onsets]


def test_onsets_come_within_some_milliseconds(events, played):
    waited = [e.emitted - start for e, start in zip(of(events, Onset), played[2], strict=True)]
    assert np.percentile(waited, 50) <= 0.006 * RATE


@pytest.mark.parametrize("kind", [Guess, Final])
def test_one_drum_or_two_are_told_on_the_microphone_of_the_first(events, played, kind):
    for event, drums in zip(of(events, kind), played[0], strict=True):
        assert {part.name for part in event.parts} == {*drums}
        assert event.channel == MICROPHONES[NAMES.index(event.name)]


def test_three_drums_at_once_are_each_as_loud_as_on_their_own_microphone(kit):
    sets = [*((name,) for name in NAMES), NAMES, NAMES]
    audio, _ = performance(sets, np.random.default_rng(6))
    finals = of(heard(kit, audio), Final)
    assert [len(event.parts) for event in finals] == [1, 1, 1, 3, 3]
    alone = {event.name: event.velocity for event in finals[:3]}
    for event in finals[3:]:
        assert {part.name for part in event.parts} == {*NAMES}
        assert event.parts[0].velocity == event.velocity  # nobody else is on its microphone
        assert all(abs(part.velocity - alone[part.name]) < 25 for part in event.parts)


def test_the_gains_of_single_microphones_do_not_count(kit, played):
    sets, audio, _ = played
    other = audio * np.array([0.5, 1.9, 0.6], np.float32)
    told = [{part.name for part in e.parts} for e in of(heard(kit, other), Final)]
    assert told == [{*drums} for drums in sets]


@pytest.mark.parametrize("block", [17, 64, 4096])
def test_any_block_size_gives_the_same_events(kit, played, events, block):
    assert heard(kit, played[1], block) == events


def test_the_python_driver_gives_the_same_events(kit, played, events):
    assert heard(kit, played[1], driver="python") == events


def test_the_microphones_may_be_in_other_channels(kit, played, events):
    wide = np.zeros((len(played[1]), 6), np.float32)
    wide[:, [5, 1, 3]] = played[1]
    moved = heard(kit, wide, microphones=(6, 2, 4))
    assert [e.name for e in of(moved, Final)] == [e.name for e in of(events, Final)]
    assert {e.channel for e in of(moved, Final)} == {6, 2, 4}


def test_the_lessons_say_which_microphone_hears_which_drum_and_when(kit):
    bleed = bleed_of(read(kit.strokes, RATE), len(NAMES), RATE)
    assert bleed.home.tolist() == [0, 1, 2]
    gain = 20.0 * np.log10(BLEED * np.array([1.0, 0.5, 1.6]))
    assert bleed.relative_db == pytest.approx(gain - np.diag(gain)[:, None], abs=2.0)
    assert bleed.delay == pytest.approx(DELAY, abs=30)
    assert bleed.lag.tolist() == [0, 0, 0]


def test_a_microphone_that_is_no_drums_own_is_behind_by_its_distance():
    random = np.random.default_rng(3)
    burst = random.standard_normal(2000) * np.exp(-np.arange(2000) / 400)
    audio = 1e-5 * random.standard_normal((6000, 2))
    audio[200:2200, 0] += burst
    audio[320:2320, 1] += 0.3 * burst
    bleed = bleed_of([Stroke(0, audio.astype(np.float32))], 1, RATE)
    assert bleed.home.tolist() == [0]
    assert bleed.lag == pytest.approx([0, 120], abs=2)


def fired(processor, *strengths):
    """Let the microphones fire in one hop, and three hops pass."""
    states, hop = processor.record, processor.spans.hop
    for n in range(4):
        for m, strength in enumerate(strengths, 1):
            states[m]["strength"] = 0.0 if n else strength
            if strength and not n:
                note_fired(states[0], states[m], m)
        decide_onset(states)
        states["clock"] += hop
    return of(processor.collect(), Onset)


@pytest.mark.parametrize(
    ("strengths", "count"),
    [((0.99 * EVIDENCE, 0, 0), 0), ((1.01 * EVIDENCE, 0, 0), 1), ((1.0, 1.0, 0), 1)],
)
def test_one_microphone_has_to_fire_clearly_and_two_confirm_each_other(strengths, count):
    processor = Processor(microphones=MICROPHONES)
    processor.prepare(RATE, channels=3)
    assert len(fired(processor, *strengths)) == count


def test_a_kit_of_several_microphones_is_the_same_from_its_file(kit, tmp_path):
    path = tmp_path / "a.kit"
    save(path, kit)
    assert load(path) == kit
    assert load(path).microphones == MICROPHONES


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.update(microphones=[1, 2]), "2 microphones in a stroke"),
        (lambda c: c.update(microphones=[1, 1, 2]), "microphones that differ"),
        (lambda c: c.update(microphones=[1, 2, 0]), r"microphones\[2\]"),
        (lambda c: c["strokes"]["audio"][0].update(pcm="AAAA"), "on the kit's microphones"),
        (lambda c: c["strokes"]["audio"][0]["pcm"].__setitem__(0, "AAA="), "as many samples"),
    ],
)
def test_a_kit_whose_microphones_do_not_agree_is_refused(kit, tmp_path, change, words):
    content = copy.deepcopy(kit.content())
    change(content)
    path = tmp_path / "bad.kit"
    path.write_text(kit_format.text_of(content), encoding="utf-8")
    with pytest.raises(RtclusterError, match=words):
        load(path)


def test_channels_that_are_not_there_are_refused(kit):
    with pytest.raises(SettingsError, match="Expected a microphone on channel 3, got 2 channels"):
        Processor(Settings(), kit=kit).prepare(RATE, channels=2)
    with pytest.raises(SettingsError, match="Expected 3 channels for the kit, got 2"):
        Processor(Settings(), kit=kit, microphones=(1, 2))
