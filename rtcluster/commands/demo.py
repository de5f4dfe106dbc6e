"""``rtcluster demo``: a synthesised groove through the live path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rtcluster.commands.options import Engine, Jsonl, engine_options
from rtcluster.commands.terminal import (
    INTERRUPTED,
    fail,
    first_use,
    kit_saved,
    load,
    milliseconds,
    say,
    until_interrupted,
)

if TYPE_CHECKING:
    from rtcluster.sinks import Sink


@engine_options(classes="3")
def demo(
    engine: Engine,
    seconds: Annotated[float, typer.Option(help="How long to play.", min=1.0, max=3600.0)] = 12.0,
    jsonl: Jsonl = None,
) -> None:
    """Play a synthesised groove through the live path in real time; needs no hardware."""
    from rich.console import Console

    from rtcluster.demo import Heard, score
    from rtcluster.session import Pump, Session
    from rtcluster.sinks.console import HitLines
    from rtcluster.sinks.jsonl import JsonLines
    from rtcluster.sources import groove as grooves
    from rtcluster.sources.virtual import VirtualInput

    groove = grooves.render(seconds, seed=engine.settings.seed)
    heard = Heard()
    sinks: list[Sink] = [HitLines(Console(stderr=True, highlight=False)), heard]
    if jsonl is not None:
        sinks.insert(0, JsonLines.open(jsonl))
    processor = first_use(engine)
    source = VirtualInput(processor, groove.audio, groove.samplerate)
    session = Session(processor, "groove", sinks, fail)
    say(
        f"Playing {seconds:g} s of kick, snare and hat through the live path in blocks of "
        f"{source.blocksize}; Ctrl-C stops."
    )
    with kit_saved(processor, engine.save_kit):
        with until_interrupted() as stop, Pump(session), source:
            while source.active and not stop.wait(0.05):
                pass
        summary = session.end()
    interrupted = stop.is_set()
    if not interrupted:
        result = score(groove, heard)
        named = ", ".join(f"class {c} is the {d}" for c, d in sorted(result.drum_of.items()))
        say(
            f"\nonsets    {result.matched} of {result.strokes} strokes, {result.extra} extra: "
            f"F {result.f_measure:.3f}, dated to {milliseconds(result.error_ms)}\n"
            f"classes   {100 * result.agreement:.1f} % agree with the drum played ({named})\n"
            f"latency   {milliseconds(result.latency_ms)} from the attack to the onset event\n"
            f"          {milliseconds(summary['sink_delay_ms'])} from there to this screen"
        )
        if summary["callback_us"]:
            say(
                f"callback  {load(summary)} of real time; "
                f"{summary['late_models']} late models, {summary['xruns']} xruns"
            )
    raise typer.Exit(INTERRUPTED if interrupted else 0)
