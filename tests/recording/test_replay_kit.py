"""A recording that begins with a kit, and what hits are judged by in it, give the same again."""

from __future__ import annotations

import numpy as np

from rtcluster import Final, Settings
from tests.recording.conftest import edit, kit_of, replayed, same
from tests.support import taught

HITS = 19


def of(live, kind):
    return [event for event in live.kept.events if isinstance(event, kind)]


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


def test_a_recording_tells_when_each_of_two_drums_was_struck_and_older_ones_do_not(live, folder):
    heard, _ = taught.pairs([0.012] * 6)
    with live(settings=Settings(), kit=taught.taught_kit()) as session:
        session.play(heard)
    told = [part["offset"] for line in session.lines for part in line.get("parts", ())
            if "offset" in part]  # fmt: skip
    assert len(told) >= 6
    same(folder)

    def later(lines, by):
        for line in lines:
            for part in line.get("parts", ()):
                if "offset" in part:
                    part["offset"] += by
        return lines

    edit(folder, lambda lines: later(lines, 1))
    assert "offset" in replayed(folder).difference

    def older(lines):
        for line in lines:
            for part in line.get("parts", ()):
                part.pop("offset", None)
        return lines

    edit(folder, older)
    same(folder)


def test_the_features_that_decided_are_recorded_and_compared(live, folder, audio):
    with live(settings=Settings(classes=3, features="complexity,air")) as session:
        session.play(audio)
    assert session.lines[0]["units"] == {"complexity": "octaves", "air": "dB"}
    finals = [line for line in session.lines if line["event"] == "final"]
    assert all(list(line["features"]) == ["complexity", "air"] for line in finals)
    same(folder, HITS)
    air = finals[3]["features"]["air"]
    kept = session.lines
    edit(folder, lambda lines: [
        line | {"features": line["features"] | {"air": np.nextafter(air, 0.0)}}
        if line["event"] == "final" and line["id"] == 3 else line for line in lines
    ])  # fmt: skip
    assert '"air": ' in replayed(folder).difference
    edit(folder, lambda _: [{k: v for k, v in x.items() if k != "features"} for x in kept])
    same(folder, HITS)


def test_the_two_that_each_hit_tells_are_told_once(live, folder, audio):
    with live() as session:
        session.play(audio[:44100])
    assert "units" not in session.lines[0]
    assert not any("features" in line for line in session.lines)


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
