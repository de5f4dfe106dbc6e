"""``rtcluster tune``: detector settings from some seconds of playing, into a kit."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rtcluster.batch.jobs import index_of
from rtcluster.commands.opening import first_use, kit_before
from rtcluster.commands.options import (
    Blocksize,
    Channel,
    Device,
    EngineOptions,
    Samplerate,
    engine_options,
)
from rtcluster.commands.terminal import INTERRUPTED, fail, say, until_interrupted
from rtcluster.commands.writing import Late, guard, writes
from rtcluster.errors import SettingsError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from rtcluster.engine.tuning import Trial, Tuning


@writes
@engine_options()
def tune(
    engine: EngineOptions,
    file: Annotated[
        str | None, typer.Argument(help="Audio file.", show_default="live input")
    ] = None,
    seconds: Annotated[float, typer.Option(help="How much is heard.", min=2.0, max=600.0)] = 20.0,
    device: Device = None,
    channel: Channel = None,
    samplerate: Samplerate = None,
    blocksize: Blocksize = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object to stdout.")] = False,
) -> None:
    """Choose threshold, mask and silence floor from some seconds of playing."""
    from rtcluster.engine.tuning import tune as choose
    from rtcluster.learning.kit import Kit
    from rtcluster.learning.kit_file import load, save

    path = engine.save_kit or engine.kit
    if path is None:
        raise SettingsError("Expected --save-kit FILE for what is chosen, got none; name a file.")
    guard("kit", "save_kit").check(path, load)
    target = Late(path)
    if channel is not None and channel < 1:
        raise SettingsError(f"Expected a channel from 1, got {channel}.")
    base = kit_before(engine)
    if file is not None:
        audio, rate = _of_file(file, seconds, channel, samplerate)
    else:
        audio, rate = _live(engine, seconds, device, channel, samplerate, blocksize)
    tuning = choose(audio, rate, engine.settings)
    if base is None:
        kit = Kit.of(None, engine.settings, rate, tuning.detection)
    else:
        kit = replace(base, detection=tuning.detection)
    _show(tuning, engine)
    place = target.place()
    save(place, kit)
    if as_json:
        told = {"event": "tuning"} | asdict(tuning) | {"saved": str(place)}
        print(json.dumps(told, allow_nan=False))
    say(f"Saved in {place}; '--kit {place}' takes it.")


def _of_file(
    name: str, seconds: float, channel: int | None, samplerate: int | None
) -> tuple[npt.NDArray[np.float32], int]:
    """The beginning of a file, one channel or their mean, and its rate."""
    import numpy as np

    from rtcluster.sources.file import FileSource

    with FileSource(name, samplerate) as source:
        index = index_of(channel, source.channels)
        wanted = int(seconds * source.samplerate)
        blocks: list[Any] = []
        for block in source.blocks():
            blocks.append(block.mean(axis=1) if index is None else block[:, index])
            if sum(map(len, blocks)) >= wanted:
                break
        return np.concatenate(blocks)[:wanted].astype(np.float32), source.samplerate


def _live(
    engine: EngineOptions,
    seconds: float,
    device: str | None,
    channel: int | None,
    samplerate: int | None,
    blocksize: int,
) -> tuple[npt.NDArray[np.float32], int]:
    """Some seconds of a live input, and its rate."""
    import numpy as np

    from rtcluster.engine.tap import Tap
    from rtcluster.session.collect import collected
    from rtcluster.sources.live import LiveInput

    processor = first_use(EngineOptions(engine.settings))
    live = LiveInput(processor, device, (channel or 1) - 1, samplerate, blocksize)
    rate = processor.samplerate
    say(f"Listening to {live.name}, {rate} Hz: play for {seconds:g} s, softly and loudly.")
    parts: list[Any] = []
    tap, wanted = Tap(processor), int(seconds * rate)
    with until_interrupted() as stop, live:
        for _ in collected(live, processor, stop, fail, say):
            parts.append(tap.take().audio)
            if processor.clock >= wanted:
                break
    parts.append(tap.take().audio)
    if stop.is_set():
        say("Stopped; nothing was chosen.")
        raise typer.Exit(INTERRUPTED)
    return np.concatenate(parts)[:wanted].astype(np.float32), rate


def _show(tuning: Tuning, engine: EngineOptions) -> None:
    """What was chosen and why: misses against doubles."""
    own = tuning.detection
    for heading, trials in (("threshold", tuning.thresholds), ("mask ms", tuning.masks)):
        if len(trials) > 1:
            say(f"{heading:>12}  notes  missed  doubles")
            most = max(trial.notes for trial in trials if trial.chosen)
            for trial in trials:
                say(_row(trial, most))
    threshold = "that follows the player" if own.threshold is None else f"{own.threshold:g}"
    say(
        f"threshold {threshold} and mask {own.mask}: doubles are few and hardly a note "
        "drops\n"
        f"silence {own.silence:g} dBFS: the noise between hits peaks at {tuning.noise_db:.1f}, "
        f"the softest hits at {tuning.softest_db:.1f}\n"
        f"velocity from {own.velocity_floor_db:g} to {own.velocity_ceiling_db:g} dBFS: the softest "
        "and the loudest hits"
    )
    kept = sorted({"threshold", "mask", "silence"} & engine.explicit)
    if kept:
        say(f"As given on the command line: {', '.join(kept)}.")


def _row(trial: Trial, most: int) -> str:
    mark = "  <- chosen" if trial.chosen else ""
    missed = max(0, most - trial.notes)
    return f"{trial.value:12g}  {trial.notes:5d}  {missed:6d}  {trial.doubles:7d}{mark}"
