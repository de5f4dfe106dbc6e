"""The plug-in beside the callback: the cost of a block, and how long until each runs.

``python -m bench.plugin`` builds an LV2 plug-in of a kit that was taught on synthetic strokes, and
plays the synthesised groove to it in a host without a screen, in blocks of 64 frames; PortAudio's
callback hears the same in this process, turn by turn. What is told is the mean work of a block in
the turn that was disturbed the least, and the ratio of the two. *Start-up* is the wall time of
the host, from its start to its end with one block, beside that of ``rtcluster run`` with the kit on
a file of one block. Writes ``bench/results/plugin.json``.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import soundfile
import typer

from bench.report import console as report_console
from bench.report import write
from rtcluster import Processor, Settings
from rtcluster.kernel.callback import callback as portaudio_callback
from rtcluster.learning import kit_file
from rtcluster.plugin import bundle
from rtcluster.sources.groove import render
from tests.support.host import Host
from tests.support.taught import taught_kit

SAMPLERATE, BLOCKSIZE = 44100, 64


def main(seconds: float = 8.0, turns: Annotated[int, typer.Option(min=1)] = 7) -> None:
    """Compare the plug-in with the callback."""
    console = report_console()
    audio = render(seconds, SAMPLERATE).audio
    kit = taught_kit()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kit_file.save(folder / "a.kit", kit)
        soundfile.write(folder / "a.wav", audio[:BLOCKSIZE], SAMPLERATE)
        began = time.perf_counter()
        made = bundle.write(kit, "bench", folder)
        building = time.perf_counter() - began
        host, uri = Host(bundle.find_compiler(), folder), "urn:rtcluster:kit:bench"
        processor = Processor(Settings(freeze=True), kit=kit)
        processor.prepare(SAMPLERATE)
        played = [
            (host.play(made, uri, audio).block_us, callback_us(processor, audio))
            for _ in range(turns)
        ]
        program = [sys.executable, "-m", "rtcluster", "run", str(folder / "a.wav")]
        program += ["--kit", str(folder / "a.kit"), "--freeze"]
        loading = min(host.play(made, uri, audio[:BLOCKSIZE]).loading_ms for _ in range(turns))
        starts = [
            (
                wall_ms(lambda: host.play(made, uri, audio[:BLOCKSIZE])),
                wall_ms(lambda: subprocess.run(program, capture_output=True, check=True)),
            )
            for _ in range(turns)
        ]
    plugin_us, callback = (min(column) for column in zip(*played, strict=True))
    plugin_ms, run_ms = (min(column) for column in zip(*starts, strict=True))
    console.print(
        f"A block of {BLOCKSIZE}: plug-in {plugin_us:.1f} us, callback {callback:.1f} us, "
        f"ratio {plugin_us / callback:.2f}."
    )
    console.print(
        f"Start-up: plug-in {plugin_ms:.0f} ms, of which it loads for {loading:.1f} ms; "
        f"rtcluster run {run_ms:.0f} ms. Built in {building:.1f} s."
    )
    content = {
        "block_us": {"plugin": plugin_us, "callback": callback},
        "start_ms": {"plugin": plugin_ms, "run": run_ms},
        "loading_ms": loading,
        "building_s": round(building, 1),
    }
    console.print(f"Written: bench/results/{write('plugin', content).name}")


def callback_us(processor: Processor, audio: npt.NDArray[np.float32]) -> float:
    """Mean work of the callback on a block, in us."""
    processor.reset()
    state = processor.record
    spent = 0
    call, address = portaudio_callback().ctypes, state.ctypes.data
    for begin in range(0, len(audio) - BLOCKSIZE + 1, BLOCKSIZE):
        block = np.ascontiguousarray(audio[begin : begin + BLOCKSIZE])
        call(block.ctypes.data, None, BLOCKSIZE, None, 0, address)
        spent += int(state["work"][0, (int(state["callbacks"][0]) - 1) % state["work"].shape[1]])
        processor.collect()
    return spent / 1e3 / (len(audio) // BLOCKSIZE)


def wall_ms(call: Callable[[], object]) -> float:
    """How long a call takes, in ms."""
    began = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - began)


if __name__ == "__main__":
    typer.run(main)
