"""The plug-in in a host of others' making: jalv, on JACK's dummy driver."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress

import numpy as np
import pytest

from rtcluster import Final
from tests.plugin.conftest import GENERIC, URI, expected, lacking
from tests.plugin.test_plugin import lv2_folder
from tests.support import jackd, lilv

pytestmark = [pytest.mark.live, pytest.mark.alone]

TURNS = 5
"""Where the server or a client was late the clock jumps, and with it the frames of notes: so often
the audio is played anew."""


@pytest.fixture
def hear():
    """Play audio to jalv with a plug-in on JACK; the notes that come: frame, note, velocity.

    Frames count from a beginning that only JACK knows. The last notes may come after the end.
    """
    lacking("jalv", "jalv")
    if reason := jackd.missing():
        pytest.skip(reason)
    import jack

    def run(*arguments, **options):
        """The notes of a turn in which nobody was late; else of the last one."""
        for _ in range(TURNS):
            notes, late = turn(*arguments, **options)
            if not late:
                break
        return notes

    def turn(folder, uri, audio, *options, period=256):
        came = []
        with jackd.Server(period=period, patient=True) as server:
            environment = server.environment | {"LV2_PATH": f"{folder}{os.pathsep}{lv2_folder()}"}
            command = ["jalv", *options, "-x", "-n", "plugin", uri]
            silent = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL}
            listener = jack.Client("listener", servername=server.name, no_start_server=True)
            port = listener.midi_inports.register("in")

            @listener.set_process_callback
            def process(_):
                now = listener.last_frame_time
                for offset, data in port.incoming_midi_events():
                    came.append((now + offset, *bytes(data)))

            def joined():
                """Ports can be connected once their client runs, later than they are there."""
                for source, target in (("plugin:midi", port), (player.ports[0], "plugin:in")):
                    with suppress(jack.JackErrorCode):
                        listener.connect(source, target)
                return player.connected and port.connections

            with (
                jackd.child(command, environment, **silent),
                listener,
                jackd.Player(server, audio) as player,
            ):
                jackd.wait_until(joined, "jalv to run")
                late = server.count("XRun")
                player.play()
                jackd.wait_until(lambda: player.done, "the end of the audio")
                late = server.count("XRun") - late
        return [(frame, note, loud) for frame, kind, note, loud in came if kind == 0x99], late

    return run


def assert_same(notes, wanted):
    """The notes are those that were wanted, from whatever frame on."""
    assert len(notes) >= 4
    began = notes[0][0] - wanted[0][0]
    assert [(frame - began, note, loud) for frame, note, loud in notes] == wanted[: len(notes)]
    assert len(wanted) - len(notes) <= 1  # the last may come after the end


def heard_on_jack(audio):
    """The audio as it comes: whole hops of silence are heard before it begins."""
    return np.concatenate([np.zeros(700 * 64, np.float32), audio])


def test_a_host_on_jack_gets_the_notes_that_the_engine_tells(built, kit, hits, hear):
    audio = hits()[: 3 * 44100]
    assert_same(hear(built.parent, URI, audio), expected(kit, heard_on_jack(audio)))


@pytest.mark.parametrize("kind", ["built in", "chosen"])
def test_a_session_comes_back_in_a_host_on_jack(
    built, generic, chosen, kit, hits, hear, tmp_path, kind
):
    if reason := lilv.missing():
        pytest.skip(reason)
    audio = hits()[: 4 * 44100]
    bundle, uri, first, third = (
        (built, URI, "drum_kick", "drum_hat")
        if kind == "built in"
        else (generic, GENERIC, "drum_1", "drum_3")
    )
    with lilv.Plugin(bundle, uri) as plugin:
        plugin.controls |= {f"{first}_note": 50, f"{third}_note": 52, "stage": 1}
        if kind == "chosen":
            plugin.set(f"{GENERIC}#kit", "Path", str(chosen))
            plugin.play(np.zeros(64, np.float32))
        plugin.save(tmp_path / "session")
    wanted = [
        (frame, {36: 50, 42: 52}.get(note, note), loud)
        for frame, note, loud in expected(kit, heard_on_jack(audio), stage=Final)
    ]
    assert_same(hear(bundle.parent, uri, audio, "-l", str(tmp_path / "session")), wanted)
