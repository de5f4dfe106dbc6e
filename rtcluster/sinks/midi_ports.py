"""MIDI outputs: finding the one that is meant, or making a virtual one.

The API is what the machine has: CoreMIDI, Windows' own, ALSA's sequencer, and JACK where a
server runs. ``python-rtmidi`` speaks to all of them. Its wheels bring a libjack of their own,
which speaks to jackd; PipeWire's stand-in for JACK needs its own libjack and is reached through
ALSA's sequencer instead.

A port is opened on the command's thread and used on any, by one at a time.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.libraries import extra, silent_libraries

CLIENT = "rtcluster"
"""Name of the program to the MIDI system."""

_JACK_ROOM = 2000
"""Messages that rtmidi's ring to JACK holds, and some less."""


class MidiPort:
    """An open output; use :func:`open_port`.

    Parameters
    ----------
    out : rtmidi.MidiOut
        With an open port.
    name : str
        As the system has it.
    virtual : bool
        It was made here, and others have to connect to it.
    server : JackServer, optional
        Where it leads, if that is JACK.
    """

    def __init__(
        self, out: Any, name: str, *, virtual: bool = False, server: JackServer | None = None
    ) -> None:
        self.name = name
        self.virtual = virtual
        self._out = out
        self._server = server
        self._room = _JACK_ROOM

    def send(self, message: Sequence[int]) -> None:
        """Send a message of MIDI 1.0.

        Raises
        ------
        RtclusterError
            If it leads to JACK, and the server has gone.
        OSError
            If the system does not take it.
        """
        if self._server is not None:
            if self._room <= 0:
                raise RtclusterError(f"Expected {self.name} to take MIDI, got no answer from JACK.")
            self._room -= 1
        self._out.send_message(message)

    def renew(self) -> None:
        """See now and then whether what was sent still goes out.

        Once its ring is full, rtmidi waits for the JACK server with the GIL held; if the server
        has gone, that stops the program for good. To ask takes some ms: not for the pump thread.
        """
        if self._server is not None and self._room < _JACK_ROOM // 2:
            self._room = _JACK_ROOM if self._server.answers() else 0

    def close(self) -> None:
        """Close it; what was sent still arrives."""
        self._out.close_port()
        self._out.delete()
        if self._server is not None:
            self._server.close()


class JackServer:
    """Whether the JACK server still runs: a client that connects to an output for a moment.

    rtmidi cannot be asked, and its list of ports outlives the server.
    """

    def __init__(self, rtmidi: Any) -> None:
        self._error = rtmidi.RtMidiError
        self._probe = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, name=f"{CLIENT}-probe")

    def answers(self) -> bool:
        """Whether it does."""
        names = self._probe.get_ports()
        ours = [i for i, name in enumerate(names) if name.startswith(CLIENT)]
        try:
            self._probe.open_port(ours[0] if ours else 0, name="probe")
        except self._error:
            return False
        self._probe.close_port()
        while self._probe.get_message() is not None:
            pass
        return True

    def close(self) -> None:
        """Leave the server."""
        self._probe.delete()


def open_port(wanted: str) -> MidiPort:
    """Open the output whose name holds ``wanted``, or make a virtual one of that name.

    Parameters
    ----------
    wanted : str
        Part of the name, in any case. A whole name comes before a part of one.

    Raises
    ------
    SettingsError
        If it fits several outputs; or none, and the system has no virtual ones.
    RtclusterError
        If python-rtmidi is not installed, there is no MIDI system, or it refuses.
    """
    rtmidi = _rtmidi()
    if not wanted.strip():
        raise SettingsError("Expected a MIDI port, got an empty name. Any name makes a new one.")
    refused = []
    with silent_libraries():
        clients = []
        try:
            for api in rtmidi.get_compiled_api():
                try:
                    client = rtmidi.MidiOut(api, name=CLIENT)
                except rtmidi.RtMidiError as error:
                    refused.append(str(error))
                    continue
                clients.append(client)
                names = client.get_ports()
                number = find(names, wanted)
                if number is not None:
                    return _opened(rtmidi, client, wanted, names[number], number)
            if not clients:
                raise RtclusterError(_no_system(refused))
            return _opened(rtmidi, clients[0], wanted, None, None)
        finally:
            for client in clients:
                if not client.is_port_open():
                    client.delete()


def find(names: Sequence[str], wanted: str) -> int | None:
    """Number of the output that is meant; None if there is none.

    Raises
    ------
    SettingsError
        If there are several.
    """
    asked = wanted.strip().casefold()
    whole = [i for i, name in enumerate(names) if name.casefold() == asked]
    found = whole or [i for i, name in enumerate(names) if asked in name.casefold()]
    if len(found) > 1:
        raise SettingsError(
            f"Expected part of one MIDI output's name, got {wanted!r}, which is in {len(found)}: "
            f"{', '.join(repr(names[i]) for i in found)}. Give more of it."
        )
    return found[0] if found else None


def _opened(
    rtmidi: Any, client: Any, wanted: str, name: str | None, number: int | None
) -> MidiPort:
    api = client.get_current_api()
    virtual = number is None
    if virtual and api == rtmidi.API_WINDOWS_MM:
        there = ", ".join(map(repr, client.get_ports())) or "none; loopMIDI makes one"
        raise SettingsError(
            f"Expected the name of a MIDI output, got {wanted!r}. There are {there}."
        )
    try:
        if virtual:
            client.open_virtual_port(wanted)
        else:
            client.open_port(number, name="out")
    except (rtmidi.RtMidiError, NotImplementedError) as error:
        raise RtclusterError(
            f"Expected the MIDI output {name or wanted!r} to open, got: {error}"
        ) from error
    server = JackServer(rtmidi) if api == rtmidi.API_UNIX_JACK else None
    return MidiPort(client, name or f"{CLIENT}:{wanted}", virtual=virtual, server=server)


def _rtmidi() -> Any:
    try:
        with extra("midi"):
            import rtmidi
    except ImportError as error:
        raise RtclusterError(
            f"Expected python-rtmidi to load, got: {error}. On Debian and Ubuntu it needs "
            "'apt install libasound2'."
        ) from error
    return rtmidi


def _no_system(refused: Sequence[str]) -> str:
    if sys.platform == "linux":
        return (
            "Expected ALSA's sequencer or a running JACK server for --midi, got neither. "
            "'modprobe snd-seq' loads the sequencer."
        )
    return f"Expected a MIDI system for --midi, got: {'; '.join(refused) or 'none'}"
