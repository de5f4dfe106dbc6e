"""The page opens from disk in a browser, light and dark, no wider than a phone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from rtcluster.performance import measure
from tests.conftest import looked_at
from tests.performance import grooves


def written(folder: Path, found: Any) -> Path:
    from rtcluster.performance import pictures
    from rtcluster.performance.page import page

    out = folder / "performance.html"
    title, source = f"a_long_name{'_of_a_session' * 5}", f"{'/a_long_folder' * 6}/of_{'a' * 60}.wav"
    text = page(found, pictures.draw_all(found), title, source, False)
    out.write_text(text, encoding="utf-8")
    return out


def test_the_page_fits_and_says_nothing_to_the_console(tmp_path: Path, browser: Any) -> None:
    played = grooves.play(beats=48, swing=0.05)
    classes = played.classes.copy()
    classes[:6], classes[20:26] = -1, -2
    times = np.concatenate([played.times, played.times + 40])
    names = [f"a drum with a long name {c}" if c >= 0 else "" for c in [*classes, *classes]]
    found = measure(times, [*classes, *classes], np.full(len(times), 80.0), names)
    path = written(tmp_path, found)
    sources = set()
    for page in looked_at(browser, path, (390, 1280)):
        page.wait_for_function("[...document.images].every(i => i.complete)")
        images = page.evaluate("[...document.images].map(i => [i.naturalWidth > 0, i.alt])")
        assert len(images) == 6
        assert all(loaded and alt for loaded, alt in images)
        sources.add(page.evaluate("document.querySelector('#picture-deviations img').currentSrc"))
        sources.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(sources) == 4 + 2
