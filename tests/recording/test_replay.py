"""A recording gives the same events again, whatever people and machines did to it live."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from rtcluster import Final, ModelChange, Onset, Settings
from rtcluster.events import Control
from rtcluster.kernel.state import EVENTS
from rtcluster.recording.log import hits, read
from rtcluster.sources import groove
from tests.conftest import Kept, run
from tests.recording.conftest import Live, edit, replayed, same

HITS = 19


def of(live, kind):
    return [event for event in live.kept.events if isinstance(event, kind)]


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


def test_a_recording_whose_samples_have_no_unit_is_read(audio, live, folder):
    with live(settings=Settings(guess="900samples", mask="400samples")) as session:
        session.play(audio)
    bare = {"guess": "900", "mask": 400}
    edit(folder, lambda x: [x[0] | {"settings": x[0]["settings"] | bare}, *x[1:]])
    assert same(folder).compared == len(session.kept.events)


@pytest.mark.parametrize("driver", ["compiled", "python"])
def test_either_driver_is_replayed(audio, live, folder, driver):
    with live(driver=driver) as session:
        session.play(audio[: 2 * 44100])
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


def test_merges_and_what_is_taken_back_come_again(audio, live, folder):
    with live() as session:
        session.play(audio[:60_000])
        session.ask("rename", {"class": 0, "name": "bass"})
        session.ask("merge", {"class": 1, "into": 0})
        session.play(audio[60_000:])
        session.ask("undo", True)
        session.play(audio[:60_000])
        session.ask("merge", {"class": 2, "into": 1})
        session.play(audio[60_000:])
    finals = of(session, Final)
    assert {final.class_ for final in finals if final.name == "bass"} == {0, 1}
    names = session.session.processor.learner.names
    assert names == ["bass", "class 1", "class 1"]
    again = Kept()
    assert replayed(folder, again).difference == ""
    told = [(e.what, *e.value.values()) for e in again.events if isinstance(e, Control)]
    assert told == [
        ("rename", 0, "bass"), ("rename", 1, "bass"), ("rename", 1, "class 1"),
        ("rename", 2, "class 1"),
    ]  # fmt: skip
    found = hits(read(folder))
    assert {hit.class_ for hit in found} == {0, 1}
    assert {hit.name for hit in found} == {"bass", "class 1"}


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
    st.tuples(st.just("merge"), st.integers(0, 3), st.integers(0, 3)),
    st.just(("undo",)),
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
                case "merge":
                    session.ask(what, {"class": values[0], "into": values[1]})
                case "undo":
                    session.ask(what, True)
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
