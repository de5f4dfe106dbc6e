"""Pictures of the monitor, taken of its page in Chromium while the demo's groove plays.

A still for a light page and one for a dark page, and a few seconds of each as an animation. Needs
Chromium and the package ``playwright``.
"""

from __future__ import annotations

import base64
import io
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from PIL import Image

from rtcluster import Processor, Settings
from rtcluster.monitor import Monitor
from rtcluster.session.controls import Controls, Request
from rtcluster.session.pump import Pump
from rtcluster.session.session import Session
from rtcluster.sources.groove import DRUMS, render
from rtcluster.sources.virtual import VirtualInput

WIDTH, HEIGHT = 1280, 720
SMALL = (720, 405)
"""Of the animation, in pixels."""

FILMED_S = 5.0

FASTEST_HZ = 12.5
"""Frames of the animation a second at most: more are not seen at its size, and cost."""

LONGEST_S = 90.0
"""Of the groove, in s: all of it is filmed long before it ends."""

WARM_S = 10.0
"""Played before the first picture, in s: the classes are formed, the lanes full."""


@contextmanager
def _playing(seconds: float) -> Iterator[str]:
    """The link of a monitor's page, while the groove plays with its drums named."""
    controls, groove = Controls(), render(seconds)
    processor = Processor(Settings(classes=len(DRUMS)))
    source = VirtualInput(processor, groove.audio, groove.samplerate, name="groove")
    with ExitStack() as stack:
        monitor = stack.enter_context(Monitor.open(controls, report=print))
        session = Session(processor, source.name, [monitor], print, controls)
        with Pump(session), source:
            for class_, name in enumerate(DRUMS):
                controls.ask(Request("rename", {"class": class_, "name": name}))
            yield monitor.url
        session.end()


def shoot(folder: Path) -> None:
    """Write ``monitor.png``, ``monitor.webp`` and their dark twins."""
    from playwright.sync_api import sync_playwright

    with _playing(LONGEST_S) as link, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        taken = {}
        for theme in ("light", "dark"):  # one after the other: each draws as much as it can
            page: Any = chromium.new_page(
                viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=theme
            )
            page.goto(link)
            time.sleep(WARM_S)
            taken[theme] = _frames(page)
            page.close()
        chromium.close()
    for theme, (still, frames, lasted_ms) in taken.items():
        ending = "" if theme == "light" else "-dark"
        (folder / f"monitor{ending}.png").write_bytes(still)
        frames[0].save(
            folder / f"monitor{ending}.webp", save_all=True, append_images=frames[1:],
            duration=lasted_ms, loop=0, quality=60, method=3,
        )  # fmt: skip


def _frames(page: Any) -> tuple[bytes, list[Image.Image], list[int]]:
    """A still as PNG, and frames with how long each was there, in ms, so that time is true.

    Chromium's own screencast (``Page.startScreencast`` of its DevTools protocol): it sends what it
    draws anyway, where a screenshot has all drawn once more.
    """
    shots: list[tuple[float, bytes]] = []
    tools = page.context.new_cdp_session(page)

    def take(frame: dict[str, Any]) -> None:
        shots.append((frame["metadata"]["timestamp"], base64.b64decode(frame["data"])))
        tools.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})

    tools.on("Page.screencastFrame", take)
    tools.send("Page.startScreencast", {"format": "jpeg", "quality": 95})
    page.wait_for_timeout(1e3 * FILMED_S)
    tools.send("Page.stopScreencast")
    kept = shots[:1]
    for shot in shots[1:]:
        if shot[0] - kept[-1][0] >= 1.0 / FASTEST_HZ:
            kept.append(shot)
    times = [time for time, _ in kept] + [shots[-1][0] + 1.0 / FASTEST_HZ]
    lasted = [max(1, round(1e3 * (b - a))) for a, b in pairwise(times)]
    frames = [Image.open(io.BytesIO(shot)).convert("RGB") for _, shot in kept]
    small = [frame.resize(SMALL, Image.Resampling.LANCZOS) for frame in frames]
    return page.screenshot(), small, lasted
