"""Nothing of the user's is lost: every command, and every option that names what is written."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import soundfile
import typer

from rtcluster import Settings
from rtcluster.commands.app import app
from rtcluster.commands.writing import WRITTEN
from rtcluster.learning.kit_file import load
from rtcluster.recording.log import PARTS
from rtcluster.sources import groove
from rtcluster.sources.file import FileSource
from tests.commands.conftest import strokes
from tests.recording.conftest import Live

WRITES = {
    "demo --jsonl": ["demo", "--seconds", "1", "--jsonl", "TARGET"],
    "demo --output": ["demo", "-o", "beside.wav"],
    "demo --save-kit": ["demo", "--seconds", "1", "--save-kit", "TARGET"],
    "demo --record": ["demo", "--seconds", "1", "--record", "TARGET"],
    "listen --jsonl": ["listen", "--jsonl", "TARGET"],
    "listen --save-kit": ["listen", "--save-kit", "TARGET"],
    "listen --record": ["listen", "--record", "TARGET"],
    "run --save-kit": ["run", "one.wav", "--save-kit", "TARGET"],
    "run --jsonl": ["run", "one.wav", "--jsonl", "TARGET"],
    "run --out": ["run", "one.wav", "--out", "out"],
    "replay --jsonl": ["replay", "take", "--jsonl", "TARGET"],
    "teach --save-kit": ["teach", "--from", "kick=one.wav", "--save-kit", "TARGET"],
    "tune --save-kit": ["tune", "one.wav", "--save-kit", "TARGET"],
    "tune --kit": ["tune", "one.wav", "--kit", "TARGET"],
    "analyze --out": ["analyze", "one.wav", "-o", "report"],
    "report --out": ["report", "take", "-o", "TARGET"],
    "report": ["report", "take"],
    "export --output": ["export", "take", "--to", "csv", "-o", "TARGET"],
    "export": ["export", "take", "--to", "midi,csv,audacity"],
    "plugin build --out": ["plugin", "build", "my.kit", "--out", "lv2", "--name", "mine"],
    "plugin kit --output": ["plugin", "kit", "my.kit", "-o", "TARGET"],
    "kit rename": ["kit", "rename", "TARGET", "0", "kick"],
    "kit merge": ["kit", "merge", "TARGET", "0", "1"],
    "kit remove": ["kit", "remove", "TARGET", "0"],
}
"""A command line for everything that can be written."""

TARGETS = {
    "demo --output": ("beside.wav", "beside.csv"),
    "run --out": ("out/one.wav.jsonl", "out/.one.wav.jsonl.part", "out/.rtcluster-run.lock"),
    "analyze --out": ("report/labels.txt", "report/sounds/mine.wav", "report/notes.txt"),
    "plugin build --out": ("lv2/rtcluster-mine.lv2/rtcluster.ttl",),
    "report --out": ("mine.html", "mine.json"),
    "report": ("take/performance.html", "take/performance.json"),
    "export": ("take/session.csv", "take/session.labels.txt"),
}
"""Where a file of the user's stands, if not at what is named."""

NO_KIT = '{"rtcluster_kit": 1, "names": ["mine"]}\n'
VICTIMS = [
    "a line's end",
    "a brace",
    "text",
    "json",
    "audio",
    "events and more",
    "events torn off by a text",
    "a kit edited",
]

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("coarse_pictures")]


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """A recording, an audio file, and a kit."""
    folder = tmp_path_factory.mktemp("originals")
    soundfile.write(folder / "one.wav", strokes("kick", count=12), 44100, subtype="FLOAT")
    with Live(folder / "take", Settings(classes=3)) as session:
        session.play(groove.render(4.0).audio)
        session.processor.save_kit(folder / "my.kit")
    return folder


@pytest.fixture
def there(originals, tmp_path, monkeypatch, card):
    """The same in the working folder, and a sound card."""
    shutil.copytree(originals, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    card(strokes("kick"))
    return tmp_path


def content(victim, folder):
    events = (folder / "take" / "events.jsonl").read_text()
    session, rest = events.split("\n", 1)
    plain = json.dumps({k: v for k, v in json.loads(session).items() if k != "recording"})
    return {
        "a line's end": "\n",
        "a brace": "{",
        "text": "what the user wrote\n",
        "json": NO_KIT,
        "audio": (folder / "one.wav").read_bytes(),
        "events and more": f"{plain}\n{rest}and what the user wrote\n",
        "events torn off by a text": f"{plain}\n{rest}and what the user wrote",
        "a kit edited": (folder / "my.kit").read_text().replace("0.", "1.", 1),
    }[victim]


def put(path, what):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(what if isinstance(what, bytes) else what.encode())


def files(folder):
    """Every file and what it holds."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def changed(before):
    return [
        path.name for path, was in before.items() if not path.exists() or path.read_bytes() != was
    ]


def filled(name, target):
    return [str(target) if part == "TARGET" else part for part in WRITES[name]]


def commands(group=None, before=()):
    group = group or typer.main.get_command(app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*before, name))
        else:
            yield (*before, name), command


def test_every_path_that_a_command_writes_is_in_the_table():
    takes = {line.partition(" -")[0] for line in WRITES}
    for name, command in commands():
        for parameter in command.params:
            if parameter.name in WRITTEN:
                option = max(parameter.opts, key=len)
                assert f"{' '.join(name)} {option}" in WRITES
                assert "overwrite" in {one.name for one in command.params}
    assert takes <= {" ".join(name) for name, _ in commands()}


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize(
    ("name", "place"), [(n, p) for n in WRITES for p in TARGETS.get(n, ("mine.html",))]
)
def test_no_file_of_the_users_changes(rtcluster, there, name, place, victim):
    put(there / place, content(victim, there))
    before = files(there)
    code, _, err = rtcluster(*filled(name, place))
    assert changed(before) == []
    assert code in (1, 2)
    assert Path(place).parts[0] in err


@pytest.mark.parametrize("link", ["itself", "symbolic", "hard"])
@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
@pytest.mark.parametrize(
    ("arguments", "victim"),
    [
        (["replay", "take", "--jsonl"], "take/audio.wav"),
        (["replay", "take", "--jsonl"], "take/events.jsonl"),
        (["run", "one.wav", "--save-kit"], "one.wav"),
        (["run", ".", "--save-kit"], "one.wav"),
        (["teach", "--from", "kick=one.wav", "--save-kit"], "one.wav"),
        (["listen", "--click-file", "kick=one.wav", "--jsonl"], "one.wav"),
        (["listen", "--kit", "my.kit", "--jsonl"], "my.kit"),
        (["tune", "one.wav", "--save-kit"], "one.wav"),
        (["export", "take", "--to", "csv", "-o"], "take/audio.wav"),
        (["export", "take/events.jsonl", "--to", "csv", "-o"], "take/events.jsonl"),
    ],
)
def test_no_input_changes_even_if_files_may_be_overwritten(
    rtcluster, there, arguments, victim, link, overwrite
):
    target = there / victim
    if link != "itself":
        target = there / f"link{target.suffix}"
        (target.symlink_to if link == "symbolic" else target.hardlink_to)(there / victim)
    before = files(there)
    code, _, err = rtcluster(*arguments, target, *overwrite)
    assert changed(before) == []
    assert code in (1, 2)
    if overwrite:
        assert "it is an input" in err or "it belongs to a recording" in err


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    "name",
    [
        n
        for n in WRITES
        if "TARGET" in WRITES[n] and not n.endswith("--record") and n != "report --out"
    ],
)
def test_no_part_of_a_recording_changes_or_is_added(rtcluster, there, name, part):
    if name == "tune --kit" or name.startswith("kit"):
        shutil.copy("my.kit", Path("take") / part)
    Path("link").symlink_to("take")
    before = files(there)
    target = Path("link") / part
    more = [] if name.startswith("kit") else ["--overwrite"]
    code, _, err = rtcluster(*filled(name, target), *more)
    assert changed(before) == []
    assert files(there).keys() == before.keys()
    assert code in (1, 2)
    assert "it belongs to a recording" in err or "it is an input" in err


def test_the_events_and_the_report_of_a_recording_are_no_place_for_a_report(rtcluster, there):
    before = files(there)
    code, _, err = rtcluster("analyze", "take/audio.wav", "-o", "take")
    assert (code, changed(before)) == (1, [])
    assert "take: it is not empty, and no report wrote it" in err
    code, _, err = rtcluster("analyze", "take/audio.wav", "-o", "take", "--overwrite")
    assert (code, changed(before)) == (2, [])
    assert "take/events.jsonl: it belongs to a recording" in err


def test_two_outputs_do_not_go_to_one_file(rtcluster, there):
    code, _, err = rtcluster("demo", "--jsonl", "new", "--save-kit", "./new")
    assert (code, err) == (2, "rtcluster: ./new: two outputs would go there; name another file.\n")
    assert not Path("new").exists()


@pytest.mark.parametrize(
    "command",
    [("run", "one.wav"), ("teach", "--from", "kick=one.wav"), ("tune", "one.wav")],
    ids=lambda command: command[0],
)
@pytest.mark.parametrize("before", [False, True])
def test_a_kit_that_somebody_else_has_written_meanwhile_stays(
    rtcluster, there, monkeypatch, command, before
):
    assert rtcluster("teach", "--from", "bell=one.wav", "--save-kit", "other.kit")[0] == 0
    other = Path("other.kit").read_bytes()
    if before:
        assert rtcluster("run", "one.wav", "--save-kit", "my.kit")[0] == 0
    blocks = FileSource.blocks

    def meanwhile(source):
        Path("my.kit").write_bytes(other)
        return blocks(source)

    monkeypatch.setattr(FileSource, "blocks", meanwhile)
    code, _, err = rtcluster(*command, "--save-kit", "my.kit")
    assert code == 0
    assert "my.kit: somebody else has written it meanwhile; it stays as it is." in err
    assert Path("my.kit").read_bytes() == other
    assert load("my-2.kit").samplerate == 44100
    assert rtcluster(*command, "--save-kit", "my.kit", "--overwrite")[0] == 0
    assert Path("my.kit").read_bytes() != other
    assert not Path("my-3.kit").exists()


def test_what_is_wholly_of_the_same_kind_is_replaced(rtcluster, there):
    assert rtcluster("replay", "take", "--jsonl", "copy.jsonl")[0] == 0
    first = Path("copy.jsonl").read_text()
    Path("copy.jsonl").write_text(first + first[:-20])  # two sessions, the second cut off
    assert rtcluster("replay", "take", "--jsonl", "copy.jsonl")[0] == 0
    assert Path("copy.jsonl").read_text().count('"session"') == 1
    made = ("teach", "--from", "kick=one.wav")
    assert rtcluster(*made, "--save-kit", "my.kit")[0] == 0
    assert load("my.kit").names == ("kick",)
    assert rtcluster("tune", "one.wav", "--kit", "my.kit", "--save-kit", "my.kit")[0] == 0
    assert load("my.kit").detection is not None
    Path("empty").touch()
    assert rtcluster(*made, "--save-kit", "empty")[0] == 0
    for bpm in (100, 110):
        assert rtcluster("report", "take", "--bpm", bpm)[0] == 0


def test_what_is_not_is_replaced_if_asked(rtcluster, there):
    for arguments, target in (
        (("teach", "--from", "kick=one.wav", "--save-kit"), "mine.html"),
        (("tune", "one.wav", "--save-kit"), "mine.html"),
        (("replay", "take", "--jsonl"), "mine.html"),
        (("report", "take", "-o"), "mine.html"),
        (("export", "take", "--to", "csv", "-o"), "mine.html"),
        (("run", "one.wav", "--out"), "."),
    ):
        for name in ("mine.html", "mine.json", "one.wav.jsonl"):
            Path(name).write_text("what the user wrote")
        code, _, err = rtcluster(*arguments, target, "--overwrite")
        assert (code, err.count("rtcluster: ")) == (0, 0), err
        changed_one = "one.wav.jsonl" if target == "." else target
        assert Path(changed_one).read_text() != "what the user wrote"


def test_events_may_go_to_a_pipe_or_a_terminal(rtcluster, there):
    assert rtcluster("replay", "take", "--jsonl", os.devnull)[0] == 0
