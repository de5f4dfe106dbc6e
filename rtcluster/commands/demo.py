"""``rtcluster demo``: a synthesised groove through the live path."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from rtcluster.commands.options import Engine, engine_options
from rtcluster.commands.outputs import Outputs, output_options
from rtcluster.commands.terminal import (
    INTERRUPTED,
    first_use,
    kit_saved,
    load,
    milliseconds,
    say,
    takes_of,
    until_interrupted,
)


@engine_options(classes="3")
@output_options()
def demo(
    engine: Engine,
    outputs: Outputs,
    seconds: Annotated[float, typer.Option(help="How long to play.", min=1.0, max=3600.0)] = 12.0,
) -> None:
    """Play a synthesised groove through the live path in real time; needs no hardware."""
    from rich.console import Console

    from rtcluster.controls import Controls
    from rtcluster.demo import Heard, score
    from rtcluster.sinks.console import HitLines
    from rtcluster.sources import groove as grooves
    from rtcluster.sources.virtual import VirtualInput

    groove = grooves.render(seconds, seed=engine.settings.seed)
    heard, lines, controls = Heard(), HitLines(Console(stderr=True, highlight=False)), Controls()
    processor = first_use(engine)
    source = VirtualInput(processor, groove.audio, groove.samplerate, name="groove")
    with (
        outputs.opened(
            controls, outputs.offset_s(source.name, processor.samplerate, source.blocksize)
        ) as sinks,
        kit_saved(processor, engine.save_kit),
        until_interrupted() as stop,
    ):
        say(
            f"Playing {seconds:g} s of kick, snare and hat through the live path in blocks of "
            f"{source.blocksize}; Ctrl-C stops."
        )
        playing = takes_of(processor, source, [*sinks, lines, heard], outputs, controls, stop)
        summary: Any = playing.play()
    interrupted = stop.is_set()
    if not interrupted:
        result = score(groove, heard)
        named = ", ".join(f"class {c} is the {d}" for c, d in sorted(result.drum_of.items()))
        say(
            f"\nonsets    {result.matched} of {result.strokes} strokes, {result.extra} extra: "
            f"F {result.f_measure:.3f}, dated to {milliseconds(result.error_ms)}\n"
            f"classes   {100 * result.agreement:.1f} % agree with the drum played ({named})\n"
            f"latency   {milliseconds(result.latency_ms)} from the attack to the onset event\n"
            f"          {milliseconds(summary.get('sink_delay_ms'))} from there to this screen"
        )
        if summary.get("callback_load"):
            say(
                f"callback  {load(summary)} of real time; "
                f"{summary['late_models']} late models, {summary['xruns']} xruns"
            )
    raise typer.Exit(INTERRUPTED if interrupted else 0)
