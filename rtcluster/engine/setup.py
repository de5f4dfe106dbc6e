"""What the settings and the kit are in the kernel's state, and where the microphones are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rtcluster import plugins
from rtcluster.errors import SettingsError
from rtcluster.kernel import state as kernel_state
from rtcluster.kernel.rate import configure as configure_rate
from rtcluster.kernel.shape import WHOLE_S
from rtcluster.kernel.shape import configure as configure_shape
from rtcluster.kernel.velocity import LEARNED_RANGE_DB
from rtcluster.learning.kit import Kit
from rtcluster.presets import AUBIO_PRESETS
from rtcluster.settings import (
    BAND_FEATURES,
    FEATURES,
    MAX_MICROPHONES,
    MICROPHONE_FEATURES,
    VELOCITY_CURVES,
    Settings,
    Spans,
)
from rtcluster.text import counted

Microphones = tuple[int, ...] | str
"""Channels, from 1, or ``"all"``; empty where it is one channel, or a mean."""


def microphones_of(kit: Kit | None, asked: Sequence[int] | str | None) -> Microphones:
    """Those asked for, or the kit's; a kit of one channel, or of a mean, hears no others.

    Raises
    ------
    SettingsError
        If there are not as many as the kit was taught on.
    """
    own = () if kit is None else kit.microphones
    if asked is None or (isinstance(asked, str) and own):
        return own
    if kit is not None and kit.learned is not None and len(asked) != len(own):
        had = f"channels {', '.join(map(str, own))}" if own else "one channel"
        raise SettingsError(
            f"Expected {counted(max(1, len(own)), 'channel')} for {kit.source}, got "
            f"{asked if isinstance(asked, str) else len(asked)}; it was taught on {had}."
        )
    return asked if isinstance(asked, str) else tuple(asked)


def place(
    asked: Microphones, channels: int, columns: Sequence[int] | None
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Find the microphones in blocks of so many channels.

    Parameters
    ----------
    asked : tuple of int or "all"
    channels : int
    columns : sequence of int, optional
        Where in the blocks they are, from 0; by default each in its own channel.

    Returns
    -------
    microphones, columns : tuple of int

    Raises
    ------
    SettingsError
        If there are too many, or one of them is not there.
    """
    if isinstance(asked, str):
        asked = tuple(range(1, channels + 1)) if channels > 1 else ()
    places = tuple(n - 1 for n in asked) if columns is None else tuple(columns)
    if len(asked) > MAX_MICROPHONES:
        raise SettingsError(
            f"Expected at most {MAX_MICROPHONES} microphones, got {len(asked)}; name those of "
            "the kit with -c."
        )
    if missing := [n for n, at in zip(asked, places, strict=True) if at >= channels]:
        raise SettingsError(
            f"Expected a microphone on channel {missing[0]}, got {channels} channels; name "
            "those there are with -c."
        )
    return asked, places


def first_threshold(settings: Settings) -> float:
    """The settings' threshold as the kernel has it; a negative one follows the player."""
    threshold = settings.thresholds.threshold
    return -threshold if settings.follows else threshold


def configure(
    state: kernel_state.State,
    settings: Settings,
    spans: Spans,
    samplerate: int,
    kit_rate: int,
) -> list[Any]:
    """[main thread] Fill in all that the settings say, for a stream at a rate in Hz.

    Parameters
    ----------
    state : array of the kernel's state
    settings : Settings
    spans : Spans
        The settings' durations in samples.
    samplerate : int
        Hz.
    kit_rate : int
        The rate in Hz that the kit's features were measured at.

    Returns
    -------
    list
        What has to stay alive as long as the state: it has their addresses.

    Raises
    ------
    SettingsError
        If one channel alone should be heard together.
    """
    state["samplerate"], state["hop"] = samplerate, spans.hop
    state["window"], state["guess"] = spans.window, spans.guess
    state["asked_threshold"], state["asked_mask"] = first_threshold(settings), spans.mask
    preset = AUBIO_PRESETS.get(settings.method)
    state["method"] = kernel_state.DRUMS if preset is None else kernel_state.AUBIO_PRESETS
    state["echo_db"] = 0.0 if preset is None else preset.echo_db
    state["silence"] = settings.thresholds.silence
    if settings.together and len(state) == 1:
        raise SettingsError(
            "Expected several channels to hear together, got one; name them with -c."
        )
    state["by_levels"] = settings.together
    known = (*FEATURES, *MICROPHONE_FEATURES)  # in the kernel's order
    alive: list[Any] = []
    state["n_features"] = len(settings.features)
    for index, name in enumerate(settings.features):
        if name in known:
            state["features"][:, index] = known.index(name)
        else:
            alive.append(plugins.find(plugins.FEATURE_GROUP, name))
            state["plugins"][:, index] = alive[-1].compiled.address
    state["by_bands"] = bool({*BAND_FEATURES} & {*settings.features})
    if state["by_bands"][0]:
        top_hz = 0.45 * min(samplerate, kit_rate)
        end = min(spans.window, int(WHOLE_S * samplerate))
        for one in state["whole"][:, 0]:
            configure_shape(one, samplerate, top_hz, [0, end])
    longest = max(spans.window, spans.guess)
    alive += [configure_rate(one, samplerate, kit_rate, longest) for one in state["kit_rate"]]
    state["velocity_curve"] = VELOCITY_CURVES.index(settings.velocity)
    levels = settings.velocity_levels
    if levels is not None:
        state["velocity_set"], state["velocity_top"] = 1, levels[1]
    state["velocity_range"] = LEARNED_RANGE_DB if levels is None else levels[1] - levels[0]
    state["synchronous"] = 1
    return alive
