"""``rtcluster run``: the engine on files, as fast as it goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rtcluster.commands.options import Channel, Engine, engine_options
from rtcluster.commands.terminal import FAILED, fail, first_use, kit_saved, say
from rtcluster.errors import RtclusterError, SettingsError

if TYPE_CHECKING:
    from rtcluster.session import Session

LONG_FILE_S = 30.0
"""Files of this length and more show their progress, in seconds."""


@engine_options()
def run(
    engine: Engine,
    files: Annotated[list[str], typer.Argument(help="Audio files; - is standard input.")],
    channel: Channel = None,
) -> None:
    """Run the engine on files, as fast as it goes; events go to standard output."""
    from rtcluster.session import Session, run_file
    from rtcluster.sinks.jsonl import STANDARD_OUTPUT, JsonLines
    from rtcluster.sources.file import FileSource

    if engine.save_kit is not None and len(files) > 1:
        raise SettingsError(
            f"Expected one file with --save-kit, got {len(files)}; run them one at a time."
        )
    problems = 0
    for name in files:
        try:
            with FileSource(name) as source:
                processor = first_use(engine)
                processor.prepare(
                    source.samplerate,
                    channels=source.channels,
                    channel=index_of(channel, source.channels),
                )
                session = Session(processor, name, [JsonLines.open(STANDARD_OUTPUT)], fail)
                with (
                    kit_saved(processor, engine.save_kit),
                    progress_bar(name, source.frames, source.samplerate) as advance,
                ):
                    run_file(session, source, advance)
                if processor.counts.bad_hops:
                    say(
                        f"{name}: {processor.counts.bad_hops} stretches of {processor.spans.hop} "
                        "samples held NaN or Inf and were taken as silence."
                    )
                require_classes(session)
                if not session.listening:
                    raise typer.Exit(FAILED)
        except SettingsError:
            raise
        except RtclusterError as error:
            if len(files) == 1:
                raise
            fail(str(error))
            problems += 1
    if problems:
        fail(f"{problems} of {len(files)} files failed; see above.")
        raise typer.Exit(FAILED)


def index_of(given: int | None, channels: int) -> int | None:
    """The user's channel, from 1, as an index."""
    if given is None:
        return None
    if not 1 <= given <= channels:
        raise SettingsError(f"Expected a channel from 1 to {channels}, got {given}.")
    return given - 1


def require_classes(session: Session) -> None:
    """Fail if there were hits, but not enough to tell the classes apart."""
    learner, hits = session.processor.learner, session.processor.counts.hits
    if hits and not learner.ready:
        raise RtclusterError(
            f"Expected at least {learner.fewest} different hits for {learner.fewest} "
            f"classes, got {hits}; their events are complete, without classes. "
            "Ask for fewer with -k, or play more."
        )


@contextmanager
def progress_bar(name: str, frames: int | None, samplerate: int) -> Iterator[Any]:
    """A progress bar on standard error, for audio that takes a while."""
    if frames is not None and frames < LONG_FILE_S * samplerate:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=console.is_terminal) as bar:
        task = bar.add_task(name, total=frames)
        yield lambda some: bar.advance(task, some)
