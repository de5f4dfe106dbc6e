"""What a callback's work costs when one thing is changed.

``python -m bench.cost`` changes, one at a time: the block size, the rate, the channels (whose mean
is heard, or each by itself, as ``-c all`` has it), the microphones of one kit, the number of
classes, the features and how many there are, the drums of a taught kit, the hits that are open at
once, and how often there is a hit.
It also times what comes after the last stroke of teaching so many drums. It prints tables and
writes ``bench/results/cost.json``.

What is timed is :func:`rtcluster.kernel.callback.on_block`, the whole of what PortAudio calls, by
its own clock, block by block. The same audio is the same work, so each block's work is the least of
some turns: what it takes longer in another turn is the machine's doing (:mod:`bench.callback` tells
the work as it is disturbed). *Load* is the work's share of real time, *ratio* that to the load of a
usual case, which takes turns with each: 64-frame blocks at 44.1 kHz, mono, 3 classes, 2
features. *Blocks that judge* are those in which a guess or a final was due.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from rich.table import Table

from bench.rates import lessons_of
from bench.report import console as report_console
from bench.report import percentiles, write
from rtcluster import Final, Guess, Processor, Settings
from rtcluster.engine.channels import Channels, Engine
from rtcluster.kernel import state as kernel_state
from rtcluster.kernel.callback import on_block, on_block_joint
from rtcluster.kernel.entry import publish
from rtcluster.learning.kit import Kit
from rtcluster.learning.teaching import Teacher
from rtcluster.settings import FEATURE_SETS, FEATURES, MAX_CENTRES
from rtcluster.sources import groove
from tests.support import microphones

Audio = npt.NDArray[np.float32]

BLOCKSIZES = (16, 32, 128, 256, 512, 1024)
RATES = (8000, 22050, 48000, 96000, 192000)
CHANNELS = (2, 4, 8, 16, 32)
EACH = (1, 2, 4, 8)
MICROPHONES = (2, 4, 8)
CENTRES = (1, 8, 16, 32, MAX_CENTRES)
COUNTS = (1, 3, 4, 6, 8)
DRUMS = (3, 6, 12)
STROKES = 5
OPEN = (1, 4, 8, 16, kernel_state.MAX_OPEN - 1)
PER_SECOND = (0.0, 2.0, 4.0, 8.0, 16.0)

_NEVER = 1 << 60
"""Sample at which a hit began that will never be due."""

READY_S = 3.0
"""Wanted of teaching, from the last stroke on, in seconds."""

_NOISE_DBFS = -75.0


@dataclass(frozen=True, slots=True)
class Case:
    """What is measured.

    Attributes
    ----------
    what, value : str
        What was changed, and to what.
    samplerate, blocksize, channels : int
        Hz, frames, and their number.
    each : bool
        Each channel has a processor of its own.
    microphones : bool
        The channels are the microphones of a taught kit of three drums.
    settings : Settings
    centres : int
        Of the model, one a class; the first are far from any hit, so all are looked at.
    drums : int
        Of a taught kit, which tells two of them in a hit; 0: nothing is taught.
    open : int
        Hits that are open all the while.
    per_second : float, optional
        Strokes; by default those of the groove.
    """

    what: str
    value: str
    samplerate: int = 44100
    blocksize: int = 64
    channels: int = 1
    each: bool = False
    microphones: bool = False
    settings: Settings = field(default_factory=lambda: Settings(classes=3))
    centres: int = 3
    drums: int = 0
    open: int = 0
    per_second: float | None = None


USUAL = Case("usual", "")


def cases() -> list[tuple[Case, Case]]:
    """All the cases, each with what it is compared with."""
    found = [
        (replace(USUAL, what="block size", value=f"{n}", blocksize=n), USUAL) for n in BLOCKSIZES
    ]
    found += [
        (replace(USUAL, what="rate", value=f"{r / 1000:g} kHz", samplerate=r), USUAL) for r in RATES
    ]
    found += [(replace(USUAL, what="channels", value=f"{n}", channels=n), USUAL) for n in CHANNELS]
    found += [
        (replace(USUAL, what="each channel", value=f"{n}", channels=n, each=True), USUAL)
        for n in EACH
    ]
    found += [
        (replace(USUAL, what="microphones", value=f"{n}", channels=n, microphones=True), USUAL)
        for n in MICROPHONES
    ]
    found += [(replace(USUAL, what="classes", value=f"{n}", centres=n), USUAL) for n in CENTRES]
    for n in COUNTS:
        settings = Settings(classes=3, features=FEATURES[:n])
        found.append((replace(USUAL, what="features", value=f"{n}", settings=settings), USUAL))
    for name in FEATURE_SETS:
        if name != "notebook":
            settings = Settings(classes=3, features=FEATURE_SETS[name])
            found.append((replace(USUAL, what="features", value=name, settings=settings), USUAL))
    found += [(replace(USUAL, what="drums taught", value=f"{n}", drums=n), USUAL) for n in DRUMS]
    quiet = replace(USUAL, what="hits a second", value="0", per_second=0.0)
    found += [(replace(quiet, what="open hits", value=f"{n}", open=n), quiet) for n in OPEN]
    found += [
        (replace(quiet, value=f"{rate:g}", per_second=rate), quiet) for rate in PER_SECOND[1:]
    ]
    return found


@cache
def _audio(seconds: float, samplerate: int, channels: int, per_second: float | None) -> Audio:
    """The groove, or strokes at a steady rate, the same on all channels, shape (n, channels)."""
    if per_second is None:
        audio = groove.render(seconds, samplerate).audio
    else:
        rng = np.random.default_rng(0)
        noise = rng.normal(0.0, 10 ** (_NOISE_DBFS / 20), round(seconds * samplerate))
        audio = noise.astype(np.float32)
        for n in range(int(seconds * per_second)):
            start = round(n / per_second * samplerate)
            sound = 0.5 * groove.hat(samplerate, rng)[: len(audio) - start]
            audio[start : start + len(sound)] += sound
    return np.ascontiguousarray(np.repeat(audio[:, None], channels, axis=1))


@cache
def _taught(drums: int) -> Teacher:
    """A teacher of so many drums, the groove's at other pitches, with all their strokes."""
    rng, rate = np.random.default_rng(0), USUAL.samplerate
    voices = (groove.kick, groove.snare, groove.hat)
    order = [(n / 2.0 + 0.5, n % drums) for n in range(drums * STROKES)]
    audio = rng.normal(0.0, 10 ** (_NOISE_DBFS / 20), int((len(order) / 2 + 1) * rate))
    for time_s, drum in order:
        sound = 0.4 * rng.uniform(0.5, 1.0) * voices[drum % 3](rate, rng)
        pitch = 2.0 ** (0.4 * (drum // 3))
        sound = np.interp(np.arange(0, len(sound) - 1, pitch), np.arange(len(sound)), sound)
        start = int(time_s * rate)
        audio[start : start + len(sound)] += sound[: len(audio) - start]
    lessons = [(time_s, f"drum {drum:02}") for time_s, drum in order]
    return lessons_of(audio.astype(np.float32), lessons, rate)


def _columns(count: int) -> list[int]:
    """Which of the three microphones each of so many is a copy of."""
    return [n % 3 for n in range(count)]


@cache
def _heard_by(count: int, seconds: float) -> Audio:
    """Lone strokes and pairs on so many microphones, three a second, shape (n, count)."""
    rng = np.random.default_rng(0)
    sets = [microphones.ALL[n % len(microphones.ALL)] for n in range(int(3 * seconds))]
    audio, _ = microphones.performance(sets, rng, apart=1 / 3)
    return np.ascontiguousarray(audio[:, _columns(count)])


@cache
def _kit(drums: int) -> Kit:
    return _taught(drums).kit(USUAL.samplerate)


def teaching(drums: int) -> dict[str, float]:
    """Seconds, and seconds of this process, from the last stroke until the kit can be played."""
    teacher = _taught(drums)
    wall, own = time.perf_counter(), time.process_time()
    processor = Processor(kit=teacher.kit(USUAL.samplerate))
    processor.prepare(USUAL.samplerate, USUAL.blocksize)
    wall, own = time.perf_counter() - wall, time.process_time() - own
    processor.close()
    return {"drums": drums, "strokes": STROKES, "wall_s": round(wall, 2), "cpu_s": round(own, 2)}


class Bed:
    """An engine made ready for a case, to be measured again and again."""

    def __init__(self, case: Case, seconds: float) -> None:
        self.case = case
        if case.microphones:
            self.audio = _heard_by(case.channels, seconds)
        else:
            self.audio = _audio(seconds, case.samplerate, case.channels, case.per_second)
        self.engine: Engine
        if case.each:
            self.engine = Channels(self._processor)
            self.engine.prepare(case.samplerate, case.blocksize, channels=case.channels)
        else:
            self.engine = self._processor()
            self.engine.prepare(case.samplerate, case.blocksize, channels=case.channels)

    def _processor(self) -> Processor:
        if self.case.microphones:
            kit = microphones.taught_kit(_columns(self.case.channels))
            return Processor(kit=kit, driver="compiled")
        if self.case.drums:
            return Processor(kit=_kit(self.case.drums), driver="compiled")
        return Processor(self.case.settings, driver="compiled")

    def run(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        """Work of each block in us, and whether a guess or a final was due in it."""
        engine, size = self.engine, self.case.blocksize
        engine.reset(forget=True)
        single = engine.processors if isinstance(engine, Channels) else [engine]
        states = engine.record
        states["synchronous"] = 0
        for processor in () if self.case.drums or self.case.microphones else single:
            publish(processor.record, _model(self.case))
        states["hits"]["stage"][:, : self.case.open] = kernel_state.GUESSING
        states["hits"]["sample"][:, : self.case.open] = _NEVER
        record: Any = states[0]
        mask = len(record["work"]) - 1
        work = np.zeros(len(self.audio) // size)
        judged = np.zeros(len(work), dtype=bool)
        hear: Any = on_block_joint if self.case.microphones else on_block
        for i in range(len(work)):
            hear(states, self.audio[i * size : (i + 1) * size], np.uint64(0), 0)
            work[i] = record["work"][(int(record["callbacks"]) - 1) & mask] / 1e3
            new = [event for processor in single for event in processor.collect()]
            judged[i] = any(isinstance(event, Guess | Final) for event in new)
        return work, judged


def load(work_us: npt.NDArray[np.float64], case: Case) -> float:
    """Share of real time that the work of all blocks takes."""
    return float(work_us.sum()) * case.samplerate / (1e6 * len(work_us) * case.blocksize)


def _model(case: Case) -> kernel_state.State:
    """A model with as many centres as the case asks for."""
    n = len(case.settings.features)
    model = np.zeros(1, kernel_state.MODEL)
    model["version"], model["n_features"] = 1, n
    model["n_centres"] = case.centres
    model["scale"][:, :, :n] = 1.0
    model["centres"][:, :, : case.centres, :n] = np.arange(case.centres, 0, -1)[:, None] * 1e6
    model["owner"][:, :, : case.centres] = np.arange(case.centres)
    model["spread"] = 1.0
    return model


def measure(case: Case, base: Case, seconds: float, turns: int) -> dict[str, Any]:
    """One row of the table: a case, turn by turn with what it is compared with."""
    beds = {"case": Bed(case, seconds), "base": Bed(base, seconds)}
    least: dict[str, npt.NDArray[np.float64]] = {}
    due = np.zeros(0, dtype=bool)
    for turn in range(turns):
        for which in list(beds)[:: 1 if turn % 2 else -1]:
            spent, judged = beds[which].run()
            least[which] = np.minimum(least.get(which, spent), spent)
            if which == "case":
                due = judged
    every = least["case"]
    loads = {which: load(least[which], beds[which].case) for which in beds}
    block_us = 1e6 * case.blocksize / case.samplerate
    cuts = percentiles(every, 2)
    return {
        "what": case.what,
        "value": case.value,
        "block_us": round(block_us, 1),
        "work_us": cuts,
        "p99_share_of_block": round(cuts["p99"] / block_us, 4),
        "judging_us": percentiles(every[due], 2),
        "load": round(loads["case"], 4),
        "ratio": round(loads["case"] / loads["base"], 3),
        "compared_with": " ".join((base.what, base.value)).strip(),
    }


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="A callback's work, one thing changed at a time, in us")
    for name in ("changed", "to", "block", "p50", "p99", "max", "p99, share"):
        table.add_column(name, justify="left" if name == "changed" else "right", no_wrap=True)
    for name in ("judging", "p99", "load", "ratio"):
        table.add_column(name, justify="right", no_wrap=True)
    last = ""
    for row in rows:
        if last and row["what"] != last:
            table.add_section()
        judging = row["judging_us"]
        table.add_row(
            row["what"] if row["what"] != last else "",
            row["value"],
            f"{row['block_us']:.0f}",
            *(f"{row['work_us'][cut]:.1f}" for cut in ("p50", "p99", "max")),
            f"{100 * row['p99_share_of_block']:.1f} %",
            *(f"{judging[cut]:.1f}" if judging else "-" for cut in ("p50", "p99")),
            f"{100 * row['load']:.2f} %",
            f"{row['ratio']:.2f}",
        )
        last = row["what"]
    return table


def main(
    seconds: Annotated[float, typer.Option(help="Of audio, each turn.", min=1.0)] = 6.0,
    turns: Annotated[int, typer.Option(min=1)] = 5,
    only: Annotated[
        list[str] | None, typer.Option(help="What is changed, in part; may be repeated.")
    ] = None,
) -> None:
    """Measure what the callback's work costs."""
    console = report_console()
    ready = [teaching(drums) for drums in DRUMS]  # before a kit of theirs was trained and kept
    rows = [measure(USUAL, USUAL, seconds, turns)]
    last = ""
    for case, base in cases():
        if only and not any(word in case.what for word in only):
            continue
        if case.what != last:
            console.print(f"{case.what} ...", style="dim")
            last = case.what
        rows.append(measure(case, base, seconds, turns))
    console.print(_table(rows))
    for one in ready:
        console.print(
            f"{one['drums']} drums, {STROKES} strokes each: ready after {one['cpu_s']:.2f} s of "
            f"the processor, {one['cpu_s'] / READY_S:.2f} of the {READY_S:g} s that are wanted; "
            f"{one['wall_s']:.2f} s on a machine as busy as this was."
        )
    console.print(
        "Judging: p50 of the blocks that judge. Ratio: of the load, to the usual one's; open hits "
        "and hits a second to silence's. The first row, the usual case against itself, shows how "
        "exact the ratios are."
    )
    if only:
        console.print("Nothing is written: this is part of the table.")
        return
    content = {"seconds": seconds, "turns": turns, "rows": rows, "teaching": ready}
    console.print(f"Written: bench/results/{write('cost', content).name}")


if __name__ == "__main__":
    typer.run(main)
