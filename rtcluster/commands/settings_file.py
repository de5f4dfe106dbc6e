"""Options that one keeps: ``rtcluster.toml``, in the folder one works in or the user's own.

Its keys are the long names of options, and its values take the place of defaults. What is typed
comes first, then the table that ``--preset NAME`` names, then the command's own table, then what
stands above the tables::

    features = "best"

    [listen]
    monitor = true

    [preset.gig]
    kit = "/home/me/gig.kit"
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import typer
from platformdirs import user_config_dir

from rtcluster.errors import SettingsError
from rtcluster.files import read_bytes
from rtcluster.presets import PRESETS
from rtcluster.text import printable

NAME = "rtcluster.toml"
PRESET = "preset"

_MAX_BYTES = 1 << 20
_META = "rtcluster.presets"

Values = dict[str, Any]


def find() -> Path | None:
    """The file of the folder one works in, or else the user's own; None without."""
    own = Path(user_config_dir("rtcluster", appauthor=False, roaming=True), NAME)
    return next((path for path in (Path(NAME), own) if path.is_file()), None)


def apply(context: typer.Context) -> None:
    """Have the file's values stand in for the defaults of the command that is called.

    Parameters
    ----------
    context : typer.Context
        The program's, before the command's is made.

    Raises
    ------
    SettingsError
        If the file is no TOML, or has a table, an option or a value that there is not.
    """
    path = find()
    if path is None:
        return
    file = _File(path, dict(_commands(context.command)))
    context.default_map = file.defaults
    context.meta[_META] = file.presets


def take_preset(context: typer.Context, name: str) -> str:
    """Have a table's values stand in for defaults, if ``--preset`` names one; the preset."""
    table = context.meta.get(_META, {}).get(name)
    if table is None:
        return name
    own = {param.name for param in context.command.params}
    context.default_map = {
        **(context.default_map or {}),
        **{key: value for key, value in table.items() if key in own},
    }
    source: Any = context.get_parameter_source(PRESET)
    context.set_parameter_source(PRESET, type(source).DEFAULT_MAP)
    return str(
        table.get(PRESET, next(p.default for p in context.command.params if p.name == PRESET))
    )


def _commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that is no group, by its words."""
    if not hasattr(command, "commands"):
        yield words, command
    for name, one in getattr(command, "commands", {}).items():
        yield from _commands(one, (*words, name))


class _File:
    """What the file says, held against what there is.

    Attributes
    ----------
    defaults : dict
        By command, and by the command of a group, values by the parameter's name.
    presets : dict
        By the name of the table, values by the parameter's name.
    """

    def __init__(self, path: Path, commands: Mapping[tuple[str, ...], Any]) -> None:
        self._path = path
        options = {words: _options(command) for words, command in commands.items()}
        every = {key: one for own in options.values() for key, one in own.items()}
        content = self._read()
        tables = {key: value for key, value in content.items() if isinstance(value, dict)}
        shared = {key: value for key, value in content.items() if key not in tables}
        self._values("", shared, every)
        presets = tables.pop(PRESET, {})
        for name in tables.keys() - {words[0] for words in commands if len(words) == 1}:
            raise self._refuse(f"a command or {PRESET}.NAME as table", f"[{printable(name)}]")
        self.defaults: Values = {}
        for words, own in options.items():
            place = self.defaults
            for word in words[:-1]:
                place = place.setdefault(word, {})
            general = {key: value for key, value in shared.items() if key.replace("_", "-") in own}
            table = tables.get(words[0], {}) if len(words) == 1 else {}
            place[words[-1]] = self._values("", general, own) | self._values(words[0], table, own)
        self.presets: dict[str, Values] = {}
        for name, table in presets.items():
            if name in PRESETS or not isinstance(table, dict):
                taken = f"none of {', '.join(PRESETS)}"
                raise self._refuse(f"tables [{PRESET}.NAME], NAME {taken}", printable(name))
            self.presets[name] = self._values(f"{PRESET}.{name}", table, every)

    def _read(self) -> Values:
        import tomllib

        try:
            return tomllib.loads(read_bytes(self._path, _MAX_BYTES).decode("utf-8"))
        except OSError as error:
            raise self._refuse("a file that can be read", error.strerror or str(error)) from error
        except (ValueError, RecursionError) as error:
            raise self._refuse("TOML", " ".join(str(error).split())[:120]) from error

    def _refuse(self, wanted: str, got: str) -> SettingsError:
        return SettingsError(f"Expected {wanted} in {self._path}, got {got}.")

    def _values(self, table: str, given: Values, options: Mapping[str, Any]) -> Values:
        """Values by the parameter's name, of a table's options."""
        where = f"[{printable(table)}] " if table else ""
        out = {}
        for key, value in given.items():
            option = options.get(key.replace("_", "-"))
            if option is None:
                raise self._refuse("the long name of an option", f"{where}{printable(key)}")
            out[option.name] = self._value(f"{where}{key}", value, option)
        return out

    def _value(self, name: str, value: Any, option: Any) -> Any:
        """A value as it would be typed; whether it is valid, the command says."""
        if option.is_flag or isinstance(value, bool):
            if not (option.is_flag and isinstance(value, bool)):
                kind = "true or false" if option.is_flag else "a text or a number"
                raise self._refuse(f"{kind} as {name}", repr(value)[:40])
            return value
        items: Iterable[Any] = value if option.multiple and isinstance(value, list) else [value]
        for item in items:
            if not isinstance(item, str | int | float):
                raise self._refuse(f"a text or a number as {name}", repr(item)[:40])
        return [str(item) for item in items] if option.multiple else str(value)


def _options(command: Any) -> dict[str, Any]:
    """Options of a command by their long names."""
    return {
        name.removeprefix("--"): param
        for param in command.params
        if hasattr(param, "is_flag") and param.name != "help"
        for name in param.opts
        if name.startswith("--")
    }
