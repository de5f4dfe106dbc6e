"""The options of the engine, which several commands share, in one table.

:func:`engine_options` gives a command all of them; the command receives
:class:`EngineOptions`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeAlias

import typer

from rtcluster.commands.settings_file import NAME, take_preset
from rtcluster.commands.writing import guard, show_options
from rtcluster.errors import SettingsError
from rtcluster.presets import METHODS, PRESETS
from rtcluster.settings import (
    ALL_CHANNELS,
    FEATURE_SETS,
    MICROPHONE_FEATURES,
    RATES,
    SCALINGS,
    VELOCITY_CURVES,
    Settings,
)


def group(panel: str) -> Callable[..., Any]:
    """What makes the options of one group of a command's help: from type, names and the rest."""

    def option(kind: Any, *names: str, **extra: Any) -> Any:
        return Annotated[kind, typer.Option(*names, rich_help_panel=panel, **extra)]

    return option


_of_classes, _of_onsets = group("Engine: classes"), group("Engine: onsets")
_of_hits, _of_kits = group("Engine: what is measured of a hit"), group("Kit")

INPUT: dict[str, Any] = {"rich_help_panel": "Input"}
_PLAYING: dict[str, Any] = {"rich_help_panel": "Playing"}

ENGINE: dict[str, Any] = {
    "classes": _of_classes(
        str, "-k", "--classes", help="Number of classes; auto: as many as there seem to be drums."
    ),
    "warmup": _of_classes(
        int | None, help="Hits before the classes are formed.", show_default="max(8, 2k)"
    ),
    "freeze": _of_classes(bool, "--freeze", help="No learning after the warm-up."),
    "method": _of_onsets(str, help=f"Onset detector: {', '.join(METHODS)}."),
    "preset": _of_onsets(
        str,
        is_eager=True,
        callback=take_preset,
        help=f"Trade-off of the drum detector: {', '.join(PRESETS)}; or a table of {NAME}.",
    ),
    "threshold": _of_onsets(
        float | None, help="Onset threshold; higher is less sensitive.", show_default="the method's"
    ),
    "silence": _of_onsets(
        float | None,
        help="Silence threshold (dBFS).",
        show_default="the method's",
    ),
    "mask": _of_onsets(
        str | None,
        help="Mask time: after a hit, only louder hits are detected (30ms, 0.03s, 1323samples).",
        show_default="the method's",
    ),
    "window": _of_hits(str, help="Length of the final's window, from the onset."),
    "guess": _of_hits(str, help="Length of the guess's window, from the onset."),
    "features": _of_classes(
        str,
        help=f"Features used for classification: {', '.join(FEATURE_SETS)}, or names with commas. "
        "'best' is the shape of the spectrum, and tells more drums apart than 'notebook'.",
    ),
    "scaling": _of_classes(str, help=f"Scaling of the features: {', '.join(SCALINGS)}."),
    "clusterer": _of_classes(str, help="minibatch, or an installed plug-in.", hidden=True),
    "memory": _of_classes(int, help="Hits after which old ones are forgotten (0: never)."),
    "reject": _of_classes(
        float, help="Reject hits farther than this many cluster spreads (try 4; 0 disables)."
    ),
    "velocity": _of_hits(str, help=f"Velocity curve: {', '.join(VELOCITY_CURVES)}."),
    "velocity_range": _of_hits(
        str, help="Levels of the softest and the loudest hit, LOW,HIGH in dBFS, or learned."
    ),
    "seed": _of_classes(int, help="Random seed of the clustering."),
    "buffer": _of_onsets(int | None, help="Frame of the detector, samples.", hidden=True),
    "hop": _of_onsets(int | None, help="Hop of the detector, samples.", hidden=True),
}
"""An option for each field of ``Settings``; its default is the field's."""

_OF_KITS = {"classes", "features", "scaling"}

KITS: dict[str, Any] = {
    "kit": _of_kits(str | None, "--kit", help="Load this kit, which names hits at once."),
    "save_kit": _of_kits(str | None, "--save-kit", help="Save what was learned to this file."),
}
"""Options that are no settings: where a kit comes from and goes to."""

Device = Annotated[
    str | None,
    typer.Option("-d", "--device", help="Device: its number, or part of its name.", **INPUT),
]
Samplerate = Annotated[
    int | None,
    typer.Option(
        "-r", "--samplerate", min=RATES[0], max=RATES[1],
        help="Sample rate (Hz); a file is resampled to it.",
        show_default="the device's or the file's", **INPUT,
    ),
]  # fmt: skip
Blocksize = Annotated[
    int,
    typer.Option(
        "-b", "--blocksize", help="Frames a block (0: chosen by the sound system).", min=0, **INPUT
    ),
]
Channel = Annotated[int | None, typer.Option("-c", "--channel", help="Channel, from 1.", **INPUT)]
Microphones = Annotated[
    str | None,
    typer.Option(
        "-c", "--channel",
        help="Channel, from 1; or the microphones of one kit: all, 1-8 or 1,2,5.", **INPUT,
    ),
]  # fmt: skip
_CHANNELS: dict[str, Any] = {
    "help": "Channel, from 1; all: each by itself, or the microphones of the kit, which may also "
    "be named: 1-8 or 1,2,5.",
    **INPUT,
}
LiveChannels = Annotated[
    str | None,
    typer.Option("-c", "--channel", show_default="1, or the kit's microphones", **_CHANNELS),
]
FileChannels = Annotated[
    str | None,
    typer.Option(
        "-c", "--channel", show_default="their mean, or the kit's microphones", **_CHANNELS
    ),
]  # fmt: skip

Together = Annotated[
    bool,
    typer.Option(
        "--together",
        help="Without a kit: the channels hear the same drums. Each hit is told once, with a "
        "class by how loud each of them hears it.",
        **INPUT,
    ),
]

Click = Annotated[
    bool,
    typer.Option(
        "--click",
        help="Play a short tone on each hit, a pitch for each class. Use headphones: what the "
        "microphone hears of it is a hit, too.",
        **_PLAYING,
    ),
]
ClickFile = Annotated[
    list[str] | None,
    typer.Option(
        "--click-file",
        help="Play a sample on each hit of a class; without --click the others are silent.",
        metavar="CLASS=FILE",
        show_default=False,
        **_PLAYING,
    ),
]
OutputDevice = Annotated[
    str | None,
    typer.Option(
        "--output-device", help="Where to play.", show_default="the input's device", **_PLAYING
    ),
]


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What the engine's options came to.

    Attributes
    ----------
    settings : Settings
    explicit : frozenset of str
        Names of the settings that stood on the command line: a kit overrides none of them.
    kit, save_kit : str or None
        Files.
    """

    settings: Settings
    explicit: frozenset[str] = frozenset()
    kit: str | None = None
    save_kit: str | None = None


Channels: TypeAlias = int | tuple[int, ...] | str | None
"""What ``-c`` names: a channel from 1, several, "all", or nothing."""

MAX_NAMED = 1024
"""The highest channel that can be named."""


def channel_of(given: str | None) -> Channels:
    """The channels of a command line, such as 2, 1-8 or 1,2,5-7.

    Raises
    ------
    SettingsError
        If it is anything else.
    """
    if given is None or given == ALL_CHANNELS:
        return given
    wanted = SettingsError(
        f"Expected a channel from 1, several (1-8 or 1,2,5), or {ALL_CHANNELS}, got {given}."
    )
    out: list[int] = []
    for part in given.split(","):
        first, dash, last = part.strip().partition("-")
        ends = (first, last if dash else first)
        if not all(end.isdecimal() and 1 <= int(end) <= MAX_NAMED for end in ends):
            raise wanted
        out += range(int(ends[0]), int(ends[1]) + 1)
    if not out or len({*out}) < len(out):
        raise wanted
    return out[0] if len(out) == 1 else tuple(out)


def heard_together(engine: EngineOptions) -> EngineOptions:
    """The options with which several channels are heard together, untaught.

    Raises
    ------
    SettingsError
        If others do not go with that.
    """
    if engine.save_kit is not None:
        raise SettingsError(
            "Expected --together without --save-kit, got both; 'rtcluster teach ... -c all' makes "
            "a kit of several microphones."
        )
    if "features" in engine.explicit:
        raise SettingsError("Expected --together or --features, got both; leave one out.")
    settings = replace(engine.settings, features=MICROPHONE_FEATURES)
    return replace(engine, settings=settings)


def engine_options(**defaults: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the engine's options.

    Parameters
    ----------
    **defaults
        Defaults that differ from those of ``Settings``.

    Returns
    -------
    callable
        A decorator. The command it decorates takes an ``engine`` argument first.
    """
    standard = Settings().as_dict() | {"features": "notebook", "classes": "2"}
    standard |= dict.fromkeys(KITS) | defaults

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def wrapped(context: typer.Context, **given: Any) -> None:
            values = {name: given.pop(name) for name in ENGINE}
            kit, save_kit = (given.pop(name) for name in KITS)
            explicit = frozenset(n for n in ENGINE if _source(context, n) == "COMMANDLINE")
            if kit is not None:
                # The kit's values take the place of defaults, those of this command too, and of
                # what one keeps where the kit has its own.
                kept = {n for n in ENGINE if _source(context, n) == "DEFAULT_MAP"} - _OF_KITS
                values = {name: values[name] for name in explicit | kept}
            if save_kit is not None:
                from rtcluster.learning import kit_file

                guard("save_kit", "kit", "names").check(save_kit, kit_file.load)
            command(EngineOptions(Settings(**values), explicit, kit, save_kit), **given)

        context = inspect.Parameter(
            "context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
        )
        show_options(wrapped, command, KITS | ENGINE, standard, place_of="engine", first=[context])
        return wrapped

    return decorate


def _source(context: typer.Context, name: str) -> str:
    """Where a parameter's value is from, in Click's words."""
    source = context.get_parameter_source(name)
    return "" if source is None else source.name
