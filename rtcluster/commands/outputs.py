"""Where a live session's hits go, besides the screen: the options that live commands share.

:func:`output_options` gives a command all of them; the command receives :class:`Outputs`.
"""

from __future__ import annotations

import functools
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from rtcluster.commands.options import group
from rtcluster.commands.terminal import fail, say
from rtcluster.commands.writing import guard, show_options
from rtcluster.errors import SettingsError

if TYPE_CHECKING:
    from rtcluster.engine.processor import Processor
    from rtcluster.monitor.sink import Monitor
    from rtcluster.session.controls import Controls
    from rtcluster.sinks import Sink


_option, _page = group("Outputs"), group("Monitor")

SENT = ("onset", "guess", "final")
"""Events that a note or a tone can be sent at."""

OUTPUTS: dict[str, Any] = {
    "jsonl": _option(str | None, help="File for the events as JSON Lines (-: standard output)."),
    "record": _option(str | None, help="Folder to record audio and events in; see replay."),
    "record_format": _option(
        str, help="Audio format of the recording: wav (32-bit float) or flac (24 bits)."
    ),
    "midi": _option(str | None, help="MIDI output port (created if missing)."),
    "note": _option(
        list[str] | None, help="MIDI note of a class, such as snare=40; may be repeated."
    ),
    "send": _option(str, help=f"Event that a note or a tone follows: {', '.join(SENT)}."),
    "osc": _option(str | None, help="OSC destination, host:port."),
    "latency_offset": _option(
        str | None, help="Input latency in ms, for time tags (auto: as measured by latency)."
    ),
    "bpm": _option(
        float | None, help="Tempo that is played to (estimated if not given).", min=20.0, max=400.0
    ),
    "monitor": _page(bool, "--monitor", help="Serve a page that shows the session."),
    "open_": _page(
        bool, "--open", help="Open the page in this machine's browser; so with --monitor."
    ),
    "host": _page(str, help="Address to serve the page on; other machines may see it then."),
    "port": _page(int, help="Port of the page (0: any free one).", min=0, max=65535),
}


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the options came to; see :data:`OUTPUTS`."""

    jsonl: str | None = None
    record: str | None = None
    record_format: str = "wav"
    midi: str | None = None
    note: Sequence[str] | None = None
    send: str = "guess"
    osc: str | None = None
    latency_offset: str | None = None
    bpm: float | None = None
    monitor: bool = False
    open_: bool = False
    host: str = "127.0.0.1"
    port: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be meant, before anything is opened."""
        from rtcluster.recording.audio import check_format

        check_format(self.record_format)
        if self.send not in SENT:
            raise SettingsError(f"Expected --send {' or '.join(SENT)}, got {self.send!r}.")

    def offset_s(self, device: str, samplerate: int, blocksize: int) -> float:
        """How late the input comes, in seconds: as given, or as it was measured."""
        from rtcluster.playback.saved import offset_ms

        return offset_ms(self.latency_offset, device, samplerate, blocksize) / 1e3

    @contextmanager
    def opened(
        self, controls: Controls, offset_s: float = 0.0, *, live: bool = True
    ) -> Iterator[list[Sink]]:
        """The sinks that last for all takes; they are closed when the context is left.

        Live, no reader of the events is waited for; else each line is.
        """
        from rtcluster.recording.log import check_events
        from rtcluster.sinks.jsonl import STANDARD_OUTPUT, JsonLines

        sinks: list[Sink] = []
        try:
            if self.midi is not None:
                from rtcluster.sinks.drum_map import parse_notes
                from rtcluster.sinks.midi import MidiOut

                notes = parse_notes(self.note or ())
                midi = MidiOut.open(self.midi, send=self.send, notes=notes, offset_s=offset_s)
                sinks.append(midi)
                if midi.port.virtual:
                    say(f"MIDI: made the port {midi.port.name}; connect it to what should sound.")
            if self.osc is not None:
                from rtcluster.sinks.osc import OscOut

                sinks.append(OscOut.open(self.osc, offset_s=offset_s))
            if self.jsonl is not None:
                if self.jsonl != STANDARD_OUTPUT:
                    guard("jsonl").check(self.jsonl, check_events, stream=True)
                sinks.append(JsonLines.open(self.jsonl, fail if live else None, say))
            if self.monitor:
                from rtcluster.monitor import Monitor

                monitor = Monitor.open(controls, host=self.host, port=self.port, report=fail)
                sinks.append(monitor)
                _say_link(monitor, browse=self.open_)
            yield sinks
        finally:
            for sink in sinks:
                try:
                    sink.close()
                except Exception as error:  # the others have to be closed too
                    fail(f"{sink.label} could not be closed: {error}")

    def recorder(self, processor: Processor, folder: str) -> Sink:
        """A recorder of one take."""
        from rtcluster.recording.recorder import Recorder

        return Recorder(folder, processor, fail, self.record_format)


def _say_link(monitor: Monitor, *, browse: bool) -> None:
    """Where the page is; to people whose phone reaches it as a QR code, too."""
    from rtcluster.monitor import link

    say(f"Monitor: {monitor.url}")
    if monitor.open_ and sys.stderr.isatty():
        code = link.qr_code(monitor.url)
        if link.width_of(code) <= shutil.get_terminal_size().columns:
            say("\n".join(code))
    if browse and not link.browse(monitor.ticket_url):
        say("There is no browser with a window here; open the link in one.")


def output_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of the outputs, or the named ones of them.

    Returns
    -------
    callable
        A decorator. The command it decorates takes an ``outputs`` argument.
    """
    table = {name: OUTPUTS[name] for name in names or OUTPUTS}

    defaults: dict[str, Any] = {one.name: one.default for one in fields(Outputs)}

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def wrapped(*arguments: Any, **given: Any) -> None:
            values = defaults | {name: given.pop(name) for name in table}
            values["monitor"] |= values["open_"]
            command(*arguments, outputs=Outputs(**values), **given)

        show_options(wrapped, command, table, defaults, place_of="outputs")
        return wrapped

    return decorate
