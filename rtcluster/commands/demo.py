"""``rtcluster demo``: a synthesised groove through the live path."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rtcluster.commands.opening import first_use, kit_saved, takes_of
from rtcluster.commands.options import EngineOptions, engine_options
from rtcluster.commands.outputs import Outputs, output_options
from rtcluster.commands.terminal import INTERRUPTED, load, milliseconds, say, until_interrupted
from rtcluster.commands.writing import guard, writes
from rtcluster.errors import SettingsError
from rtcluster.text import counted


@writes
@engine_options(classes="3")
@output_options()
def demo(
    engine: EngineOptions,
    outputs: Outputs,
    seconds: Annotated[float, typer.Option(help="How long to play.", min=1.0, max=3600.0)] = 12.0,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            help="Write the groove to this WAV file, and its annotations to a .csv file beside it, "
            "in place of playing it.",
        ),
    ] = None,
) -> None:
    """Play a synthesised groove through the live path in real time; needs no hardware."""
    if output is not None:
        _write(output, seconds, engine.settings.seed)
        return
    from rich.console import Console

    from rtcluster.commands.scoring import HitCollector, score
    from rtcluster.session.controls import Controls
    from rtcluster.sinks.console import HitLines
    from rtcluster.sources import groove as grooves
    from rtcluster.sources.virtual import VirtualInput

    groove = grooves.render(seconds, seed=engine.settings.seed)
    heard, lines, controls = (
        HitCollector(),
        HitLines(Console(stderr=True, highlight=False)),
        Controls(),
    )
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
            f"\nonsets    {result.matched} of {counted(result.strokes, 'stroke')}, "
            f"{result.extra} extra: F {result.f_measure:.3f}, "
            f"onset time error {milliseconds(result.error_ms)}\n"
            f"classes   {100 * result.agreement:.1f} % agree with the drum played ({named})\n"
            f"latency   {milliseconds(result.latency_ms)} from the attack to the onset event\n"
            f"          {milliseconds(summary.get('sink_delay_ms'))} from there to this screen"
        )
        if summary.get("callback_load"):
            say(
                f"callback  {load(summary)} of real time; "
                f"{counted(summary['late_models'], 'late model')}, "
                f"{counted(summary['xruns'], 'xrun')}"
            )
    raise typer.Exit(INTERRUPTED if interrupted else 0)


def _write(output: str, seconds: float, seed: int) -> None:
    """Write the groove, and what was played beside it."""
    from rtcluster.sources.groove import render, write

    path, annotations = Path(output), Path(output).with_suffix(".csv")
    if path.suffix.lower() != ".wav":
        raise SettingsError(f"Expected a name that ends in .wav with -o, got {output!r:.80}.")
    allowed = guard("output")
    allowed.check(path)
    allowed.check(annotations)
    groove = render(seconds, seed=seed)
    write(groove, path, annotations)
    hits = counted(len(groove.strokes), "hit")
    say(f"Wrote {path}, {seconds:g} s, and its {hits} to {annotations}.")
