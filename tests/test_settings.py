from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtcluster import Duration, Settings
from rtcluster.errors import SettingsError

RATES = (22050, 44100, 48000, 96000)


@pytest.mark.parametrize(
    ("text", "samples"),
    [
        ("30ms", 1323),
        ("0.03s", 1323),
        ("1323", 1323),
        (1323, 1323),
        (" 1.5 ms", 66),
        ("0", 0),
        (0, 0),
        ("1000", 1000),
        ("30samples", 30),
        ("30 samples", 30),
    ],
)
def test_durations_are_read_as_users_write_them(text, samples):
    assert Duration.of(text).samples(44100) == samples


@pytest.mark.parametrize("text", ["", "ms", "-3ms", "3 min", "1.5", "nan", "1e3ms", "inf s"])
def test_other_text_is_no_duration(text):
    with pytest.raises(SettingsError, match="Expected a duration"):
        Duration.of(text)


@pytest.mark.parametrize("number", [1, 30, 90, 999, "30", " 090 "])
def test_a_number_that_may_be_milliseconds_is_refused(number):
    plain = str(number).strip()
    says = f"got {number!r}: {plain}ms or {plain}samples?"
    with pytest.raises(SettingsError) as refusal:
        Duration.of(number)
    assert str(refusal.value) == f"Expected a duration with its unit, {says}"
    with pytest.raises(SettingsError) as refusal:
        Settings(window=number)
    assert str(refusal.value) == f"Expected a duration with its unit for window, {says}"


@given(st.floats(0, 1000), st.sampled_from(["ms", "s"]))
def test_a_duration_as_text_reads_back(value, unit):
    value = round(value, 9)
    assert Duration.of(str(Duration(value, unit))) == Duration(value, unit)


@given(st.integers(0, 10**9))
def test_samples_as_text_read_back(count):
    given = Duration(count, "samples")
    assert Duration.of(str(given)) == Duration.stored(str(count)) == given


@pytest.mark.parametrize("rate", RATES)
@given(st.integers(0, 2**40))
def test_the_window_ends_where_the_notebooks_does(rate, onset):
    window = Settings().spans(rate).window
    assert onset + window == int(onset + rate * 0.090)


@pytest.mark.parametrize(
    "wrong",
    [
        {"classes": 0},
        {"classes": 33},
        {"classes": 4, "warmup": 3},
        {"method": "loud"},
        {"threshold": 0.0},
        {"threshold": float("nan")},
        {"silence": 1.0},
        {"silence": float("nan")},
        {"seed": -1},
        {"buffer": 500},
        {"buffer": 512, "hop": 1024},
        {"hop": 0},
        {"mask": "soon"},
        {"features": ""},
    ],
)
def test_a_value_outside_its_range_is_refused_in_one_line(wrong):
    with pytest.raises(SettingsError) as refusal:
        Settings(**wrong)
    assert str(refusal.value).startswith("Expected ")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("features", "says"),
    [
        ("zcr,nix", "to be out of zcr, energy, "),
        ("zcr,zcr", "to be named once each, got 'zcr,zcr'."),
        ((), "to be 1 to 32 names, got '0: '"),
    ],
)
def test_what_is_wrong_with_features_is_said_and_not_what_exists(features, says):
    with pytest.raises(SettingsError, match=f"Expected features {says}"):
        Settings(features=features)


@pytest.mark.parametrize("wrong", [{"window": "0.6s"}, {"guess": "100ms"}, {"guess": "0"}])
def test_a_span_that_does_not_fit_is_refused(wrong):
    with pytest.raises(SettingsError):
        Settings(**wrong).spans(44100)


def test_settings_survive_as_a_dict():
    settings = Settings(classes=5, mask="25ms", window=4000, guess="400samples", threshold=0.4)
    assert Settings(**settings.as_dict()) == settings
    before = settings.as_dict() | {"guess": "400"}  # as they were written without a unit
    assert Settings.stored(before) == settings


@pytest.mark.parametrize(
    ("rate", "buffer", "hop"),
    [(22050, 256, 32), (44100, 512, 64), (48000, 512, 64), (96000, 1024, 128), (192000, 2048, 256)],
)
def test_the_detector_sees_the_same_time_at_any_rate(rate, buffer, hop):
    spans = Settings(method="hfc").spans(rate)
    assert (spans.buffer, spans.hop) == (buffer, hop)
    assert Settings(method="drums").spans(rate).hop == hop
    assert Settings(preset="fast").spans(rate).buffer == buffer


@pytest.mark.parametrize("method", ["drums", "complex", "hfc"])
@pytest.mark.parametrize("samplerate", [8000, 11025, 44100, 192000])
@pytest.mark.parametrize("hop", [16, 65, 578, 1025, 2048])
def test_a_frame_of_its_own_choice_is_a_power_of_two_and_holds_the_hop(method, samplerate, hop):
    spans = Settings(method=method, hop=hop).spans(samplerate)
    assert spans.hop == hop
    assert spans.buffer >= hop
    assert spans.buffer & (spans.buffer - 1) == 0
