"""Which of a command's files are read and which are written, as its command line has it.

:func:`writes` gives a command ``--overwrite``; :func:`guard` tells what it may write to, and
:class:`Late` whether that still holds when all is done. They go by the command line itself, so no
option that names a file can be forgotten.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rtcluster.commands.terminal import say

if TYPE_CHECKING:
    from rtcluster.recording.targets import Guard

WRITTEN = ("jsonl", "record", "save_kit", "out", "output")
"""Parameters that name what is written. Every other one may name what is read."""

_command_line: ContextVar[Mapping[str, object]] = ContextVar(
    "command_line", default=MappingProxyType({})
)

_OVERWRITE = Annotated[bool, typer.Option("--overwrite", help="Overwrite existing files.")]


_KEYWORD = inspect.Parameter.KEYWORD_ONLY


def show_options(
    wrapped: Callable[..., None],
    command: Callable[..., None],
    options: Mapping[str, Any],
    defaults: Mapping[str, Any],
    *,
    place_of: str = "",
    first: Sequence[inspect.Parameter] = (),
) -> None:
    """Have a decorated command show its parameters and more options to Typer, which reads them off.

    Parameters
    ----------
    wrapped, command : callable
        What the decorator has made of the command, and the command.
    options, defaults : mapping
        By name: what annotates each of the options, which come last, and its default.
    place_of : str
        The command's own parameter that is made of them, and not shown.
    first : sequence of inspect.Parameter
        What is handed over by place, before all else.
    """
    own = inspect.signature(command, eval_str=True).parameters.values()
    parameters = [
        *first,
        # The engine is handed over by place.
        *(p if p.name == "engine" else p.replace(kind=_KEYWORD) for p in own if p.name != place_of),
        *(
            inspect.Parameter(name, _KEYWORD, default=defaults[name], annotation=option)
            for name, option in options.items()
        ),
    ]
    wrapped.__dict__["__signature__"] = inspect.Signature(parameters)
    wrapped.__annotations__ = {one.name: one.annotation for one in parameters}


def writes(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``--overwrite``, which :func:`guard` looks up."""

    @functools.wraps(command)
    def wrapped(**given: Any) -> None:
        token = _command_line.set(dict(given))
        del given["overwrite"]
        try:
            command(**given)
        finally:
            _command_line.reset(token)

    show_options(wrapped, command, {"overwrite": _OVERWRITE}, {"overwrite": False})
    return wrapped


def guard(own: str, *in_place: str) -> Guard:
    """What the running command may write to.

    Parameters
    ----------
    own : str
        The parameter that is to be written.
    *in_place : str
        Parameters that may name the same file: it is read before it is replaced.
    """
    from rtcluster.recording.targets import Guard, id_of

    given = _command_line.get()
    rest = {name: value for name, value in given.items() if name not in (own, *in_place)}
    read = [p for name in rest if name not in WRITTEN for p in _paths(rest[name])]
    written = [p for name in rest if name in WRITTEN for p in _paths(rest[name])]
    return Guard(
        inputs=frozenset(i for p in read for one in _files(p) if (i := id_of(one)) is not None),
        others=frozenset(p.resolve() for p in written),
        overwrite=bool(given.get("overwrite")),
    )


class Late:
    """A file that a command writes when all is done, and that nobody may have written meanwhile.

    Parameters
    ----------
    path : path
        To be made with the command's beginning, when :func:`guard` allowed it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._before = _version_of(self.path)

    def place(self) -> Path:
        """Where to write: there, or beside it if it is not as it was, and say so."""
        if _version_of(self.path) == self._before or _command_line.get().get("overwrite"):
            return self.path
        names = (self.path.with_stem(f"{self.path.stem}-{n}") for n in itertools.count(2))
        beside = next(path for path in names if not os.path.lexists(path))
        say(f"{self.path}: somebody else has written it meanwhile; it stays as it is.")
        return beside


def _version_of(path: Path) -> tuple[int, ...] | None:
    """What a file is, as far as can be told without reading it; None if there is none."""
    try:
        state = path.stat()
    except (OSError, ValueError):
        return None
    return state.st_dev, state.st_ino, state.st_mtime_ns, state.st_size


def _paths(value: object) -> Iterator[Path]:
    """Paths that the value of a parameter may name: as it is, or as ``NAME=FILE``."""
    for text in value if isinstance(value, list | tuple) else [value]:
        if isinstance(text, str):
            yield Path("/dev/stdin" if text == "-" else text)
            if "=" in text:
                yield Path(text.partition("=")[2])


def _files(path: Path) -> Iterator[Path]:
    """The file itself, or of a folder those that are read: its audio, or a recording's parts."""
    if not path.is_dir():
        yield path
        return
    from rtcluster.batch.plan import audio_in
    from rtcluster.recording.log import PARTS

    yield from (path / name for name in (*audio_in(path), *PARTS))
