from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest

from rtcluster import (
    Final,
    Guess,
    MergeOffer,
    ModelChange,
    Onset,
    Processor,
    Relabel,
    RtclusterError,
    Settings,
)
from rtcluster.errors import SettingsError
from rtcluster.events import Control
from rtcluster.kernel import entry
from rtcluster.kernel.onset import COUNTER_RESET
from rtcluster.learning.learner import Update
from rtcluster.sources.virtual import VirtualInput
from tests.conftest import run


def of(events, kind):
    return [event for event in events if type(event) is kind]


@pytest.fixture(scope="module")
def events(drums):
    return run(drums.audio)


def test_every_stroke_has_one_onset_one_guess_and_one_final(drums, events):
    numbers = list(range(len(drums.strokes)))
    for kind in (Onset, Guess, Final):
        assert [event.id for event in of(events, kind)] == numbers


def test_onsets_are_dated_to_the_strokes(drums, events):
    late = [o.sample - s.sample for o, s in zip(of(events, Onset), drums.strokes, strict=True)]
    assert np.median(np.abs(late)) < 0.001 * 44100
    assert np.max(np.abs(late)) < 0.010 * 44100


def test_a_hits_events_come_in_order_and_after_what_they_are_about(events):
    for onset, guess, final in zip(
        of(events, Onset), of(events, Guess), of(events, Final), strict=True
    ):
        assert onset.sample < onset.emitted <= guess.emitted <= final.emitted
        assert guess.sample == final.sample == onset.sample
        assert guess.sample + guess.span <= guess.emitted
        assert onset.time == round(onset.sample / 44100, 6)


def test_latency_is_an_upper_bound_for_guess_and_final(drums):
    processor = Processor(Settings(classes=3))
    processor.prepare(44100, 64)
    for event in processor.process(drums.audio):
        if isinstance(event, Final):
            assert event.emitted - event.sample <= processor.latency.final
        elif isinstance(event, Guess):
            assert event.emitted - event.sample <= processor.latency.guess


def test_the_warm_up_has_no_class_and_is_relabelled_once(events):
    finals, relabels = of(events, Final), of(events, Relabel)
    assert [final.class_ for final in finals[:8]] == [-1] * 8
    assert all(final.class_ >= 0 for final in finals[9:])
    assert [relabel.id for relabel in relabels] == list(range(8))


def test_classes_are_numbered_by_rising_zero_crossings(events):
    zcr = {c: np.mean([f.zcr for f in of(events, Final) if f.class_ == c]) for c in range(3)}
    assert zcr[0] < zcr[1] < zcr[2]


def test_a_model_takes_effect_twenty_milliseconds_after_its_final(events):
    finals = {f.emitted: f for f in of(events, Final)}
    changes = of(events, ModelChange)
    assert changes
    for change in changes:
        lead = change.effective - max(e for e in finals if e <= change.effective)
        assert 882 <= lead < 882 + 64
        assert not change.late


def test_a_hit_inside_the_window_cuts_the_one_before_it(drums):
    audio = np.zeros(44100, np.float32)
    stroke = drums.strokes[1]
    sound = drums.audio[stroke.sample : stroke.sample + 1500]
    audio[8000:9500] += sound
    audio[10500:12000] += sound
    finals = of(run(audio), Final)
    onsets = of(run(audio), Onset)
    assert [final.overlapped for final in finals] == [True, False]
    assert finals[0].span == onsets[1].sample - onsets[0].sample
    assert finals[0].emitted == onsets[1].emitted


def test_the_end_of_the_stream_settles_what_is_open(drums):
    last = drums.strokes[-1].sample
    events = run(drums.audio[: last + 2001])
    final = of(events, Final)[-1]
    assert final.sample + final.span == last + 2001
    assert final.emitted == last + 2001
    assert not final.overlapped


def test_a_short_stream_forms_its_classes_at_the_end(drums):
    events = run(drums.audio[: drums.strokes[5].sample])
    assert len(of(events, Relabel)) == len(of(events, Onset)) == 5


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_hop_with_nan_or_inf_is_silence_and_counted(drums, events, bad):
    audio = drums.audio.copy()
    audio[[100, 110, 5000]] = bad
    processor = Processor(Settings(classes=3))
    processor.prepare(44100, 64)
    broken = processor.process(audio) + processor.flush()
    assert processor.counts.bad_hops == 2
    assert len(of(broken, Onset)) == len(of(events, Onset))


def test_extreme_samples_do_no_lasting_harm(drums, events):
    audio = np.concatenate([np.full(4410, 3e38, np.float32), np.zeros(44100, np.float32)])
    found = of(run(np.concatenate([audio, drums.audio])), Onset)
    first = len(audio) + drums.strokes[0].sample
    assert [o.sample - len(audio) for o in found if o.sample >= first - 44] == [
        o.sample for o in of(events, Onset)
    ]


def test_the_greatest_samples_there_are_make_events_of_finite_numbers():
    rng = np.random.default_rng(0)
    burst = np.zeros(8820, np.float32)
    burst[2205:] = rng.choice([-3.4e38, 3.4e38], 6615)
    found = run(burst)
    assert of(found, Final)
    for event in found:
        json.dumps(event.as_dict(), allow_nan=False)


def test_frozen_learning_publishes_no_model_after_the_first(drums):
    frozen = run(drums.audio, settings=Settings(classes=3, freeze=True))
    assert [change.version for change in of(frozen, ModelChange)] == [1]
    assert of(frozen, Final)[-1].class_ >= 0


def test_parameters_can_be_set_while_running(drums):
    processor = Processor(Settings(classes=3))
    processor.prepare(44100, 64)
    half = len(drums.audio) // 2
    processor.process(drums.audio[:half])
    processor.threshold = 100.0
    processor.mask = "100ms"
    assert processor.mask == 4410
    processor.mask = 30  # of samples, as one reads it
    assert processor.mask == 30
    with pytest.raises(SettingsError, match="30ms or 30samples"):
        processor.mask = "30"
    assert of(processor.process(drums.audio[half:]), Onset) == []
    with pytest.raises(SettingsError):
        processor.threshold = -1.0


@pytest.mark.parametrize("driver", ["compiled", "python"])
def test_the_clock_survives_the_wrap_of_aubios_counter(drums, driver):
    """aubio counts in 32 bits: 27 hours at 44.1 kHz. Here both counters are near their ends.

    The compiled driver sets aubio's back; with the Python one, aubio gets over its wrap itself.
    """
    processor = Processor(Settings(classes=3, method="hfc"), driver=driver)
    processor.prepare(44100, 64)
    plain = processor.process(drums.audio)
    start = 2**32 - 64 * 1000
    processor.reset(forget=True)
    processor.record["clock"] = start
    processor.record["aubio_frames"] = COUNTER_RESET - 64 * 1000
    set_aubios_counter(processor, start)
    shifted = processor.process(drums.audio)
    assert [o.sample - start for o in of(shifted, Onset)] == [o.sample for o in of(plain, Onset)]
    assert [f.zcr for f in of(shifted, Final)] == [f.zcr for f in of(plain, Final)]
    assert [f.class_ for f in of(shifted, Final)] == [f.class_ for f in of(plain, Final)]


def set_aubios_counter(processor, value):
    """Put aubio's private ``total_frames`` near its end, as a day of audio would."""
    import ctypes

    if processor.driver == "python":  # the binding holds it behind the head of its own object
        onset = processor._driver._detect[0].__self__._onset
        address = ctypes.c_void_p.from_address(id(onset) + object.__basicsize__).value
    else:
        address = int(processor.record["onset"][0])
    words = (ctypes.c_uint32 * 64).from_address(address)
    before = list(words)
    processor._driver.advance(np.zeros((64, 1), np.float32))
    moved = [i for i in range(64) if words[i] - before[i] == 64]
    assert len(moved) == 1
    words[moved[0]] = value
    processor.record["clock"] = value


@pytest.mark.parametrize(
    "block",
    [np.zeros((4, 2)), np.zeros((2, 2, 2)), np.array(["a"]), np.zeros(3, complex), None, 1.0],
)
def test_a_block_of_another_shape_is_refused_in_one_line(block):
    processor = Processor()
    processor.prepare(44100)
    with pytest.raises(RtclusterError, match=r"^Expected [^\n]*, got [^\n]*\.$"):
        processor.process(block)


def steps_of(audio, kind):
    """Audio rounded to the steps of an integer type; the integers, and the floats they stand for.

    uint8 is silent at 128, as in a WAV file.
    """
    half, zero = {np.uint8: (128, 128), np.int8: (128, 0)}.get(
        kind, (-float(np.iinfo(kind).min), 0)
    )
    steps = np.clip(np.round(audio.astype(np.float64) * half), -half, half - 1)
    return (steps + zero).astype(kind), (steps / half).astype(np.float32)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16, np.int32])
def test_integers_are_scaled_by_their_type(drums, kind):
    integers, floats = steps_of(drums.audio[: 2 * 44100], kind)
    processor = Processor(Settings(classes=3))
    processor.prepare(44100)
    heard = processor.process(integers[:, None])
    processor.reset(forget=True)
    assert of(heard, Onset)
    assert heard == processor.process(floats[:, None])


def test_integers_of_a_stream_are_scaled_by_their_type_too(drums):
    integers, floats = steps_of(drums.audio[: 2 * 44100], np.int16)
    heard = []
    for block in (integers, floats):
        processor = Processor(Settings(classes=3))
        processor.prepare(44100)
        processor.advance(block)
        heard.append(processor.collect())
    assert of(heard[0], Onset)
    assert heard[0] == heard[1]


@pytest.mark.parametrize("kind", [np.float64, np.float16])
def test_floats_of_any_width_and_stride_are_taken_as_they_are(drums, kind):
    audio = (drums.audio[: 2 * 44100] / 2).astype(kind)
    processor = Processor(Settings(classes=3))
    processor.prepare(44100)
    heard = processor.process(np.repeat(audio, 2)[::2])
    processor.reset(forget=True)
    assert of(heard, Onset)
    assert heard == processor.process(audio.astype(np.float32))


@pytest.mark.parametrize("kind", [np.int64, np.uint16])
def test_integers_whose_full_scale_nobody_knows_are_refused(kind):
    processor = Processor()
    processor.prepare(44100)
    with pytest.raises(RtclusterError, match=r"^Expected samples of a float type, .*, got .*\.$"):
        processor.process(np.ones(64, kind))


@pytest.mark.parametrize("take", [copy.copy, copy.deepcopy, pickle.dumps])
@pytest.mark.parametrize("prepared", [False, True])
def test_a_processor_is_neither_copied_nor_pickled(take, prepared):
    """A copy would free the detector of the one it was made from."""
    processor = Processor()
    if prepared:
        processor.prepare(44100)
    with pytest.raises(TypeError, match="cannot be copied or pickled"):
        take(processor)


def test_before_prepare_there_is_one_clear_line():
    with pytest.raises(RtclusterError, match="Expected prepare"):
        Processor().process(np.zeros(64))


@pytest.mark.parametrize(
    "asked",
    [
        "clock", "complete_until", "threshold", "mask", "frozen", "latency", "counts", "spans",
        "record", "collect", "flush", "reset", "callback_work_us", "callback_load",
    ],
)  # fmt: skip
def test_what_is_asked_before_prepare_says_so(asked):
    with pytest.raises(RtclusterError, match="Expected prepare"):
        getattr(Processor(), asked)()


@pytest.mark.parametrize(
    ("name", "value"), [("threshold", 0.1), ("mask", "30ms"), ("frozen", True)]
)
def test_what_is_set_before_prepare_says_so(name, value):
    with pytest.raises(RtclusterError, match="Expected prepare"):
        setattr(Processor(), name, value)


@pytest.mark.parametrize("wrong", [{"samplerate": 4000}, {"samplerate": 400000}])
def test_a_rate_out_of_range_is_refused(wrong):
    with pytest.raises(SettingsError, match="Expected a sample rate"):
        Processor().prepare(**wrong)


def test_a_channel_that_is_not_there_is_refused():
    with pytest.raises(SettingsError, match="Expected a channel from 0 to 1, got 2"):
        Processor().prepare(44100, channels=2, channel=2)


def test_two_processors_do_not_disturb_each_other(drums, events):
    pair = [Processor(Settings(classes=3)) for _ in range(2)]
    for processor in pair:
        processor.prepare(44100)
    heard = [[], []]
    for block in np.array_split(drums.audio, 50):
        for processor, out in zip(pair, heard, strict=True):
            out += processor.process(block)
    for processor, out in zip(pair, heard, strict=True):
        assert out + processor.flush() == events


def test_a_merge_is_offered_once(drums, monkeypatch):
    processor = Processor(Settings(classes=3))
    processor.prepare(44100)
    update = Update(merges=((0, 2),))
    monkeypatch.setattr(processor.learner, "learn", lambda lesson: update)
    offers = of(processor.process(drums.audio), MergeOffer)
    assert [offer.as_dict() for offer in offers] == [
        {"event": "merge_offer", "first": 0, "second": 2}
    ]


def test_parameters_survive_a_reset_and_are_told_from_the_first_sample(drums):
    processor = Processor(Settings(classes=3))
    processor.prepare(44100, 64)
    processor.process(drums.audio[: 5 * 44100])
    processor.threshold, processor.mask, processor.frozen = 0.25, 3000, True
    processor.mute(2, True)
    processor.rename(0, "bass")
    processor.reset()
    assert (processor.threshold, processor.mask, processor.frozen) == (0.25, 3000, True)
    assert processor.changed() == [
        ("rename", {"class": 0, "name": "bass"}),
        ("freeze", True),
        ("mute", {"class": 2, "muted": True}),
    ]
    told = processor.process(np.zeros(64, np.float32))
    controls = [(e.sample, e.what, e.value) for e in told if isinstance(e, Control)]
    assert controls == [(0, "threshold", 0.25), (0, "mask", 3000)]


def test_what_is_forgotten_takes_its_mutes_and_names_with_it_and_nothing_else(drums):
    processor = Processor(Settings(classes=3))
    processor.prepare(44100, 64)
    processor.process(drums.audio[: 5 * 44100])
    processor.threshold, processor.frozen = 0.25, True
    processor.mute(2, True)
    processor.rename(0, "bass")
    processor.reset(forget=True)
    assert processor.threshold == 0.25
    assert processor.changed() == [("freeze", True)]


def test_prepare_begins_with_the_settings_again():
    processor = Processor(Settings(classes=3))
    processor.prepare(44100, 64)
    fresh = processor.threshold, processor.mask
    processor.threshold, processor.mask = 0.25, 3000
    processor.prepare(44100, 64)
    assert (processor.threshold, processor.mask) == fresh


@pytest.mark.parametrize("call", ["close", "reset", "prepare"])
def test_nothing_is_freed_under_a_stream_that_runs(drums, call):
    processor = Processor(Settings(classes=3))
    source = VirtualInput(processor, drums.audio[:44100], 44100)
    arguments = (44100,) if call == "prepare" else ()
    with source, pytest.raises(RtclusterError, match=rf"stop it before {call}\(\)\.$"):
        getattr(processor, call)(*arguments)
    getattr(processor, call)(*arguments)


def test_leaving_its_context_closes_a_processor():
    with Processor(Settings(classes=2)) as processor:
        assert repr(processor) == "<Processor, not prepared>"
        processor.prepare(44100)
        assert repr(processor) == "<Processor at 44100 Hz: class 0, class 1; 0 hits>"
    with pytest.raises(RtclusterError, match="prepare"):
        processor.process(np.zeros(64, np.float32))


@pytest.mark.parametrize("channels", [1, 2])
def test_a_block_that_cannot_be_written_to_is_heard_at_once(drums, channels):
    """That of ``np.frombuffer``, say: to Numba it is of another type than the usual one."""
    audio = np.repeat(drums.audio[:, None], channels, axis=1)
    fixed = np.frombuffer(audio.tobytes(), np.float32).reshape(audio.shape)
    heard = []
    for block in (audio, fixed):
        processor = Processor()
        processor.prepare(44100, 64, channels=channels)
        known = len(entry.advance.signatures)
        heard.append(processor.process(block))
        assert len(entry.advance.signatures) == known, "nothing is compiled for it"
    assert heard[0] == heard[1]
