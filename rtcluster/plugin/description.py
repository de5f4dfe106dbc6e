"""What an LV2 host reads of the plug-in before it loads it: its ports and parameters, in Turtle.

[any thread] Text for text; nothing is read or written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rtcluster.plugin.image import MOST_DRUMS
from rtcluster.sinks.drum_map import note_of

SILENT_DB = -60.0
"""Gain in dB at which nothing of the audio goes through."""

GENERIC = "urn:rtcluster:plugin"
"""URI of the plug-in whose kit is chosen in the host."""

_PREFIXES = """\
@prefix atom: <http://lv2plug.in/ns/ext/atom#> .
@prefix doap: <http://usefulinc.com/ns/doap#> .
@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
@prefix midi: <http://lv2plug.in/ns/ext/midi#> .
@prefix patch: <http://lv2plug.in/ns/ext/patch#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix rsz: <http://lv2plug.in/ns/ext/resize-port#> .
@prefix state: <http://lv2plug.in/ns/ext/state#> .
@prefix units: <http://lv2plug.in/ns/extensions/units#> .
@prefix urid: <http://lv2plug.in/ns/ext/urid#> .
@prefix work: <http://lv2plug.in/ns/ext/worker#> .

"""

_CHOSEN_IN_THE_HOST = f"""\
    lv2:requiredFeature work:schedule ;
    lv2:extensionData work:interface , state:interface ;
    patch:writable <{GENERIC}#kit> ;
    patch:readable <{GENERIC}#drums> ;
"""

_PARAMETERS = f"""
<{GENERIC}#kit>
    a lv2:Parameter ;
    rdfs:label "Kit" ;
    rdfs:range atom:Path .

<{GENERIC}#drums>
    a lv2:Parameter ;
    rdfs:label "Drums" ;
    rdfs:range atom:String .
"""


def slug(name: str) -> str:
    """A name in small letters, digits and underscores; ``kit`` where nothing of it is left."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "kit"


def symbols(names: Sequence[str]) -> list[str]:
    """A symbol for each drum by which the host keeps its values, all different."""
    out: list[str] = []
    for number, name in enumerate(names):
        own = f"drum_{slug(name)}"
        out.append(own if own not in out else f"{own}_{number}")
    return out


def uri_of(name: str | None) -> str:
    """The URI of the plug-in of a kit, by its name; None for the generic one."""
    return GENERIC if name is None else f"urn:rtcluster:kit:{slug(name)}"


def manifest(name: str | None) -> str:
    """``manifest.ttl``."""
    return f"""{_PREFIXES}<{uri_of(name)}>
    a lv2:Plugin ;
    lv2:binary <rtcluster.so> ;
    rdfs:seeAlso <rtcluster.ttl> .
"""


def plugin(name: str | None, drums: Sequence[str]) -> str:
    """``rtcluster.ttl``.

    Parameters
    ----------
    name : str or None
        Of the kit; None for the generic plug-in.
    drums : sequence of str
        Of the kit; those of the generic plug-in are numbered.
    """
    generic = name is None
    ports = [*_SIGNALS, *_CONTROLS, *(_numbered() if generic else _named(drums))]
    if generic:
        ports += _MESSAGES
    numbered = " , ".join(
        f"[\n        lv2:index {place} ;{port}\n    ]" for place, port in enumerate(ports)
    )
    return f"""{_PREFIXES}<{uri_of(name)}>
    a lv2:Plugin , lv2:AnalyserPlugin ;
    doap:name {_text("rtcluster" if name is None else f"rtcluster {name}")} ;
    doap:license <https://spdx.org/licenses/GPL-3.0-or-later> ;
    lv2:minorVersion 0 ;
    lv2:microVersion 1 ;
    lv2:requiredFeature urid:map ;
    lv2:optionalFeature lv2:hardRTCapable ;
{_CHOSEN_IN_THE_HOST * generic}    lv2:port {numbered} .
{_PARAMETERS * generic}"""


def _named(drums: Sequence[str]) -> list[str]:
    ports: list[str] = []
    for number, (drum, symbol) in enumerate(zip(drums, symbols(drums), strict=True)):
        ports += _of_drum(symbol, drum, f"{drum}: note", note_of(number, drum, {}), 0)
    return ports


def _numbered() -> list[str]:
    ports: list[str] = []
    for number in range(1, MOST_DRUMS + 1):
        label = f"Drum {number}"
        ports += _of_drum(f"drum_{number}", label, f"{label}: note (-1: the kit's)", -1, -1)
    return ports


def _of_drum(symbol: str, drum: str, label: str, note: int, least: int) -> list[str]:
    return [
        _control(
            f"{symbol}_note", label, note, least, 127,
            "lv2:portProperty lv2:integer", "units:unit units:midiNote",
        ),
        _control(f"{symbol}_mute", f"{drum}: mute", 0, 0, 1, "lv2:portProperty lv2:toggled"),
    ]  # fmt: skip


def _control(symbol: str, label: str, default: float, least: float, most: float, *rest: str) -> str:
    values = (f"lv2:default {default}", f"lv2:minimum {least}", f"lv2:maximum {most}")
    return _port("lv2:ControlPort , lv2:InputPort", symbol, label, *values, *rest)


def _messages(way: str, symbol: str, label: str, supports: str, *rest: str) -> str:
    sequence = ("atom:bufferType atom:Sequence", f"atom:supports {supports}")
    return _port(f"atom:AtomPort , lv2:{way}Port", symbol, label, *sequence, *rest)


def _port(kind: str, symbol: str, label: str, *rest: str) -> str:
    lines = (f"a {kind}", f'lv2:symbol "{symbol}"', f"lv2:name {_text(label)}", *rest)
    return " ;".join(f"\n        {line}" for line in lines)


def _text(words: str) -> str:
    """A literal of Turtle."""
    escaped = words.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else " " for c in escaped) + '"'


_SIGNALS = (
    _port("lv2:AudioPort , lv2:InputPort", "in", "Audio in"),
    _port("lv2:AudioPort , lv2:OutputPort", "out", "Audio through"),
    _messages("Output", "midi", "MIDI out", "midi:MidiEvent"),
)

_CONTROLS = (
    _control("threshold", "Onset threshold (0: the kit's)", 0.0, 0.0, 1.0),
    _control("mask", "Mask (0: the kit's)", 0.0, 0.0, 500.0, "units:unit units:ms"),
    _control(
        "stage", "Note at", 0, 0, 1, "lv2:portProperty lv2:integer , lv2:enumeration",
        'lv2:scalePoint [ rdfs:label "guess, 30 ms" ; rdf:value 0 ] , '
        '[ rdfs:label "final, 90 ms" ; rdf:value 1 ]',
    ),
    _control("gain", "Audio through", 0.0, SILENT_DB, 12.0, "units:unit units:db"),
)  # fmt: skip

_MESSAGES = (
    _messages(
        "Input", "control", "Messages to it", "patch:Message",
        "lv2:designation lv2:control", "rsz:minimumSize 8192",
    ),
    _messages("Output", "notify", "Messages of it", "patch:Message", "rsz:minimumSize 8192"),
)  # fmt: skip
