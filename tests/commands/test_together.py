"""Several microphones that nobody taught: one stream of hits, a class by who hears it how loud."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

from rtcluster import Final, Onset, Processor, Settings
from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.settings import MICROPHONE_FEATURES
from tests.recording.conftest import replayed
from tests.recording.test_microphones import recorded
from tests.support.microphones import NAMES, RATE, performance

TOGETHER = Settings(classes=3, features=MICROPHONE_FEATURES)


@pytest.fixture(scope="module")
def played():
    sets = [(NAMES[n],) for n in np.random.default_rng(2).integers(0, 3, 36)]
    return sets, *performance(sets, np.random.default_rng(5), apart=0.3)


def heard(audio, settings=TOGETHER, block=None):
    processor = Processor(settings, microphones="all")
    processor.prepare(RATE, channels=audio.shape[1])
    block = block or len(audio)
    events = [
        e for at in range(0, len(audio), block) for e in processor.process(audio[at : at + block])
    ]
    return [*events, *processor.flush()]


def classes_of(events):
    """Class of each hit in the end, by its number."""
    out = {e.id: e.class_ for e in events if isinstance(e, Final)}
    out |= {e.id: e.class_ for e in events if type(e).__name__ == "Relabel"}
    return [out[n] for n in sorted(out)]


@pytest.fixture(scope="module")
def events(played):
    return heard(played[1])


@pytest.mark.parametrize("gain", [(1.0, 1.0, 1.0), (0.5, 1.9, 0.6)])
def test_each_stroke_is_told_once_with_a_class_for_each_drum(played, gain):
    sets, audio, starts = played
    events = heard(audio * np.array(gain, np.float32))
    onsets = [e.sample for e in events if isinstance(e, Onset)]
    assert np.abs(np.array(onsets) - starts).max() <= 44
    classes = classes_of(events)
    assert len({*zip(classes, sets, strict=True)}) == len({*classes}) == 3


def test_a_hit_is_on_the_channel_of_the_microphone_that_stands_out(events, played):
    finals = [e for e in events if isinstance(e, Final)]
    late = list(zip(finals, played[0], strict=True))[12:]  # by then each has heard its own drum
    assert [e.channel for e, _ in late] == [1 + NAMES.index(drum) for _, (drum,) in late]


@pytest.mark.parametrize("block", [17, 64, 4096])
def test_any_block_size_gives_the_same_events(events, played, block):
    assert heard(played[1], block=block) == events


def test_its_features_are_the_levels_against_what_each_microphone_has_heard(events, played):
    audio = played[1]
    top = np.zeros(3)
    for event in (e for e in events if isinstance(e, Final)):
        power = audio[event.sample : event.sample + int(0.03 * RATE)].astype(np.float64).var(axis=0)
        top = np.maximum(top, power)
        under = 10.0 * np.log10(power / np.maximum(top, 10.0**-1.2 * top.max()))
        expected = np.maximum(under - under.max(), -30.0)
        assert event.features[:3] == pytest.approx(expected, abs=0.01)
        assert event.features[3:] == (0.0,) * 13


def test_one_channel_cannot_be_heard_together_and_no_kit_is_made():
    with pytest.raises(SettingsError, match="Expected several channels to hear together, got one"):
        Processor(TOGETHER).prepare(RATE)
    processor = Processor(TOGETHER, microphones=(1, 2))
    processor.prepare(RATE, channels=2)
    with pytest.raises(RtclusterError, match="heard together; teach them"):
        processor.save_kit("any")


def test_run_hears_the_channels_of_a_file_together(rtcluster, played, tmp_path):
    sets, audio, _ = played
    song = tmp_path / "song.wav"
    soundfile.write(song, audio, RATE, subtype="FLOAT")
    code, out, err = rtcluster("run", song, "-c", "all", "--together", "-k", "3")
    assert code == 0, err
    lines = [json.loads(line) for line in out.splitlines()]
    assert lines[0]["microphones"] == [1, 2, 3]
    assert len([one for one in lines if one["event"] == "final"]) == len(sets)
    assert rtcluster("run", song, "-c", "1-3", "--together", "-k", "3")[1] == out
    assert rtcluster("run", song, "--together", "-k", "3")[1] == out


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("-c", "2"), "Expected several channels to hear together, got channel 2"),
        (("--save-kit", "a.kit"), "Expected --together without --save-kit"),
        (("--features", "best"), "Expected --together or --features, got both"),
    ],
)
def test_what_does_not_go_with_it_is_refused(rtcluster, played, tmp_path, given, words):
    song = tmp_path / "song.wav"
    soundfile.write(song, played[1], RATE, subtype="FLOAT")
    code, _, err = rtcluster("run", song, "--together", *given)
    assert code == 2
    assert words in err


@pytest.mark.alone
def test_it_is_recorded_and_replayed_bit_for_bit(played, tmp_path):
    folder = tmp_path / "take"
    _, summary, told = recorded(folder, Processor(TOGETHER, microphones="all"), played[1])
    assert told == []
    assert summary["recording"]["complete"]
    found = replayed(folder)
    assert found.difference == ""
    assert found.compared >= 3 * len(played[0])
