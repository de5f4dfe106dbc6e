"""``rtcluster teach``: one drum at a time, live or from files, into a kit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from rtcluster.commands.options import (
    Blocksize,
    Channel,
    Device,
    Engine,
    Samplerate,
    engine_options,
)
from rtcluster.commands.terminal import (
    INTERRUPTED,
    fail,
    first_use,
    say,
    until_interrupted,
)
from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.settings import FEATURE_SETS, MAX_CLASSES

if TYPE_CHECKING:
    from rtcluster.events import Final, Guess
    from rtcluster.learning.kit import Kit
    from rtcluster.learning.teaching import Teacher

PAUSE_S = 0.3
"""Hits so soon after a drum was asked for are of the one before, in seconds."""


@engine_options(features="taught")
def teach(
    engine: Engine,
    names: Annotated[
        list[str] | None, typer.Argument(help="The drums, in the order they are asked for.")
    ] = None,
    hits: Annotated[int, typer.Option(help="Hits of each drum.", min=1, max=64)] = 5,
    files: Annotated[
        list[str] | None,
        typer.Option("--from", help="NAME=FILE for each drum, or one FILE with --truth."),
    ] = None,
    truth: Annotated[
        str | None, typer.Option(help="CSV file time,label: the first hits of each label.")
    ] = None,
    device: Device = None,
    channel: Channel = None,
    samplerate: Samplerate = None,
    blocksize: Blocksize = 0,
) -> None:
    """Teach the drums one at a time: strike each one a few times, live or from files."""
    from rtcluster.commands import lessons
    from rtcluster.learning.kit_file import save
    from rtcluster.learning.teaching import Teacher

    if engine.save_kit is None:
        raise SettingsError("Expected --save-kit FILE to keep what is taught, got none; name one.")
    if channel is not None and channel < 1:
        raise SettingsError(f"Expected a channel from 1, got {channel}.")
    tuned = _tuned(engine)
    detection = None if tuned is None else tuned.detection
    settings = engine.settings
    if "features" not in engine.explicit:
        settings = replace(settings, features=FEATURE_SETS["taught"])
    if detection is not None:
        settings = replace(settings, **detection.overrides(settings, engine.explicit))
    asked = lessons.asked(names or [], files or [], truth)
    _check_names(asked.names)
    teacher = Teacher(settings, asked.names)
    if files:
        rate = lessons.from_files(teacher, asked, hits, channel)
    else:
        rate = _live(teacher, hits, device, channel, samplerate, blocksize)
    save(engine.save_kit, teacher.kit(rate, detection))
    _report(teacher)
    say(f"Saved {', '.join(teacher.names)} in {engine.save_kit}.")


def _tuned(engine: Engine) -> Kit | None:
    """The kit whose detector settings are used and kept: --kit's, or what --save-kit replaces."""
    from pathlib import Path

    from rtcluster.learning.kit_file import load

    if engine.kit is not None:
        return load(engine.kit)
    there = Path(str(engine.save_kit))
    return load(there) if there.is_file() and there.stat().st_size else None


def _check_names(names: tuple[str, ...]) -> None:
    from rtcluster.learning.kit_format import MAX_NAME, is_name

    if not 1 <= len(names) <= MAX_CLASSES:
        raise SettingsError(
            f"Expected the names of 1 to {MAX_CLASSES} drums, got {len(names)}; try "
            "'rtcluster teach kick snare hat --save-kit my.kit'."
        )
    for name in names:
        if not is_name(name):
            raise SettingsError(
                f"Expected a name of 1 to {MAX_NAME} characters, no number and not 'unknown', "
                f"got {name!r}."
            )
    if len({*names}) < len(names):
        raise SettingsError(f"Expected names that differ, got {', '.join(names)}.")


def _live(
    teacher: Teacher,
    hits: int,
    device: str | None,
    channel: int | None,
    samplerate: int | None,
    blocksize: int,
) -> int:
    """Ask for one drum after the other; return the sample rate."""
    from rtcluster.learning.teaching import Pairs, measuring
    from rtcluster.sources.live import LiveInput

    processor = first_use(Engine(measuring(teacher.settings)))
    live = LiveInput(processor, device, (channel or 1) - 1, samplerate, blocksize)
    say(f"Listening to {live.name}, {processor.samplerate} Hz; Ctrl-C stops without saving.")
    pairs = Pairs()
    with until_interrupted() as stop, live:
        for class_, name in enumerate(teacher.names):
            say(f"{name}: strike it {hits} times.")
            begin = processor.clock + int(PAUSE_S * processor.samplerate) if class_ else 0
            while teacher.count(class_) < hits:
                for guess, final in pairs.of(processor.collect()):
                    if final.sample >= begin and teacher.count(class_) < hits:
                        offer(teacher, class_, guess, final, hits, careful=True)
                if stop.wait(0.005):
                    break
                if not live.active:
                    raise RtclusterError(f"Expected {live.name} to go on, got: it stopped.")
            if stop.is_set():
                break
    if stop.is_set():
        fail("stopped before all drums were taught; nothing was saved.")
        raise typer.Exit(INTERRUPTED)
    return processor.samplerate


def offer(
    teacher: Teacher,
    class_: int,
    guess: Guess,
    final: Final,
    hits: int,
    *,
    careful: bool,
) -> None:
    """Give a hit to the teacher and show what became of it.

    Parameters
    ----------
    careful : bool
        Refuse a hit that is plainly another drum, and one that the next hit cut short.
    """
    name = teacher.names[class_]
    if careful and final.overlapped:
        say("  too close to the next hit: strike it again, slower")
        return
    verdict = teacher.offer(class_, guess, final, believe=not careful)
    if not verdict.taken:
        say(f"  refused: that is {verdict.like}, not {name}")
        return
    doubt = f", though it sounds like {verdict.like}" if verdict.like else ""
    say(
        f"  {name} {teacher.count(class_)} of {hits}   zcr {final.zcr:5d}  "
        f"energy {final.energy:7.3f}{doubt}"
    )


def _report(teacher: Teacher) -> None:
    """Which drums the features confuse, and which features would do best."""
    found = teacher.separation()
    if len(teacher.names) > 1 and found.hits:
        pairs = found.pairs()
        for a, b, times in pairs:
            one, other = teacher.names[a], teacher.names[b]
            say(f"Confused: {one} and {other}, {times} of {found.hits} hits.")
        if not pairs:
            say(f"No drums are confused: all {found.hits} hits are nearest to their own drum.")
        sets = teacher.sets()
        said = "; ".join(
            f"{name} {one.right} of {one.hits}, margin {one.margin:.2f}"
            for name, one in sets.items()
        )
        best = next(iter(sets))
        if sets[best].right > found.right:
            said += f" (teach again with --features {best})"
        say(f"Features that separate best: {best}. {said}.")
