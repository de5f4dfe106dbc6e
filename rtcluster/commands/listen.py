"""``rtcluster listen``: live input."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from rtcluster.commands.devices import devices
from rtcluster.commands.opening import kit_saved, listener_of, takes_of
from rtcluster.commands.options import (
    Blocksize,
    Click,
    ClickFile,
    Device,
    EngineOptions,
    LiveChannels,
    OutputDevice,
    Samplerate,
    Together,
    channel_of,
    engine_options,
    heard_together,
)
from rtcluster.commands.outputs import Outputs, output_options
from rtcluster.commands.terminal import INTERRUPTED, say, say_summary, until_interrupted
from rtcluster.commands.writing import writes
from rtcluster.errors import SettingsError
from rtcluster.settings import AUTO

if TYPE_CHECKING:
    from rtcluster.sinks import Sink


@writes
@engine_options(classes=AUTO)
@output_options()
def listen(
    engine: EngineOptions,
    outputs: Outputs,
    device: Device = None,
    channel: LiveChannels = None,
    together: Together = False,
    samplerate: Samplerate = None,
    blocksize: Blocksize = 0,
    list_devices: Annotated[
        bool, typer.Option("-l", "--list-devices", help="List the devices and stop.")
    ] = False,
    click: Click = False,
    click_file: ClickFile = None,
    output_device: OutputDevice = None,
) -> None:
    """Listen to a live input until Ctrl-C."""
    if list_devices:
        devices()
        return
    from rich.console import Console

    from rtcluster.engine.processor import Processor
    from rtcluster.playback.clicks import Clicks
    from rtcluster.session.controls import Controls
    from rtcluster.session.listening import Listening
    from rtcluster.sinks.console import HitLines, HitTable
    from rtcluster.sources.live import LiveInput

    chosen = channel_of(channel)
    if together:
        engine = heard_together(engine)
    listener = listener_of(engine, chosen)
    if not isinstance(listener, Processor):
        _refuse_for_all(
            {
                "--record": outputs.record,
                "--monitor": outputs.monitor,
                "--click": click,
                "--click-file": click_file,
                "--save-kit": engine.save_kit,
            }
        )
    clicks = Clicks.of(click, click_file, outputs.send)
    console = Console(stderr=True, highlight=False)
    table: Sink = HitTable(console) if console.is_terminal else HitLines(console)
    controls = Controls()
    index = chosen - 1 if isinstance(chosen, int) else 0
    with (
        closing(
            LiveInput(listener, device, index, samplerate, blocksize, clicks, output_device)
        ) as live,
        outputs.opened(
            controls, outputs.offset_s(live.name, listener.samplerate, blocksize)
        ) as sinks,
        kit_saved(listener, engine.save_kit) if isinstance(listener, Processor) else nullcontext(),
        until_interrupted() as stop,
    ):
        listened = f"channel {index + 1}"
        if not isinstance(listener, Processor):
            listened = f"channels 1 to {live.inputs}"
        elif listener.microphones:
            listened = f"microphones on channels {', '.join(map(str, listener.microphones))}"
        say(
            f"Listening to {live.name}, {listened}, {listener.samplerate} Hz, "
            f"input latency {1e3 * live.latency:.1f} ms; Ctrl-C stops."
        )
        if clicks is not None and isinstance(listener, Processor):
            for name in clicks.waiting(listener.learner.names):
                say(f"No class is named {name!r} yet; its sound waits for one.")
        takes = takes_of(listener, live, [*sinks, table], outputs, controls, stop)
        say_summary(Listening(takes).play())
    raise typer.Exit(INTERRUPTED)


def _refuse_for_all(given: Mapping[str, object]) -> None:
    """Refuse the options, by what was given for them, that need one processor."""
    for option, value in given.items():
        if value:
            raise SettingsError(f"Expected one channel with {option}, got all; name it with -c.")
