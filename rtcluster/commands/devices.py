"""``rtcluster devices``: what -d takes."""

from __future__ import annotations

from typing import Annotated

import typer

from rtcluster.commands.terminal import say


def devices(
    json: Annotated[bool, typer.Option("--json", help="As JSON, an object a device.")] = False,
) -> None:
    """List inputs and outputs, with the numbers and names that -d takes."""
    from rtcluster.sources.devices import devices as find

    found = find()
    if json:
        from dataclasses import asdict
        from json import dumps

        print(dumps([asdict(device) for device in found], indent=2))
        return
    if not found:
        say("No sound devices. 'rtcluster demo' needs none.")
        return
    say("  no  name, sound system, inputs and outputs, rate and input latency")
    for device in found:
        mark = "*" if device.default else " "
        latency = f", {device.latency_ms:.1f} ms" if device.inputs else ""
        print(
            f"{mark} {device.number:2d}  {device.name}, {device.api}, {device.inputs} in, "
            f"{device.outputs} out, {device.samplerate} Hz{latency}"
        )
