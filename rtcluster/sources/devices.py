"""The sound devices that PortAudio knows; nothing heavy is imported, so the list comes at once."""

from __future__ import annotations

from dataclasses import dataclass

from rtcluster.errors import SourceError
from rtcluster.sources.portaudio import portaudio

_HINT = "'rtcluster devices' lists them"


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


def find_output(wanted: str | None, beside: Device) -> Device:
    """Device with outputs, by number or part of its name; by default the input's own.

    Raises
    ------
    SourceError
        If there is none, or several, or the one meant has no output.
    """
    if wanted is not None:
        return _find(wanted, devices(), "output")
    if not beside.outputs:
        raise SourceError(
            f"Expected a device with an output, got {beside.name!r} (0 outputs); name one with "
            f"--output-device, {_HINT}."
        )
    return beside


def find_input(wanted: str | None) -> Device:
    """Device with inputs, by number or part of its name; by default the system's.

    Raises
    ------
    SourceError
        If there is none, or several, or the one meant has no input.
    """
    found = devices()
    inputs = [device for device in found if device.inputs]
    if wanted is None:
        default = [device for device in inputs if device.default] or inputs
        if not default:
            raise SourceError(
                "Expected a device with an input, got none; plug one in, or start the sound "
                f"server. {_HINT}. 'rtcluster demo' needs no device."
            )
        return default[0]
    return _find(wanted, found, "input")


def _find(wanted: str, found: list[Device], way: str) -> Device:
    """The one device that is meant by a number or part of a name, with an "input" or "output"."""
    if wanted.isdecimal():
        matches = [device for device in found if device.number == int(wanted)]
    else:
        matches = [device for device in found if wanted.lower() in device.name.lower()]
        exact = [device for device in matches if device.name.lower() == wanted.lower()]
        matches = exact or matches
    fit = [device for device in matches if getattr(device, f"{way}s")]
    if not matches:
        raise SourceError(f"Expected a device named {wanted!r} or numbered so, got none; {_HINT}.")
    if not fit:
        raise SourceError(
            f"Expected a device with an {way}, got {matches[0].name!r} (0 {way}s); {_HINT}."
        )
    if len(fit) > 1:
        names = ", ".join(f"{device.number} {device.name!r}" for device in fit)
        raise SourceError(f"Expected one device for {wanted!r}, got {names}; use its number.")
    return fit[0]
