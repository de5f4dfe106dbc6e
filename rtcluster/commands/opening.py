"""What starts a session, and what has to be kept of it: the engine, its takes, the kit."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from rtcluster.commands.signals import as_ctrl_c
from rtcluster.commands.terminal import fail, say
from rtcluster.commands.writing import Late, guard
from rtcluster.errors import RtclusterError
from rtcluster.timing import Stop

if TYPE_CHECKING:
    from rtcluster.commands.options import Channels, EngineOptions
    from rtcluster.commands.outputs import Outputs
    from rtcluster.engine.channels import Engine
    from rtcluster.engine.processor import Processor
    from rtcluster.learning.kit import Kit
    from rtcluster.session.controls import Controls
    from rtcluster.session.takes import Source, Takes
    from rtcluster.sinks import Sink


@contextmanager
def kit_saved(processor: Processor, path: str | None) -> Iterator[None]:
    """Save the kit when the block is left, however it is left; tell so in a line.

    Every signal then ends the block as Ctrl-C does.
    """
    if path is None:
        yield
        return
    target = Late(path)
    with as_ctrl_c():
        try:
            yield
        except BaseException:
            try:
                _save(processor, target)
            except RtclusterError as error:
                fail(str(error))  # what ended the block is what the program ends with
            raise
        _save(processor, target)


def _save(processor: Processor, target: Late) -> None:
    if processor.samplerate and processor.learner.ready:
        path = target.place()
        kit = processor.save_kit(path)
        say(f"Saved {', '.join(kit.names)} in {path}.")
    else:
        say(f"No classes yet; {target.path} was not written.")


def kit_before(engine: EngineOptions) -> Kit | None:
    """The kit whose other half is kept: --kit's, or the one that --save-kit replaces."""
    from rtcluster.learning.kit_file import load

    if engine.kit is not None:
        return load(engine.kit)
    with suppress(RtclusterError):  # what is no kit is replaced only if that was asked for
        return load(str(engine.save_kit))
    return None


def first_use(engine: EngineOptions, microphones: Sequence[int] | str | None = None) -> Processor:
    """A processor; says so if its kernel has to be compiled on this machine first."""
    from rtcluster.engine.processor import Processor

    processor = Processor(
        engine.settings, kit=engine.kit, explicit=engine.explicit, microphones=microphones
    )
    show_compiling()
    say_driver(processor.driver)
    if processor.kit is not None and processor.kit.lacks_audio:
        say(
            f"{processor.kit.source} keeps no audio of its strokes: each hit is one drum. Teach it "
            "again to hear two at once."
        )
    return processor


def listener_of(engine: EngineOptions, channel: Channels) -> Engine:
    """What listens to the channels that were asked for; says what :func:`first_use` does."""
    from rtcluster.engine.channels import engine_of

    kit = first_use(engine).kit
    return engine_of(channel, engine.settings, kit, engine.explicit)


def show_compiling() -> None:
    """Show how far the kernel is compiled, if it has to be: on a terminal; else say that it is."""
    from rtcluster.commands.progress import OfCompiling
    from rtcluster.kernel import jit

    if sys.stderr is not None and sys.stderr.isatty():
        jit.tell_compiling(OfCompiling())
    else:
        jit.when_compiling(say_compiling)


def say_compiling() -> None:
    """That the first run on a machine takes longer, and each one without a place for the cache."""
    say("Compiling the audio kernel for this machine (up to a minute) ...")


def say_driver(driver: str) -> None:
    """How aubio is called, if not in the best way."""
    if driver == "python":
        from rtcluster.kernel.aubio_c import MISSING

        say(f"Using aubio through Python, because {MISSING}. Live input may lose audio under load.")


def takes_of(
    engine: Engine,
    source: Source,
    sinks: Sequence[Sink],
    outputs: Outputs,
    controls: Controls,
    stop: Stop,
) -> Takes:
    """Takes from a source into sinks, as the options have it."""
    from pathlib import Path

    from rtcluster.engine.channels import Channels
    from rtcluster.recording.kits import keep
    from rtcluster.session.takes import Takes

    def shown(text: str, write: Callable[[str], None]) -> None:
        write(text)
        for sink in sinks:
            sink.notice(text)

    def recorder(folder: str) -> Sink:
        assert not isinstance(engine, Channels)  # --record is refused for them
        return outputs.recorder(engine, folder)

    return Takes(
        engine=engine,
        source=source,
        sinks=sinks,
        recorder=recorder,
        report=partial(shown, write=fail),
        say=partial(shown, write=say),
        controls=controls,
        stop=stop,
        keep_kit=lambda kit: keep(kit, guard("kit kept by the page")),
        metadata={} if outputs.bpm is None else {"bpm": outputs.bpm},
        record=None if outputs.record is None else Path(outputs.record),
    )
