"""Target: blocks into the engine."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster import Processor, Settings
from tests.fuzz.feed import NUMBERS, Feed
from tests.fuzz.watch import Finding, answer, check_events

_KINDS = (
    "f4", "f8", "f2", "g", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", ">f4", ">i2", ">f8", "?",
    "c8", "O", "S4", "U4", "M8[s]", "m8[s]", "V8",
)  # fmt: skip

_FLOATS = (
    0.0, -0.0, 1.0, -1.0, 1e-45, -1e-45, 1e-38, 1e-20, 1e9, 1e18, 1e19, 1e30, 3.4e38, -3.4e38,
    float("nan"), float("inf"), float("-inf"), 0.5, 1e-4,
)  # fmt: skip


@cache
def _processor(method: str, channels: int, rate: int) -> Processor:
    processor = Processor(Settings(classes=2, method=method, warmup=2, features="taught"))
    processor.prepare(rate, channels=channels)
    return processor


def one(data: bytes) -> None:
    """Some blocks into one of a few engines, made anew for them."""
    feed = Feed(data)
    channels = feed.one_of((1, 2, 5))
    method = feed.one_of(("drums", "drums", "hfc", "phase"))
    processor = _processor(method, channels, feed.one_of((44100, 8000)))
    processor.reset(forget=True)
    given = 0
    for _ in range(feed.whole(1, 6)):
        block = _block(feed, channels)
        events = answer(partial(processor.process, block))
        if events is None:
            continue
        given += np.shape(block)[0]
        check_events(events)
        if processor.counts.samples != given:
            raise Finding(f"{given} samples were given, {processor.counts.samples} counted")
    check_events(answer(processor.flush) or [])


def _block(feed: Feed, channels: int) -> Any:
    """A block that may be right."""
    kind = feed.whole(0, 7)
    if kind == 0:
        return feed.value()
    if kind == 1:
        return [[feed.one_of(NUMBERS) for _ in range(feed.whole(0, 3))] for _ in range(3)]
    frames = feed.one_of((0, 1, 2, 63, 64, 65, 511, 1000, 4097))
    shape: tuple[int, ...] = (frames, channels)
    if kind == 2:
        shape = feed.one_of(((), (frames,), (channels, frames), (frames, channels, 1), (0, 0)))
    elif channels == 1 and feed.yes():
        shape = (frames,)
    array = _filled(feed, shape)
    return _seen_otherwise(feed, array) if array.ndim and feed.yes() else array


def _filled(feed: Feed, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Numbers: the fuzzer's own, repeated, or bursts in noise, as any type."""
    size = int(np.prod(shape))
    random = np.random.default_rng(feed.whole(0, 65535))
    way = feed.whole(0, 3)
    if way == 0:
        pattern = np.frombuffer(feed.raw(256).ljust(4, b"\0")[::1], np.uint8)
        raw = np.resize(pattern, size * 4).tobytes()
        with np.errstate(invalid="ignore"):  # a signalling NaN
            values = np.frombuffer(raw, "<f4").astype(np.float64)
    elif way == 1:
        values = random.choice(np.array(_FLOATS), size)
    else:
        values = random.standard_normal(size) * feed.one_of((1e-6, 0.01, 0.3, 3e4, 1e37))
        values[: size // 2] *= feed.one_of((0.0, 1e-4, 1.0))
        if way == 3 and size:
            values[random.integers(0, size, 3)] = feed.one_of(_FLOATS)
    kind = np.dtype(feed.one_of(_KINDS) if feed.yes() else "f4")
    with np.errstate(all="ignore"):
        try:
            return np.resize(values.astype(kind), shape)
        except (TypeError, ValueError, OverflowError):
            return np.resize(values.astype(np.float32), shape)


def _seen_otherwise(feed: Feed, array: npt.NDArray[Any]) -> Any:
    """The same numbers with other strides, as another class, or read-only."""
    way = feed.whole(0, 6)
    if way == 0:
        return array[::-1]
    if way == 1:
        return np.repeat(array, 2, axis=0)[::2]
    if way == 2:
        return np.asfortranarray(array)
    if way == 3:
        return np.broadcast_to(array[:1], array.shape) if len(array) else array
    if way == 4:
        array.flags.writeable = False
        return array
    if way == 5:
        return np.ma.masked_invalid(array) if array.dtype.kind == "f" else array
    return array.tolist()
