"""A tape machine in JACK: it records what goes into it, and plays it back a set time later.

The tests of sound out stand on it: it records a drum and the click beside each other, by one
clock, and it is a loop of known length for the round trip. Its process callback is compiled, as
the player's is.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.sinks.jack_midi import address, set_callbacks
from tests.support import jackd

TRACKS = 2

MAX_FRAMES = 1 << 21
"""Frames of a tape, 47 s at 44.1 kHz. What comes later is not recorded."""

TAPE = np.dtype(
    [
        ("inputs", "u8", (TRACKS,)),
        ("output", "u8"),
        ("delay", "i8"),
        ("position", "i8"),
        ("audio", "f4", (TRACKS, MAX_FRAMES)),
    ],
    align=True,
)


@functools.cache
def _process_callback() -> Any:
    """Compile the JACK process callback; its argument is a :data:`TAPE`'s address."""
    from numba import carray, cfunc, types

    get_buffer = jackd.port_buffer()

    @cfunc(types.int32(types.uint32, types.voidptr))  # type: ignore[untyped-decorator]  # Numba's decorators have no types
    def process(frames: Any, userdata: Any) -> int:
        state = carray(userdata, 1, TAPE)[0]
        room = min(np.intp(frames), MAX_FRAMES - state.position)
        for track in range(TRACKS):
            x = carray(get_buffer(state.inputs[track], frames), (np.intp(frames),), np.float32)
            for i in range(room):
                state.audio[track, state.position + i] = x[i]
        out = carray(get_buffer(state.output, frames), (np.intp(frames),), np.float32)
        for i in range(frames):
            at = state.position + i - state.delay
            out[i] = state.audio[0, at] if 0 <= at < MAX_FRAMES else np.float32(0.0)
        state.position += room
        return 0

    return process


class Tape:
    """A JACK client that records two inputs, and plays the first one later; a context manager.

    Parameters
    ----------
    server : jackd.Server
    delay : int
        In frames.
    """

    def __init__(self, server: jackd.Server, delay: int = 0) -> None:
        import jack

        self._client = jack.Client("tape", servername=server.name, no_start_server=True)
        self.inputs = [self._client.inports.register(f"in_{n}").name for n in range(TRACKS)]
        self.output = self._client.outports.register("out").name
        self._state = np.zeros(1, TAPE)
        for place, name in enumerate(self.inputs):
            self._state["inputs"][0, place] = self._port(name)
        self._state["output"] = self._port(self.output)
        self._state["delay"] = delay
        set_callbacks(self._client, self._state, _process_callback())
        self._client.activate()

    def _port(self, name: str) -> int:
        return address(self._client.get_port_by_name(name))

    def connect(self, source: str, target: str) -> None:
        """Connect two ports, whoever they belong to."""
        self._client.connect(source, target)

    def stream_ports(self, client: str = "PortAudio") -> tuple[str, str]:
        """The first input and the first output of a client's stream, once it has started."""

        def started() -> Any:
            found = [
                self._client.get_ports(f"^{client}", is_audio=True, **way)
                for way in ({"is_input": True}, {"is_output": True})
            ]
            return (
                all(found)
                and all(self._client.get_all_connections(ports[0]) for ports in found)
                and (found[0][0].name, found[1][0].name)
            )

        ports: tuple[str, str] = jackd.wait_until(started, f"a duplex stream of {client}")
        return ports

    def recorded(self) -> npt.NDArray[np.float32]:
        """All so far, shape (TRACKS, frames)."""
        return np.array(self._state["audio"][0, :, : int(self._state["position"][0])])

    def close(self) -> None:
        """Leave the server."""
        self._client.deactivate(ignore_errors=True)
        self._client.close(ignore_errors=True)

    def __enter__(self) -> Tape:
        """Enter the context."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the server."""
        self.close()
