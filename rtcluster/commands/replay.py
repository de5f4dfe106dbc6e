"""``rtcluster replay``: a recording through the engine again, held against its log."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from rtcluster.commands.outputs import Outputs, output_options
from rtcluster.commands.progress import of_one
from rtcluster.commands.terminal import FAILED, INTERRUPTED, fail, say, until_interrupted
from rtcluster.commands.writing import writes
from rtcluster.text import counted


@writes
@output_options("jsonl", "monitor", "open_", "host", "port")
def replay(
    outputs: Outputs,
    folder: Annotated[str, typer.Argument(help="What --record wrote.")],
    realtime: Annotated[
        bool, typer.Option("--realtime", help="At the speed it was played; so with --monitor.")
    ] = False,
) -> None:
    """Replay a recording; say whether every event is the same, bit for bit."""
    from contextlib import closing

    from rtcluster.recording.replay import Replay
    from rtcluster.session.controls import Controls

    paced = realtime or outputs.monitor
    with (
        Replay(folder) as playing,
        outputs.opened(Controls(), live=False) as sinks,
        until_interrupted() as stop,
        of_one(folder, playing.frames, playing.samplerate) as advance,
        # Closed before the sinks are: it ends their session, however it is left.
        closing(playing.play(sinks, fail)) as blocks,
    ):
        for frames in blocks:
            advance(frames)
            if stop.is_set():
                raise typer.Exit(INTERRUPTED)
            if paced:
                stop.wait(max(0.0, playing.due() - time.monotonic()))
    found = playing.outcome()
    length = f"{found.samples / found.samplerate:.1f} s of audio"
    for note in found.notes:
        say(f"Note: {note}.")
    if found.difference:
        fail(
            f"Expected the events of {folder} again, got a difference after "
            f"{counted(found.compared, 'event')}: {found.difference}."
        )
        raise typer.Exit(FAILED)
    say(f"Replayed {length}: {counted(found.compared, 'event')}, every one the same, bit for bit.")
