"""The page: a session's performance as one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Mapping

from rtcluster.pages import canvas, style
from rtcluster.pages.canvas import Picture
from rtcluster.performance import words
from rtcluster.performance.drums import ACCENT
from rtcluster.performance.figures import Performance
from rtcluster.performance.measures import PAUSE_S

ROWS = 300
"""Hits that the page lists; the JSON file beside it has them all."""

SECTIONS = 50


def page(
    found: Performance, pictures: Mapping[str, Picture], title: str, source: str, whole: bool
) -> str:
    """Write the page.

    Parameters
    ----------
    found : Performance
        With hits.
    pictures : dict of str to Picture
        Of :func:`rtcluster.performance.pictures.draw_all`.
    title : str
        Name of the recording.
    source : str
        Where its audio came from.
    whole : bool
        Whether the session was ended; if not, it was cut off.

    Returns
    -------
    str
        A whole HTML document.
    """
    environment = style.environment(__package__ or "rtcluster.performance")
    environment.filters.update(
        told=words.told, tempo_words=words.tempo, drift_words=words.drift, swing_words=words.swing
    )
    longest = max(found.stretches, key=lambda one: one.hits, default=None)
    return environment.get_template("page.html.j2").render(
        found=found,
        pictures=pictures,
        title=title,
        source=source,
        whole=whole,
        basis=words.basis(found),
        rows=found.hit_rows()[:ROWS],
        row_limit=ROWS,
        stretches=found.stretches[:SECTIONS],
        longest=longest,
        pause=PAUSE_S,
        accent=ACCENT,
        light=canvas.LIGHT,
        dark=canvas.DARK,
    )
