"""Kits: what a file holds, what is refused of it, and that all of it comes back.

One module, because one taught kit, which takes seconds to make, serves all of its tests.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace

import librosa
import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from rtcluster import Final, ModelChange, Processor, RtclusterError, Settings
from rtcluster.errors import SettingsError
from rtcluster.events import Classified
from rtcluster.learning import kit_edit, kit_file, kit_format
from rtcluster.learning.detection import Detection
from rtcluster.learning.kit import Kit
from rtcluster.learning.kit_file import load, save
from rtcluster.settings import BAND_FEATURES
from rtcluster.sources import groove


def heard(processor, audio):
    return [*processor.process(audio), *processor.flush()]


def judged(events):
    return [event.as_dict() for event in events if isinstance(event, Classified)]


def prepared(settings, kit=None, rate=44100, **options):
    processor = Processor(settings, kit=kit, **options)
    processor.prepare(rate, 64)
    return processor


@pytest.fixture(scope="module")
def learned(drums):
    """A processor that has heard the groove."""
    processor = prepared(Settings(classes=3))
    heard(processor, drums.audio)
    return processor


@pytest.fixture(scope="module")
def file(learned, tmp_path_factory):
    path = tmp_path_factory.mktemp("kit") / "my.kit"
    learned.save_kit(path)
    return path


def line_of(call, *arguments):
    with pytest.raises(RtclusterError) as caught:
        call(*arguments)
    text = str(caught.value)
    assert text.startswith("Expected ")
    assert len(text.splitlines()) == 1
    return text


def edited(file, **changes):
    """The kit's text with other values, signed as rtcluster would."""
    content = json.loads(file.read_text()) | changes
    content["check"] = kit_format.check_sum(content)
    return json.dumps(content)


def test_a_kit_can_be_read_by_people_names_first(file):
    lines = file.read_text().splitlines()
    assert lines[1:4] == [
        '  "rtcluster_kit": 2,',
        '  "names": ["class 0", "class 1", "class 2"],',
        '  "samplerate": 44100,',
    ]


def test_a_kit_names_hits_from_the_first_one_on(file, drums):
    events = heard(prepared(Settings(), file), drums.audio)
    first = next(event for event in events if isinstance(event, ModelChange))
    assert (first.version, first.effective, first.late) == (1, 0, False)
    finals = [event for event in events if isinstance(event, Final)]
    drum_of = {}
    for stroke, final in zip(drums.strokes, finals, strict=True):
        assert drum_of.setdefault(final.class_, stroke.drum) == stroke.drum
    assert len(drum_of) == 3


def test_a_kit_that_went_through_a_file_gives_the_same_events_bit_for_bit(file, learned, drums):
    kit = load(file)
    kept = kit.of(learned.learner, learned.settings, 44100)
    assert kit == kept
    assert heard(prepared(Settings(), kit), drums.audio) == heard(
        prepared(Settings(), kept), drums.audio
    )


def test_a_saved_kit_judges_as_the_session_that_it_came_from(file, drums):
    processor = prepared(Settings(freeze=True), file)
    again = judged(heard(processor, drums.audio))
    processor.reset()
    assert judged(heard(processor, drums.audio)) == again
    save(file.with_suffix(".again"), processor.kit)
    assert load(file.with_suffix(".again")) == processor.kit


def test_a_kit_adapts_unless_it_is_frozen(file, drums):
    for frozen in (False, True):
        processor = prepared(Settings(freeze=frozen), file)
        before = processor.learner.as_dict()
        models = [e for e in heard(processor, drums.audio) if isinstance(e, ModelChange)]
        assert (processor.learner.as_dict() == before) is frozen
        assert (len(models) == 1) is frozen


def test_reset_keeps_what_was_learned_and_forgetting_goes_back_to_the_kit(file, drums):
    processor = prepared(Settings(), file)
    first = heard(processor, drums.audio)
    learned = processor.learner.as_dict()
    processor.reset()
    assert processor.learner.as_dict() == learned
    assert learned != load(file).learned
    processor.reset(forget=True)
    assert heard(processor, drums.audio) == first


def test_a_kit_brings_its_features_scaling_and_number_of_classes(tmp_path, drums):
    path = tmp_path / "best.kit"
    processor = prepared(Settings(classes=3, features="best", scaling="robust"))
    heard(processor, drums.audio)
    processor.save_kit(path)
    taken = Processor(kit=path).settings
    assert (taken.classes, taken.features, taken.scaling) == (3, BAND_FEATURES, "robust")
    assert Processor(Settings(classes="auto"), kit=path).settings.classes == "auto"


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"classes": 4}, "a kit of 4 classes, got 3 (class 0, class 1, class 2)"),
        ({"features": "best"}, "a kit with features best, got notebook"),
        ({"scaling": "robust"}, "a kit with scaling robust, got minmax"),
    ],
)
def test_other_settings_than_the_kits_are_refused(file, asked, says):
    with pytest.raises(SettingsError) as caught:
        Processor(Settings(**asked), kit=file)
    assert says in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_default_that_was_asked_for_is_not_overridden(file):
    with pytest.raises(SettingsError, match="classes"):
        Processor(Settings(classes=2), kit=file, explicit={"classes"})


@pytest.mark.parametrize(
    ("rate", "options", "says"),
    [
        (48000, {"guess": "20ms"}, "a kit for a guess of 960 samples, got one for 1440 in "),
        (44100, {"window": "80ms"}, "a kit for a window of 3528 samples, got one for 3969 in "),
        (44100, {"guess": 1000}, "a kit for a guess of 1000 samples, got one for 1323 in "),
    ],
)
def test_another_window_or_guess_is_refused_with_the_reason(file, rate, options, says):
    assert says in line_of(Processor(Settings(**options), kit=file).prepare, rate)


def named(audio, rate, kit, **options):
    """Time in s and class of each final."""
    finals = heard(prepared(Settings(**options), kit, rate), audio)
    return [(e.sample / rate, e.class_) for e in finals if isinstance(e, Final)]


# Without the attack: the resampler rings before the first sample of a synthesised hat, which moves
# its onset by 0.8 ms.
@pytest.mark.parametrize("features", ["notebook", "best", "log_zcr,log_energy,brightness,level"])
@pytest.mark.parametrize("rate", [48000, 96000, 192000])
def test_a_kit_names_the_same_drums_at_any_rate(drums, features, rate):
    first = prepared(Settings(classes=3, features=features))
    heard(first, drums.audio)
    kit = Kit.of(first.learner, first.settings, 44100)
    there = named(drums.audio, 44100, kit, freeze=True)
    here = named(soxr.resample(drums.audio, 44100, rate), rate, kit, freeze=True)
    alike = 0
    for time, class_ in there:
        nearest = min(here, key=lambda one: abs(one[0] - time))
        alike += abs(nearest[0] - time) < 0.003 and nearest[1] == class_
    assert alike >= 0.97 * len(there)


def test_a_groove_played_at_96_khz_has_the_names_of_a_kit_of_44_1(file):
    """Its hats are noise up to 48 kHz: what the kit's rate cannot hold does not count."""
    high = groove.render(8.0, samplerate=96000)
    finals = named(high.audio, 96000, file)
    number = {"kick": 0, "snare": 1, "hat": 2}
    assert [class_ for _, class_ in finals] == [number[one.drum] for one in high.strokes]


def test_what_an_event_tells_of_its_window_is_the_streams_own(file, drums):
    audio = soxr.resample(drums.audio, 44100, 96000)
    for event in judged(heard(prepared(Settings(), file, 96000), audio)):
        window = audio[event["sample"] : event["sample"] + event["span"]]
        assert event["zcr"] == librosa.zero_crossings(window).sum()
        assert event["energy"] == pytest.approx(np.linalg.norm(window), rel=1e-6)


def test_a_kit_that_is_used_at_another_rate_keeps_its_own(file, drums, tmp_path):
    processor = prepared(Settings(), file, 48000)
    heard(processor, soxr.resample(drums.audio, 44100, 48000))
    again, kit = processor.save_kit(tmp_path / "again.kit"), load(file)
    assert (again.samplerate, again.window, again.guess) == (44100, 3969, 1323)
    ours, theirs = again.learned["centres"]["raw"], kit.learned["centres"]["raw"]
    assert ours != theirs  # it went on learning ...
    assert np.allclose(ours, theirs, rtol=0.1, atol=5.0)  # ... in the same numbers


def test_block_sizes_change_nothing_with_a_kit_of_another_rate(file, drums):
    audio = soxr.resample(drums.audio, 44100, 48000)[: 3 * 48000]
    whole = heard(prepared(Settings(), file, 48000), audio)
    processor = prepared(Settings(), file, 48000)
    pieces = [
        e for at in range(0, len(audio), 441) for e in processor.process(audio[at : at + 441])
    ]
    assert pieces + processor.flush() == whole


def test_nothing_learned_is_nothing_to_save(tmp_path):
    assert "got 0 hits" in line_of(prepared(Settings()).save_kit, tmp_path / "none.kit")
    assert not list(tmp_path.iterdir())


def test_tuned_settings_take_the_place_of_defaults_only(file):
    tuned = replace(load(file), detection=Detection(threshold=0.2, silence=-50.0, mask="40ms"))
    taken = Processor(kit=tuned).settings
    assert (taken.threshold, taken.silence, str(taken.mask)) == (0.2, -50.0, "40ms")
    stored = replace(tuned, detection=Detection(mask="400"))
    assert Processor(kit=stored).settings.spans(44100).mask == 400
    taken = Processor(Settings(threshold=0.1, mask="20ms"), kit=tuned).settings
    assert (taken.threshold, taken.silence, str(taken.mask)) == (0.1, -50.0, "20ms")


def test_a_threshold_that_was_tuned_for_another_method_is_left_out(file):
    tuned = replace(load(file), detection=Detection(threshold=0.2, silence=-50.0))
    taken = Processor(Settings(method="hfc"), kit=tuned).settings
    assert (taken.method, taken.threshold, taken.silence) == ("hfc", None, -50.0)


@given(st.data())
@settings(max_examples=200)
def test_a_damaged_kit_loads_equal_or_is_refused_in_one_line(file, tmp_path_factory, data):
    text = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        match data.draw(st.sampled_from(["change", "cut", "drop", "insert", "double"])):
            case "change":
                text[at] = data.draw(st.integers(0, 255))
            case "cut":
                del text[at + 1 :]
            case "drop":
                del text[at : at + data.draw(st.integers(1, 200))]
                text = text or bytearray(b" ")
            case "insert":
                text[at:at] = data.draw(st.binary(max_size=8))
            case "double":
                text[at:at] = text[at : at + 50]
    damaged = tmp_path_factory.getbasetemp() / "damaged.kit"
    damaged.write_bytes(text)
    try:
        assert load(damaged) == load(file)
    except RtclusterError as error:
        assert len(str(error).splitlines()) == 1


LEAVES = st.sampled_from([None, True, -1, 10**400, 0.5, 1e308, "", "x", [], {}, [[]], [1], "é\n"])


@given(st.data())
@settings(max_examples=200)
def test_a_kit_with_anything_in_place_of_a_value_is_refused_or_works_even_if_it_is_signed(
    file, drums, tmp_path_factory, data
):
    content = json.loads(file.read_text())
    place, parts = None, content
    while isinstance(parts, dict | list) and parts:
        place = parts
        keys = sorted(parts) if isinstance(parts, dict) else range(len(parts))
        key = data.draw(st.sampled_from(keys))
        parts = parts[key]
        if data.draw(st.booleans()):
            break
    place[key] = data.draw(LEAVES)
    content["check"] = kit_format.check_sum(content)
    signed = tmp_path_factory.getbasetemp() / "signed.kit"
    signed.write_text(json.dumps(content))
    try:
        processor = prepared(Settings(), load(signed), data.draw(st.sampled_from([44100, 48000])))
    except RtclusterError as error:
        assert len(str(error).splitlines()) == 1
    else:  # another value that is as good
        assert heard(processor, drums.audio[:44100])
        processor.save_kit(signed)
        assert load(signed).names == tuple(processor.learner.names)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "JSON"),
        (b"[" * (65 << 20), "got: more than 64 MB"),
        (b"[" * 100_000, "JSON, got"),
        (b'{"rtcluster_kit": 1, "a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", "got"),
        (b'{"rtcluster_kit": 4}', "version 1 or 2 or 3, got version 4"),
        (b'{"rtcluster_kit": true}', "version 1 or 2 or 3, got version True"),
        (b'{"rtcluster_kit": 1}', "missing"),
        (b"{}", "got other JSON"),
        (b"\xff\xfe", "got audio, or something else that is no text; 'rtcluster teach'"),
        (b"RIFF1234WAVE", "JSON, got"),
        (b'{"rtcluster_kit": ' + b"9" * 5000 + b"}", "got"),
    ],
    ids=lambda value: value[:24].decode("latin-1") if isinstance(value, bytes) else "",
)
def test_what_is_no_kit_is_refused_in_one_line(tmp_path, content, says):
    path = tmp_path / "bad.kit"
    path.write_bytes(content)
    line = line_of(load, path)
    assert says in line
    assert str(path) in line
    assert len(line) < 400


def test_no_file_and_a_folder_are_no_kits(tmp_path):
    assert "'rtcluster teach' makes one" in line_of(load, tmp_path / "none.kit")
    assert str(tmp_path) in line_of(load, tmp_path)


def test_an_edited_kit_is_refused_unless_only_its_layout_changed(file, tmp_path):
    path = tmp_path / "edited.kit"
    path.write_text(json.dumps(json.loads(file.read_text())))
    assert load(path) == load(file)
    content = json.loads(file.read_text())
    content["learned"]["heard"] += 1
    path.write_text(json.dumps(content))
    assert "edited or damaged" in line_of(load, path)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"names": ["a", "a", "b"]}, "names that differ"),
        ({"names": ["a", "1", "b"]}, "names of 1 to 64"),
        ({"names": ["a", "b"]}, "an owner from 0 to 1, got 2"),
        ({"names": ["x" + str(n) for n in range(33)]}, "`array` of length <= 32 - at `$.names`"),
        ({"features": ["zcr", "loud"]}, "features to be out of"),
        ({"features": ["zcr"]}, "1 numbers in low, got 2"),
        ({"guess": 4000}, "a guess from 1 to 3969, got 4000"),
        ({"scaling": "robust"}, "scaling robust, got minmax"),
        ({"detector": {"threshold": 1}}, "detector settings"),
        ({"learned": None}, "names for what was learned"),
        ({"extra": 1}, "unknown field `extra`"),
    ],
)
def test_a_signed_kit_is_still_checked(file, tmp_path, changes, says):
    path = tmp_path / "signed.kit"
    path.write_text(edited(file, **changes))
    assert says in line_of(load, path)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999"])
def test_numbers_that_are_not_finite_are_refused(file, tmp_path, value):
    path = tmp_path / "infinite.kit"
    text = file.read_text()
    at = text.index('"raw": [') + 8
    at = text.index("[", at) + 1
    path.write_text(text[:at] + value + text[text.index(",", at) :])
    assert "with `float`" in line_of(load, path)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_kit_that_cannot_be_written_leaves_the_old_one_whole(file, tmp_path, monkeypatch, step):
    path = tmp_path / "my.kit"
    path.write_bytes(file.read_bytes())

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kit_file.os, step, full)
    line = line_of(save, path, kit_edit.rename(load(file), "0", "kick"))
    assert "No space left on device" in line
    assert path.read_bytes() == file.read_bytes()
    assert [entry.name for entry in tmp_path.iterdir()] == ["my.kit"]


def test_a_saved_kit_keeps_the_permissions_of_the_file(file, tmp_path):
    path = tmp_path / "my.kit"
    save(path, load(file))
    path.chmod(0o640)
    save(path, load(file))
    assert os.name != "posix" or path.stat().st_mode & 0o777 == 0o640


def test_merged_classes_stay_one_and_the_numbers_close_up(file, drums):
    kit = kit_edit.merge(load(file), "class 0", "1")
    assert kit.names == ("class 0", "class 2")
    finals = [e for e in heard(prepared(Settings(), kit), drums.audio) if isinstance(e, Final)]
    for stroke, final in zip(drums.strokes, finals, strict=True):
        assert final.class_ == (1 if stroke.drum == "hat" else 0)


def test_a_removed_class_is_gone(file, drums):
    kit = kit_edit.remove(load(file), "0")
    assert kit.names == ("class 1", "class 2")
    finals = heard(prepared(Settings(freeze=True), kit), drums.audio)
    assert {event.class_ for event in finals if isinstance(event, Final)} == {0, 1}


def test_new_drums_of_a_renamed_kit_get_names_that_are_free(file):
    kit = kit_edit.remove(load(file), "0")
    learner = kit.learner(kit.settings(Settings()))
    learner._name_up_to(4)
    assert learner.names == ["class 1", "class 2", "class 0", "class 3"]
    assert np.array_equal(learner.model()["n_centres"][0], [26, 2])
