"""The controls of the plug-in, whatever its format: what a host shows and saves.

[any thread] Text and numbers. Their order is that of ``player.h``.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rtcluster.plugin.image import MOST_DRUMS
from rtcluster.sinks.drum_map import note_of

SILENT_DB = -60.0
"""Gain in dB at which nothing of the audio goes through."""

Kind = Literal["number", "ms", "dB", "stage", "note", "mute"]


@dataclass(frozen=True, slots=True)
class Control:
    """One of them.

    Attributes
    ----------
    symbol : str
        By which the host keeps its value.
    label : str
        As the host shows it.
    kind : Kind
    default, least, most : float
    """

    symbol: str
    label: str
    kind: Kind
    default: float
    least: float
    most: float


_COMMON = (
    Control("threshold", "Onset threshold (0: the kit's)", "number", 0.0, 0.0, 1.0),
    Control("mask", "Mask (0: the kit's)", "ms", 0.0, 0.0, 500.0),
    Control("stage", "Note at", "stage", 0, 0, 1),
    Control("gain", "Audio through", "dB", 0.0, SILENT_DB, 12.0),
)


def controls(drums: Sequence[str] | None) -> list[Control]:
    """All of them: the common ones, and for each drum its note and its mute.

    Parameters
    ----------
    drums : sequence of str or None
        By name; None where the kit is chosen in the host, and drums have numbers.
    """
    out = list(_COMMON)
    if drums is None:
        for number in range(1, MOST_DRUMS + 1):
            label = f"Drum {number}"
            out += _of_drum(f"drum_{number}", label, f"{label}: note (-1: the kit's)", -1, -1)
        return out
    for number, (drum, symbol) in enumerate(zip(drums, symbols(drums), strict=True)):
        out += _of_drum(symbol, drum, f"{drum}: note", note_of(number, drum, {}), 0)
    return out


def _of_drum(symbol: str, drum: str, label: str, note: int, least: int) -> list[Control]:
    return [
        Control(f"{symbol}_note", label, "note", note, least, 127),
        Control(f"{symbol}_mute", f"{drum}: mute", "mute", 0, 0, 1),
    ]


def slug(name: str) -> str:
    """A name in small letters, digits and underscores; ``kit`` where nothing of it is left."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "kit"


def symbols(names: Sequence[str]) -> list[str]:
    """A symbol for each drum, all different."""
    out: list[str] = []
    for number, name in enumerate(names):
        own = f"drum_{slug(name)}"
        out.append(own if own not in out else f"{own}_{number}")
    return out


def table(drums: Sequence[str] | None) -> str:
    """The controls as C: a macro for ``kit.h`` that fills the array of ``clap.c``.

    A control's number is made of its symbol, so that it stays when others come or go.
    """
    rows = [
        f"{{{zlib.crc32(one.symbol.encode())}u, {int(one.kind in ('stage', 'note', 'mute'))}, "
        f"{one.default}, {one.least}, {one.most}, {quoted(one.symbol)}, {quoted(one.label)}, "
        f"{quoted(one.kind if one.kind in ('ms', 'dB') else '')}}}"
        for one in controls(drums)
    ]
    return f"#define CONTROL_TABLE {', '.join(rows)}\n"


def quoted(text: str) -> str:
    """A string of C, in ASCII."""
    escaped = (chr(b) if chr(b).isalnum() and b < 128 else f"\\{b:03o}" for b in text.encode())
    return f'"{"".join(escaped)}"'
