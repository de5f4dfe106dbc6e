"""``rtcluster listen``: live input."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from rtcluster.commands.devices import devices
from rtcluster.commands.options import (
    Blocksize,
    Channel,
    Click,
    ClickFile,
    Device,
    Engine,
    OutputDevice,
    Samplerate,
    engine_options,
)
from rtcluster.commands.outputs import Outputs, output_options
from rtcluster.commands.terminal import (
    INTERRUPTED,
    first_use,
    kit_saved,
    say,
    say_summary,
    takes_of,
    until_interrupted,
)
from rtcluster.errors import SettingsError

if TYPE_CHECKING:
    from rtcluster.sinks import Sink


@engine_options()
@output_options()
def listen(
    engine: Engine,
    outputs: Outputs,
    device: Device = None,
    channel: Channel = None,
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

    from rtcluster.clicks import Clicks
    from rtcluster.controls import Controls
    from rtcluster.sinks.console import HitLines, HitTable
    from rtcluster.sources.live import LiveInput

    if channel is not None and channel < 1:
        raise SettingsError(f"Expected a channel from 1, got {channel}.")
    clicks = Clicks.of(click, click_file, outputs.send)
    console = Console(stderr=True, highlight=False)
    table: Sink = HitTable(console) if console.is_terminal else HitLines(console)
    controls = Controls()
    processor = first_use(engine)
    with (
        closing(
            LiveInput(
                processor, device, (channel or 1) - 1, samplerate, blocksize, clicks, output_device
            )
        ) as live,
        outputs.opened(controls, outputs.offset_s(live.name, processor, blocksize)) as sinks,
        kit_saved(processor, engine.save_kit),
        until_interrupted() as stop,
    ):
        say(
            f"Listening to {live.name}, channel {channel or 1}, {processor.samplerate} Hz, "
            f"input latency {1e3 * live.latency:.1f} ms; Ctrl-C stops."
        )
        if clicks is not None:
            for name in clicks.waiting(processor.learner.names):
                say(f"No class is named {name!r} yet; its sound waits for one.")
        playing = takes_of(processor, live, [*sinks, table], outputs, controls, stop)
        playing.waits = True
        summary = playing.play()
        say_summary(summary)
    raise typer.Exit(INTERRUPTED)
