"""Target: damaged audio files through the source into the engine.

``python -m tests.fuzz.audio`` damages files of each format and type in every way of
:func:`damages`, and tells each before it is read: a crash of libsndfile is the last line's.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import typer

from rtcluster import Processor, Settings
from rtcluster.sources.file import FileSource
from rtcluster.sources.groove import render
from tests.fuzz.feed import Feed
from tests.fuzz.watch import answer, check_events, folder

MAX_BLOCKS = 40
"""A header may promise more audio than there is time for."""

RESOURCE_FORK = "SD2"
"""Its header is a file of its own beside it, which libsndfile would put in the working folder."""

_ENDINGS = {"AIFF": "aiff", "WAVEX": "wav", "MAT4": "mat", "MAT5": "mat", "IRCAM": "sf"}


@cache
def files() -> dict[str, bytes]:
    """A small file of each format and type that libsndfile writes, by ``FORMAT/SUBTYPE``."""
    found = {}
    audio = render(0.6, 8000).audio
    for form in soundfile.available_formats():
        if form == RESOURCE_FORK:
            continue
        for kind in soundfile.available_subtypes(form):
            for channels, rate in ((1, 8000), (1, 44100), (2, 44100)):
                out = io.BytesIO()
                samples = np.repeat(audio[:, None], channels, axis=1)
                try:
                    soundfile.write(out, samples, rate, kind, format=form)
                except (soundfile.LibsndfileError, ValueError):
                    continue  # this format has no such rate or number of channels
                if out.getvalue():
                    found[f"{form}/{kind}"] = out.getvalue()
                    break
    return found


@cache
def _processor(rate: int, channels: int) -> Processor:
    processor = Processor(Settings(classes=2, warmup=2))
    processor.prepare(rate, channels=channels)
    return processor


def hear(path: Path) -> int:
    """Play a file into the engine; how many frames came.

    Raises
    ------
    RtclusterError
        If it cannot be read.
    """
    heard = 0
    with FileSource(str(path)) as source:
        if (source.samplerate, source.channels) in ((44100, 1), (44100, 2), (8000, 1), (8000, 2)):
            processor = _processor(source.samplerate, source.channels)
            processor.reset(forget=True)
        else:
            processor = Processor(Settings(classes=2, warmup=2))
            processor.prepare(source.samplerate, channels=source.channels)
        for _, block in zip(range(MAX_BLOCKS), source.blocks(), strict=False):
            check_events(processor.process(block))
            heard += len(block)
        check_events(processor.flush())
    return heard


def damaged(feed: Feed, name: str) -> bytes:
    """A file with bytes changed, a stretch zeroed, moved or taken out, or the end cut off."""
    content = bytearray(files()[name])
    for _ in range(feed.whole(1, 4)):
        # Most of what can be misunderstood stands at the beginning.
        last = min(len(content), 128) if feed.whole(0, 3) else len(content)
        at = feed.whole(0, max(0, last - 1))
        size = feed.whole(1, 64)
        way = feed.whole(0, 6)
        if way <= 1:
            content[at : at + 1] = bytes([feed.whole(0, 255)])
        elif way == 2:
            content[at : at + size] = bytes(len(content[at : at + size]))
        elif way == 3:
            content[at : at + 4] = feed.one_of(
                (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\0",
                 b"\1\0\0\0", b"\0\0\0\1", b"\0\0\0\x80", b"\x80\0\0\0")
            )  # fmt: skip
        elif way == 4:
            del content[at : at + size]
        elif way == 5:
            del content[at:]
        else:
            content[at:at] = feed.raw(size)
    return bytes(content)


def one(data: bytes) -> None:
    """Damage a file and play it."""
    feed = Feed(data)
    name = feed.one_of(sorted(files()))
    check(name, damaged(feed, name))


def check(name: str, content: bytes) -> int | None:
    """Play a file of a format, whatever it holds; frames heard, or None if it was refused."""
    form = name.partition("/")[0]
    with folder() as place:
        path = place / f"a.{_ENDINGS.get(form, form.lower())}"
        path.write_bytes(content)
        return answer(lambda: hear(path))


def damages(content: bytes, seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Cut at each place of the head and at some others; and so many ways of chance."""
    head = range(min(len(content), 128))
    for end in sorted({*head, *(len(content) * k // 8 for k in range(9)), len(content) - 1}):
        yield f"cut at {end}", content[:end]
    random = np.random.default_rng(seed)
    for number in range(count):
        out = np.frombuffer(content, np.uint8).copy()
        places = random.integers(0, out.size if number % 2 else min(out.size, 128), 4)
        out[places] = random.integers(0, 256, 4) if number % 3 else 255 * (number % 2)
        if number % 5 == 0:
            start = int(random.integers(0, out.size))
            out[start : start + 64] = 0
        yield f"changed {number}", out.tobytes()


def main(
    count: Annotated[int, typer.Option(help="Changes by chance, a format and type.")] = 20,
    seed: Annotated[int, typer.Option(help="Of the chance.")] = 0,
    cuts: Annotated[bool, typer.Option(help="Also cut them at each place of the head.")] = True,
) -> None:
    """Damage files of each format in every way, and play them."""
    heard = refused = 0
    for name, content in files().items():
        for how, broken in damages(content, seed, count):
            if how.startswith("cut") and not cuts:
                continue
            print(f"{name} {how}", flush=True)
            if check(name, broken) is None:
                refused += 1
            else:
                heard += 1
    print(f"done: {len(files())} files, {heard} heard, {refused} refused", file=sys.stderr)


if __name__ == "__main__":
    typer.run(main)
