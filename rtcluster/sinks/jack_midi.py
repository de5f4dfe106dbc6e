"""MIDI through JACK: what it is sent, JACK's own thread takes out of a ring.

JACK-Client loads the system's libjack, so it is PipeWire's where that stands for JACK.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.errors import RtclusterError

_PATIENCE_S = 1.0
"""For JACK to take what was sent, when a port is closed."""

_left: list[Any] = []  # the memory of clients whose server stands still: JACK may still read it


def set_callbacks(client: Any, state: npt.NDArray[Any], process: Any, shutdown: Any = None) -> None:
    """Give a client compiled callbacks, whose argument is the state's address.

    JACK-Client itself takes Python functions only.

    Parameters
    ----------
    client : jack.Client
        Not yet active.
    state : ndarray
        Must outlive the client.
    process, shutdown : CFunc
        A ``JackProcessCallback`` and a ``JackInfoShutdownCallback``; must outlive it too.
    """
    import jack

    cast, own = jack._ffi.cast, jack._ffi.cast("void *", state.ctypes.data)
    function = cast("JackProcessCallback", process.address)
    jack._lib.jack_set_process_callback(client._ptr, function, own)
    if shutdown is not None:
        function = cast("JackInfoShutdownCallback", shutdown.address)
        jack._lib.jack_on_info_shutdown(client._ptr, function, own)


def address(wrapped: Any) -> int:
    """The C pointer in one of JACK-Client's objects."""
    import jack

    return int(jack._ffi.cast("uintptr_t", wrapped._ptr))


def functions() -> dict[str, int]:
    """Addresses of libjack's functions that compiled code calls."""
    import jack

    from rtcluster.kernel.jack_midi import CALLED

    found = {name: jack._ffi.addressof(jack._lib, name) for name in CALLED}
    return {name: int(jack._ffi.cast("uintptr_t", one)) for name, one in found.items()}


class JackOutput:
    """A client of the JACK server, with one output once it is opened.

    Parameters
    ----------
    name : str
        Of the client.

    Raises
    ------
    RtclusterError
        If there is no libjack, or no server runs.
    """

    def __init__(self, name: str) -> None:
        try:
            import jack
        except OSError as error:  # what JACK-Client raises without a libjack
            raise RtclusterError(f"Expected JACK's library, got: {error}") from error
        try:
            self._client = jack.Client(name, no_start_server=True)
        except jack.JackOpenError as error:
            raise RtclusterError(f"Expected a JACK server, got: {error}") from error
        self._error = jack.JackError
        self._name = ""
        self._state: Any = None

    def names(self) -> list[str]:
        """Ports that it may be connected to."""
        return [port.name for port in self._client.get_ports(is_midi=True, is_input=True)]

    def connect(self, number: int, name: str) -> str:
        """Open an output and connect it to a port; its name."""
        self._open("out", name)
        return name

    def create(self, name: str) -> str:
        """Open an output for others to connect to; its whole name."""
        return self._open(name, None)

    def _open(self, name: str, target: str | None) -> str:
        from rtcluster.kernel.jack_midi import JACK_MIDI, callbacks, link, push

        link(functions())
        push(np.zeros(1, JACK_MIDI), _packed((0,)))  # compiled now, and not while a hit waits
        self._state = np.zeros(1, JACK_MIDI)
        try:
            port = self._client.midi_outports.register(name)
            self._state["port"] = address(port)
            set_callbacks(self._client, self._state, *callbacks())
            self._client.activate()
            if target is not None:
                self._client.connect(port, target)
        except self._error as error:
            shown = target or name
            said = f"Expected the MIDI output {shown!r} to open, got: {error}"
            raise RtclusterError(said) from error
        self._name = target or port.name
        return self._name

    def send(self, message: Sequence[int]) -> None:
        """Queue a message for JACK's next block.

        Raises
        ------
        RtclusterError
            If the server has gone, or has taken nothing for a thousand messages.
        """
        from rtcluster.kernel.jack_midi import push

        if self._state["gone"][0, 0] or not push(self._state, _packed(message)):
            raise RtclusterError(f"Expected {self._name} to take MIDI, got no answer from JACK.")

    def close(self) -> None:
        """Leave the server once it has what was sent.

        One that stands still, which nothing but its cycles tells, would never answer: it is left
        without a word.
        """
        if self._state is None or self._taken():
            self._client.close()
        else:
            import jack

            _left.append(self._state)
            self._client._ptr = jack._ffi.NULL

    def _taken(self) -> bool:
        """Wait until what was sent has been in a cycle that is over, or JACK has gone."""
        state, end = self._state, time.monotonic() + _PATIENCE_S
        cycles = int(state["cycles"][0, 0])
        while not state["gone"][0, 0]:
            if (state["read"] == state["written"]).all() and state["cycles"][0, 0] > cycles + 1:
                break
            if time.monotonic() > end:
                return False
            time.sleep(0.001)
        return True


def _packed(message: Sequence[int]) -> npt.NDArray[np.uint8]:
    return np.frombuffer(bytes(message), np.uint8)
