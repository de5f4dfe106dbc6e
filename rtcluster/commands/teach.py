"""``rtcluster teach``: one drum at a time, live or from files, into a kit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from rtcluster.commands.opening import first_use, kit_before
from rtcluster.commands.options import (
    Blocksize,
    Channels,
    Device,
    EngineOptions,
    Microphones,
    Samplerate,
    channel_of,
    engine_options,
)
from rtcluster.commands.terminal import INTERRUPTED, fail, say, until_interrupted
from rtcluster.commands.writing import Late, writes
from rtcluster.errors import SettingsError
from rtcluster.settings import FEATURE_SETS, MAX_CLASSES
from rtcluster.text import counted

if TYPE_CHECKING:
    from rtcluster.learning.teaching import Teacher


@writes
@engine_options(features="taught")
def teach(
    engine: EngineOptions,
    names: Annotated[
        list[str] | None, typer.Argument(help="The drums, in the order they are asked for.")
    ] = None,
    hits: Annotated[int, typer.Option(help="Hits of each drum.", min=1, max=64)] = 5,
    files: Annotated[
        list[str] | None,
        typer.Option("--from", help="NAME=FILE for each drum, or one FILE with --truth."),
    ] = None,
    truth: Annotated[
        str | None,
        typer.Option(
            help="Annotations, of which the first hits of each label are taught: CSV (time,label), "
            "Audacity, Sonic Visualiser, JAMS, or rtcluster's own CSV and JSON Lines."
        ),
    ] = None,
    device: Device = None,
    channel: Microphones = None,
    samplerate: Samplerate = None,
    blocksize: Blocksize = 0,
    countdown: Annotated[
        int | None,
        typer.Option(
            help="Seconds counted down before each drum of live teaching; 3 in a terminal, else 0.",
            min=0,
            max=60,
        ),
    ] = None,
) -> None:
    """Teach the drums one at a time: strike each one a few times, live or from files."""
    from rtcluster.commands import lessons
    from rtcluster.learning.kit_file import save
    from rtcluster.learning.teaching import Teacher

    if engine.save_kit is None:
        raise SettingsError("Expected --save-kit FILE to keep what is taught, got none; name one.")
    chosen = channel_of(channel)
    tuned = kit_before(engine)
    detection = None if tuned is None else tuned.detection
    settings = engine.settings
    if "features" not in engine.explicit:
        settings = replace(settings, features=FEATURE_SETS["taught"])
    if detection is not None:
        settings = replace(settings, **detection.overrides(settings, engine.explicit))
    asked = lessons.asked(names or [], files or [], truth)
    _check_names(asked.names)
    teacher, target = Teacher(settings, asked.names), Late(engine.save_kit)
    if files:
        rate, microphones = lessons.from_files(teacher, asked, hits, chosen, samplerate)
    else:
        rate, microphones = _live(teacher, hits, device, chosen, samplerate, blocksize, countdown)
    path = target.place()
    save(path, teacher.kit(rate, detection, microphones))
    _report(teacher)
    say(f"Saved {', '.join(teacher.names)} in {path}.")


def _check_names(names: tuple[str, ...]) -> None:
    from rtcluster.learning.kit_schema import MAX_NAME, is_name

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
    channel: Channels,
    samplerate: int | None,
    blocksize: int,
    countdown: int | None,
) -> tuple[int, tuple[int, ...]]:
    """Ask for one drum after the other; return the sample rate and the microphones."""
    from rtcluster.commands import asking, lessons
    from rtcluster.learning.teaching import measuring
    from rtcluster.session.collect import collected
    from rtcluster.sources.live import LiveInput

    one = channel if isinstance(channel, int) else 1
    several = None if isinstance(channel, int) else channel
    processor = first_use(EngineOptions(measuring(teacher.settings)), several)
    live = LiveInput(processor, device, one - 1, samplerate, blocksize)
    say(f"Listening to {live.name}, {processor.samplerate} Hz; Ctrl-C stops without saving.")
    strikes, typed = lessons.Strikes(processor), asking.Typed()
    if typed.possible:
        say("u and Enter takes the last stroke back; p and Enter pauses, and goes on.")
    with until_interrupted() as stop, live:
        ask = asking.Asking(
            teacher,
            hits,
            processor.samplerate,
            countdown_s=typed.possible * asking.COUNTDOWN_S if countdown is None else countdown,
            answered=typed.possible,
        )
        for batch in collected(live, processor, stop, fail, say):
            for line in typed.take():
                ask.typed(line, processor.clock)
            for hit in strikes.take(batch):
                ask.hear(hit, processor.clock)
            ask.advance(processor.clock)
            if ask.done:
                break
    if stop.is_set():
        fail("stopped before all drums were taught; nothing was saved.")
        raise typer.Exit(INTERRUPTED)
    return processor.samplerate, processor.microphones


def _report(teacher: Teacher) -> None:
    """Which drums the features confuse, and which features would do best."""
    found = teacher.separation()
    if len(teacher.names) > 1 and found.hits:
        pairs = found.pairs()
        for a, b, times in pairs:
            one, other = teacher.names[a], teacher.names[b]
            say(f"Confused: {one} and {other}, {times} of {counted(found.hits, 'hit')}.")
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
