"""What the commands say to people, and how they are stopped."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rtcluster.errors import RtclusterError
from rtcluster.stop import Stop

if TYPE_CHECKING:
    from rtcluster.channels import Channels, Ear
    from rtcluster.commands.options import Engine
    from rtcluster.commands.outputs import Outputs
    from rtcluster.controls import Controls
    from rtcluster.processor import Processor
    from rtcluster.sinks import Sink
    from rtcluster.takes import Source, Takes

FAILED, USAGE, INTERRUPTED = 1, 2, 130
"""Exit codes, beside 0 for done."""


def say(text: str) -> None:
    """A line on standard error."""
    print(text, file=sys.stderr, flush=True)


def fail(text: str) -> None:
    """The one line that says why it failed."""
    say(f"rtcluster: {text}")


@contextmanager
def until_interrupted() -> Iterator[Stop]:
    """A flag that Ctrl-C and SIGTERM set, in place of breaking off the main thread."""
    stop = Stop()
    previous = {
        number: signal.signal(number, lambda *_: stop.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    if hasattr(signal, "siginterrupt"):
        # A signal must not break off what PortAudio waits for while a stream starts or stops.
        for number in previous:
            signal.siginterrupt(number, False)
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def kit_saved(processor: Processor, path: str | None) -> Iterator[None]:
    """Save the kit when the block is left, however it is left; tell so in a line.

    SIGTERM then ends the block as Ctrl-C does.
    """
    if path is None:
        yield
        return
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        try:
            yield
        except BaseException:
            try:
                _save(processor, path)
            except RtclusterError as error:
                fail(str(error))  # what ended the block is what the program ends with
            raise
        _save(processor, path)
    finally:
        signal.signal(signal.SIGTERM, previous)


def _save(processor: Processor, path: str) -> None:
    if processor.samplerate and processor.learner.ready:
        kit = processor.save_kit(path)
        say(f"Saved {', '.join(kit.names)} in {path}.")
    else:
        say(f"No classes yet; {path} was not written.")


def first_use(engine: Engine) -> Processor:
    """A processor; says so if its kernel has to be compiled on this machine first."""
    from rtcluster.kernel import jit
    from rtcluster.processor import Processor

    if not jit.was_compiled():
        say_compiling()
    processor = Processor(engine.settings, kit=engine.kit, explicit=engine.explicit)
    say_driver(processor.driver)
    return processor


def first_use_of_all(engine: Engine) -> Channels:
    """A processor for each channel, as :func:`first_use` makes one."""
    from rtcluster.channels import Channels
    from rtcluster.processor import Processor

    kit = first_use(engine).kit
    return Channels(lambda: Processor(engine.settings, kit=kit, explicit=engine.explicit))


def say_compiling() -> None:
    """That the first run on a machine takes longer."""
    say("First use: compiling the audio kernel for this machine, once (up to a minute) ...")


def say_driver(driver: str) -> None:
    """How aubio is called, if not in the best way."""
    if driver == "python":
        from rtcluster.kernel.aubio_c import MISSING

        say(f"Using aubio through Python, because {MISSING}. Live input may lose audio under load.")


def takes_of(
    ear: Ear,
    source: Source,
    sinks: Sequence[Sink],
    outputs: Outputs,
    controls: Controls,
    stop: Stop,
) -> Takes:
    """Takes from a source into sinks, as the options have it."""
    from pathlib import Path

    from rtcluster.channels import Channels
    from rtcluster.takes import Takes

    def report(text: str) -> None:
        fail(text)
        for sink in sinks:
            sink.notice(text)

    def recorder(folder: str) -> Sink:
        assert not isinstance(ear, Channels)  # --record is refused for them
        return outputs.recorder(ear, folder)

    return Takes(
        ear=ear,
        source=source,
        sinks=sinks,
        recorder=recorder,
        report=report,
        say=say,
        controls=controls,
        stop=stop,
        told={} if outputs.bpm is None else {"bpm": outputs.bpm},
        record=None if outputs.record is None else Path(outputs.record),
    )


def milliseconds(values: Any) -> str:
    """Percentiles for people."""
    return f"p50 {values['p50']:.1f} ms, p95 {values['p95']:.1f} ms" if values else "no hits"


def load(summary: Any) -> str:
    """The callback's share of the time, for people."""
    share = summary["callback_load"]
    return f"{100 * share['mean']:.1f} % (p99 {100 * share['p99']:.1f} %)"


def say_summary(summary: Any) -> None:
    """What a session came to, for people."""
    counted = ", ".join(f"{n} {name}" for name, n in summary["classes"].items())
    say(
        f"\n{summary['hits']} hits in {summary['seconds']:.1f} s: {counted or 'no classes yet'}; "
        f"{summary['xruns']} xruns"
    )
    if summary.get("callback_load"):
        delay = milliseconds(summary["sink_delay_ms"])
        say(f"callback {load(summary)} of real time; from the audio to the sinks {delay}")
    lost = {
        "stretches of NaN or Inf, taken as silence": summary["bad_hops"],
        "events dropped": summary["events_dropped"],
        "models late": summary["late_models"],
    }
    for what, count in lost.items():
        if count:
            say(f"{count} {what}")
