"""The options of the engine, which several commands share, in one table.

:func:`engine_options` gives a command all of them; the command receives an :class:`Engine`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from rtcluster.errors import SettingsError
from rtcluster.settings import (
    ALL_CHANNELS,
    FEATURE_SETS,
    METHODS,
    PRESETS,
    SCALINGS,
    VELOCITY_CURVES,
    Settings,
)


def _option(kind: Any, *names: str, **extra: Any) -> Any:
    return Annotated[kind, typer.Option(*names, rich_help_panel="Engine", **extra)]


ENGINE: dict[str, Any] = {
    "classes": _option(str, "-k", "--classes", help="Number of classes, or auto."),
    "warmup": _option(
        int | None, help="Hits heard before classes form.", show_default="max(8, 2k)"
    ),
    "freeze": _option(bool, "--freeze", help="Do not learn after the warm-up."),
    "method": _option(str, help=f"Onset detector: {', '.join(METHODS)}."),
    "preset": _option(str, help=f"Trade-off of the drum detector: {', '.join(PRESETS)}."),
    "threshold": _option(
        float | None, help="Onset threshold; more is less sensitive.", show_default="the method's"
    ),
    "silence": _option(
        float | None,
        help="Level in dBFS under which nothing is a hit.",
        show_default="the method's",
    ),
    "mask": _option(
        str | None,
        help="Time after a hit in which only a louder one is another (30ms, 0.03s, samples).",
        show_default="the method's",
    ),
    "window": _option(str, help="What the final answer measures after the onset."),
    "guess": _option(str, help="What the first guess measures after the onset."),
    "features": _option(
        str, help=f"What a hit is judged by: {', '.join(FEATURE_SETS)}, or names with commas."
    ),
    "scaling": _option(str, help=f"Scaling of the features: {', '.join(SCALINGS)}."),
    "clusterer": _option(str, help="minibatch, or an installed plug-in.", hidden=True),
    "memory": _option(int, help="Hits after which old ones are forgotten; 0: never."),
    "reject": _option(float, help="Spreads beyond which a hit is unknown (try 4); 0: never."),
    "velocity": _option(str, help=f"Curve of the velocity: {', '.join(VELOCITY_CURVES)}."),
    "velocity_range": _option(str, help="Softest and loudest level, LOW,HIGH in dBFS, or learned."),
    "seed": _option(int, help="Seed of the clustering."),
    "buffer": _option(int | None, help="Frame of the detector, samples.", hidden=True),
    "hop": _option(int | None, help="Hop of the detector, samples.", hidden=True),
}
"""An option for each field of ``Settings``; its default is the field's."""

KITS: dict[str, Any] = {
    "kit": _option(str | None, "--kit", help="Begin with this kit; it names hits at once."),
    "save_kit": _option(str | None, "--save-kit", help="Write what was learned to this file."),
}
"""Options that are no settings: where a kit comes from and goes to."""

Device = Annotated[str | None, typer.Option("-d", "--device", help="Number or part of the name.")]
Samplerate = Annotated[int | None, typer.Option("-r", "--samplerate", help="Hz.")]
Blocksize = Annotated[
    int, typer.Option("-b", "--blocksize", help="Frames; 0 is the sound system's.", min=0)
]
Channel = Annotated[int | None, typer.Option("-c", "--channel", help="Channel, from 1.")]
ChannelOrAll = Annotated[
    str, typer.Option("-c", "--channel", help="Channel, from 1, or all: each by itself.")
]

Click = Annotated[
    bool,
    typer.Option(
        "--click",
        help="Play a short tone on each hit, a pitch for each class. Use headphones: what the "
        "microphone hears of it is a hit, too.",
    ),
]
ClickFile = Annotated[
    list[str] | None,
    typer.Option(
        "--click-file",
        help="Play a sample on each hit of a class; without --click the others are silent.",
        metavar="CLASS=FILE",
        show_default=False,
    ),
]
OutputDevice = Annotated[
    str | None,
    typer.Option("--output-device", help="Where to play.", show_default="the input's device"),
]


@dataclass(frozen=True, slots=True)
class Engine:
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


def channel_of(given: str | None) -> int | str | None:
    """The channel of a command line: a number from 1, "all" or nothing.

    Raises
    ------
    SettingsError
        If it is anything else.
    """
    if given is None or given == ALL_CHANNELS:
        return given
    if not given.isdecimal() or int(given) < 1:
        raise SettingsError(f"Expected a channel from 1, or {ALL_CHANNELS}, got {given}.")
    return int(given)


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
    standard = Settings().as_dict() | {
        "features": "notebook",
        "classes": "2",
        "kit": None,
        "save_kit": None,
    }

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        own = [p for name, p in signature.parameters.items() if name != "engine"]
        shared = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=defaults.get(name, standard[name]),
                annotation=option,
            )
            for name, option in (ENGINE | KITS).items()
        ]
        own = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]

        @functools.wraps(command)
        def wrapped(context: typer.Context, **given: Any) -> None:
            values = {name: given.pop(name) for name in ENGINE}
            kit, save_kit = (given.pop(name) for name in KITS)
            explicit = frozenset(name for name in ENGINE if _on_command_line(context, name))
            if kit is not None:
                # The kit's values take the place of defaults, those of this command too.
                values = {name: values[name] for name in explicit}
            if save_kit is not None:
                from rtcluster.learning.kit_file import check_target

                check_target(save_kit)
            command(Engine(Settings(**values), explicit, kit, save_kit), **given)

        context = inspect.Parameter(
            "context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
        )
        parameters = [context, *own, *shared]
        wrapped.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]  # read by inspect
        wrapped.__annotations__ = {p.name: p.annotation for p in parameters}
        return wrapped

    return decorate


def _on_command_line(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
