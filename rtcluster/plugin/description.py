"""What an LV2 host reads of the plug-in before it loads it: its ports and parameters, in Turtle.

[any thread] Text for text; nothing is read or written.
"""

from __future__ import annotations

from collections.abc import Sequence

from rtcluster.plugin.controls import Control, Kind, controls, slug

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

_OF_KIND: dict[Kind, tuple[str, ...]] = {
    "number": (),
    "ms": ("units:unit units:ms",),
    "dB": ("units:unit units:db",),
    "stage": (
        "lv2:portProperty lv2:integer , lv2:enumeration",
        'lv2:scalePoint [ rdfs:label "guess, 30 ms" ; rdf:value 0 ] , '
        '[ rdfs:label "final, 90 ms" ; rdf:value 1 ]',
    ),
    "note": ("lv2:portProperty lv2:integer", "units:unit units:midiNote"),
    "mute": ("lv2:portProperty lv2:toggled",),
}

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


def uri_of(name: str | None) -> str:
    """The URI of the plug-in of a kit, by its name; None for the generic one."""
    return GENERIC if name is None else f"urn:rtcluster:kit:{slug(name)}"


def title(name: str | None) -> str:
    """What the host calls it."""
    return "rtcluster" if name is None else f"rtcluster {name}"


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
    ports = [*_SIGNALS, *map(_control, controls(None if generic else drums))]
    if generic:
        ports += _MESSAGES
    numbered = " , ".join(
        f"[\n        lv2:index {place} ;{port}\n    ]" for place, port in enumerate(ports)
    )
    return f"""{_PREFIXES}<{uri_of(name)}>
    a lv2:Plugin , lv2:AnalyserPlugin ;
    doap:name {_text(title(name))} ;
    doap:license <https://spdx.org/licenses/GPL-3.0-or-later> ;
    lv2:minorVersion 0 ;
    lv2:microVersion 1 ;
    lv2:requiredFeature urid:map ;
    lv2:optionalFeature lv2:hardRTCapable ;
{_CHOSEN_IN_THE_HOST * generic}    lv2:port {numbered} .
{_PARAMETERS * generic}"""


def _control(one: Control) -> str:
    values = (f"lv2:default {one.default}", f"lv2:minimum {one.least}", f"lv2:maximum {one.most}")
    return _port(
        "lv2:ControlPort , lv2:InputPort", one.symbol, one.label, *values, *_OF_KIND[one.kind]
    )


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

_MESSAGES = (
    _messages(
        "Input", "control", "Messages to it", "patch:Message",
        "lv2:designation lv2:control", "rsz:minimumSize 8192",
    ),
    _messages("Output", "notify", "Messages of it", "patch:Message", "rsz:minimumSize 8192"),
)  # fmt: skip
