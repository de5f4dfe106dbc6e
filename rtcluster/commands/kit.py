"""``rtcluster kit``: look at a saved kit, and change its classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from rtcluster.commands.terminal import say

if TYPE_CHECKING:
    from rtcluster.learning.kit import Kit

kit = typer.Typer(name="kit", help="Show a saved kit; change its classes.", no_args_is_help=True)

File = Annotated[str, typer.Argument(help="The kit.")]
_CLASS = "A class, by name or number."


@kit.command()
def show(file: File) -> None:
    """Print the classes of a kit: where they are, and how far apart."""
    from rtcluster.learning.kit_file import load

    shown = load(file)
    print(
        f"{file}: {shown.samplerate} Hz, window {shown.window} and guess {shown.guess} samples, "
        f"{shown.scaling} scaling"
    )
    if shown.detection is not None:
        own = shown.detection.as_dict().items()
        print("detector: " + ", ".join(f"{k} {_short(v)}" for k, v in own if v is not None))
    if shown.learned is None:
        print("no classes: this kit holds detector settings alone")
        return
    _print_columns(_classes(shown))
    if len(shown.names) > 1:
        print()
        _print_columns(_pairs(shown))


@kit.command()
def rename(
    file: File,
    old: Annotated[str, typer.Argument(help=_CLASS)],
    new: Annotated[str, typer.Argument(help="Its new name.")],
) -> None:
    """Give a class another name."""
    from rtcluster.learning import kit_edit

    _rewrite(file, lambda before: kit_edit.rename(before, old, new))


@kit.command()
def merge(
    file: File,
    a: Annotated[str, typer.Argument(help=_CLASS)],
    b: Annotated[str, typer.Argument(help="Another one, which becomes part of the first.")],
) -> None:
    """Make one class of two, under the name of the first."""
    from rtcluster.learning import kit_edit

    _rewrite(file, lambda before: kit_edit.merge(before, a, b))


@kit.command()
def remove(file: File, name: Annotated[str, typer.Argument(help=_CLASS)]) -> None:
    """Drop a class."""
    from rtcluster.learning import kit_edit

    _rewrite(file, lambda before: kit_edit.remove(before, name))


def _rewrite(file: str, change: Callable[[Kit], Kit]) -> None:
    """Change a kit on the disk, atomically; tell the numbers that are others now."""
    from rtcluster.learning.kit_file import load, save

    before = load(file)
    after = change(before)
    save(file, after)
    say(f"{file}: " + ", ".join(f"{number} {name}" for number, name in enumerate(after.names)))
    moved = [
        f"{name} is {after.names.index(name)}, was {number}"
        for number, name in enumerate(before.names)
        if name in after.names and after.names.index(name) != number
    ]
    if moved:
        say("Numbers moved up to close the gap: " + "; ".join(moved) + ".")


def _classes(shown: Kit) -> list[list[str]]:
    """A row a class: weight in hits, centres, the features' means, their spread."""
    import numpy as np

    assert shown.learned is not None
    centres = shown.learned["centres"]
    raw, counts = np.array(centres["raw"]), np.array(centres["counts"])
    variance, owner = np.array(centres["variance"]), np.array(centres["owner"])
    held = [hit["class"] for hit in shown.learned["prototypes"]]
    rows = [["no", "name", "weight", "centres", "held", *shown.features]]
    for number, name in enumerate(shown.names):
        own = owner == number
        weights = np.maximum(counts[own], 1e-12)
        mean = np.average(raw[own], axis=0, weights=weights)
        within = np.average(variance[own], axis=0, weights=weights)
        between = np.average((raw[own] - mean) ** 2, axis=0, weights=weights)
        # The hits of a taught class are centres themselves: then one of the two is the other.
        spread = np.sqrt(np.maximum(within, between))
        cells = [f"{m:.4g} ± {s:.2g}" for m, s in zip(mean, spread, strict=True)]
        weight = f"{counts[own].sum():.0f}"
        rows.append([str(number), name, weight, str(own.sum()), str(held.count(number)), *cells])
    return rows


def _pairs(shown: Kit) -> list[list[str]]:
    """A row for each two classes: how many spreads they are apart, how many hits are confused."""
    from rtcluster.learning.kit_edit import scaled_hits, separation_of
    from rtcluster.learning.separation import spreads_apart, verdict

    hits, classes = scaled_hits(shown)
    found = {(a, b): times for a, b, times in separation_of(shown).pairs()}
    rows = [["pair", "spreads apart", "confused", ""]]
    for a in range(len(shown.names)):
        for b in range(a + 1, len(shown.names)):
            one, other = hits[classes == a], hits[classes == b]
            names = f"{shown.names[a]}, {shown.names[b]}"
            if not len(one) or not len(other):
                rows.append([names, "", "", "no hits held"])
                continue
            apart = spreads_apart(one, other)
            confused = f"{found.get((a, b), 0)} of {len(one) + len(other)}"
            rows.append([names, f"{apart:.1f}", confused, verdict(apart)])
    return rows


def _print_columns(rows: list[list[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(line.rstrip())


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
