from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from rtcluster.learning.kit_file import load


@pytest.fixture
def kit(rtcluster, wav, tmp_path):
    """A kit that was learned."""
    path = tmp_path / "my.kit"
    assert rtcluster("run", wav, "-k", "3", "--save-kit", path)[0] == 0
    return str(path)


def finals(out):
    return [e for e in map(json.loads, out.splitlines()) if e["event"] == "final"]


def test_a_run_saves_what_it_learned_and_says_so(rtcluster, wav, tmp_path):
    path = tmp_path / "my.kit"
    code, out, err = rtcluster("run", wav, "-k", "3", "--save-kit", path)
    assert code == 0
    assert err == f"Saved class 0, class 1, class 2 in {path}.\n"
    assert len(finals(out)) == 33
    assert load(path).learned["heard"] == 33


def test_audio_in_place_of_a_kit_is_told_in_one_line(rtcluster, wav, tmp_path):
    flac = tmp_path / "some.flac"
    soundfile.write(flac, np.zeros(100), 44100)
    for file in (wav, flac):
        for arguments in (["kit", "show", file], ["run", wav, "--kit", file]):
            code, _, err = rtcluster(*arguments)
            assert (code, err.splitlines()[-1]) == (
                1,
                f"rtcluster: Expected a kit at {file}, got audio, or something else that is no "
                "text; 'rtcluster teach' makes one.",
            )


def test_a_run_with_a_kit_names_every_hit(rtcluster, wav, kit):
    code, out, _ = rtcluster("run", wav, wav, "--kit", kit)
    classes = [event["class"] for event in finals(out)]
    assert code == 0
    assert min(classes) == 0
    assert classes[: len(classes) // 2] == classes[len(classes) // 2 :]


def test_a_demo_and_a_live_input_take_and_save_kits(rtcluster, kit, tmp_path, card, drums):
    code, _, err = rtcluster("demo", "--seconds", "2", "--kit", kit, "--save-kit", kit)
    assert code == 0
    assert "learning" not in err
    assert f"Saved class 0, class 1, class 2 in {kit}." in err
    card(drums.audio)
    code, _, err = rtcluster("listen", "--kit", kit, "--save-kit", tmp_path / "live.kit")
    assert code == 130
    assert "fake card is gone; waiting for it" in err
    assert load(tmp_path / "live.kit").names == ("class 0", "class 1", "class 2")


def one_line(result, code):
    got, out, err = result
    assert (got, out) == (code, "")
    assert len(err.splitlines()) == 1, err
    assert err.startswith("rtcluster: ")
    return err


def test_options_that_contradict_the_kit_are_refused(rtcluster, wav, kit):
    assert "3 (class 0" in one_line(rtcluster("run", wav, "--kit", kit, "-k", "2"), 2)
    assert "got notebook" in one_line(rtcluster("run", wav, "--kit", kit, "--features", "best"), 2)
    assert rtcluster("run", wav, "--kit", kit, "--features", "notebook", "-k", "3")[0] == 0


def test_one_kit_is_saved_of_one_file_only(rtcluster, wav, tmp_path):
    path = tmp_path / "my.kit"
    assert "got 2" in one_line(rtcluster("run", wav, wav, "--save-kit", path), 2)
    assert not path.exists()


def test_a_recording_is_not_overwritten_by_a_kit(rtcluster, wav):
    assert "it is an input" in one_line(rtcluster("run", wav, "--save-kit", wav), 2)


def test_without_classes_no_kit_is_written(rtcluster, tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(44100), 44100)
    path = tmp_path / "my.kit"
    code, _, err = rtcluster("run", tmp_path / "silence.wav", "--save-kit", path)
    assert code == 0
    assert err == f"No classes yet; {path} was not written.\n"
    assert not path.exists()


def test_a_run_that_fails_midway_saves_its_classes(rtcluster, wav, tmp_path, monkeypatch):
    from rtcluster.errors import SourceError
    from rtcluster.sources.file import FileSource

    whole = FileSource.blocks

    def broken(self):
        yield from whole(self)
        raise SourceError("Expected more audio, got an error while reading.")

    monkeypatch.setattr(FileSource, "blocks", broken)
    code, _, err = rtcluster("run", wav, "-k", "3", "--save-kit", tmp_path / "my.kit")
    assert code == 1
    assert err.splitlines()[0].startswith("Saved ")
    assert err.splitlines()[1].startswith("rtcluster: Expected more audio")
    assert load(tmp_path / "my.kit").names


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_an_interrupted_run_saves_its_kit(tmp_path, drums, number):
    path, kit = tmp_path / "long.wav", tmp_path / "my.kit"
    soundfile.write(path, np.tile(drums.audio, 60), 44100)
    process = subprocess.Popen(
        [sys.executable, "-m", "rtcluster", "run", path, "-k", "3", "--save-kit", kit],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    for line in process.stdout:
        if '"event": "relabel"' in line:
            break
    process.send_signal(getattr(signal, number))
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert f"Saved class 0, class 1, class 2 in {kit}." in err
    assert "Traceback" not in err
    assert load(kit).learned["heard"] >= 8


def test_show_prints_classes_and_how_far_apart_they_are(rtcluster, kit):
    code, out, err = rtcluster("kit", "show", kit)
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0].endswith("44100 Hz, window 3969 and guess 1323 samples, minmax scaling")
    assert lines[1].split() == ["no", "name", "weight", "centres", "held", "zcr", "energy"]
    assert lines[2].split()[:4] == ["0", "class", "0", "7"]
    assert lines[6].startswith("pair ")
    assert lines[7].startswith("class 0, class 1")
    assert lines[7].endswith("clearly apart")


def test_a_renamed_class_is_called_so_from_then_on(rtcluster, wav, kit):
    assert rtcluster("kit", "rename", kit, "class 0", "kick")[0] == 0
    code, _, err = rtcluster("kit", "rename", kit, "2", "hat")
    assert (code, err) == (0, f"{kit}: 0 kick, 1 class 1, 2 hat\n")
    _, out, _ = rtcluster("run", wav, "--kit", kit)
    assert {event["name"] for event in finals(out)} == {"kick", "class 1", "hat"}


def test_merging_and_removing_tell_which_numbers_have_moved(rtcluster, kit):
    code, _, err = rtcluster("kit", "merge", kit, "0", "1")
    assert code == 0
    assert err.splitlines() == [
        f"{kit}: 0 class 0, 1 class 2",
        "Numbers moved up to close the gap: class 2 is 1, was 2.",
    ]
    code, _, err = rtcluster("kit", "remove", kit, "class 0")
    assert err.splitlines()[0] == f"{kit}: 0 class 2"
    assert load(kit).names == ("class 2",)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["rename", "KIT", "cowbell", "x"], "(0 class 0, 1 class 1, 2 class 2), got 'cowbell'"),
        (["rename", "KIT", "0", "class 1"], "a name that is free"),
        (["rename", "KIT", "0", "7"], "no number"),
        (["rename", "KIT", "0", "two\nlines"], "a name of 1 to 64 characters"),
        (["merge", "KIT", "0", "class 0"], "two classes to merge"),
        (["remove", "KIT", "3"], "got '3'"),
        (["show", "NONE"], "'rtcluster teach' makes one"),
    ],
)
def test_what_cannot_be_done_to_a_kit_is_told_in_one_line(rtcluster, kit, arguments, says):
    before = load(kit)
    names = {"KIT": kit, "NONE": kit + ".none"}
    assert says in one_line(rtcluster("kit", *[names.get(a, a) for a in arguments]), 1)
    assert load(kit) == before


def test_the_last_class_is_not_removed(rtcluster, kit):
    rtcluster("kit", "remove", kit, "0")
    rtcluster("kit", "remove", kit, "0")
    assert "delete the file" in one_line(rtcluster("kit", "remove", kit, "0"), 1)


def test_a_kit_is_shown_as_json(rtcluster, kit):
    code, out, _ = rtcluster("kit", "show", kit, "--json")
    shown, saved = json.loads(out), load(kit)
    assert code == 0
    assert [one["name"] for one in shown["classes"]] == list(saved.names)
    assert [len(c) for one in shown["classes"] for c in one["centres"]] == [
        len(saved.features) for one in shown["classes"] for _ in one["centres"]
    ]
    assert shown["samplerate"] == 44100
