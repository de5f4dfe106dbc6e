"""The sound devices that PortAudio knows; nothing heavy is imported, so the list comes at once."""

from __future__ import annotations

from dataclasses import dataclass

from rtcluster.errors import SourceError
from rtcluster.sources.portaudio import portaudio


@dataclass(frozen=True, slots=True)
class Device:
    """A sound device as PortAudio lists it."""

    number: int
    name: str
    api: str
    inputs: int
    outputs: int
    samplerate: int
    latency_ms: float
    default: bool


def devices() -> list[Device]:
    """All devices, in PortAudio's order.

    Raises
    ------
    SourceError
        If PortAudio is not there.
    """
    sd = portaudio()
    apis = sd.query_hostapis()
    chosen = sd.default.device[0]
    if chosen < 0 and apis:
        chosen = max(api["default_input_device"] for api in apis)
    return [
        Device(
            number=number,
            name=device["name"],
            api=apis[device["hostapi"]]["name"],
            inputs=device["max_input_channels"],
            outputs=device["max_output_channels"],
            samplerate=round(device["default_samplerate"]),
            latency_ms=1e3 * device["default_low_input_latency"],
            default=number == chosen,
        )
        for number, device in enumerate(sd.query_devices())
    ]


def find_input(wanted: str | None) -> Device:
    """Device with inputs, by number or part of its name; by default the system's.

    Raises
    ------
    SourceError
        If there is none, or several, or the one meant has no input.
    """
    hint = "'rtcluster devices' lists them"
    found = devices()
    inputs = [device for device in found if device.inputs]
    if wanted is None:
        default = [device for device in inputs if device.default] or inputs
        if not default:
            raise SourceError(
                "Expected a device with an input, got none; plug one in, or start the sound "
                f"server. {hint}. 'rtcluster demo' needs no device."
            )
        return default[0]
    if wanted.isdecimal():
        matches = [device for device in found if device.number == int(wanted)]
    else:
        matches = [device for device in found if wanted.lower() in device.name.lower()]
        exact = [device for device in matches if device.name.lower() == wanted.lower()]
        matches = exact or matches
    with_input = [device for device in matches if device.inputs]
    if not matches:
        raise SourceError(f"Expected a device named {wanted!r} or numbered so, got none; {hint}.")
    if not with_input:
        raise SourceError(
            f"Expected a device with an input, got {matches[0].name!r} (0 inputs); {hint}."
        )
    if len(with_input) > 1:
        names = ", ".join(f"{device.number} {device.name!r}" for device in with_input)
        raise SourceError(f"Expected one device for {wanted!r}, got {names}; use its number.")
    return with_input[0]
