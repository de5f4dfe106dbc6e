"""``rtcluster latency``: the sound card's round trip and the detector's share, measured."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from rtcluster.commands.opening import first_use
from rtcluster.commands.options import (
    Blocksize,
    Channel,
    Device,
    EngineOptions,
    OutputDevice,
    Samplerate,
)
from rtcluster.commands.terminal import INTERRUPTED, fail, say, until_interrupted
from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.text import counted


def latency(
    device: Device = None,
    output_device: OutputDevice = None,
    channel: Channel = None,
    samplerate: Samplerate = None,
    blocksize: Blocksize = 0,
    count: Annotated[int, typer.Option(help="Clicks.", min=1, max=1000)] = 20,
    interval: Annotated[
        str, typer.Option(help="From a click to the next; a longer round trip cannot be told.")
    ] = "500ms",
    level: Annotated[float, typer.Option(help="Of a click, dBFS.", min=-60.0, max=0.0)] = -6.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object to stdout.")] = False,
) -> None:
    """Measure the round trip: play clicks, and find them with the detector.

    Connect an output to the input with a cable, or put the microphone before the loudspeaker. What
    is found is saved for --latency-offset auto.
    """
    from rtcluster.playback.clicks import Pings
    from rtcluster.playback.roundtrip import FIRST_S, measure
    from rtcluster.settings import Settings
    from rtcluster.sources.live import LiveInput

    if channel is not None and channel < 1:
        raise SettingsError(f"Expected a channel from 1, got {channel}.")
    every = _seconds(interval)
    pings = Pings(count, FIRST_S, every, level)
    processor = first_use(EngineOptions(Settings()))
    live = LiveInput(
        processor, device, (channel or 1) - 1, samplerate, blocksize, pings, output_device
    )
    say(f"Playing {count} clicks at {level:g} dBFS through {live.name}; Ctrl-C stops.")
    with until_interrupted() as stop:
        trip = measure(processor, live, pings, every, stop, fail, say)
    if stop.is_set():
        raise typer.Exit(INTERRUPTED)
    if processor.clock < pings.frames(processor.samplerate)[-1]:
        raise RtclusterError(f"Expected {live.name} to go on, got: it stopped.")
    if not trip.samples.size and not trip.ambiguous:
        raise RtclusterError(
            f"Expected to hear the clicks again, got none of {count}; connect an output of "
            f"{live.output_name!r} to input {channel or 1} of {live.device.name!r}, or raise "
            "--level."
        )
    if trip.samples.size < count / 2:
        raise RtclusterError(
            f"Expected one hit for each click, got {trip.ambiguous} of {count} with several and "
            f"{trip.missing} with none; keep it quiet, or make --interval longer."
        )
    found = trip.milliseconds(trip.samples)
    own = trip.milliseconds(trip.own)
    claimed = {"input": round(1e3 * live.latency, 3), "output": round(1e3 * live.output_latency, 3)}
    from rtcluster.playback.saved import save

    path = save(
        live.name, trip.samplerate, blocksize, found["p50"], output=live.output_name, range_ms=found
    )
    result: dict[str, Any] = {
        "event": "latency",
        "device": live.name,
        "output": live.output_name,
        "samplerate": trip.samplerate,
        "blocksize": blocksize,
        "played": count,
        "found": int(trip.samples.size),
        "missing": trip.missing,
        "ambiguous": trip.ambiguous,
        "xruns": processor.counts.xruns,
        "round_trip_ms": found,
        "round_trip_samples": [int(n) for n in trip.samples],
        "detector_ms": own,
        "claimed_ms": claimed,
        "saved": str(path),
    }
    if as_json:
        print(json.dumps(result, allow_nan=False))
    dropped = {"missing": trip.missing, "with several hits": trip.ambiguous}
    lost = "".join(f", {n} {what}" for what, n in dropped.items() if n)
    say(
        f"round trip  {_spread(found)}, {trip.samples.size} of {counted(count, 'click')}{lost}, "
        f"{counted(processor.counts.xruns, 'xrun')}\n"
        f"detector    {_spread(own)}, from the attack to the onset event, on top of it\n"
        f"PortAudio   claims {claimed['input'] + claimed['output']:.1f} ms: input "
        f"{claimed['input']:.1f} ms, output {claimed['output']:.1f} ms\n"
        f"Saved in {path} for '--latency-offset auto'."
    )


def _seconds(text: str) -> float:
    """An interval as people write it: ``500ms`` or ``0.5s``.

    Raises
    ------
    SettingsError
        If it is something else, or out of range.
    """
    number, unit = (text[:-2], 1e-3) if text.endswith("ms") else (text.removesuffix("s"), 1.0)
    try:
        value = float(number) * unit
    except ValueError:
        value = 0.0
    if not 0.1 <= value <= 10.0:
        raise SettingsError(f"Expected an interval of 100ms to 10s, got {text!r}.")
    return value


def _spread(values: dict[str, float]) -> str:
    return (
        f"p50 {values['p50']:.2f} ms, p95 {values['p95']:.2f} ms, "
        f"{values['min']:.2f} to {values['max']:.2f} ms"
    )
