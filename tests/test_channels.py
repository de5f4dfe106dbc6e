from __future__ import annotations

import io
import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

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
from rtcluster.channels import Channels, ChannelsSession
from rtcluster.learning.learner import Update
from rtcluster.sinks.jsonl import JsonLines
from rtcluster.sources import groove
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
