"""Several channels, each by itself: the same events as one at a time, live and from files.

One module, because its tests share one recording and what each of its channels gives.
"""

from __future__ import annotations

import ctypes
import io
import itertools
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from rtcluster import (
    Final,
    MergeOffer,
    ModelChange,
    Onset,
    Processor,
    Relabel,
    RtclusterError,
    Settings,
)
from rtcluster.engine.channels import Channels
from rtcluster.errors import SettingsError
from rtcluster.events import XRUN_KINDS, Xrun
from rtcluster.kernel.callback import callback
from rtcluster.learning.learner import Update
from rtcluster.session.channels import ChannelsSession
from rtcluster.sinks import Sink
from rtcluster.sinks.jsonl import JsonLines
from rtcluster.sources import groove
from rtcluster.sources.live import LiveInput
from tests.conftest import run

CHOSEN = Settings(classes=3)


@pytest.fixture(scope="module")
def three():
    """Three channels that are struck at different times, shape (frames, 3)."""
    tracks = [groove.render(6.0, seed=n, bpm=90.0 + 17 * n).audio for n in range(3)]
    tracks[2][44100 * 2 :] = 0.0  # its classes form at the end of the stream
    return np.stack(tracks, axis=1)


def heard(audio, cuts=()):
    channels = Channels(lambda: Processor(CHOSEN))
    channels.prepare(44100, channels=audio.shape[1])
    events = []
    for block in np.split(audio, list(cuts)):
        events += channels.process(block)
    events += channels.flush()
    channels.close()
    return events


@pytest.fixture(scope="module")
def events(three):
    return heard(three)


def test_each_channel_has_the_events_it_has_alone(three, events):
    for number in range(3):
        own = [replace(e, channel=0) for e in events if e.channel == number + 1]
        assert own == run(three[:, number], settings=CHOSEN)


@pytest.mark.parametrize("size", [1000, 64, 4410, 77777])
def test_any_block_size_gives_the_same_events_in_the_same_order(three, events, size):
    assert heard(three, range(size, len(three), size)) == events


def test_any_cuts_give_the_same_events_in_the_same_order(three, events):
    cuts = np.sort(np.random.default_rng(1).integers(0, len(three), 300))
    assert heard(three, cuts) == events


def test_events_come_by_the_sample_at_which_they_became_known_then_by_channel(events):
    order = [(e.emitted, e.channel) for e in events if hasattr(e, "emitted")]
    assert order == sorted(order)


def test_a_relabel_follows_the_final_that_taught_it(events):
    for before, event in itertools.pairwise(events):
        if isinstance(event, Relabel) and not isinstance(before, Relabel):
            assert isinstance(before, Final) or event.channel == 3  # formed at the end
            assert before.channel == event.channel or event.channel == 3


def test_a_new_stream_begins_from_nothing(three, events):
    channels = Channels(lambda: Processor(CHOSEN))
    channels.prepare(44100, channels=3)
    channels.process(three[::-1])
    channels.reset(forget=True)
    assert channels.process(three) + channels.flush() == events


def test_an_event_tells_its_channel_only_where_there_are_several(events):
    assert list(events[0].as_dict())[:2] == ["event", "channel"]
    assert "channel" not in replace(events[0], channel=0).as_dict()
    assert "channel" not in MergeOffer(0, 1).as_dict()


def test_an_offer_to_merge_carries_its_channel(three, monkeypatch):
    channels = Channels(lambda: Processor(CHOSEN))
    channels.prepare(44100, channels=3)
    update = Update(merges=((0, 2),))
    monkeypatch.setattr(channels.processors[1].learner, "learn", lambda lesson: update)
    offers = [e for e in channels.process(three) if isinstance(e, MergeOffer)]
    assert offers == [MergeOffer(0, 2, channel=2)]


def test_the_session_tells_the_channels_and_the_summary_each_of_them(three):
    channels = Channels(lambda: Processor(CHOSEN))
    channels.prepare(44100, channels=3)
    text = io.StringIO()
    session = ChannelsSession(channels, "kit.wav", [JsonLines(text)], print)
    session.begin()
    session.hear(three)
    session.settle()
    session.end()
    first, *between, last = [json.loads(line) for line in text.getvalue().splitlines()]
    assert (first["channel"], first["channels"]) == ("all", 3)
    assert {line["channel"] for line in between} == {1, 2, 3}
    assert [one["channel"] for one in last["channels"]] == [1, 2, 3]
    assert last["hits"] == sum(one["hits"] for one in last["channels"]) > 0
    assert last["samples"] == len(three)
    for one in last["channels"]:
        assert sum(one["classes"].values()) + one["unclassified"] == one["hits"]
        onsets = [e for e in between if e["event"] == "onset" and e["channel"] == one["channel"]]
        assert len(onsets) == one["hits"]


def test_before_prepare_there_is_one_clear_line():
    with pytest.raises(RtclusterError, match="Expected prepare"):
        Channels(Processor).process(np.zeros((64, 2)))


def test_a_model_is_told_with_the_hop_that_it_began_with():
    """Whether or not a block ends where the hop begins, what was known by then comes first."""
    channels = Channels(lambda: Processor(CHOSEN))
    channels.prepare(44100, channels=2)
    model, onset = ModelChange(1, 640), Onset(0, 600, 0.0136, 640, 90, 0.1)
    together = channels.merged([[model], [onset]])
    assert together == [replace(onset, channel=2), replace(model, channel=1)]
    channels.reset()
    assert channels.merged([[], [onset]]) + channels.merged([[model], []]) == together


# Live: the audio thread advances one channel after the other, and the pump collects in between.


def prepared(settings, channels=3):
    made = Channels(lambda: Processor(settings))
    made.prepare(44100, channels=channels)
    made.record["synchronous"] = 0
    return made


def begun(channels):
    channels.reset(forget=True)
    return channels


@pytest.fixture(scope="module")
def live():
    return prepared(CHOSEN)


@pytest.fixture(scope="module")
def short(three):
    """Struck at once in two of the channels, so that many events have the same sample."""
    return np.ascontiguousarray(three[: 2 * 44100, [0, 1, 0]])


def collected(channels):
    return list(itertools.chain.from_iterable(channels.collect()))


def interleaved(channels, audio, rng, size, ahead, patience):
    """Advance channels in any order by any number of samples, and collect now and then."""
    at, events, since = [0] * audio.shape[1], [], 0
    while min(at) < len(audio):
        limit = min(len(audio), min(at) + ahead)
        who = rng.choice([n for n, heard in enumerate(at) if heard < limit])
        end = min(at[who] + int(rng.integers(1, size + 1)), len(audio))
        channels.processors[who].advance(audio[at[who] : end])
        at[who] = end
        if rng.random() < 0.3 or min(at) - since >= patience:
            events += collected(channels)
            since = min(at)
    return events + channels.flush()


@given(seed=st.integers(0, 1 << 32))
@hypothesis_settings(max_examples=6)
def test_whichever_channel_is_ahead_live_gives_the_events_of_a_file(live, short, seed):
    """As long as each model comes in time; the clocks differ by up to four hops."""
    expected = _of_a_file(CHOSEN, short)
    assert any(isinstance(event, Relabel) for event in expected)
    rng = np.random.default_rng(seed)
    assert interleaved(begun(live), short, rng, 128, 128, 128) == expected


@pytest.fixture(scope="module")
def unclassed():
    return prepared(UNCLASSED)


UNCLASSED = Settings(classes=3, warmup=1000)
"""With these the classes form at the end, so that no model can be late."""


@given(
    seed=st.integers(0, 1 << 32),
    size=st.sampled_from([1000, 10_000]),
    ahead=st.sampled_from([1, 64, 20_000, 200_000]),
)
@hypothesis_settings(max_examples=12)
def test_clocks_that_are_far_apart_change_no_order(unclassed, short, seed, size, ahead):
    rng = np.random.default_rng(seed)
    heard = interleaved(begun(unclassed), short, rng, size, ahead, 1 << 40)
    assert heard == _of_a_file(UNCLASSED, short)


_files = {}


def _of_a_file(settings, audio):
    if settings not in _files:
        channels = Channels(lambda: Processor(settings))
        channels.prepare(44100, channels=audio.shape[1])
        _files[settings] = channels.process(audio) + channels.flush()
    return _files[settings]


def test_what_one_channel_is_ahead_by_is_held_back_and_not_lost(unclassed, short):
    channels = begun(unclassed)
    channels.processors[1].advance(short)
    for number in (0, 2):
        channels.processors[number].advance(short[:44100])
    events = collected(channels)
    assert max(event.emitted for event in events) <= 44100
    assert {event.channel for event in events} == {1, 2, 3}
    events += channels.flush()
    second = [e for e in _of_a_file(UNCLASSED, short) if e.channel == 2]
    assert [e for e in events if e.channel == 2] == second


def test_a_new_stream_begins_without_what_was_held_back_of_the_last(unclassed, short):
    channels = begun(unclassed)
    channels.processors[0].advance(short)
    assert collected(channels) == []
    assert begun(channels).flush() == []


def blocks_of(audio, size=64):
    return [np.ascontiguousarray(audio[at : at + size]) for at in range(0, len(audio), size)]


def call(block, record, flags=0):
    """What PortAudio does for a block."""
    function = ctypes.CFUNCTYPE(
        ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_void_p,
        ctypes.c_ulong, ctypes.c_void_p,
    )(callback().address)  # fmt: skip
    assert function(block.ctypes.data, None, len(block), None, flags, record.ctypes.data) == 0


OVERFLOW_OR_UNDERFLOW = 2 + 4
"""What PortAudio raises for each xrun of JACK, whichever it was."""


def python_call(live, block, flags=0):
    """What sounddevice does for a block: no stream of its own can be opened without a card."""
    status = SimpleNamespace(**{kind: bool(flags & flag) for flag, kind in XRUN_KINDS.items()})
    live._python_callback(block, len(block), None, status)


def stampless(events):
    return [replace(e, stamp=0) if hasattr(e, "stamp") else e for e in events]


@pytest.mark.parametrize("way", ["compiled", "python"])
def test_the_callback_advances_every_channel_and_tells_lost_audio_once(live, short, way):
    channels, card = begun(live), LiveInput.__new__(LiveInput)
    card._engine = channels
    events = []
    for number, block in enumerate(blocks_of(short)):
        flags = OVERFLOW_OR_UNDERFLOW if number == 500 else 0
        if way == "compiled":
            call(block, channels.record, flags)
        else:
            python_call(card, block, flags)
        events += collected(channels)
    events += channels.flush()
    xruns = [event for event in events if isinstance(event, Xrun)]
    assert xruns == [Xrun(500 * 64, "input_overflow")]
    assert all(event.stamp > 0 for event in events if isinstance(event, Onset))
    heard = [event for event in stampless(events) if not isinstance(event, Xrun)]
    assert heard == _of_a_file(CHOSEN, short)
    first, *others = channels.processors
    assert len(first.callback_work_us()) == len(blocks_of(short))
    assert first.callback_load()["mean"] > 0
    assert [one.counts.xruns for one in (first, *others)] == [1, 0, 0]


def test_the_states_lie_together_and_one_processor_alone_has_its_own():
    channels = prepared(CHOSEN)
    step = channels.record.strides[0]
    places = [processor.record.ctypes.data for processor in channels.processors]
    assert places == [channels.record.ctypes.data + n * step for n in range(3)]
    assert channels.record["together"].tolist() == [3, 2, 1]
    channels.reset()
    assert channels.record["together"].tolist() == [3, 2, 1]
    alone = Processor(CHOSEN)
    alone.prepare(44100)
    assert alone.record["together"].tolist() == [1]


class Order(Sink):
    """Notes what it gets, in the list where the learner's lessons are noted too."""

    def __init__(self):
        self.seen = []

    def event(self, event):
        if isinstance(event, Final):
            self.seen.append(("sink", event.channel, event.id))


def test_the_sinks_get_a_hit_before_the_learner_does(live, short, monkeypatch):
    channels, order = begun(live), Order()
    for channel, processor in enumerate(channels.processors, 1):
        honest = processor.learner.learn

        def learn(lesson, channel=channel, honest=honest):
            order.seen.append(("learner", channel, lesson.id))
            return honest(lesson)

        monkeypatch.setattr(processor.learner, "learn", learn)
    session = ChannelsSession(channels, "a card", [order], print)
    for block in blocks_of(short, 441):
        call(block, channels.record)
        session.turn()
    taught = [one for one in order.seen if one[0] == "learner"]
    assert len(taught) > 10
    for _, channel, number in taught:
        place = order.seen.index(("learner", channel, number))
        assert order.seen.index(("sink", channel, number)) < place


TIMING = {"sink_delay_ms", "callback_us", "callback_load"}


def test_a_live_session_writes_the_lines_of_a_file(live, short):
    written = []
    for way in ("file", "live"):
        text = io.StringIO()
        session = ChannelsSession(begun(live), "kit.wav", [JsonLines(text)], print)
        session.begin()
        for block in blocks_of(short):
            if way == "file":
                session.hear(block)
            else:
                call(block, live.record)
                assert session.turn() in (True, False)
        session.settle()
        session.end()
        written.append([json.loads(line) for line in text.getvalue().splitlines()])
    *file, file_end = written[0]
    *lines, end = written[1]
    assert lines == file
    assert set(end) - set(file_end) == TIMING
    assert "sink_delay_ms" in end["channels"][0]
    for one in (end, *end["channels"]):
        for name in TIMING:
            one.pop(name, None)
    assert end == file_end
    assert end["xruns"] == 0
    assert "xruns" not in end["channels"][0]


def test_nothing_is_asked_of_a_session_of_channels_by_a_sink_that_watches(live):
    class Watching(Sink):
        wants_status = True

        def status(self, status):
            raise AssertionError("of which channel?")

    assert not ChannelsSession(begun(live), "a card", [Watching()], print).watched


def test_what_many_channels_take_is_said_before_and_has_a_limit(monkeypatch, caplog):
    made = []

    class Enough(Exception):
        pass

    def make():
        made.append(list(caplog.messages))
        raise Enough

    with pytest.raises(Enough):
        Channels(make).prepare(44100, channels=100)
    assert made == [["100 channels take 310 MB of memory."]]
    with pytest.raises(SettingsError, match="at most 256 channels at once, got 1024"):
        Channels(make).prepare(44100, channels=1024)
    assert len(made) == 1
