"""``rtcluster listen``: live input."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from rtcluster.commands.devices import devices
from rtcluster.commands.options import (
    Blocksize,
    ChannelOrAll,
    Click,
    ClickFile,
    Device,
    Engine,
    OutputDevice,
    Samplerate,
    channel_of,
    engine_options,
)
from rtcluster.commands.outputs import Outputs, output_options
from rtcluster.commands.terminal import (
    INTERRUPTED,
    first_use,
    first_use_of_all,
    kit_saved,
    say,
    say_summary,
    takes_of,
    until_interrupted,
)
from rtcluster.errors import SettingsError
from rtcluster.settings import ALL_CHANNELS

if TYPE_CHECKING:
    from rtcluster.sinks import Sink


@engine_options()
@output_options()
def listen(
    engine: Engine,
    outputs: Outputs,
    device: Device = None,
    channel: ChannelOrAll = "1",
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
    from rtcluster.processor import Processor
    from rtcluster.sinks.console import HitLines, HitTable
    from rtcluster.sources.live import LiveInput

    chosen = channel_of(channel)
    if chosen == ALL_CHANNELS:
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
    ear = first_use_of_all(engine) if chosen == ALL_CHANNELS else first_use(engine)
    index = chosen - 1 if isinstance(chosen, int) else 0
    with (
        closing(
            LiveInput(ear, device, index, samplerate, blocksize, clicks, output_device)
        ) as live,
        outputs.opened(controls, outputs.offset_s(live.name, ear.samplerate, blocksize)) as sinks,
        kit_saved(ear, engine.save_kit) if isinstance(ear, Processor) else nullcontext(),
        until_interrupted() as stop,
    ):
        listened = f"channels 1 to {live.inputs}" if chosen == ALL_CHANNELS else f"channel {chosen}"
        say(
            f"Listening to {live.name}, {listened}, {ear.samplerate} Hz, "
            f"input latency {1e3 * live.latency:.1f} ms; Ctrl-C stops."
        )
        if clicks is not None and isinstance(ear, Processor):
            for name in clicks.waiting(ear.learner.names):
                say(f"No class is named {name!r} yet; its sound waits for one.")
        playing = takes_of(ear, live, [*sinks, table], outputs, controls, stop)
        playing.waits = True
        summary = playing.play()
        say_summary(summary)
    raise typer.Exit(INTERRUPTED)


def _refuse_for_all(given: Mapping[str, object]) -> None:
    """Refuse the options, by what was given for them, that need one processor."""
    for option, value in given.items():
        if value:
            raise SettingsError(f"Expected one channel with {option}, got all; name it with -c.")
