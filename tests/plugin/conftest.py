"""A kit as a plug-in, built once, and a host without a screen that plays audio through it."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from rtcluster import Final, Guess, Processor, Settings
from rtcluster.commands.app import app
from rtcluster.errors import RtclusterError
from rtcluster.learning import kit_file
from rtcluster.plugin import bundle, image
from rtcluster.sinks.drum_map import note_of
from tests.live.conftest import excused
from tests.support.host import DRUMS, Host
from tests.support.taught import ALL, TONES, performance, taught_kit

RATES = (44100, 96000)
URI = "urn:rtcluster:kit:my_drums"
GENERIC = "urn:rtcluster:plugin"

pytest_runtest_setup = pytest_runtest_call = excused  # those that keep time


@pytest.fixture(scope="session")
def compiler():
    """The command of a C compiler."""
    try:
        return bundle.find_compiler()
    except RtclusterError:
        pytest.skip("not installed: a C compiler (Debian: gcc)")


@pytest.fixture(scope="session")
def kit(tmp_path_factory):
    """The path of a taught kit."""
    path = tmp_path_factory.mktemp("kit") / "My drums.kit"
    kit_file.save(path, taught_kit())
    return path


@pytest.fixture(scope="session")
def other_kit(tmp_path_factory):
    """The path of a kit of other drums."""
    path = tmp_path_factory.mktemp("other") / "other.kit"
    kit_file.save(path, taught_kit(tuple(TONES)))
    return path


@pytest.fixture(scope="session")
def command():
    """A command of `rtcluster plugin`, for the rates of the tests."""

    def run(*arguments):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(image, "RATES", RATES)  # each takes its time
            app(["plugin", *map(str, arguments)], standalone_mode=False)

    return run


@pytest.fixture(scope="session")
def built(compiler, kit, command, tmp_path_factory):
    """The plug-in's bundle with the kit in it, by the command."""
    folder = tmp_path_factory.mktemp("lv2")
    command("build", kit, "--out", folder)
    [made] = folder.iterdir()
    return made


@pytest.fixture(scope="session")
def clap(compiler, kit, command, tmp_path_factory):
    """The same kit as a CLAP plug-in: its library."""
    folder = tmp_path_factory.mktemp("clap")
    command("build", kit, "--out", folder, "--format", "clap")
    return folder / "rtcluster-my_drums" / "rtcluster-my_drums.clap"


@pytest.fixture(scope="session")
def generic(compiler, command, tmp_path_factory):
    """The bundle without a kit."""
    folder = tmp_path_factory.mktemp("generic")
    command("build", "--generic", "--out", folder)
    return folder / "rtcluster.lv2"


@pytest.fixture(scope="session")
def chosen(kit, command, tmp_path_factory):
    """The kit's file for it."""
    path = tmp_path_factory.mktemp("chosen") / "My drums.rtkit"
    command("kit", kit, "-o", path)
    return path


@pytest.fixture(scope="session")
def other_chosen(other_kit, command, tmp_path_factory):
    """That of the other kit."""
    path = tmp_path_factory.mktemp("chosen") / "other.rtkit"
    command("kit", other_kit, "-o", path)
    return path


@pytest.fixture(scope="session")
def play(built, compiler, tmp_path_factory):
    """Play audio through the plug-in, its notes as a host has them at first: `Host.play`."""
    try:
        host = Host(compiler, tmp_path_factory.mktemp("host"))
    except RuntimeError as error:
        assert "lv2/" in str(error)
        pytest.skip("not installed: LV2's headers (Debian: lv2-dev)")

    def run(
        audio, rate=44100, blocks="64", controls=None, times=1, folder=built, uri=URI, kits=None
    ):
        controls = notes_by_default() | (controls or {})
        return host.play(folder, uri, audio, rate, blocks, controls, times, kits)

    return run


def notes_by_default():
    """The ports' values with which a host begins, as the bundle describes them."""
    names = ("kick", "snare", "hat")
    return {DRUMS + 2 * n: note_of(n, name, {}) for n, name in enumerate(names)}


def expected(kit, audio, rate=44100, stage=Guess, set_up=lambda processor: None):
    """Frame, note and velocity of each note, by the engine in Python."""
    processor = Processor(Settings(freeze=True), kit=kit)
    processor.prepare(rate)
    set_up(processor)
    events = processor.process(np.asarray(audio, np.float32))
    processor.close()
    return [
        (event.emitted - 1, note_of(part.class_, part.name, {}), part.velocity)
        for event in events
        if isinstance(event, (Guess, Final)) and type(event) is stage
        for part in event.parts
    ]


@pytest.fixture(scope="session")
def hits():
    """All the sets of drums, struck twice: the audio at a rate."""

    def at(rate=44100):
        return performance(ALL * 2, np.random.default_rng(3), rate=rate)[0]

    return at


def lacking(program, package):
    """Skip where a program is not installed."""
    if shutil.which(program) is None:
        pytest.skip(f"not installed: {program} (Debian: {package})")
