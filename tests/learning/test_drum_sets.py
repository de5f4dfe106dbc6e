from __future__ import annotations

import itertools
import json
import time

import numpy as np
import pytest
import soxr

from rtcluster import Final, Guess, Processor, Settings
from rtcluster.events import NOBODY
from rtcluster.learning import examples
from rtcluster.learning.drum_sets import HEARD, OF_THREE, Odds, train
from rtcluster.learning.strokes import LEAD_S, Stroke
from tests.support.taught import (
    ALL,
    NAMES,
    RATE,
    TONES,
    heard,
    performance,
    stroke,
    taught_kit,
)


@pytest.fixture(scope="module")
def kit():
    return taught_kit()


def right(events, sets, starts, kind=Final):
    """Share of the hits in which exactly these drums were told."""
    own = [event for event in events if type(event) is kind]
    told = [min(own, key=lambda event: abs(event.sample - start)) for start in starts]
    names = [{part.name for part in event.parts} for event in told]
    return np.mean([{*drums} == heard for drums, heard in zip(sets, names, strict=True)])


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("gain", [0.15, 1.0])
def test_two_drums_at_once_are_told_at_any_gain_and_rate(kit, rate, gain):
    random = np.random.default_rng(7)
    sets = [ALL[n % len(ALL)] for n in range(36)]
    audio, starts = performance(sets, random, gain=gain)
    audio, starts = soxr.resample(audio, RATE, rate), [start * rate // RATE for start in starts]
    events = heard(kit, audio, rate)
    assert right(events, sets, starts) >= 0.9
    assert right(events, sets, starts, Guess) >= 0.85


@pytest.mark.parametrize("options", [{"guess": "10ms"}, {"guess": "20ms", "window": "60ms"}])
def test_a_kit_with_its_audio_works_with_another_guess_and_window(kit, options):
    sets = [ALL[n % len(ALL)] for n in range(24)]
    audio, starts = performance(sets, np.random.default_rng(8))
    assert right(heard(kit, audio, **options), sets, starts) >= 0.85


@pytest.fixture(scope="module")
def tones():
    return taught_kit([*TONES])


def test_three_drums_at_once_are_told_and_one_or_two_stay_so(tones):
    sets = [drums for size in (1, 2, 3) for drums in itertools.combinations(TONES, size)] * 4
    audio, starts = performance(sets, np.random.default_rng(13))
    events = heard(tones, audio)
    assert right(events, sets, starts) >= 0.9
    assert right(events, sets, starts, Guess) >= 0.9


@pytest.mark.parametrize("strong", TONES)
def test_which_of_three_is_the_strongest_is_told_by_the_power(tones, strong):
    audio, starts = performance([(*TONES,)] * 4, np.random.default_rng(14))
    audio *= 0.3
    for n, start in enumerate(starts):
        own = 0.3 * stroke(strong, RATE, np.random.default_rng(n))
        audio[start : start + len(own)] += own
    finals = [event for event in heard(tones, audio) if isinstance(event, Final)]
    assert [event.name for event in finals] == [strong] * 4
    assert {len(event.parts) for event in finals} == {3}
    assert all(event.parts[0].velocity > event.parts[1].velocity + 5 for event in finals)


def test_sets_of_three_are_learned_of_a_few_drums_alone():
    random = np.random.default_rng(3)
    own = np.concatenate([np.zeros(int(LEAD_S * RATE)), stroke("kick", RATE, random)])
    for count in (2, OF_THREE[-1], OF_THREE[-1] + 1):
        strokes = [Stroke(n, own.astype(np.float32)[: int(0.1 * RATE)]) for n in range(count)]
        sets = train(strokes, count, RATE, RATE, 1323, 2000)
        assert any(NOBODY not in drums for drums in sets.drums) is (count in OF_THREE)


@pytest.mark.parametrize("drums", [("kick", "hat"), (*TONES,)])
def test_class_and_name_are_the_strongest_parts_and_each_has_its_velocity(kit, tones, drums):
    audio, _ = performance([drums] * 6, np.random.default_rng(9))
    for event in heard(kit if "kick" in drums else tones, audio):
        if isinstance(event, (Guess, Final)):
            assert (event.class_, event.name) == (event.parts[0].class_, event.parts[0].name)
            assert {part.name for part in event.parts} == {*drums}
            loud = [part.velocity for part in event.parts]
            assert loud == sorted(loud, reverse=True)
            assert all(1 <= one <= event.velocity for one in loud)
            line = event.as_dict()
            assert line["parts"][1] == {"class": event.parts[1].class_, "name": event.parts[1].name,
                                        "velocity": loud[1]}  # fmt: skip


def test_any_block_size_gives_the_same_parts(kit):
    audio, _ = performance(ALL, np.random.default_rng(10))
    whole = heard(kit, audio)
    assert heard(kit, audio, block=1 + 441) == whole
    assert heard(kit, audio, block=64) == whole


def test_training_is_deterministic():
    random = np.random.default_rng(3)
    strokes = [
        Stroke(n, np.concatenate([np.zeros(int(LEAD_S * RATE)), stroke(drum, RATE, random)])
               .astype(np.float32)[: int(0.15 * RATE)])
        for n, drum in enumerate(NAMES) for _ in range(3)
    ]  # fmt: skip
    one, other = (train(strokes, 3, RATE, RATE, 1323, 3969) for _ in range(2))
    lone, pairs = [(n, NOBODY, NOBODY) for n in range(3)], [(0, 1), (0, 2), (1, 2)]
    assert one.drums == (*lone, *((*pair, NOBODY) for pair in pairs), (0, 1, 2))
    for a, b in zip(one.judges, other.judges, strict=True):
        assert np.array_equal(a.weights, b.weights)


def test_what_is_played_often_becomes_likelier_and_a_frozen_kit_does_not_learn_it(kit):
    sets = train_of(kit)
    odds = Odds(sets)
    before = odds.prior()
    for _ in range(int(HEARD)):
        odds.learn([2, 0])
    place = sets.drums.index((0, 2, NOBODY))
    assert odds.prior()[place] > before[place] + 1.0
    audio, _ = performance(ALL, np.random.default_rng(11))
    for freeze in (False, True):
        models = [e for e in heard(kit, audio, freeze=freeze) if type(e).__name__ == "ModelChange"]
        assert (len(models) > 1) is not freeze


def train_of(kit):
    processor = Processor(kit=kit)
    processor.prepare(RATE)
    return kit.drum_sets(RATE, processor.spans)


def test_a_hit_like_no_set_is_unknown_if_that_was_asked_for(kit):
    random = np.random.default_rng(12)
    audio, _ = performance([("kick",), ("snare",), ("hat",)], random)
    at = np.arange(int(0.2 * RATE)) / RATE
    whistle = 0.3 * np.sin(2 * np.pi * 3000.0 * at) * np.exp(-at / 0.05)
    audio[int(1.55 * RATE) : int(1.55 * RATE) + len(whistle)] += whistle.astype(np.float32)
    finals = [e for e in heard(kit, audio, reject=3.0) if isinstance(e, Final)]
    told = [
        min(finals, key=lambda e: abs(e.sample - at * RATE)).name for at in (0.3, 0.8, 1.3, 1.55)
    ]
    assert told == ["kick", "snare", "hat", "unknown"]


def test_a_kit_keeps_its_audio_through_a_file(kit, tmp_path):
    from rtcluster.learning.kit_file import load, save

    path = tmp_path / "my.kit"
    save(path, kit)
    assert load(path) == kit
    assert [one["class"] for one in kit.strokes["audio"]] == [0] * 5 + [1] * 5 + [2] * 5
    assert path.stat().st_size < 15 * 20_000 + 50_000


def test_a_kit_of_the_version_before_loads_and_tells_one_drum_a_hit(kit, tmp_path):
    from rtcluster.learning import kit_format
    from rtcluster.learning.kit_file import load

    old = {"rtcluster_kit": 1, **kit.content()}
    del old["strokes"]
    old["check"] = kit_format.check_sum(old)
    path = tmp_path / "old.kit"
    path.write_text(json.dumps(old))
    loaded = load(path)
    assert loaded.lacks_audio
    assert not kit.lacks_audio
    audio, _ = performance(ALL, np.random.default_rng(13))
    events = [e for e in heard(loaded, audio) if isinstance(e, (Guess, Final))]
    assert events
    assert all(len(e.parts) == 1 and e.parts[0].name == e.name for e in events)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda one: one["audio"][0].update(pcm="AAA"), "samples of 16 bits in a stroke, got None"),
        (lambda one: one["audio"][0].update(pcm=""), "samples of 16 bits in a stroke, got 0"),
        (lambda one: one["audio"][0].update(pcm="A" * 40_000), "in a stroke, got 15000"),
        (
            lambda one: one["audio"][0].update(peak=1e9),
            "`float` <= 1000.0 - at `$.strokes.audio[0].peak`",
        ),
        (lambda one: one["audio"][0].update({"class": 3}), "a stroke from 0 to 2, got 3"),
        (lambda one: one.update(audio=one["audio"][:5]), "a stroke of each class, got"),
        (lambda one: one.update(audio=one["audio"] * 30), "`array` of length <= 384"),
        (lambda one: one.update(samplerate=1), "`int` >= 8000 - at `$.strokes.samplerate`"),
    ],
)
def test_strokes_that_are_none_are_refused_in_one_line(kit, tmp_path, change, says):
    from rtcluster import RtclusterError
    from rtcluster.learning import kit_format
    from rtcluster.learning.kit_file import load

    content = {"rtcluster_kit": 2, **json.loads(json.dumps(kit.content()))}
    change(content["strokes"])
    content["check"] = kit_format.check_sum(content)
    path = tmp_path / "bad.kit"
    path.write_text(json.dumps(content))
    with pytest.raises(RtclusterError) as caught:
        load(path)
    assert says in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_merged_and_removed_drums_take_their_audio_along(kit):
    from rtcluster.learning import kit_edit

    merged = kit_edit.merge(kit, "hat", "kick")
    assert merged.names == ("snare", "hat")
    assert [one["class"] for one in merged.strokes["audio"]] == [1] * 5 + [0] * 5 + [1] * 5
    removed = kit_edit.remove(kit, "kick")
    assert [one["class"] for one in removed.strokes["audio"]] == [0] * 5 + [1] * 5


def test_a_session_with_a_kit_saves_its_audio_again(kit, tmp_path):
    processor = Processor(Settings(guess="10ms"), kit=kit)
    processor.prepare(48000)
    processor.process(np.zeros(48000, np.float32))
    again = processor.save_kit(tmp_path / "again.kit")
    assert again == kit


def test_twelve_drums_are_trained_within_three_seconds():
    random = np.random.default_rng(14)
    lead = np.zeros(int(LEAD_S * RATE))
    strokes = [
        Stroke(n, (np.concatenate([lead, stroke(NAMES[n % 3], RATE, random)]))
               .astype(np.float32)[: int(0.15 * RATE)])
        for n in range(12) for _ in range(5)
    ]  # fmt: skip
    train(strokes[:2], 1, RATE, RATE, 1323, 3969)  # compiles
    begin = time.process_time()
    train(strokes, 12, RATE, RATE, 1323, 3969)
    assert time.process_time() - begin < 3.0


def test_the_same_examples_are_made_at_any_rate():
    def drawn(rate):
        taught = [Stroke(c, np.ones(int(0.15 * rate), np.float32)) for c in (0, 0, 1, 2)]
        return examples.make(taught, 3, rate, int(0.023 * rate), int(0.09 * rate), seed=0)

    one, other = drawn(44100), drawn(96000)
    np.testing.assert_array_equal(one.sets, other.sets)
    apart = np.diff(one.starts) / 44100 - np.diff(other.starts) / 96000
    assert np.abs(apart).max() < 2 / 44100
