from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

from rtcluster.learning.kit_file import load
from rtcluster.sources import groove
from tests.commands.conftest import strokes

DRUMS = ("kick", "snare", "hat")


def names_in(out, kind="final"):
    return [e["name"] for e in map(json.loads, out.splitlines()) if e["event"] == kind]


def test_teaching_from_a_file_for_each_drum_makes_a_kit_that_names_every_hit(
    rtcluster, one_drum, wav, drums, tmp_path
):
    kit = tmp_path / "my.kit"
    files = [f"--from={drum}={one_drum(drum, seed=n)}" for n, drum in enumerate(DRUMS)]
    code, out, err = rtcluster("teach", *files, "--save-kit", kit)
    assert (code, out) == (0, "")
    assert err.count(" of 5 ") == 15
    assert "No drums are confused: all 15 hits" in err
    assert "Features that separate best: " in err
    assert err.endswith(f"Saved kick, snare, hat in {kit}.\n")
    _, out, _ = rtcluster("run", wav, "--kit", kit)
    for kind in ("guess", "final"):
        assert names_in(out, kind) == [stroke.drum for stroke in drums.strokes]


def test_teaching_from_one_file_with_its_truth(rtcluster, wav, truth, drums, tmp_path):
    kit = tmp_path / "my.kit"
    code, _, _ = rtcluster(
        "teach", "hat", "kick", "snare", "--from", wav, "--truth", truth, "--save-kit", kit,
        "--hits", "4",
    )  # fmt: skip
    assert code == 0
    assert load(kit).names == ("hat", "kick", "snare")
    assert load(kit).learned["heard"] == 12
    _, out, _ = rtcluster("run", wav, "--kit", kit, "--freeze")
    assert names_in(out) == [stroke.drum for stroke in drums.strokes]


def test_a_hit_of_another_drum_in_a_file_is_refused(rtcluster, one_drum, tmp_path, monkeypatch):
    kick, snare = one_drum("kick"), tmp_path / "mixed.wav"
    audio = np.concatenate([strokes("snare", 3), strokes("kick", 1, seed=5), strokes("snare", 4)])
    soundfile.write(snare, audio, 44100, subtype="FLOAT")
    _, _, err = rtcluster(
        "teach", "--from", f"kick={kick}", "--from", f"snare={snare}", "--save-kit",
        tmp_path / "my.kit",
    )  # fmt: skip
    assert err.count("refused: that is kick, not snare") == 1
    assert "snare 5 of 5" in err


def test_teaching_live_asks_for_one_drum_at_a_time(rtcluster, card, wav, drums, tmp_path):
    kit = tmp_path / "my.kit"
    # The sixth kick comes when the snare is asked for.
    card(np.concatenate([strokes(drum, 6, seed=n) for n, drum in enumerate(DRUMS)]))
    code, out, err = rtcluster("teach", *DRUMS, "--save-kit", kit)
    assert (code, out) == (0, "")
    asked = [line for line in err.splitlines() if line.endswith("strike it 5 times.")]
    assert asked == [f"{drum}: strike it 5 times." for drum in DRUMS]
    assert "refused: that is kick, not snare" in err
    _, out, _ = rtcluster("run", wav, "--kit", kit)
    assert names_in(out) == [stroke.drum for stroke in drums.strokes]


def test_live_teaching_counts_down_to_each_drum(rtcluster, card, tmp_path):
    card(np.concatenate([strokes("kick", 9), strokes("snare", 14)]))
    code, _, err = rtcluster(
        "teach",
        "kick",
        "snare",
        "--hits",
        "3",
        "--countdown",
        "2",
        "--save-kit",
        tmp_path / "a.kit",
    )
    assert code == 0
    told = [line for line in err.splitlines() if "dBFS" not in line]
    first = told.index("kick in 2")
    assert told[first + 1 : first + 3] == ["  1", "kick: strike it 3 times."]
    assert told.index("snare in 2") > first + 2


def test_in_a_terminal_it_counts_down_unasked_and_asks_about_a_stroke(
    rtcluster, card, tmp_path, monkeypatch
):
    class Typed:
        possible = True

        def __init__(self):
            self.calls = 0

        def take(self):
            """A batch is 50 ms: the fifth stroke is over, the sixth is to come."""
            self.calls += 1
            return ["r"] if self.calls == 119 else []

    monkeypatch.setattr("rtcluster.commands.asking.Typed", Typed)
    quiet = strokes("kick", 0, gap_s=3.0)
    card(np.concatenate([quiet, strokes("kick", 3), strokes("snare", 1), strokes("kick", 4)]))
    code, _, err = rtcluster("teach", "kick", "--hits", "5", "--save-kit", tmp_path / "my.kit")
    assert code == 0
    assert "\nkick in 3\n  2\n  1\nkick: strike it 5 times.\n" in err
    assert "stroke 4 of kick is unlike the others" in err
    assert "kick: strike it 1 time." in err
    assert load(tmp_path / "my.kit").learned["heard"] == 5


def test_a_card_that_is_lost_while_teaching_is_waited_for(rtcluster, card, tmp_path):
    card(strokes("kick", 3))
    code, _, err = rtcluster("teach", "kick", "snare", "--save-kit", tmp_path / "my.kit")
    assert code == 130
    assert "fake card is gone; waiting for it." in err
    assert err.splitlines()[-1].endswith("nothing was saved.")
    assert not (tmp_path / "my.kit").exists()


def test_teaching_into_a_tuned_kit_keeps_its_detector_settings(rtcluster, wav, truth, tmp_path):
    kit = tmp_path / "my.kit"
    assert rtcluster("tune", wav, "--save-kit", kit)[0] == 0
    tuned = load(kit).detection
    assert rtcluster("teach", "--from", wav, "--truth", truth, "--save-kit", kit)[0] == 0
    assert load(kit).detection == tuned
    assert {*load(kit).names} == {*DRUMS}


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["kick"], 2, "Expected --save-kit FILE"),
        (["--save-kit", "KIT"], 2, "Expected the names of 1 to 32 drums, got 0"),
        (["a", "a", "--save-kit", "KIT"], 2, "Expected names that differ"),
        (["7", "--save-kit", "KIT"], 2, "no number"),
        (["--from", "WAV", "--save-kit", "KIT"], 2, "Expected --from NAME=FILE"),
        (["a", "--from", "b=WAV", "--save-kit", "KIT"], 2, "got a difference: a, b"),
        (["--from", "a=WAV", "--from", "a=WAV", "--save-kit", "KIT"], 2, "one file for a"),
        (["--truth", "CSV", "--save-kit", "KIT"], 2, "one --from FILE with --truth, got 0"),
        (["gong", "--from", "WAV", "--truth", "CSV", "--save-kit", "KIT"], 2, "got gong"),
        (["--from", "WAV", "--truth", "WAV", "--save-kit", "KIT"], 1, "Expected "),
        (["--from", "a=none.wav", "--save-kit", "KIT"], 1, "got nothing there"),
        (["kick", "--save-kit", "WAV"], 1, "holds something else"),
        (["kick", "-c", "0", "--save-kit", "KIT"], 2, "(1-8 or 1,2,5), or all, got 0."),
    ],
)
def test_wrong_ways_to_teach_are_told_in_one_line(
    rtcluster, wav, truth, tmp_path, arguments, code, says
):
    kit = tmp_path / "my.kit"
    places = {"KIT": str(kit), "WAV": wav, "CSV": truth}
    given = []
    for argument in arguments:
        for place, path in places.items():
            argument = argument.replace(place, path)
        given.append(argument)
    got, out, err = rtcluster("teach", *given)
    assert (got, out) == (code, "")
    assert says in err.splitlines()[-1]
    assert err.splitlines()[-1].startswith("rtcluster: ")
    assert not kit.exists()


def test_one_shots_that_begin_with_their_attack_teach_a_kit(rtcluster, wav, drums, tmp_path):
    files, kit = [], tmp_path / "my.kit"
    for number, drum in enumerate(DRUMS):
        shot = getattr(groove, drum)(44100, np.random.default_rng(number))
        shot = 0.5 * shot[np.argmax(np.abs(shot) > 0.05 * np.abs(shot).max()) :]
        soundfile.write(tmp_path / f"{drum}.wav", shot, 44100, subtype="FLOAT")
        files.append(f"--from={drum}={tmp_path / drum}.wav")
    code, _, err = rtcluster("teach", *files, "--hits", "1", "--save-kit", kit)
    assert code == 0, err
    assert load(kit).names == DRUMS
    code, out, err = rtcluster("run", wav, "--kit", kit)
    assert code == 0, err
    right = [a == stroke.drum for a, stroke in zip(names_in(out), drums.strokes, strict=True)]
    assert np.mean(right) > 0.9


def test_files_of_several_rates_teach_one_kit_and_it_names_hits_at_any_rate(
    rtcluster, one_drum, drums, tmp_path
):
    kit, high = tmp_path / "my.kit", tmp_path / "high.wav"
    rates = dict(zip(DRUMS, (44100, 48000, 96000), strict=True))
    files = [f"--from={d}={one_drum(d, seed=n, rate=rates[d])}" for n, d in enumerate(DRUMS)]
    code, _, err = rtcluster("teach", *files, "--save-kit", kit)
    assert code == 0, err
    assert load(kit).samplerate == 44100
    soundfile.write(high, groove.render(8.0, samplerate=96000).audio, 96000, subtype="FLOAT")
    for extra, rate in (([], 96000), (["-r", "44100"], 44100)):
        code, out, err = rtcluster("run", high, "--kit", kit, *extra)
        assert code == 0, err
        assert json.loads(out.splitlines()[0])["samplerate"] == rate
        assert names_in(out) == [stroke.drum for stroke in drums.strokes]


def test_the_rate_asked_for_is_that_of_what_is_taught_and_tuned(rtcluster, wav, truth, tmp_path):
    kit, tuned = tmp_path / "my.kit", tmp_path / "tuned.kit"
    rtcluster("teach", "--from", wav, "--truth", truth, "-r", "48000", "--save-kit", kit)
    rtcluster("tune", wav, "-r", "48000", "--save-kit", tuned)
    assert [load(path).samplerate for path in (kit, tuned)] == [48000, 48000]
    assert rtcluster("run", wav, "-r", "4000")[0] == 2


def test_a_file_without_the_drum_is_refused(rtcluster, tmp_path):
    kit = tmp_path / "my.kit"
    soundfile.write(tmp_path / "silence.wav", np.zeros(44100), 44100)
    _, _, err = rtcluster("teach", f"--from=a={tmp_path / 'silence.wav'}", "--save-kit", kit)
    assert "Expected a hit of a that can be told" in err.splitlines()[-1]


def test_tuning_shows_what_it_chose_and_a_run_takes_it(rtcluster, wav, drums, tmp_path):
    kit = tmp_path / "my.kit"
    code, out, err = rtcluster("tune", wav, "--save-kit", kit, "--threshold", "0.1")
    assert (code, out) == (0, "")
    assert "notes  missed  doubles" in err
    assert "<- chosen" in err
    assert "As given on the command line: threshold." in err
    _, out, _ = rtcluster("run", wav, "--kit", kit, "-k", "3", "--mask", "20ms")
    settings = json.loads(out.splitlines()[0])["settings"]
    own = load(kit).detection
    assert (settings["threshold"], settings["silence"]) == (0.1, own.silence)
    assert settings["mask"] == "20ms"
    assert len(names_in(out)) == len(drums.strokes)


def test_tuning_tells_programs_what_it_chose_and_from_what(rtcluster, wav, tmp_path):
    kit = tmp_path / "my.kit"
    code, out, err = rtcluster("tune", wav, "--save-kit", kit, "--json")
    assert code == 0
    [line] = out.splitlines()
    told = json.loads(line)
    assert told["event"] == "tuning"
    assert told["detection"] == load(kit).detection.as_dict()
    assert told["saved"] == str(kit)
    [mask] = [trial["value"] for trial in told["masks"] if trial["chosen"]]
    assert told["detection"]["mask"] == f"{mask:g}ms"
    assert told["noise_db"] < told["softest_db"] < told["loudest_db"]
    assert "<- chosen" in err


def test_tuning_a_kit_keeps_its_classes(rtcluster, wav, tmp_path):
    kit = tmp_path / "my.kit"
    rtcluster("run", wav, "-k", "3", "--save-kit", kit)
    before = load(kit)
    assert rtcluster("tune", wav, "--kit", kit, "--seconds", "6")[0] == 0
    assert load(kit).learned == before.learned
    assert load(kit).detection is not None
    assert "detector: method drums" in rtcluster("kit", "show", kit)[1]


def test_tuning_listens_to_a_live_input(rtcluster, card, drums, tmp_path):
    card(np.tile(drums.audio, 2))
    code, _, err = rtcluster("tune", "--seconds", "8", "--save-kit", tmp_path / "my.kit")
    assert code == 0
    assert "play for 8 s" in err
    assert load(tmp_path / "my.kit").detection.threshold is None  # it goes on following
    assert "no classes" in rtcluster("kit", "show", tmp_path / "my.kit")[1]


def test_tuning_needs_a_file_to_keep_what_it_finds_and_hits_to_find(rtcluster, wav, tmp_path):
    code, _, err = rtcluster("tune", wav)
    assert code == 2
    assert "Expected --save-kit FILE" in err
    soundfile.write(tmp_path / "silence.wav", np.zeros(44100), 44100)
    code, _, err = rtcluster("tune", tmp_path / "silence.wav", "--save-kit", tmp_path / "my.kit")
    assert code == 1
    assert "Expected at least 8 hits" in err
    assert not (tmp_path / "my.kit").exists()
