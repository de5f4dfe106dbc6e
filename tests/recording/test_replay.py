"""A recording gives the same events again, whatever people and machines did to it live."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from rtcluster import Final, ModelChange, Onset, Processor, Settings
from rtcluster.errors import RtclusterError, SourceError
from rtcluster.events import Control
from rtcluster.kernel.state import EVENTS
from rtcluster.learning.kit import Kit
from rtcluster.recording import recorder as recorders
from rtcluster.recording.replay import Replay
from rtcluster.sources import groove
from tests.conftest import Kept, run
from tests.recording.conftest import Live, events_of, replayed, same
from tests.support import taught

SECONDS = 5.0
HITS = 19


@pytest.fixture(scope="module")
def audio():
    return groove.render(SECONDS).audio


def of(live, kind):
    return [event for event in live.kept.events if isinstance(event, kind)]


def edit(folder, change):
    """Rewrite the lines of a log."""
    lines = change(events_of(folder))
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "events.jsonl").write_text(text)


def kit_of(audio, **settings):
    processor = Processor(Settings(**settings))
    processor.prepare(44100, 64)
    processor.process(audio)
    processor.flush()
    kit = Kit.of(processor.learner, processor.settings, 44100)
    processor.close()
    return kit


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"classes": 3}, "wav"),
        ({"classes": 3}, "flac"),
        ({"classes": "auto"}, "wav"),
        ({"classes": 3, "features": "best", "reject": 4.0, "memory": 20}, "flac"),
        ({"classes": 2, "method": "hfc", "velocity": "log", "scaling": "robust"}, "wav"),
    ],
    ids=["plain", "flac", "auto", "best features", "stock method"],
)
def test_every_event_comes_again(audio, live, folder, options, kind):
    with live(settings=Settings(**options), kind=kind) as session:
        session.play(audio)
    assert len(of(session, Onset)) >= HITS
    assert len(of(session, ModelChange)) > 3
    assert same(folder).compared == len(session.kept.events)


def test_the_live_session_itself_is_the_one_that_a_file_gives(audio, live):
    with live() as session:
        session.play(audio)
    whole = run(audio)
    assert [e for e in session.kept.events if isinstance(e, Onset)] == [
        e for e in whole if isinstance(e, Onset)
    ]


def test_the_audio_is_what_came_in_bit_for_bit(audio, live, folder):
    with live() as session:
        session.play(audio)
    kept, rate = soundfile.read(folder / "audio.wav", dtype="float32")
    assert rate == 44100
    assert np.array_equal(kept, audio)
    assert session.summary["recording"] == {
        "folder": str(folder), "samples": len(audio), "lost": 0, "complete": True,
    }  # fmt: skip


def test_flac_is_within_a_step_of_what_came_in(audio, live, folder):
    with live(kind="flac") as session:
        session.play(np.clip(8 * audio, -3, 3))
    kept, _ = soundfile.read(folder / "audio.flac", dtype="float32")
    assert np.abs(kept - np.clip(8 * audio, -1, 1 - 2**-23)).max() <= 2**-24
    assert not (folder / "audio.wav").exists()
    same(folder)


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_stretches_of_nan_and_inf_are_silence_again(audio, live, folder, kind):
    broken = audio.copy()
    broken[[50_000, 90_001]], broken[120_000:121_000] = np.nan, np.inf
    with live(kind=kind) as session:
        session.play(broken)
    assert session.summary["bad_hops"] >= 17
    same(folder)


def test_a_recording_of_before_levels_has_a_fixed_threshold_and_other_velocities(
    audio, live, folder
):
    with live(settings=Settings(threshold=Settings().thresholds.threshold)) as session:
        session.play(audio)

    def older(lines):
        for line in lines:
            if line["event"] == "session":
                line["settings"]["threshold"] = None
            if line["event"] in ("onset", "guess", "final"):
                line.pop("level", None)
                line["velocity"] = 99
        return lines

    edit(folder, older)
    found = replayed(folder)
    assert (found.difference, found.compared) == ("", len(session.kept.events))
    assert found.notes == (
        "it was made by a version with other velocities, which were not compared",
    )
    edit(folder, lambda lines: [line | {"zcr": 1} if "zcr" in line else line for line in lines])
    assert "zcr" in replayed(folder).difference


@pytest.mark.parametrize("driver", ["compiled", "python"])
def test_either_driver_is_replayed(audio, live, folder, driver):
    with live(driver=driver) as session:
        session.play(audio[: 2 * 44100])
    same(folder)


def test_a_recording_that_begins_with_a_kit(audio, live, folder):
    with live(settings=Settings(classes=3), kit=kit_of(audio, classes=3)) as session:
        session.play(audio)
    assert all(final.class_ >= 0 for final in of(session, Final))
    assert (folder / "start.kit").is_file()
    same(folder)


def test_a_recording_with_a_kit_that_hears_two_drums_at_once(live, folder):
    random = np.random.default_rng(1)
    kit = taught.taught_kit()
    heard, _ = taught.performance(taught.ALL, random)
    with live(settings=Settings(), kit=kit) as session:
        session.play(heard)
        session.ask("rename", {"class": 2, "name": "hi-hat"})
        session.play(heard)
    finals = [line for line in session.lines if line["event"] == "final"]
    assert any(len(line["parts"]) == 2 for line in finals)
    assert any(part["name"] == "hi-hat" for line in finals for part in line["parts"])
    same(folder, len(finals))


def test_a_log_of_the_version_before_parts_replays(live, folder, audio):
    with live() as session:
        session.play(audio)

    def without(lines):
        return [{k: v for k, v in line.items() if k != "parts"} for line in lines]

    assert any("parts" in line for line in session.lines)
    edit(folder, without)
    same(folder, HITS)


def test_a_recording_of_auto_classes_that_begins_with_a_kit(audio, live, folder):
    kit = kit_of(audio, classes="auto")
    with live(settings=Settings(classes="auto"), kit=kit) as session:
        session.play(audio)
    same(folder)


def test_models_that_come_late_take_effect_late_again(audio, live, folder):
    with live() as session:
        for at in range(0, len(audio), 30_000):
            session.hear(audio[at : at + 30_000], 77)
            session.turn()
            session.recorder.step()
    assert session.summary["late_models"] > 2
    assert any(change.late for change in of(session, ModelChange))
    same(folder)


def test_models_for_which_there_was_no_room_are_left_out_again(live, folder):
    audio = groove.render(14.0).audio
    with live() as session:
        session.play(audio[: 3 * 44100])
        for at in range(3 * 44100, len(audio), 4 * 44100):  # more hits than the queue holds models
            session.hear(audio[at : at + 4 * 44100])
            session.recorder.step()
        for _ in range(3):
            session.turn()
        session.play(audio[: 2 * 44100])
    versions = [change.version for change in of(session, ModelChange)]
    assert len(versions) < versions[-1]
    same(folder)


def test_events_that_were_dropped_are_told_and_the_rest_is_the_same(audio, live, folder):
    with live() as session:
        session.play(audio)
        for _ in range(EVENTS - 5):
            session.xrun()
        session.hear(audio)
        session.recorder.step()
        session.turn()
        session.play(audio)
    dropped = session.summary["events_dropped"]
    assert dropped > 20
    found = replayed(folder)
    assert found.difference == ""
    assert found.notes == (f"{dropped} events lost live",)
    assert found.compared > 150


def test_events_dropped_at_the_very_end_are_no_difference(audio, live, folder):
    with live() as session:
        session.play(audio)
        for _ in range(EVENTS - 2):
            session.xrun()
        session.hear(audio[: 2 * 44100])
        session.recorder.step()
    assert session.summary["events_dropped"] > 5
    assert replayed(folder).difference == ""


def test_what_a_full_ring_cannot_tell_does_not_take_effect(audio, live, folder):
    with live() as session:
        session.play(audio)
        for _ in range(EVENTS + 5):
            session.xrun()
        session.processor.threshold = 5.0
        session.hear(audio[:4410])
        assert float(session.processor.record["threshold"][0]) < 5.0
        session.turn()
        session.play(audio[4410:44100])
    [told] = of(session, Control)
    assert (told.what, told.value) == ("threshold", 5.0)
    assert told.sample >= len(audio) + 4410 - 64


def test_xruns_are_no_difference(audio, live, folder):
    with live() as session:
        for at in range(0, len(audio), 20_000):
            session.play(audio[at : at + 20_000])
            session.xrun()
    same(folder)


def test_names_come_again_as_they_stood_at_each_event(audio, live, folder):
    with live() as session:
        session.play(audio[:60_000])
        session.ask("rename", {"class": 0, "name": "bass"})
        session.play(audio[60_000:])
        session.ask("rename", {"class": 2, "name": "hat"})
        stroke = of(session, Onset)[-1].sample
        session.play(audio[:12_000])  # between the onset and the final of the first stroke
        session.ask("rename", {"class": 0, "name": "class 3"})
        session.ask("rename", {"class": 0, "name": "kick"})
        session.play(audio[12_000:])
    assert stroke
    assert {"bass", "kick", "hat"} <= {final.name for final in of(session, Final)}
    again = Kept()
    assert replayed(folder, again).difference == ""
    told = [e.value["name"] for e in again.events if isinstance(e, Control)]
    assert told == ["bass", "hat", "class 3", "kick"]


def test_a_name_that_a_later_class_would_have_had_is_kept_from_it_again(audio, live, folder):
    with live(settings=Settings(classes="auto")) as session:
        session.ask("rename", {"class": 0, "name": "class 1"})
        session.play(audio)
    assert session.session.processor.learner.names[:2] == ["class 1", "class 0"]
    same(folder)


def test_a_rename_after_the_last_hit_of_the_warmup_holds_for_the_classes_at_the_end(
    audio, live, folder
):
    with live(settings=Settings(classes="auto", warmup=100)) as session:
        session.play(audio)
        session.play(np.zeros(44100, np.float32))
        session.ask("rename", {"class": 0, "name": "class 1"})
        session.turn()
    again = Kept()
    assert replayed(folder, again).difference == ""
    assert again.events[-3:] == session.kept.events[-3:]


def test_a_freeze_and_a_thaw_happen_again(audio, live, folder):
    with live() as session:
        session.play(audio)
        session.ask("freeze", True)
        session.play(audio[: 2 * 44100])
        session.ask("freeze", False)
        session.play(audio)
    models = [change.effective for change in of(session, ModelChange)]
    frozen = [m for m in models if len(audio) + 44100 < m < len(audio) + 2 * 44100]
    assert frozen == []
    assert models[-1] > len(audio) + 3 * 44100
    same(folder)


def test_thresholds_and_masks_take_effect_at_the_same_samples(audio, live, folder):
    with live() as session:
        for count, at in enumerate(range(0, len(audio), 7001)):
            session.processor.threshold = 0.2 + 0.37 * (count % 9)
            session.processor.mask = 100 * (count % 20)
            session.play(audio[at : at + 7001], every=333)
    told = of(session, Control)
    assert len(told) > 50
    same(folder)


@pytest.mark.parametrize("blocks", [1, 64, 441, 4096])
def test_a_threshold_holds_from_the_sample_that_its_event_says(audio, live, folder, blocks):
    """Set before a block: it holds from the hop that begins there, and not a hop sooner."""
    length = 2 * 44100 if blocks > 1 else 44100
    half = length // 2
    with live() as session:
        session.hear(audio[:half], blocks)
        session.processor.threshold = 100.0
        session.hear(audio[half:length], blocks)
        session.turn()
    [told] = of(session, Control)
    assert told.sample == half // 64 * 64
    whole = [e.as_dict() for e in run(audio[:length]) if isinstance(e, Onset)]
    before = [onset for onset in whole if onset["emitted"] <= told.sample]
    assert [onset.as_dict() for onset in of(session, Onset)] == before
    assert len(before) < len(whole)
    same(folder)


ACTIONS = st.one_of(
    st.just(("turn",)),
    st.just(("turn",)),
    st.just(("xrun",)),
    st.just(("write",)),
    st.just(("nan",)),
    st.tuples(st.just("freeze"), st.booleans()),
    st.tuples(st.just("threshold"), st.floats(0.0625, 3.0)),
    st.tuples(st.just("mask"), st.integers(0, 4000)),
    st.tuples(
        st.just("rename"), st.integers(0, 3), st.sampled_from(["kick", "class 2", "class 1", "x"])
    ),
)
STEPS = st.lists(st.tuples(st.integers(0, 9000), st.integers(1, 700), ACTIONS), max_size=25)


@hypothesis(max_examples=10)
@given(
    steps=STEPS,
    classes=st.sampled_from([1, 2, 3, "auto"]),
    kind=st.sampled_from(["wav", "flac"]),
    rest=st.sampled_from([500, 5000, 50_000]),
)
def test_whatever_happens_when_it_is_the_same_again(
    steps, classes, kind, rest, tmp_path_factory, short
):
    folder = tmp_path_factory.mktemp("takes") / "take"
    with Live(folder, Settings(classes=classes), kind=kind, rate=22050) as session:
        at = 0
        for frames, blocks, (what, *values) in steps:
            piece = short[at : at + frames].copy()
            at += frames
            if what == "nan" and len(piece):
                piece[len(piece) // 2] = np.nan
            session.hear(piece, blocks)
            session.recorder.step()
            match what:
                case "turn":
                    session.turn()
                case "xrun":
                    session.xrun()
                case "freeze" | "threshold":
                    session.ask(what, values[0])
                case "mask":
                    session.processor.mask = values[0]
                case "rename":
                    session.ask(what, {"class": values[0], "name": values[1]})
        for begin in range(at, len(short), rest):
            session.hear(short[begin : begin + rest])
            session.turn()
            session.recorder.step()
    found = replayed(folder)
    assert found.difference == "", session.lines
    assert found.samples == len(short)
    assert found.compared == sum(
        line["event"] in ("onset", "guess", "final", "model", "relabel", "merge_offer")
        or (line["event"] == "control" and line["what"] in ("threshold", "mask"))
        for line in session.lines
    )


@pytest.fixture(scope="module")
def short():
    return groove.render(4.0, 22050, bpm=150.0).audio


# What is not the same, and what cannot be read.


@pytest.fixture(scope="module")
def recorded(audio, tmp_path_factory):
    folder = tmp_path_factory.mktemp("takes") / "take"
    with Live(folder) as session:
        session.play(audio)
    return folder


@pytest.fixture
def take(recorded, folder):
    """A recording that a test may spoil."""
    return shutil.copytree(recorded, folder)


def spoilt(kind, place, **fields):
    def change(lines):
        [*of_kind] = [line for line in lines if line["event"] == kind]
        of_kind[place].update(fields)
        return lines

    return change


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("onset", {"velocity": 128}),
        ("guess", {"energy": 0.5}),
        ("final", {"zcr": 7}),
        ("final", {"margin": 2.5}),
        ("final", {"name": "cowbell"}),
        ("relabel", {"class": 9}),
        ("model", {"version": 99}),
    ],
)
def test_the_first_difference_is_shown_with_both_values(take, kind, fields):
    [(field, value)] = fields.items()
    true = [line for line in events_of(take) if line["event"] == kind][2][field]
    edit(take, spoilt(kind, 2, **fields))
    text = replayed(take).difference
    if kind != "model":
        assert f'"{field}": {json.dumps(value)}' in text.partition("replayed")[0]
        assert f'"{field}": {json.dumps(true)}' in text.partition("replayed")[2]
    else:
        assert "model" in text


def test_a_line_that_is_missing_is_a_difference(take):
    edit(take, lambda lines: [x for x in lines if (x["event"], x.get("id")) != ("guess", 9)])
    assert '"guess"' in replayed(take).difference


def test_a_line_that_was_added_at_the_end_is_a_difference(take):
    def add(lines):
        last = max((x for x in lines if x["event"] == "onset"), key=lambda x: x["id"])
        return [*lines[:-1], last | {"id": 99}, lines[-1]]

    edit(take, add)
    assert replayed(take).difference.startswith("the replay ends before")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hits", 7),
        ("samples", 99),
        ("seconds", 1.5),
        ("classes", {"class 0": 1}),
        ("unclassified", 3),
        ("late_models", 2),
        ("xruns", 1),
        ("onset_latency_ms", {}),
    ],
)
def test_a_summary_that_says_something_else_is_a_difference(take, field, value):
    edit(take, lambda lines: [*lines[:-1], lines[-1] | {field: value}])
    assert f'"{field}": {json.dumps(value)}' in replayed(take).difference


def test_a_summary_of_an_earlier_version_may_say_less(take):
    edit(take, lambda lines: [*lines[:-1], {"event": "summary", "hits": lines[-1]["hits"]}])
    assert replayed(take).difference == ""


@pytest.mark.parametrize(
    "line",
    [
        {"event": "xrun", "sample": -5, "kind": "input_overflow"},
        {"event": "xrun", "sample": 1 << 40, "kind": "input_overflow"},
        {"event": "control", "sample": -1, "what": "freeze", "value": False},
    ],
    ids=["before the start", "after the end", "a control"],
)
def test_what_lies_outside_the_recording_is_a_difference(take, line):
    edit(take, lambda lines: [*lines[:9], line, *lines[9:]])
    text = replayed(take).difference
    assert f'"sample": {line["sample"]}' in text
    assert "is not within the 220500 samples" in text


def test_an_event_that_this_version_does_not_know_is_told(take):
    edit(take, lambda x: [*x[:5], {"event": "aurora", "sample": 9}, {"event": "aurora"}, *x[5:]])
    found = replayed(take)
    assert found.difference == ""
    assert found.notes == (
        "2 events of a kind that this version does not know, 'aurora', could not be compared",
    )


@pytest.mark.parametrize("hops", [1, -1, 5])
def test_a_model_that_took_effect_when_it_was_not_due_is_a_difference(take, hops):
    """Also where no hit was near, so that none has another class for it."""
    for place in (0, 3, -1):
        shutil.copy(take / "events.jsonl", take / "kept")
        [*models] = [line for line in events_of(take) if line["event"] == "model"]
        moved = models[place]["effective"] + 64 * hops
        edit(take, spoilt("model", place, effective=moved))
        assert "model" in replayed(take).difference
        shutil.move(take / "kept", take / "events.jsonl")


def test_a_model_that_was_in_time_cannot_have_come_late(take):
    edit(take, spoilt("model", 3, late=True))
    assert "late, where it was due at" in replayed(take).difference


def test_lines_that_are_missing_at_the_end_are_a_difference(take):
    edit(take, lambda lines: [x for x in lines if x.get("id", 0) < 15])
    assert replayed(take).difference


def test_audio_that_ends_early_is_a_difference(take):
    audio, rate = soundfile.read(take / "audio.wav", dtype="float32")
    soundfile.write(take / "audio.wav", audio[: len(audio) // 2], rate, subtype="FLOAT")
    assert replayed(take).difference
    soundfile.write(take / "audio.wav", audio[:-7], rate, subtype="FLOAT")
    found = replayed(take).difference
    assert found


def test_a_recording_that_was_cut_off_anywhere_is_the_same_up_to_there(take):
    text = (take / "events.jsonl").read_bytes()
    audio, rate = soundfile.read(take / "audio.wav", dtype="float32")
    rng = np.random.default_rng(1)
    first = text.index(b"\n") + 1
    for _ in range(6):
        (take / "events.jsonl").write_bytes(text[: rng.integers(first, len(text) - 400)])
        part = audio[: rng.integers(1, len(audio))]
        soundfile.write(take / "audio.wav", part, rate, subtype="FLOAT")
        found = replayed(take)
        assert found.difference == ""
        assert found.notes == ("the recording was cut off, and was compared up to there",)


def test_a_recording_that_was_cut_off_and_changed_is_a_difference(take):
    edit(take, lambda lines: spoilt("final", 5, energy=1.0)(lines)[:-1])
    assert '"energy": 1.0' in replayed(take).difference


def one_line(error):
    text = str(error.value)
    assert "\n" not in text
    assert text.startswith("Expected ")
    return text


def refused(take):
    with pytest.raises(RtclusterError) as error, Replay(take) as replay:
        list(replay.play())
    return one_line(error)


def test_missing_audio_is_told_in_one_line(take):
    (take / "audio.wav").unlink()
    assert "audio.wav or audio.flac" in refused(take)


def test_missing_events_are_told_in_one_line(take):
    (take / "events.jsonl").unlink()
    assert "events.jsonl" in refused(take)


def test_audio_of_another_rate_is_told_in_one_line(take):
    audio, _ = soundfile.read(take / "audio.wav", dtype="float32")
    soundfile.write(take / "audio.wav", audio, 48000, subtype="FLOAT")
    assert "48000" in refused(take)
    soundfile.write(take / "audio.wav", np.stack([audio, audio], 1), 44100, subtype="FLOAT")
    assert "got 2" in refused(take)


@pytest.mark.parametrize(
    "settings",
    [{"colour": "red"}, {"classes": "many"}, {"threshold": "high"}, {"window": []}, {"seed": None}],
)
def test_settings_that_this_version_does_not_know_are_told_in_one_line(take, settings):
    edit(take, lambda x: [x[0] | {"settings": x[0]["settings"] | settings}, *x[1:]])
    assert "settings" in refused(take)


@pytest.mark.parametrize("settings", [None, [], "none", 3])
def test_settings_that_are_none_are_told_in_one_line(take, settings):
    edit(take, lambda x: [x[0] | {"settings": settings}, *x[1:]])
    assert "settings" in refused(take)


@pytest.mark.parametrize(
    "control",
    [
        {"what": "threshold", "value": "high"},
        {"what": "mask", "value": -1},
        {"what": "mask", "value": 1e9},
        {"what": "freeze", "value": "yes"},
        {"what": "rename", "value": {"class": 1}},
        {"what": "rename", "value": {"class": 77, "name": "far"}},
        {"what": "mute", "value": 3},
    ],
    ids=str,
)
def test_a_control_that_could_not_have_been_asked_for_is_told_in_one_line(take, control):
    edit(take, lambda x: [x[0], {"event": "control", "sample": 0, **control}, *x[1:]])
    refused(take)


def test_a_kit_that_does_not_fit_is_told_in_one_line(take, audio):
    from rtcluster.learning import kit_file

    kit_file.save(take / recorders.KIT_FILE, kit_of(audio, classes=2))
    assert "classes" in refused(take)
    (take / recorders.KIT_FILE).write_text("{")
    assert "kit" in refused(take)


def test_a_file_that_is_no_folder_is_told_in_one_line(take):
    with pytest.raises(SourceError, match="neither"):
        Replay(take / "events.jsonl")
