"""MIDI outputs: finding the one that is meant, or making a virtual one.

The systems are those that the machine has: CoreMIDI, Windows' own or ALSA's sequencer, and then
JACK, or PipeWire in its place, where a server runs.

A port is opened on the command's thread and used on any, by one at a time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Protocol

from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.libraries import extra, silent_libraries
from rtcluster.sinks.jack_midi import JackOutput
from rtcluster.sinks.rtmidi_output import RtMidiOutput, systems

CLIENT = "rtcluster"
"""Name of the program to the MIDI system."""


class Output(Protocol):
    """A client of a MIDI system."""

    def names(self) -> list[str]:
        """Outputs that there are."""

    def connect(self, number: int, name: str) -> str:
        """Open one of them; its name."""

    def create(self, name: str) -> str:
        """Make a virtual one; its whole name."""

    def send(self, message: Sequence[int]) -> None:
        """Send a message."""

    def close(self) -> None:
        """Close it; what was sent still arrives."""


class MidiPort:
    """An open output; use :func:`open_port`.

    Parameters
    ----------
    out : Output
        Opened.
    name : str
        As the system has it.
    virtual : bool
        It was made here, and others have to connect to it.
    """

    def __init__(self, out: Output, name: str, *, virtual: bool = False) -> None:
        self.out = out
        self.name = name
        self.virtual = virtual

    def send(self, message: Sequence[int]) -> None:
        """Send a message of MIDI 1.0, of three bytes at most.

        Raises
        ------
        RtclusterError
            If the system does not take it, or has gone.
        """
        self.out.send(message)

    def close(self) -> None:
        """Close it; what was sent still arrives."""
        self.out.close()


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
        If the extra is not installed, there is no MIDI system, or it refuses.
    """
    if not wanted.strip():
        raise SettingsError("Expected a MIDI port, got an empty name. Any name makes a new one.")
    refused: list[str] = []
    clients: list[Output] = []
    port = None
    with silent_libraries(), extra("midi", "supriya_midi", "jack"):
        try:
            for client in _clients(refused):
                clients.append(client)
                names = client.names()
                number = find(names, wanted)
                if number is not None:
                    port = MidiPort(client, client.connect(number, names[number]))
                    return port
            if not clients:
                raise RtclusterError(_no_system(refused))
            port = MidiPort(clients[0], clients[0].create(wanted), virtual=True)
            return port
        finally:
            for client in clients:
                if port is None or client is not port.out:
                    client.close()


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


def _clients(refused: list[str]) -> Iterator[Output]:
    """One of each system that is here, in the order in which they are asked for a port."""
    kinds: list[Callable[[str], Output]] = [partial(RtMidiOutput, system=s) for s in systems()]
    for kind in [*kinds, JackOutput]:
        try:
            opened = kind(CLIENT)
        except RtclusterError as error:
            refused.append(str(error))
        else:
            yield opened


def _no_system(refused: Sequence[str]) -> str:
    if sys.platform == "linux":
        return (
            "Expected ALSA's sequencer or a running JACK server for --midi, got neither. "
            "'modprobe snd-seq' loads the sequencer."
        )
    return f"Expected a MIDI system for --midi, got: {'; '.join(refused)}"
