"""The plug-in in a host of others' making: jalv, on JACK's dummy driver."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress

import numpy as np
import pytest

from tests.plugin.conftest import URI, expected, lacking
from tests.plugin.test_plugin import lv2_folder
from tests.support import jackd

pytestmark = [pytest.mark.live, pytest.mark.alone]


@pytest.mark.parametrize("period", [256])
def test_a_host_on_jack_gets_the_notes_that_the_engine_tells(built, kit, hits, period):
    lacking("jalv", "jalv")
    if reason := jackd.missing():
        pytest.skip(reason)
    import jack

    audio = hits()[: 3 * 44100]
    silence = np.zeros(700 * 64, np.float32)  # whole hops, as are heard before the audio begins
    wanted = expected(kit, np.concatenate([silence, audio]))
    came = []
    with jackd.Server(period=period, patient=True) as server:
        environment = server.environment | {"LV2_PATH": f"{built.parent}{os.pathsep}{lv2_folder()}"}
        command = ["jalv", "-x", "-n", "plugin", URI]
        silent = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL}
        listener = jack.Client("listener", servername=server.name, no_start_server=True)
        port = listener.midi_inports.register("in")

        @listener.set_process_callback
        def process(_):
            now = listener.last_frame_time
            for offset, data in port.incoming_midi_events():
                came.append((now + offset, *bytes(data)))

        def joined():
            """Ports can be connected once their client runs, which is later than they are there."""
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
            player.play()
            jackd.wait_until(lambda: player.done, "the end of the audio")
    notes = [(frame, note, loud) for frame, kind, note, loud in came if kind == 0x99]
    assert len(notes) >= 4
    began = notes[0][0] - wanted[0][0]
    assert [(frame - began, note, loud) for frame, note, loud in notes] == wanted[: len(notes)]
    assert len(wanted) - len(notes) <= 1  # the last may come after the end
