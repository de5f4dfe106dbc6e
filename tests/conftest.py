"""What the tests share: recordings, a browser, and what becomes of those that are skipped."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

# Before NumPy is there: threads of several workers on the same cores wait for each other, and wait
# by counting. It was a third of what some of the tests took.
if "PYTEST_XDIST_WORKER" in os.environ:
    for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(_name, "1")

import numpy as np
import pytest
from hypothesis import settings as hypothesis_settings

from bench.soak import touched_pages_only
from rtcluster import Event, Processor, Settings
from rtcluster.batch.pool import cores
from rtcluster.errors import SourceError
from rtcluster.sinks import Sink
from rtcluster.sources import groove
from tests.support import compiling

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

PACKAGE = r"\(Debian: ([\w.+-]+)\)"
"""How the reason of a skipped test names the package that it lacks."""

DATA = Path(os.environ.get("RTCLUSTER_DATA", Path(__file__).parents[2] / "shared" / "data"))


# What a user keeps, settings and latencies of devices, is not read by tests nor by what they start.
_KEPT = tempfile.mkdtemp(prefix="rtcluster-tests-")
atexit.register(shutil.rmtree, _KEPT, ignore_errors=True)
for _name in ("XDG_CONFIG_HOME", "APPDATA", "WIN_PD_OVERRIDE_APPDATA"):
    os.environ[_name] = _KEPT

# A shell has its background jobs ignore Ctrl-C, and so would each program that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says more about the machine than about the program.
hypothesis_settings.register_profile("rtcluster", deadline=None)
hypothesis_settings.load_profile("rtcluster")


_COMPILED = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin to compile the kernel for all workers.

    Refuse a settings file in the folder that tests run in: most of what they start reads it.
    """
    if Path("rtcluster.toml").exists():
        raise pytest.UsageError(
            "rtcluster.toml is in this folder, and tests would read it; move it."
        )
    if config.getoption("numprocesses", None) and not config.option.collectonly:
        done = Path(_KEPT, "compiled")
        if process := compiling.begin(done):
            config.add_cleanup(process.wait)
            config.stash[_COMPILED] = done


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker which file is there once the kernel is compiled."""
    if done := node.config.stash.get(_COMPILED, None):
        node.workerinput["compiled"] = str(done)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Have a worker wait until the kernel is compiled."""
    if done := getattr(session.config, "workerinput", {}).get("compiled"):
        compiling.wait(Path(done))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are cores: a third of the time a test waits for something."""
    return -(-3 * cores() // 2)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import no module for ``-m alone`` that has no such test: most of that turn's start."""
    if config.option.markexpr != "alone" or not collection_path.match("test_*.py"):
        return None
    return "mark.alone" not in collection_path.read_text(encoding="utf-8") or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Hand out long modules first, so that no worker is left with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Iterator[Any]:
    """In CI a skipped test is a failure: what it needs was to be installed."""
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say which Debian packages would have the skipped tests run; a reason names its own."""
    reasons = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    lacking = [found for reason in reasons if (found := re.findall(PACKAGE, reason))]
    if lacking:
        packages = " ".join(sorted({package for found in lacking for package in found}))
        terminalreporter.write_line(
            f"{len(lacking)} skipped for want of programs and libraries of the system; "
            f"to run them: apt install {packages}"
        )


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
        pytest.skip("not installed: Chromium (Debian: chromium)")
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


@pytest.fixture
def coarse_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """One coarse drawing of a picture stands for all: for tests that do not look at them."""
    from rtcluster.notebook import pictures as of_the_notebook
    from rtcluster.pages import canvas
    from rtcluster.performance import pictures as of_a_performance

    render, themes = canvas.render, canvas.THEMES
    monkeypatch.setattr(canvas, "THEMES", themes[:1])

    def coarse(name: str, caption: str, alt: str, layouts: Any, draw: Any) -> canvas.Picture:
        drawn = render(name, caption, alt, (replace(layouts[0], dpi=30),), draw)
        [png] = drawn.images.values()
        images = {(theme.name, layout.name): png for theme in themes for layout in layouts}
        return replace(drawn, images=images)

    for module in (of_the_notebook, of_a_performance):
        monkeypatch.setattr(module, "render", coarse)


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


class FakeInput:
    """A live input that plays a recording as fast as it is collected."""

    audio = np.zeros(0, np.float32)
    name = "fake card"

    def __init__(
        self,
        processor,
        device=None,
        channel=0,
        samplerate=None,
        blocksize=0,
        player=None,
        output=None,
    ):
        processor.prepare(samplerate or 44100, 64)
        processor.record["synchronous"] = 0
        self._heard, self._collect = 0, processor.collect
        self._processor = processor
        processor.collect = self.collect
        self.active = True
        self.latency = self.output_latency = 0.0
        self.device, self.output_name = self, self.name

    def reopen(self):
        """It does not come back: Ctrl-C."""
        signal.raise_signal(signal.SIGINT)
        raise SourceError("Expected the fake card, got none.")

    def close(self):
        pass

    def collect(self):
        block = self.audio[self._heard : self._heard + 2205]
        self._heard += len(block)
        self._processor.advance(np.ascontiguousarray(block.reshape(-1, 1)))
        self.active = self._heard < len(self.audio)
        return self._collect()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


@pytest.fixture
def card(monkeypatch):
    """Give the program a live input that plays some audio."""

    def play(audio):
        monkeypatch.setattr(FakeInput, "audio", audio)
        monkeypatch.setattr("rtcluster.sources.live.LiveInput", FakeInput)

    return play
