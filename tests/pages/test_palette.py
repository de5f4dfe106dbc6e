"""Classes look different from each other, in colour and in shape."""

from __future__ import annotations

import re

import pytest

from rtcluster.pages.palette import MARKERS, NONE_MARKER, OUTLINES, mark


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.2 of a colour ``#rrggbb``, 0 to 1."""
    linear = []
    for i in (1, 3, 5):
        value = int(colour[i : i + 2], 16) / 255
        linear.append(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def test_eighty_classes_differ_in_colour_or_shape() -> None:
    assert len({(mark(c).colour, mark(c).marker) for c in range(80)}) == 80


def test_the_first_seven_classes_differ_in_colour_and_in_shape() -> None:
    assert len({mark(c).colour for c in range(7)}) == 7
    assert len({mark(c).marker for c in range(7)}) == 7


def test_the_first_classes_stand_out_from_a_light_page_and_a_dark_one() -> None:
    from rtcluster.pages.canvas import DARK, LIGHT

    for label in range(3):
        for theme in (LIGHT, DARK):
            assert contrast(mark(label).colour, theme.paper) >= 3.0


def test_the_ink_of_both_pages_is_easy_to_read() -> None:
    from rtcluster.pages.canvas import THEMES

    for theme in THEMES:
        assert contrast(theme.ink, theme.paper) >= 7.0
        assert contrast(theme.soft, theme.paper) >= 4.5


def test_no_class_has_a_look_of_its_own() -> None:
    assert mark(-1).name == "no class"
    assert mark(-1).marker not in {mark(c).marker for c in range(12)}


@pytest.mark.parametrize("label", range(-1, 12))
def test_an_outline_is_a_closed_shape_about_the_middle_of_its_box(label: int) -> None:
    outline = mark(label).outline
    assert outline.startswith("M")
    assert outline.endswith("Z")
    numbers = [float(n) for n in re.findall(r"-?\d*\.?\d+", outline)]
    assert 0.8 <= max(map(abs, numbers)) <= 1.2  # the box of a chip


def test_every_marker_has_an_outline_of_its_own() -> None:
    assert {*MARKERS, NONE_MARKER} == {*OUTLINES}
    assert len({*OUTLINES.values()}) == len(OUTLINES)
