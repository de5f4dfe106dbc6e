"""The page in a browser: a groove fills its lanes, and it does what it is asked to.

One module, because its tests share one monitor and what they ask of its page.
"""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from rtcluster import Processor, Settings
from rtcluster.events import Control, Xrun
from rtcluster.monitor.sink import Monitor
from rtcluster.pages.palette import COLOURS
from rtcluster.session.controls import Controls, Request
from rtcluster.session.pump import Pump
from rtcluster.session.session import Session
from rtcluster.sources.groove import DRUMS, Groove, render
from rtcluster.sources.virtual import VirtualInput

from .conftest import asked, hit, session_line, status_line, summary_line, wait_until

TIMEOUT_MS = 30_000

ROWS = """([canvas, colours]) => {
    // Whether each row of the canvas has pixels of each colour.
    const { width, height } = canvas;
    const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, width, height);
    const rows = document.querySelectorAll("#names li").length;
    const found = Array.from({ length: rows }, () => colours.map(() => 0));
    for (let i = 0; i < data.length; i += 4) {
        const at = colours.findIndex(([r, g, b]) =>
            r === data[i] && g === data[i + 1] && b === data[i + 2] && data[i + 3] === 255);
        if (at >= 0) found[Math.floor((i / 4 / width / height) * rows)][at] += 1;
    }
    return found;
}"""


@pytest.fixture(scope="module")
def controls() -> Controls:
    return Controls()


@pytest.fixture(scope="module")
def monitor(controls: Controls) -> Iterator[Monitor]:
    """One for all tests: each begins a session of its own."""
    with Monitor.open(controls, report=print) as opened:
        yield opened


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open the page of a monitor; in the end, nothing was complained of or asked of a network."""
    complaints: list[str] = []
    contexts: list[Any] = []

    def open_(monitor: Monitor, width: int = 1366, height: int = 768, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        home = monitor.url.partition("?")[0]
        page.on("request", lambda asked: asked.url.startswith(home) or complaints.append(asked.url))
        page.goto(monitor.url)
        wait_for(page, "document.body.dataset.state !== 'connecting'")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


class Stage:
    """A groove that is played into a session with a monitor."""

    def __init__(self, seconds: float) -> None:
        self.said: list[str] = []
        self.controls = Controls()
        self.groove: Groove = render(seconds)
        self.processor = Processor(Settings(classes=3))
        self.source = VirtualInput(self.processor, self.groove.audio, self.groove.samplerate)
        self.monitor = Monitor.open(self.controls, report=self.said.append)
        self.session = Session(
            self.processor, "groove", [self.monitor], self.said.append, self.controls
        )

    @contextmanager
    def playing(self) -> Iterator[None]:
        with Pump(self.session), self.source:
            yield


def text(page: Any, selector: str) -> str:
    return page.evaluate("s => document.querySelector(s).textContent", selector)


def counts(page: Any) -> list[int]:
    return page.evaluate("[...document.querySelectorAll('#names .count')].map(c => +c.textContent)")


def lanes(page: Any, classes: int) -> list[list[int]]:
    rgb = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in COLOURS[:classes]]
    return page.evaluate(
        f"([colours]) => ({ROWS})([document.querySelector('#roll'), colours])", [rgb]
    )


def wait_for(page: Any, condition: str, argument: Any = None) -> None:
    """Wait in Python: the page's policy forbids Playwright to evaluate in it by itself."""
    wait_until(lambda: page.evaluate(condition, argument), condition)


def wait_for_text(page: Any, selector: str, expected: str) -> None:
    wait_for(page, "([s, t]) => document.querySelector(s)?.textContent === t", [selector, expected])


def wait_for_lanes(page: Any, number: int) -> None:
    wait_for(page, "n => document.querySelectorAll('#names li').length === n", number)


def rename(page: Any, number: int, name: str) -> None:
    page.keyboard.press(str(number))
    page.keyboard.press("r")
    page.fill("#rename-input", name)
    page.keyboard.press("Enter")


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage(seconds=15.0)
    with made.monitor:
        yield made


def test_a_groove_fills_the_lanes_is_named_frozen_and_found_again_by_a_new_server(
    stage: Stage, visit: Callable[..., Any]
) -> None:
    truth = Counter(stroke.drum for stroke in stage.groove.strokes)
    with stage.playing():
        page = visit(stage.monitor)
        assert "token" not in page.url
        wait_for_lanes(page, 3)
        for number, drum in enumerate(DRUMS, 1):  # the numbers rise with the zero crossings
            rename(page, number, drum)
        wait_for_text(page, "#names li:nth-child(3) .name", "hat")
        assert list(stage.processor.learner.names) == list(DRUMS)

        page.keyboard.press("f")
        wait_for_text(page, "#freeze", "Thaw")
        assert stage.processor.frozen
        page.keyboard.press("f")
        wait_for_text(page, "#freeze", "Freeze")
        assert not stage.processor.frozen

        # Each drum has a lane of its own, and nothing of another is in it.
        wait_until(lambda: all(row[i] > 100 for i, row in enumerate(lanes(page, 3))), "hits")
        assert [[pixels > 20 for pixels in row] for row in lanes(page, 3)] == [
            [True, False, False], [False, True, False], [False, False, True],
        ]  # fmt: skip

        before = sum(counts(page))
        os.kill(stage.monitor.server, signal.SIGKILL)
        wait_until(lambda: stage.said, "the report of it")
        wait_until(lambda: sum(counts(page)) > before + 3, "more hits")
        wait_for_text(page, "#state-text", "live")
        assert text(page, "#names li:nth-child(1) .name") == "kick"
        wait_until(lambda: not stage.source.active, "the end of the groove")
    stage.session.end()
    wait_for_text(page, "#state-text", "session over")
    shown = dict(zip(DRUMS, counts(page), strict=True))
    assert all(abs(shown[drum] - truth[drum]) <= 1 for drum in DRUMS), (shown, truth)
    assert all(drum in text(page, "#summary") for drum in DRUMS)
    assert abs(float(text(page, "#tempo-value")) - 104.0) <= 1.0
    assert stage.said == ["The monitor page's server had ended and is started again."]
    stage.monitor.close()
    wait_for_text(page, "#state-text", "rtcluster has ended")


def test_a_name_is_text_and_never_markup(
    monitor: Monitor, controls: Controls, visit: Callable[..., Any]
) -> None:
    nasty = "<img src=x onerror=alert(1)>"
    monitor.begin(session_line(source=nasty))
    monitor.status(status_line(names=[nasty, "snare"], recording=nasty))
    page = visit(monitor)
    wait_for_text(page, "#names li:nth-child(1) .name", nasty)
    rename(page, 2, nasty)
    assert asked(controls) == Request("rename", {"class": 1, "name": nasty})
    monitor.event(Control(44100, "rename", {"class": 1, "name": nasty}))
    for event in hit(0, 44100):
        monitor.event(event)
    monitor.notice(nasty)
    monitor.end(summary_line(classes={nasty: 1}))
    wait_for_text(page, "#names li:nth-child(2) .name", nasty)
    wait_for_text(page, "#notices p", nasty)
    page.wait_for_selector("#summary")
    assert nasty in text(page, "#summary")
    assert page.evaluate("document.images.length") == 0


def test_a_guess_is_hollow_a_final_filled_and_a_revision_seen_in_both_lanes(
    monitor: Monitor, visit: Callable[..., Any]
) -> None:
    onset, guess, final = hit(0, 44100, class_=1, guessed=0)
    monitor.begin(session_line())
    monitor.status(status_line(seconds=1.2))
    page = visit(monitor)
    monitor.event(onset)
    monitor.event(guess)
    wait_for_text(page, "#last-name", "kick")
    assert page.get_attribute("#last-mark path", "fill") == "none"
    hollow = wait_until(lambda: lanes(page, 2)[0][0], "a hollow mark")
    monitor.event(final)
    wait_for_text(page, "#last-name", "snare")
    wait_for_text(page, "#last-note", "taken for kick at first")
    assert page.get_attribute("#last-mark path", "fill") == COLOURS[1]
    rows = wait_until(lambda: (found := lanes(page, 2))[1][1] and found, "a filled mark")
    assert 0 < rows[0][0] < rows[1][1]  # the ghost is an outline
    assert hollow < rows[1][1]


def test_everything_can_be_asked_for_by_keys(
    monitor: Monitor, controls: Controls, visit: Callable[..., Any]
) -> None:
    monitor.begin(session_line())
    monitor.status(status_line(recording=None))
    page = visit(monitor)
    wait_for_lanes(page, 2)
    for keys, request in (
        ("2 m", Request("mute", {"class": 1, "muted": True})),
        ("ArrowUp m", Request("mute", {"class": 0, "muted": True})),
        ("f", Request("freeze", True)),
        ("+", Request("threshold", 0.088)),
        ("Shift+R", Request("record", True)),
    ):
        for key in keys.split():
            page.keyboard.press(key)
        assert asked(controls) == request
    page.keyboard.press("?")
    page.wait_for_selector("#help-dialog[open]")
    page.keyboard.press("f")  # a key for the list, not for the session
    page.keyboard.press("Escape")
    page.wait_for_selector("#help-dialog", state="hidden")
    dark = page.get_attribute("html", "data-theme")
    page.keyboard.press("d")
    assert page.get_attribute("html", "data-theme") not in (None, dark)
    assert not [*controls.pumped(), *controls.taken()]


def test_reset_and_rename_can_be_thought_better_of(
    monitor: Monitor, controls: Controls, visit: Callable[..., Any]
) -> None:
    monitor.begin(session_line())
    monitor.status(status_line())
    page = visit(monitor)
    wait_for_lanes(page, 2)
    for leave in ("Escape", "Enter"):  # Cancel is what Enter means, until Reset is chosen
        page.keyboard.press("Backspace")
        page.wait_for_selector("#reset-dialog[open]")
        page.keyboard.press(leave)
        page.wait_for_selector("#reset-dialog", state="hidden")
    page.keyboard.press("r")
    page.fill("#rename-input", "cowbell")
    page.keyboard.press("Escape")
    page.wait_for_selector("#rename-dialog", state="hidden")
    assert not [*controls.pumped(), *controls.taken()]
    page.click("#reset")
    page.click("#reset-yes")
    assert asked(controls) == Request("reset", True)


def test_classes_are_merged_and_count_as_one(
    monitor: Monitor, controls: Controls, visit: Callable[..., Any]
) -> None:
    monitor.begin(session_line())
    monitor.status(status_line(names=["kick", "snare", "hat"], counts={0: 3, 1: 4, 2: 5}))
    for number in range(3):
        for event in hit(number, 44100 - 9000 * number, number % 2):
            monitor.event(event)
    page = visit(monitor)
    wait_for_lanes(page, 3)
    page.keyboard.press("2")
    page.keyboard.press("g")
    page.wait_for_selector("#merge-dialog[open]")
    assert text(page, "#merge-title") == "Merge snare with"
    offered = page.evaluate(
        "[...document.querySelectorAll('#merge-list button')].map(b => b.textContent)"
    )
    assert offered == ["kick", "hat"]
    page.keyboard.press("Escape")
    page.wait_for_selector("#merge-dialog", state="hidden")
    page.keyboard.press("g")
    page.click("#merge-list button:first-child")
    assert asked(controls) == Request("merge", {"class": 1, "into": 0})
    monitor.event(Control(44100, "rename", {"class": 1, "name": "kick"}))
    monitor.status(status_line(names=["kick", "kick", "hat"], counts={0: 3, 1: 4, 2: 5}))
    wait_for_lanes(page, 2)
    wait_for(page, "document.querySelectorAll('#names .count')[0].textContent === '7'")
    assert counts(page) == [7, 5]
    assert text(page, "#last-name") == "kick"
    wait_until(lambda: lanes(page, 3)[0][0] > 100, "hits")
    assert not any(row[1] for row in lanes(page, 3)), "none in the colour of the class that went"
    page.keyboard.press("u")
    assert asked(controls) == Request("undo", True)
    monitor.event(Control(44100, "rename", {"class": 1, "name": "snare"}))
    monitor.status(status_line(names=["kick", "snare", "hat"], counts={0: 3, 1: 4, 2: 5}))
    wait_for_lanes(page, 3)


def test_further_things_are_asked_for_from_a_list(
    monitor: Monitor, controls: Controls, visit: Callable[..., Any]
) -> None:
    monitor.begin(session_line())
    monitor.status(status_line())
    page = visit(monitor, 390, 844)
    wait_for_lanes(page, 2)
    for button, request in (("undo", Request("undo", True)), ("save", Request("save", True))):
        page.click("#more")
        page.click(f"#{button}")
        assert asked(controls) == request
    page.click("#more")
    page.click("#merge")
    page.wait_for_selector("#merge-dialog[open]")
    page.click("#merge-cancel")
    page.keyboard.press(".")
    page.wait_for_selector("#more-dialog[open]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#more-dialog", state="hidden")
    assert not [*controls.pumped(), *controls.taken()]


def test_what_was_recorded_is_downloaded(
    monitor: Monitor, visit: Callable[..., Any], tmp_path: Path
) -> None:
    folder = tmp_path / "a take"
    folder.mkdir()
    lines = [session_line(), *(event.as_dict() for event in hit(0, 44100)), summary_line()]
    (folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    monitor.begin(session_line())
    page = visit(monitor)
    page.keyboard.press("e")
    wait_for(
        page, "/^Nothing has been recorded/.test(document.querySelector('#notices p')?.textContent)"
    )
    monitor.end(summary_line(recording={"folder": str(folder), "samples": 88200}))
    page.wait_for_selector("#summary")
    page.keyboard.press("e")
    page.wait_for_selector("#export-dialog[open]")
    assert text(page, "#export-of") == "a take"
    with page.expect_download() as download:
        page.click("#export-list a:first-child")
    assert download.value.suggested_filename == "a take.csv"
    assert "kick" in Path(download.value.path()).read_text()
    page.fill("#export-bpm", "5")
    page.click("#export-list a:has-text('midi')")
    assert not page.evaluate("document.querySelector('#export-bpm').validity.valid")
    for text_, query in (("97.5", "?bpm=97.5"), ("", "?bpm=auto")):
        page.fill("#export-bpm", text_)
        with page.expect_download() as download:
            page.click("#export-list a:has-text('midi')")
        assert download.value.url.endswith(f"/export/midi{query}")
        assert Path(download.value.path()).read_bytes().startswith(b"MThd")
    with page.expect_download() as download:
        page.click("#export-list a:has-text('clicks.wav')")
    assert download.value.url.endswith("/export/clicks.wav")
    page.check("#export-mix")
    page.click("#export-list a:has-text('clicks.wav')")  # there is no audio: nothing comes
    link = page.get_attribute("#export-list a:has-text('clicks.wav')", "href")
    assert link == "export/clicks.wav?mix=1"
    page.click("#export-close")


def test_a_refused_request_is_told_on_the_page(
    monitor: Monitor, controls: Controls, visit: Callable[..., Any]
) -> None:
    page = visit(monitor)
    monitor.notice("Expected a name that no other class has, got 'kick'.")
    wait_for_text(page, "#notices p", "Expected a name that no other class has, got 'kick'.")


def box(page: Any, selector: str) -> dict[str, float]:
    """Edges of an element, in pixels."""
    return page.evaluate(
        """s => (({ left, right, height }) => ({ left, right, height }))(
            document.querySelector(s).getBoundingClientRect())""",
        selector,
    )


@pytest.mark.parametrize(
    ("late_ms", "unit", "side"),
    [(-17, "ms early", -1), (17, "ms late", 1), (0, "ms, on time", 0)],
)
def test_early_and_late_are_as_large_as_the_tempo_with_a_bar_to_their_side(
    monitor: Monitor, visit: Callable[..., Any], late_ms: int, unit: str, side: int
) -> None:
    monitor.begin(session_line(bpm=100.0))
    monitor.status(status_line())
    page = visit(monitor)
    wait_for_text(page, "#verdict", "listening for the beat")
    assert not page.is_visible("#needle .hand")
    for number in range(40):
        late_s = late_ms / 1e3 if number == 39 else 0.0
        for event in hit(number, round(44100 * (0.3 * (1 + number) + late_s)), number % 2):
            monitor.event(event)

    def told() -> bool:
        monitor.status(status_line())
        return text(page, "#verdict") == unit

    wait_until(told, unit)
    sizes = page.evaluate(
        """['tempo', 'late'].map((of) =>
            getComputedStyle(document.querySelector(`#${of} .big`)).fontSize)"""
    )
    assert sizes[0] == sizes[1]
    needle = box(page, "#needle")
    assert needle["height"] >= 0.03 * 768
    assert page.is_visible("#needle .hand")
    assert abs(int(text(page, "#late-value")) - abs(late_ms)) <= 2
    page.wait_for_timeout(300)  # it moves there
    hand, middle = box(page, "#needle .hand"), (needle["left"] + needle["right"]) / 2
    reach = middle - hand["left"], hand["right"] - middle
    assert (reach[0] > 30, reach[1] > 30) == (side < 0, side > 0)


def test_lost_audio_is_explained_while_its_bar_is_to_be_seen(
    monitor: Monitor, visit: Callable[..., Any]
) -> None:
    monitor.begin(session_line())
    monitor.status(status_line(seconds=2.0))
    page = visit(monitor)
    wait_for_lanes(page, 2)
    assert not page.is_visible("#lost")
    monitor.event(Xrun(88200, "input_overflow"))
    page.wait_for_selector("#lost", state="visible")
    assert text(page, "#lost") == "audio lost"
    monitor.status(status_line(seconds=30.0))
    page.wait_for_selector("#lost", state="hidden")


def test_a_muted_class_is_marked_and_so_it_is_for_who_comes_later(
    monitor: Monitor, visit: Callable[..., Any]
) -> None:
    monitor.begin(session_line())
    monitor.status(status_line())
    monitor.event(Control(44100, "mute", {"class": 1, "muted": True}))
    page = visit(monitor)
    page.wait_for_selector("#names li:nth-child(2)[data-muted=true]")
    page.keyboard.press("2")
    wait_for_text(page, "#mute .does", "Unmute")


def apart(one: dict[str, float], other: dict[str, float]) -> bool:
    """Whether two boxes have nothing in common."""
    beside = one["right"] <= other["left"] or other["right"] <= one["left"]
    return beside or one["bottom"] <= other["top"] + 1 or other["bottom"] <= one["top"] + 1


@pytest.mark.parametrize("classes", [2, 8, 16])
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1366, 768), (1920, 1080)])
def test_what_a_lane_is_called_stays_in_its_lane_when_it_is_muted(
    monitor: Monitor, visit: Callable[..., Any], width: int, height: int, classes: int
) -> None:
    names = ["kick", *(f"the drum with number {number}" for number in range(1, classes))]
    where = """[...document.querySelectorAll('#names li')].map((li) => {
        const box = (e) => (({ top, bottom, left, right }) => ({ top, bottom, left, right }))(
            e.getBoundingClientRect());
        return { lane: box(li), name: box(li.querySelector('.name')),
            parts: [...li.querySelectorAll('svg, .name, .muted:not([hidden]), .count')].map(box) };
    })"""
    monitor.begin(session_line())
    monitor.status(status_line(names=names, counts=dict.fromkeys(range(classes), 888)))
    page = visit(monitor, width, height)
    wait_for_lanes(page, classes)
    before = page.evaluate(where)
    for class_ in range(classes):
        monitor.event(Control(44100, "mute", {"class": class_, "muted": True}))
    page.wait_for_selector(f"#names li:nth-child({classes})[data-muted=true]")
    after = page.evaluate(where)
    for was, now in zip(before, after, strict=True):
        assert len(now["parts"]) == 4
        for one, other in combinations(now["parts"], 2):
            assert apart(one, other)
        for part in now["parts"]:
            assert now["lane"]["top"] - 1 <= part["top"]
            assert part["bottom"] <= now["lane"]["bottom"] + 1
            assert now["lane"]["left"] <= part["left"] <= part["right"] <= now["lane"]["right"]
        assert now["name"]["top"] == pytest.approx(was["name"]["top"], abs=1.0)


def test_a_new_session_begins_with_an_empty_page(
    monitor: Monitor, visit: Callable[..., Any]
) -> None:
    monitor.begin(session_line())
    monitor.status(status_line())
    for event in hit(0, 44100):
        monitor.event(event)
    monitor.end(summary_line())
    page = visit(monitor)
    page.wait_for_selector("#summary")
    assert text(page, "#summary") == "3 hits in 00:02: 2 kick, 1 snare"
    monitor.begin(session_line())
    page.wait_for_selector("#summary", state="hidden")
    wait_for_text(page, "#last-name", "learning 0 of 8")
    wait_until(lambda: not any(map(sum, lanes(page, 2))), "empty lanes")


def test_however_many_classes_each_name_is_beside_its_lane(
    monitor: Monitor, visit: Callable[..., Any]
) -> None:
    monitor.begin(session_line())
    monitor.status(status_line(names=[f"class {number}" for number in range(20)]))
    page = visit(monitor)
    wait_for_lanes(page, 20)
    found, lane = page.evaluate(
        """[[...document.querySelectorAll('#names button')].map((b) => b.getBoundingClientRect())
            .map(({ top, height }) => [top, height]),
           document.querySelector('#roll').getBoundingClientRect()]"""
    )
    each = lane["height"] / 20
    for number, (top, height) in enumerate(found):
        assert top == pytest.approx(lane["top"] + number * each, abs=1.0)
        assert height == pytest.approx(each, abs=1.0)


def test_less_motion_leaves_the_hits_where_they_are(
    monitor: Monitor, visit: Callable[..., Any]
) -> None:
    first = """([r, g, b]) => {
        const canvas = document.querySelector('#roll');
        const { width, height } = canvas;
        const copy = new OffscreenCanvas(width, height)
            .getContext('2d', { willReadFrequently: true });
        copy.drawImage(canvas, 0, 0);
        const { data } = copy.getImageData(0, 0, width, height);
        for (let i = 0; i < data.length; i += 4)
            if (data[i] === r && data[i + 1] === g && data[i + 2] === b) return (i / 4) % width;
        return null;
    }"""
    rgb = [int(COLOURS[0][i : i + 2], 16) for i in (1, 3, 5)]
    for motion, moves in (("reduce", False), ("no-preference", True)):
        monitor.begin(session_line())
        monitor.status(status_line(seconds=1.1))
        for event in hit(0, 44100):
            monitor.event(event)
        page = visit(monitor, reduced_motion=motion)
        monitor.status(status_line(seconds=1.2))
        place = wait_until(lambda page=page: page.evaluate(first, rgb), "a hit")
        for step in range(10):
            page.wait_for_timeout(50)
            monitor.status(status_line(seconds=1.2 + 0.05 * step))
        assert (page.evaluate(first, rgb) != place) is moves


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1366, 768), (1920, 1080)])
def test_it_is_read_on_a_phone_and_from_the_throne(
    monitor: Monitor, visit: Callable[..., Any], width: int, height: int, scheme: str
) -> None:
    monitor.begin(session_line(source="an interface with quite a long name, input 1"))
    monitor.status(status_line(names=["kick", "a name that is very long for a drum of any kind"]))
    for number, class_ in enumerate((0, 1)):
        for event in hit(number, 44100 * (number + 1), class_):
            monitor.event(event)
    page = visit(monitor, width, height, color_scheme=scheme)
    wait_for_lanes(page, 2)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width > 760:  # all of it at once
        assert page.evaluate("document.documentElement.scrollHeight") <= height
        size = page.evaluate(
            "parseFloat(getComputedStyle(document.querySelector('#last-name')).fontSize)"
        )
        assert size >= 0.1 * height - 0.01
    small = page.evaluate(
        """[...document.querySelectorAll('nav button, li button')].filter(b => b.offsetParent)
        .map(b => [b.id, b.getBoundingClientRect().height]).filter(([, h]) => h < 40)"""
    )
    assert small == []
    assert contrasts(page) >= 4.5


def contrasts(page: Any) -> float:
    """The lowest contrast of WCAG 2.2 of any text with what is behind it."""
    return page.evaluate(
        """() => {
        const light = (colour) => {
            const [r, g, b] = colour.match(/[\\d.]+/g).map((c) => c / 255)
                .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const behind = (element) => {
            for (let e = element; e; e = e.parentElement) {
                const colour = getComputedStyle(e).backgroundColor;
                if (!/, 0\\)$/.test(colour)) return colour;
            }
            return getComputedStyle(document.body).backgroundColor;
        };
        const texts = [...document.body.querySelectorAll('*')].filter((e) => e.checkVisibility()
            && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()));
        return Math.min(...texts.map((e) => {
            const pair = [light(getComputedStyle(e).color), light(behind(e))].sort((a, b) => b - a);
            return (pair[0] + 0.05) / (pair[1] + 0.05);
        }));
    }"""
    )
