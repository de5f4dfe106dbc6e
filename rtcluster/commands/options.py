"""The options of the engine, which several commands share, in one table.

:func:`engine_options` gives a command all of them; the command receives a ``Settings``.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from rtcluster.settings import FEATURE_SETS, METHODS, PRESETS, SCALINGS, Settings


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
    "memory": _option(int, help="Hits after which old ones are forgotten; 0: never."),
    "reject": _option(float, help="Spreads beyond which a hit is unknown (try 4); 0: never."),
    "seed": _option(int, help="Seed of the clustering."),
    "buffer": _option(int | None, help="Frame of the detector, samples.", hidden=True),
    "hop": _option(int | None, help="Hop of the detector, samples.", hidden=True),
}
"""An option for each field of ``Settings``; its default is the field's."""

Channel = Annotated[int | None, typer.Option("-c", "--channel", help="Channel, from 1.")]
Jsonl = Annotated[
    str | None, typer.Option(help="Write the events to this file as JSON Lines; - is stdout.")
]


def engine_options(**defaults: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the engine's options.

    Parameters
    ----------
    **defaults
        Defaults that differ from those of ``Settings``.

    Returns
    -------
    callable
        A decorator. The command it decorates takes a ``settings`` argument first.
    """
    standard = Settings().as_dict() | {"features": "notebook", "classes": "2"}

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        own = [p for name, p in signature.parameters.items() if name != "settings"]
        shared = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=defaults.get(name, standard[name]),
                annotation=option,
            )
            for name, option in ENGINE.items()
        ]
        own = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]

        @functools.wraps(command)
        def wrapped(**given: Any) -> None:
            settings = Settings(**{name: given.pop(name) for name in ENGINE})
            command(settings, **given)

        parameters = [*own, *shared]
        wrapped.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]  # read by inspect
        wrapped.__annotations__ = {p.name: p.annotation for p in parameters}
        return wrapped

    return decorate
