"""The report opens from disk in a browser, in the light and the dark, on a phone and a desk."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from matplotlib.image import imread

from tests.conftest import looked_at

WIDTHS = (390, 1440)


def test_every_picture_and_player_loads_and_nothing_is_asked_of_a_network(
    report: Path, browser: Any
) -> None:
    for page in looked_at(browser, report, WIDTHS):
        page.wait_for_function(
            "[...document.querySelectorAll('audio')].every(a => a.readyState > 0 || a.error)"
        )
        images = page.evaluate(
            "[...document.images].map(i => [i.complete && i.naturalWidth > 0, i.alt])"
        )
        assert len(images) >= 12
        assert all(loaded and alt for loaded, alt in images)
        lengths = page.evaluate("[...document.querySelectorAll('audio')].map(a => a.duration)")
        assert len(lengths) >= 5
        assert lengths == pytest.approx([4.3] * len(lengths), abs=0.05)


def test_a_player_plays_and_stops_the_others(report: Path, browser: Any) -> None:
    page = browser.new_page()
    page.goto(report.as_uri())
    moved = page.evaluate(
        """async () => {
            const [one, two] = document.querySelectorAll('audio');
            for (const audio of [one, two]) audio.muted = true;
            await one.play();
            await new Promise(done => setTimeout(done, 400));
            const first = one.currentTime;
            await two.play();
            await new Promise(done => setTimeout(done, 100));
            return [first > 0, one.paused, two.paused];
        }"""
    )
    assert moved == [True, True, False]
    page.close()


def test_where_a_table_is_cut_off_a_shade_says_that_there_is_more(
    report: Path, browser: Any
) -> None:
    def edges(table: Any) -> tuple[float, float, float]:
        """How the left, right and lower edge differ from the middle in brightness."""
        shot = imread(io.BytesIO(table.screenshot()))[..., :3].mean(axis=2)
        seen = shot[3:-3, 3:-3]
        middle = seen[len(seen) // 2, seen.shape[1] // 2]
        parts = seen[40:-40, :3], seen[40:-40, -3:], seen[-3:, 40:-40]
        return tuple(float(abs(part.mean() - middle)) for part in parts)

    for page in looked_at(browser, report, (390,)):
        page.add_style_tag(content="th, td { color: #0000 !important; border: 0 !important }")
        table = page.locator("#features .scroll")
        table.evaluate("e => { e.style.maxWidth = '10rem'; e.scrollTo(0, 0); }")
        left, right, below = edges(table)
        assert left < 0.01 < 0.1 < min(right, below)
        table.evaluate("e => e.scrollTo(e.scrollWidth, e.scrollHeight)")
        left, right, below = edges(table)
        assert max(right, below) < 0.01 < 0.1 < left
        table.evaluate("e => { e.style.maxWidth = 'none'; e.style.maxHeight = 'none'; }")
        assert max(edges(table)) < 0.01


def test_a_phone_and_a_dark_page_get_pictures_of_their_own(report: Path, browser: Any) -> None:
    shown = {
        page.evaluate("document.querySelector('#picture-onsets img').currentSrc")
        for page in looked_at(browser, report, WIDTHS)
    }
    assert len(shown) == 4
