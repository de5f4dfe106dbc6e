"""MIDI through RtMidi: ALSA's sequencer, CoreMIDI or Windows' own.

The binding is supriya-midi, which has wheels for every Python. The libjack in those for Linux
knows no server of our day, so JACK is not reached through it (:mod:`rtcluster.sinks.jack_midi`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rtcluster.errors import RtclusterError, SettingsError


def systems() -> list[Any]:
    """Those that the binding was built for, as ``supriya_midi.RtMidiAPI``, but for JACK.

    Raises
    ------
    RtclusterError
        If it does not load.
    """
    try:
        from supriya_midi import RtMidiAPI, get_compiled_apis
    except ImportError as error:
        raise RtclusterError(
            f"Expected supriya-midi to load, got: {error}. On Debian and Ubuntu it needs "
            "'apt install libasound2'."
        ) from error
    others = (RtMidiAPI.UNIX_JACK, RtMidiAPI.RTMIDI_DUMMY)
    return [api for api in get_compiled_apis() if api not in others]


class RtMidiOutput:
    """A client of one MIDI system, with one output once it is opened.

    Parameters
    ----------
    name : str
        Of the client.
    system : supriya_midi.RtMidiAPI

    Raises
    ------
    RtclusterError
        If the machine does not have that system.
    """

    def __init__(self, name: str, system: Any) -> None:
        import supriya_midi

        # A RuntimeError where it fails before it can be told to raise its own.
        self._errors = (supriya_midi.RtMidiError, RuntimeError)
        self._has_virtual = system != supriya_midi.RtMidiAPI.WINDOWS_MM
        self._client = name
        try:
            self._out: Any = supriya_midi.MidiOut(system, client_name=name)
        except self._errors as error:
            raise RtclusterError(str(error)) from error

    def names(self) -> list[str]:
        """Outputs that there are."""
        return list(self._out.get_ports())

    def connect(self, number: int, name: str) -> str:
        """Open one of them; its name."""
        try:
            self._out.open_port(number, port_name="out")
        except self._errors as error:
            raise _refused(name, error) from error
        return name

    def create(self, name: str) -> str:
        """Make a virtual one; its whole name.

        Raises
        ------
        SettingsError
            If the system has none.
        """
        if not self._has_virtual:
            there = ", ".join(map(repr, self.names())) or "none; loopMIDI makes one"
            raise SettingsError(
                f"Expected the name of a MIDI output, got {name!r}. There are {there}."
            )
        try:
            self._out.open_virtual_port(name)
        except self._errors as error:
            raise _refused(name, error) from error
        return f"{self._client}:{name}"

    def send(self, message: Sequence[int]) -> None:
        """Send a message.

        Raises
        ------
        RtclusterError
            If the system does not take it.
        """
        try:
            self._out.send_message(message)
        except self._errors as error:
            raise RtclusterError(f"Expected MIDI to be taken, got: {error}") from error

    def close(self) -> None:
        """Close it; what was sent still arrives."""
        self._out.close_port()
        self._out.delete()


def _refused(name: str, error: Exception) -> RtclusterError:
    return RtclusterError(f"Expected the MIDI output {name!r} to open, got: {error}")
