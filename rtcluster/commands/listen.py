"""``rtcluster listen``: live input."""

from __future__ import annotations

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
    Jsonl,
    OutputDevice,
    Samplerate,
    Send,
    engine_options,
)
from rtcluster.commands.terminal import (
    INTERRUPTED,
    fail,
    first_use,
    kit_saved,
    say,
    say_summary,
    until_interrupted,
)
from rtcluster.errors import RtclusterError, SettingsError

if TYPE_CHECKING:
    from rtcluster.sinks import Sink


@engine_options()
def listen(
    engine: Engine,
    device: Device = None,
    channel: Channel = None,
    samplerate: Samplerate = None,
    blocksize: Blocksize = 0,
    list_devices: Annotated[
        bool, typer.Option("-l", "--list-devices", help="List the devices and stop.")
    ] = False,
    jsonl: Jsonl = None,
    click: Click = False,
    click_file: ClickFile = None,
    send: Send = "guess",
    output_device: OutputDevice = None,
) -> None:
    """Listen to a live input until Ctrl-C."""
    if list_devices:
        devices()
        return
    from rich.console import Console

    from rtcluster.clicks import Clicks
    from rtcluster.session import Pump, Session
    from rtcluster.sinks.console import HitLines, HitTable
    from rtcluster.sinks.jsonl import JsonLines
    from rtcluster.sources.live import LiveInput

    if channel is not None and channel < 1:
        raise SettingsError(f"Expected a channel from 1, got {channel}.")
    clicks = Clicks.of(click, click_file, send)
    console = Console(stderr=True, highlight=False)
    sinks: list[Sink] = [HitTable(console) if console.is_terminal else HitLines(console)]
    if jsonl is not None:
        sinks.insert(0, JsonLines.open(jsonl))
    processor = first_use(engine)
    live = LiveInput(
        processor, device, (channel or 1) - 1, samplerate, blocksize, clicks, output_device
    )
    session = Session(processor, live.name, sinks, fail)
    say(
        f"Listening to {live.name}, channel {channel or 1}, {processor.samplerate} Hz, "
        f"input latency {1e3 * live.latency:.1f} ms; Ctrl-C stops."
    )
    if clicks is not None:
        for name in clicks.waiting(processor.learner.names):
            say(f"No class is named {name!r} yet; its sound waits for one.")
    lost = False
    with kit_saved(processor, engine.save_kit):
        with until_interrupted() as stop, Pump(session), live:
            while not stop.wait(0.1) and not lost:
                lost = not live.active
        summary = session.end()
    say_summary(summary)
    if lost:
        raise RtclusterError(f"Expected {live.name} to go on, got: it stopped.")
    raise typer.Exit(INTERRUPTED)
