"""What the tests share: recordings, a browser, and the rule that CI skips nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings as hypothesis_settings

from bench.soak import touched_pages_only
from rtcluster import Event, Processor, Settings
from rtcluster.sinks import Sink
from rtcluster.sources import groove

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

DATA = Path(os.environ.get("RTCLUSTER_DATA", Path(__file__).parents[2] / "shared" / "data"))


# How long an example takes says more about the machine than about the program.
hypothesis_settings.register_profile("rtcluster", deadline=None)
hypothesis_settings.load_profile("rtcluster")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Iterator[Any]:
    """In CI a skipped test is a failure: what it needs was to be installed."""
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of development recordings."""
    if not DATA.is_dir():
        pytest.skip("the development recordings are not here (set RTCLUSTER_DATA)")
    return DATA


@pytest.fixture(scope="session")
def drums() -> groove.Groove:
    """Eight seconds of the groove."""
    return groove.render(8.0)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, as playwright drives it."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no chromium on the PATH")
    with api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def weighed() -> Iterator[Executor]:
    """A process of its own, for what weighs memory: pages there are held once they are touched.

    One that ran other tests holds what it reserved for them, and Linux makes huge pages of it.
    """
    with ProcessPoolExecutor(1, get_context("spawn"), touched_pages_only) as process:
        yield process


class Kept(Sink):
    """A sink that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.session: dict[str, object] | None = None
        self.summary: dict[str, object] | None = None

    def begin(self, session: dict[str, object]) -> None:
        self.session = session

    def event(self, event: Event) -> None:
        self.events.append(event)

    def end(self, summary: dict[str, object]) -> None:
        self.summary = summary


def looked_at(browser: Any, path: Path, widths: Sequence[int]) -> Iterator[Any]:
    """A page from disk at each width, light and dark; when done with, it complained of nothing."""
    for width in widths:
        for scheme in ("light", "dark"):
            page = browser.new_page()
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            said: list[str] = []
            asked: list[str] = []
            page.on("console", lambda message, said=said: said.append(message.text))
            page.on("pageerror", lambda error, said=said: said.append(str(error)))
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.goto(path.as_uri())
            yield page
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert said == []
            assert [url for url in asked if not url.startswith(("data:", "file:"))] == []
            page.close()


def run(
    audio: np.ndarray,
    samplerate: int = 44100,
    *,
    cuts: Any = None,
    settings: Settings | None = None,
    driver: str | None = None,
) -> list[Event]:
    """All events of some audio, given in blocks that end at ``cuts``."""
    processor = Processor(settings or Settings(classes=3), driver=driver)
    processor.prepare(samplerate, 64)
    events = []
    for block in np.split(audio, [] if cuts is None else cuts):
        events += processor.process(block)
    events += processor.flush()
    processor.close()
    return events
