"""What all pages share: their style, how they show a picture, and how they write numbers.

``base.html.j2``, which a page's own template extends, stands beside this module, with the style,
pictures and tables that it takes in. Pictures are data URIs, so a page asks nothing of a network.
"""

from __future__ import annotations

import base64
import math

import jinja2
import numpy as np
from markupsafe import Markup

from rtcluster.pages import palette
from rtcluster.text import plural


def environment(package: str) -> jinja2.Environment:
    """Return what renders the templates of a package, and those that pages share.

    Parameters
    ----------
    package : str
        Where the page's own template is, beside its modules.
    """
    loaders = [jinja2.PackageLoader(one, "") for one in dict.fromkeys((package, __package__))]
    made = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.ChoiceLoader(loaders),
    )
    made.filters.update(
        uri=_uri,
        chip=_chip,
        plural=_plural,
        fixed=_fixed,
        clock=_clock,
        group=_group,
        median=lambda values: float(np.median(values)),
    )
    return made


def _uri(data: bytes, mime: str) -> Markup:
    return Markup("data:{};base64,{}").format(mime, base64.b64encode(data).decode("ascii"))


def _chip(label: int, size: int = 12) -> Markup:
    """Return a class's mark as a small inline SVG."""
    look = palette.mark(label)
    return Markup(
        '<svg class="chip" width="{0}" height="{0}" viewBox="-1.2 -1.2 2.4 2.4" aria-hidden="true">'
        '<path d="{1}" fill="{2}"/></svg>'
    ).format(size, look.outline, look.colour)


def _plural(count: int, word: str) -> str:
    return f"{_group(count)} {plural(count, word)}"


def _fixed(value: float, places: int = 3, sign: bool = False) -> str:
    if math.isnan(value):
        return "–"  # a dash in a table
    return f"{value:+.{places}f}" if sign else f"{value:.{places}f}"


def _group(value: int) -> str:
    return f"{value:,}".replace(",", "\u202f")


def _clock(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d} h" if hours else f"{minutes}:{rest:02d} min"
