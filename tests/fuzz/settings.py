"""Target: any values as settings, and engines made with those that are allowed."""

from __future__ import annotations

from functools import cache
from typing import Any

from rtcluster import Processor, Settings
from rtcluster.durations import Duration
from rtcluster.presets import METHODS, PRESETS
from rtcluster.settings import FEATURE_SETS, FEATURES, SCALINGS, VELOCITY_CURVES
from rtcluster.sources.groove import render
from tests.fuzz.feed import Feed
from tests.fuzz.watch import Finding, answer, check_events

_DURATIONS = (
    "0", "16", "1samples", "16 samples", "30ms", "0.03s", "90ms", "500ms", "501ms", "0.5s",
    "22050", "1e3",
)  # fmt: skip

VALUES: dict[str, tuple[Any, ...]] = {
    "classes": (1, 2, 3, 32, 33, "auto", "4", 0),
    "warmup": (None, 1, 2, 3, 12, 64),
    "freeze": (False, True),
    "method": METHODS,
    "preset": tuple(PRESETS),
    "threshold": (None, 0.01, 0.1, 1.0, 100.0),
    "silence": (None, -120.0, -70.0, 0.0),
    "mask": (None, *_DURATIONS),
    "window": _DURATIONS,
    "guess": _DURATIONS,
    "features": (*FEATURE_SETS, *FEATURES, FEATURES[:8], FEATURES, "zcr,zcr", ()),
    "scaling": SCALINGS,
    "clusterer": ("minibatch", "none"),
    "memory": (0, 1, 100, 10**6),
    "reject": (0.0, 1e-3, 4.0, 1e3),
    "velocity": VELOCITY_CURVES,
    "velocity_range": ("learned", "-45,-5", "-120,20", "-5,-45", "1.2.3,4", "0,1e-9"),
    "seed": (0, 1, 2**32 - 1, 2**32),
    "buffer": (None, 64, 512, 8192, 100),
    "hop": (None, 16, 17, 64, 2048),
}

RATES = (8000, 8001, 11025, 44100, 48000, 96000, 192000)


@cache
def _audio(rate: int) -> Any:
    return render(0.8, rate, seed=2).audio


def given(feed: Feed) -> dict[str, Any]:
    """Values for some of the settings; most of them are of the right kind."""
    return {
        name: feed.one_of(values) if feed.whole(0, 3) else feed.value()
        for name, values in VALUES.items()
        if not feed.whole(0, 2)
    }


def one(data: bytes) -> None:
    """Make settings; see that they stay what they are, and that an engine takes them."""
    feed = Feed(data)
    rate = feed.one_of(RATES)
    whole = feed.whole(0, 3) == 0
    text = feed.text()
    answer(lambda: Duration.of(text).samples(rate))
    values = given(feed)
    settings = answer(lambda: Settings(**values))
    if settings is None:
        return
    # as_dict() is dict[str, object]; whether Settings takes its own values back is what is tried.
    if Settings(**settings.as_dict()) != settings:  # type: ignore[arg-type]  # values of any type
        raise Finding(f"{settings} is not what {settings.as_dict()} gives")
    if answer(lambda: settings.spans(rate)) is None or not whole:
        return
    answer(lambda: _use(settings, rate))


def _use(settings: Settings, rate: int) -> None:
    processor = Processor(settings)
    try:
        processor.prepare(rate)
        events = [*processor.process(_audio(rate)), *processor.flush()]
    finally:
        processor.close()
    check_events(events)
