"""``rtcluster.toml``: what it says stands in for defaults, and what it cannot say is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from rtcluster import Settings


@pytest.fixture
def file(tmp_path, monkeypatch):
    """The file of the folder that the program runs in."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return folder / "rtcluster.toml"


@pytest.fixture
def settings(rtcluster, wav):
    """The settings that a run of the program has."""

    def ask(*options):
        code, out, err = rtcluster("run", wav, "--jsonl", "-", *options)
        assert code == 0, err
        return json.loads(out.splitlines()[0])["settings"]

    return ask


KEPT = """
guess = "25ms"
warmup = 9

[run]
warmup = 11
velocity-range = "-50,-3"

[listen]
warmup = 12

[preset.gig]
threshold = 0.2
warmup = 13
"""


def test_what_is_typed_comes_before_the_preset_the_command_and_the_rest(file, settings):
    file.write_text(KEPT)
    plain = settings()
    assert (plain["guess"], plain["warmup"], plain["velocity_range"]) == ("25ms", 11, "-50,-3")
    gig = settings("--preset", "gig")
    assert (gig["guess"], gig["warmup"], gig["threshold"]) == ("25ms", 13, 0.2)
    assert gig["preset"] == "balanced"
    assert settings("--preset", "gig", "--warmup", "20")["warmup"] == 20
    assert settings("--preset", "fast")["warmup"] == 11


def test_a_preset_may_have_one_of_the_detectors(file, settings):
    file.write_text('[preset.gig]\npreset = "fast"\n')
    assert settings("--preset", "gig")["preset"] == "fast"


def test_the_folders_file_comes_before_the_users_own(file, settings, tmp_path):
    own = tmp_path / "config" / "rtcluster"
    own.mkdir(parents=True)
    (own / "rtcluster.toml").write_text("seed = 7\n")
    if sys.platform == "linux":
        assert settings()["seed"] == 7
    file.write_text("seed = 8\n")
    assert settings()["seed"] == 8


def test_a_kit_brings_its_own_features_and_keeps_the_rest(file, settings, rtcluster, wav, tmp_path):
    kit = tmp_path / "my.kit"
    assert rtcluster("run", wav, "-k", "3", "--save-kit", kit)[0] == 0
    file.write_text(f'features = "best"\nclasses = 2\nreject = 4\nkit = "{kit}"\n')
    found = settings()
    assert (found["classes"], found["features"]) == (3, list(Settings().features))
    assert found["reject"] == 4.0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("guess =", "TOML in rtcluster.toml"),
        ("[[[", "TOML in rtcluster.toml"),
        ("devise = 1", "the long name of an option in rtcluster.toml, got devise"),
        ("files = 'a.wav'", "the long name of an option"),
        ("[run]\nmonitor = true", "option in rtcluster.toml, got [run] monitor"),
        ("[lisen]\nwarmup = 9", "a command or preset.NAME as table in rtcluster.toml, got [lisen]"),
        ("freeze = 1", "true or false as freeze"),
        ("warmup = true", "a text or a number as warmup"),
        ("features = ['zcr']", "a text or a number as features"),
        ("[preset.fast]\nwarmup = 9", "NAME none of fast, balanced, accurate"),
        ("[preset.gig]\ndevise = 9", "got [preset.gig] devise"),
    ],
)
def test_what_it_cannot_say_is_one_line(file, rtcluster, text, says):
    file.write_text(text)
    code, out, err = rtcluster("devices")
    assert (code, out) == (2, "")
    assert says in err
    assert len(err.splitlines()) == 1


def test_a_value_is_read_as_if_it_were_typed(file, rtcluster, wav):
    file.write_text("warmup = 9.5\n")
    code, _, err = rtcluster("run", wav)
    assert code == 2
    assert "--warmup" in err


def test_a_duration_says_its_unit(file, settings, rtcluster, wav):
    file.write_text('guess = "900 samples"\n')
    assert settings()["guess"] == "900samples"
    file.write_text("guess = 30\n")
    code, _, err = rtcluster("run", wav)
    assert code == 2
    assert "unit for guess, got '30': 30ms or 30samples?" in err


def test_a_shell_completes_commands():
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv[0] = 'rtcluster'\n"
         "from rtcluster.cli import main; main()"],
        env=os.environ | {
            "_RTCLUSTER_COMPLETE": "complete_bash",
            "COMP_WORDS": "rtcluster lis",
            "COMP_CWORD": "1",
        },
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.stdout.split() == ["listen"]
