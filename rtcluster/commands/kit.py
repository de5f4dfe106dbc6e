"""``rtcluster kit``: look at a saved kit, and change its classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from rtcluster.commands.examples import epilog
from rtcluster.commands.terminal import say
from rtcluster.commands.writing import guard
from rtcluster.text import counted

if TYPE_CHECKING:
    from rtcluster.learning.kit import Kit

kit = typer.Typer(
    name="kit", help="Show a saved kit; change its classes.", epilog=epilog("rtcluster kit"),
    no_args_is_help=True,
)  # fmt: skip

File = Annotated[str, typer.Argument(help="The kit.")]
_CLASS = "A class, by name or number."

NOTED = 0.02
"""Share of a drum's examples from which a confusion is told."""


@kit.command(epilog=epilog("rtcluster kit show"))
def show(
    file: File,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Print the classes of a kit: where they are, and how far apart."""
    from rtcluster.learning.kit_file import load

    shown = load(file)
    if json:
        from json import dumps

        print(dumps(_content(shown), indent=2))
        return
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
    if shown.strokes is not None:
        count, rate = len(shown.strokes["audio"]), shown.strokes["samplerate"]
        print(f"audio: {counted(count, 'stroke')} at {rate} Hz; two drums at once are heard")
    elif shown.lacks_audio:
        print("audio: none; each hit is one drum. Teach it again to hear two at once")
    if shown.microphones:
        print(f"microphones: channels {', '.join(map(str, shown.microphones))}")
    _print_columns(_classes(shown))
    for line in _held_out(shown):
        print(line)
    if rows := _bleed(shown):
        print()
        _print_columns(rows)
    if len(shown.names) > 1:
        print()
        _print_columns(_pairs(shown))


@kit.command(epilog=epilog("rtcluster kit rename"))
def rename(
    file: File,
    old: Annotated[str, typer.Argument(help=_CLASS)],
    new: Annotated[str, typer.Argument(help="Its new name.")],
) -> None:
    """Give a class another name."""
    from rtcluster.learning import kit_edit

    _rewrite(file, lambda before: kit_edit.rename(before, old, new))


@kit.command(epilog=epilog("rtcluster kit merge"))
def merge(
    file: File,
    a: Annotated[str, typer.Argument(help=_CLASS)],
    b: Annotated[str, typer.Argument(help="Another one, which becomes part of the first.")],
) -> None:
    """Make one class of two, under the name of the first."""
    from rtcluster.learning import kit_edit

    _rewrite(file, lambda before: kit_edit.merge(before, a, b))


@kit.command(epilog=epilog("rtcluster kit remove"))
def remove(file: File, name: Annotated[str, typer.Argument(help=_CLASS)]) -> None:
    """Drop a class."""
    from rtcluster.learning import kit_edit

    _rewrite(file, lambda before: kit_edit.remove(before, name))


def _rewrite(file: str, change: Callable[[Kit], Kit]) -> None:
    """Change a kit on the disk, atomically; tell the numbers that are others now."""
    from rtcluster.learning.kit_file import load, save

    before = load(file)
    guard("file").check(file, load)
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


def _content(shown: Kit) -> dict[str, object]:
    """What the kit says, but for its audio and the single hits that it holds."""
    import numpy as np

    content: dict[str, object] = {
        "samplerate": shown.samplerate,
        "window": shown.window,
        "guess": shown.guess,
        "features": list(shown.features),
        "scaling": shown.scaling,
        "detector": None if shown.detection is None else shown.detection.as_dict(),
        "strokes": 0 if shown.strokes is None else len(shown.strokes["audio"]),
        "classes": [],
    }
    if shown.learned is not None:
        centres = shown.learned["centres"]
        raw, counts, owner = (np.array(centres[key]) for key in ("raw", "counts", "owner"))
        content["classes"] = [
            {
                "class": number,
                "name": name,
                "weight": float(counts[owner == number].sum()),
                "centres": raw[owner == number].tolist(),
            }
            for number, name in enumerate(shown.names)
        ]
    return content


def _classes(shown: Kit) -> list[list[str]]:
    """A row a class: weight in hits, centres, the features' means, their spread.

    The bands of a spectrum are left out: they are too many for a line.
    """
    import numpy as np

    from rtcluster.settings import BAND_FEATURES

    listed = [n for n, feature in enumerate(shown.features) if feature not in BAND_FEATURES]
    assert shown.learned is not None
    centres = shown.learned["centres"]
    raw, counts = np.array(centres["raw"]), np.array(centres["counts"])
    variance, owner = np.array(centres["variance"]), np.array(centres["owner"])
    held = [hit["class"] for hit in shown.learned["prototypes"]]
    heads = [shown.features[n] for n in listed]
    rows = [["no", "name", "weight", "centres", "held", *heads]]
    for number, name in enumerate(shown.names):
        own = owner == number
        weights = np.maximum(counts[own], 1e-12)
        mean = np.average(raw[own], axis=0, weights=weights)
        within = np.average(variance[own], axis=0, weights=weights)
        between = np.average((raw[own] - mean) ** 2, axis=0, weights=weights)
        # The hits of a taught class are centres themselves: then one of the two is the other.
        spread = np.sqrt(np.maximum(within, between))
        cells = [f"{mean[n]:.4g} ± {spread[n]:.2g}" for n in listed]
        weight = f"{counts[own].sum():.0f}"
        rows.append([str(number), name, weight, str(own.sum()), str(held.count(number)), *cells])
    return rows


SHADES = (("█", -6.0), ("▓", -15.0), ("▒", -25.0), ("░", -40.0))
"""How dark a level in dB from here on is."""


def _bleed(shown: Kit) -> list[list[str]]:
    """A row for each drum: how loud each microphone hears it, in dB under its own one, shaded.

    Empty of a kit of one channel.
    """
    from rtcluster.learning.bleed import of_kit

    bleed = of_kit(shown)
    if bleed is None:
        return []
    rows = [["bleed, dB", *(f"channel {n}" for n in shown.microphones)]]
    for name, levels, home in zip(shown.names, bleed.relative_db, bleed.home, strict=True):
        cells = ["own" if place == home else f"{level:+.0f}" for place, level in enumerate(levels)]
        shades = [next((c for c, least in SHADES if x >= least), " ") for x in levels]
        rows.append([name, *(f"{3 * s} {c}" for s, c in zip(shades, cells, strict=True))])
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


def _held_out(shown: Kit) -> list[str]:
    """Which taught drums are taken for which, and which of them one more stroke would help."""
    found = (shown.strokes or {}).get("held_out")
    if found is None or len(shown.names) < 2:
        return []
    taken, names = found["taken"], shown.names
    sums = [sum(row) for row in taken]
    wrong = [1.0 - row[n] / sums[n] if sums[n] else 0.0 for n, row in enumerate(taken)]
    confused = [
        (row[other] / sums[n], f"{names[n]} for {names[other]} {row[other] / sums[n]:.0%}")
        for n, row in enumerate(taken)
        for other in range(len(names))
        if other != n and sums[n] and row[other] >= NOTED * sums[n]
    ]
    out = ["", "each stroke judged by the others: all are told apart"]
    if confused:
        said = ", ".join(text for _, text in sorted(confused, key=lambda one: -one[0]))
        out = ["", f"each stroke judged by the others: taken wrongly are {said}"]
    for n, fewer in enumerate(found["fewer"]):
        if not sums[n]:
            out.append(f"one more stroke of {names[n]}: it has one, so nothing is known of it yet")
        elif fewer is not None and wrong[n] >= NOTED and fewer - wrong[n] >= NOTED:
            out.append(
                f"one more stroke of {names[n]} would help: {wrong[n]:.0%} are wrong, and "
                f"{fewer:.0%} with one stroke fewer"
            )
    return out


def _print_columns(rows: list[list[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(line.rstrip())


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
