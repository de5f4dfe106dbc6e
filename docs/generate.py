"""The pages of reference that the program itself tells (``python -m docs.generate``).

They are kept in the repository, so that they are read where it is, and ``tests/test_docs.py`` fails
when one of them is not what this would write.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import typer
from typer.models import ArgumentInfo, OptionInfo

REFERENCE = Path(__file__).parent / "reference"

BESIDE_THE_TOP = {
    "rtcluster.session.session": ("Session", "run_file"),
    "rtcluster.cluster": ("OnlineDrumKMeans",),
    "rtcluster.sources.file": ("FileSource",),
    "rtcluster.sources.live": ("LiveInput",),
    "rtcluster.sinks": ("Sink",),
    "rtcluster.plugins": ("feature",),
    "rtcluster.checks": ("check_feature", "check_clusterer", "check_sink"),
    "rtcluster.recording.log": ("read",),
    "rtcluster.errors": None,
}
"""Public names that are imported from a module of their own; None: all errors that it defines."""

_KINDS = {int: "number", float: "number", str: "text", bool: ""}


def commands() -> Iterator[tuple[str, Callable[..., None]]]:
    """Every command by its words, in the order of ``rtcluster --help``."""
    from rtcluster.commands.app import app

    def of(group: typer.Typer, words: str) -> Iterator[tuple[str, Callable[..., None]]]:
        for one in group.registered_commands:
            if one.callback is not None and not one.hidden:
                name = one.name or one.callback.__name__.replace("_", "-")
                yield f"{words} {name}", one.callback
        for sub in group.registered_groups:
            if sub.typer_instance is not None:
                group_name = sub.name or sub.typer_instance.info.name
                yield from of(sub.typer_instance, f"{words} {group_name}")

    yield from of(app, "rtcluster")


def parameters(command: Callable[..., None]) -> Iterator[tuple[inspect.Parameter, Any, Any]]:
    """The options and arguments of a command: parameter, bare type, and what Typer is told."""
    for one in inspect.signature(command, eval_str=True).parameters.values():
        for extra in getattr(one.annotation, "__metadata__", ()):
            if isinstance(extra, OptionInfo | ArgumentInfo) and not extra.hidden:
                yield one, get_args(one.annotation)[0], extra


def option_names(one: inspect.Parameter, info: OptionInfo) -> list[str]:
    """How an option is written on the command line."""
    long = "--" + one.name.replace("_", "-")
    given = [n for name in _declared(info) if name.startswith("-") for n in name.split("/")]
    if one.annotation.__origin__ is bool and not given:
        return [long, "--no-" + one.name.replace("_", "-")]
    return given or [long]


def _declared(info: OptionInfo) -> list[str]:
    """The names given to ``typer.Option``; inside ``Annotated`` the first one is its default."""
    first = [info.default] if isinstance(info.default, str) else []
    return [*first, *(info.param_decls or ())]


def command_page() -> str:
    """``commands.md``: every command, and every option of each."""
    parts = [
        "# The command line\n\n"
        "`make docs` writes this page from the commands themselves; `rtcluster COMMAND --help`\n"
        "says the same. Exit codes: 0 done, 1 it failed and said why in one line, 2 wrong usage,\n"
        "130 interrupted. Standard output carries what was asked for, of `run` into a pipe events\n"
        "only; what else is meant for people goes to standard error.\n"
    ]
    from rtcluster.commands.examples import EXAMPLES

    listed = list(commands())
    for words, command in listed:
        name = words.removeprefix("rtcluster ")
        parts.append(f"- [`{name}`](#{_anchor(words)}): {_first_line(command)}")
    for words, command in listed:
        parts.append(f"\n## {words}\n\n{_prose(inspect.getdoc(command) or '')}\n")
        own = list(parameters(command))
        arguments = [(p, kind, info) for p, kind, info in own if isinstance(info, ArgumentInfo)]
        usage = " ".join([words, "[OPTIONS]", *(_argument(p, info) for p, _, info in arguments)])
        parts.append(f"```text\n{usage}\n```\n")
        parts.append("```sh\n" + "\n".join(EXAMPLES[words]) + "\n```\n")
        if arguments:
            rows = [(f"`{_argument(p, i)}`", _default(p, i), i.help or "") for p, _, i in arguments]
            parts.append(_table(("argument", "default", "what"), rows))
        panels: dict[str, list[tuple[str, ...]]] = {"Options": []}
        for p, kind, info in own:
            if isinstance(info, OptionInfo):
                names = " ".join(f"`{name}`" for name in option_names(p, info))
                row = (names, _value(kind, info), _default(p, info), info.help or "")
                panels.setdefault(info.rich_help_panel or "Options", []).append(row)
        for panel, rows_ in ((panel, found) for panel, found in panels.items() if found):
            head = (f"**{panel}**", "value", "default", "what")
            parts.append(_table(head, rows_))
    return "\n".join(parts).rstrip() + "\n"


def _anchor(words: str) -> str:
    return words.replace(" ", "-")


def _argument(p: inspect.Parameter, info: ArgumentInfo) -> str:
    name = str(info.metavar or p.name.upper())
    several = "..." if get_origin(_bare(p.annotation.__origin__)) is list else ""
    needed = p.default is inspect.Parameter.empty
    return f"{name}{several}" if needed else f"[{name}]{several}"


def _bare(kind: Any) -> Any:
    """A type without its None."""
    if get_origin(kind) in (Union, UnionType):
        [kind] = [one for one in get_args(kind) if one is not type(None)]
    return kind


def _value(kind: Any, info: OptionInfo) -> str:
    kind = _bare(kind)
    several = get_origin(kind) is list
    if several:
        [kind] = get_args(kind)
    what = str(info.metavar or _KINDS.get(kind, "text"))
    if info.min is not None or info.max is not None:
        low = "" if info.min is None else f"{info.min:g}"
        high = "" if info.max is None else f"{info.max:g}"
        what += f", {low} to {high}" if low and high else f", {low or high} or more"
    return what + (", may be repeated" if several else "")


def _default(p: inspect.Parameter, info: Any) -> str:
    if isinstance(info.show_default, str):
        return info.show_default
    if p.default in (inspect.Parameter.empty, None, False, "") or not info.show_default:
        return ""
    return "on" if p.default is True else f"`{p.default}`"


def settings_page() -> str:
    """``settings.md``: each field of ``Settings``, its option, its default and its meaning."""
    from rtcluster.commands.options import ENGINE
    from rtcluster.settings import Settings

    head = (
        "# Settings\n\n"
        "Every parameter of the engine: a field of `rtcluster.Settings`, and its option on the\n"
        "command line. `make docs` writes this page from the class itself. A duration says its\n"
        "unit: `30ms`, `0.03s`, `1323samples`. A number alone is samples, if it is 0 or at least\n"
        "1000; a smaller one, which might be milliseconds, is refused.\n"
    )
    told = _numpydoc(inspect.getdoc(Settings) or "", "Parameters")
    defaults = Settings().as_dict()
    rows = []
    for field in fields(Settings):
        kind, text = told[field.name]
        option = ENGINE[field.name].__metadata__[0] if field.name in ENGINE else None
        names = [n for n in _declared(option) if n.startswith("-")] if option else []
        names = names or ["--" + field.name.replace("_", "-")]
        default = defaults[field.name]
        shown = ",".join(default) if isinstance(default, list) else default
        rows.append(
            (
                f"`{field.name}`",
                " ".join(f"`{name}`" for name in names),
                kind.replace(", optional", ""),
                "" if shown is None else f"`{shown}`",
                text,
            )
        )
    return head + "\n" + _table(("field", "option", "type", "default", "meaning"), rows)


def python_page() -> str:
    """``python.md``: a line for each public name, and what mkdocstrings makes of its docstring."""
    head = (
        "# The Python API\n\n"
        "Every public name. On the site the docstrings follow each table; where this page is read\n"
        "as a file, they are in the modules that the lines with `:::` name. `make docs` writes\n"
        "the list.\n"
    )
    parts = [head]
    for title, names in _public().items():
        rows, blocks = [], []
        for name, (path, text) in names.items():
            rows.append((f"`{name}`", text))
            blocks.append(f"::: {path}\n")
        parts.append(f"## {title}\n\n{_table(('name', 'what'), rows)}")
        parts += blocks
    return "\n".join(parts)


def _public() -> Mapping[str, dict[str, tuple[str, str]]]:
    """Public names by the module that they are imported from: where each is defined, and a line."""
    import rtcluster
    import rtcluster.notebook

    found = {}
    listed: dict[str, tuple[str, ...] | None] = {
        "rtcluster": tuple(rtcluster.__all__),
        **BESIDE_THE_TOP,
        "rtcluster.notebook": tuple(rtcluster.notebook.__all__),
    }
    for module_name, names in listed.items():
        module = import_module(module_name)
        if names is None:
            names = tuple(
                name for name, one in vars(module).items()
                if inspect.isclass(one) and one.__module__ == module_name
                and name not in rtcluster.__all__
            )  # fmt: skip
        found[module_name] = {name: _described(module, name) for name in names}
    return found


def _described(module: Any, name: str) -> tuple[str, str]:
    one = getattr(module, name)
    home = getattr(one, "__module__", None)
    if home is None or not hasattr(one, "__qualname__"):  # a union of types
        homes = getattr(module, "_HOME", {})
        home = f"{module.__name__}.{homes[name]}" if name in homes else module.__name__
        return f"{home}.{name}", _attribute_doc(import_module(home), name)
    return f"{home}.{name}", _first_line(one)


def _attribute_doc(module: Any, name: str) -> str:
    """The first sentence of the string under an assignment, which Python itself forgets."""
    source = inspect.getsource(module)
    match = re.search(rf'^{name}\b[^\n]*=.*?\n"""(.*?)"""', source, re.DOTALL | re.MULTILINE)
    return " ".join(match[1].split("\n\n")[0].split()) if match else ""


def _first_line(one: Any) -> str:
    return _prose((inspect.getdoc(one) or "").split("\n\n")[0])


def _prose(text: str) -> str:
    """A docstring's own words as Markdown: one line a paragraph, literals in one backtick."""
    text = re.sub(r":\w+:`~?\.?([^`]+)`", r"`\1`", text.replace("``", "`"))
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _numpydoc(text: str, section: str) -> dict[str, tuple[str, str]]:
    """Name, type and meaning of each entry of a section of a docstring."""
    body = re.split(rf"^{section}\n-+\n", text, flags=re.MULTILINE)[1]
    body = re.split(r"^\w+\n-+\n", body, flags=re.MULTILINE)[0]
    found = re.findall(r"^(\w+) : ([^\n]+)\n((?:(?:[ ]+[^\n]*)?\n)+)", body + "\n", re.MULTILINE)
    return {name: (kind, _prose(meaning)) for name, kind, meaning in found}


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return (
        "\n".join(
            "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in line) + " |"
            for line in lines
        )
        + "\n"
    )


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": command_page,
    "settings.md": settings_page,
    "python.md": python_page,
}


def main() -> None:
    """Write the pages."""
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
