"""A day of audio through the engine, every event of it checked against the truth.

``python -m bench.soak`` plays 24 hours of :mod:`bench.drummer` as fast as it goes, for each method.
Each true hit has to be found once, hits have to be numbered and settled in order, the clock has to
be what was given, and a drum has to keep its class. Each sixth hour is the same audio again: its
onsets have to be the same to the sample, however old the engine is. The memory that the process
holds may grow by less than 1 MB once the first minute is over.

The table tells, hour by hour, what was found and how fast. Times are CPU times of this process, of
all threads and with system calls, because others use the machine too. They still change with what
the others do. So in each minute a second engine, just begun with the classes that the first one
had after a minute, hears the same ten seconds as the first one, in turns before and after it: what
the first one takes in proportion is its *age*, and has to stay within 10 %. Writes
``bench/results/soak.json``, after each hour.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer
from rich.table import Table

from bench.drummer import Audio, Drummer
from bench.report import console as report_console
from bench.report import write
from bench.witness import Witness
from rtcluster import Event, Processor, Settings
from rtcluster.kernel.onset import COUNTER_RESET
from rtcluster.learning.kit import Kit

SAMPLERATE = 44100
HOUR_S = 3600.0
REPEAT = 6
"""So often, in hours, the audio of the first hour comes again."""

COMPARED_S = 10.0
MINUTE_S = 60.0

MAX_GROWTH_MB = 1.0
_PR_SET_THP_DISABLE = 41  # linux/prctl.h
MAX_CHANGE = 0.10

METHODS = ("drums", "hfc")
COUNTED = ("hits", "misses", "extras", "doubled", "moved")

Told = Callable[[dict[str, Any]], None]


def settings_of(method: str) -> Settings:
    """For the drums that are played, whose level tells nothing."""
    return Settings(classes=3, method=method, features=("brightness", "air"), warmup=24)


def resident_mb() -> float:
    """Memory that this process holds now, in MB (2**20 bytes).

    What was freed and the C library keeps for later is given back first, where it is GNU's: how
    much that is changes with the order of other allocations, and it is no leak.
    """
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):
            ctypes.CDLL(None).malloc_trim(0)
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:  # not Linux: the most that it ever held, which is enough to see it grow
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def touched_pages_only() -> None:
    """Have Linux give this process no huge pages from now on.

    numpy asks for them for its large arrays. The kernel then makes one of 2 MB out of a few pages
    of 4 kB whenever it finds the time, hours later even, and what was reserved long ago counts as
    held: it looks like a leak and is none.
    """
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):
            ctypes.CDLL(None).prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0)


@dataclass(slots=True)
class Speed:
    """CPU times of an hour, in seconds, and how they compare with those of a young engine."""

    heard: float = 0.0
    spent: float = 0.0
    ages: list[float] = field(default_factory=list)


class Soak:
    """One engine, one drummer, one witness.

    Parameters
    ----------
    settings : Settings
    driver : {"compiled", "python"}, optional
    samplerate : int
        Hz.
    start : int
        Samples that the engine is told it has heard already, a multiple of the hop: its clock, and
        its count of aubio's frames.
    seed : int
    """

    def __init__(
        self,
        settings: Settings,
        *,
        driver: str | None = None,
        samplerate: int = SAMPLERATE,
        start: int = 0,
        seed: int = 0,
    ) -> None:
        self.samplerate = samplerate
        self.processor = Processor(settings, driver=driver)
        self.processor.prepare(samplerate)
        if start % self.processor.spans.hop:
            raise ValueError(f"Expected a multiple of {self.processor.spans.hop}, got {start}.")
        record: Any = self.processor.record[0]
        record["clock"] = start
        record["aubio_frames"] = start % COUNTER_RESET
        self.witness = Witness(samplerate, start)
        self._drummer = Drummer(samplerate, seed)
        self._young: Processor | None = None
        self._turn = False
        self._given = start
        self._start = start
        self._speed = Speed()
        self._settled_mb = 0.0
        self._growth_mb = 0.0

    def run(
        self,
        hours: int,
        *,
        hour_s: float = HOUR_S,
        repeat: int = REPEAT,
        told: Told = lambda _: None,
    ) -> dict[str, Any]:
        """Play.

        Parameters
        ----------
        hours : int
        hour_s : float
            Length of an hour in seconds, rounded to whole hops.
        repeat : int
            So often the first hour comes again.
        told : callable
            Called with the figures of each hour.

        Returns
        -------
        dict
            The figures by hour, and what was wrong: ``problems``, a list of lines.
        """
        hop = self.processor.spans.hop
        length = round(hour_s * self.samplerate / hop) * hop
        rows = []
        for hour in range(hours):
            name = 0 if hour % repeat == 0 else hour
            self._speed = Speed()
            first = self._given
            self.witness.begin_hour(first)
            began = time.process_time()
            self._play(name, length)
            if hour == hours - 1:
                self.witness.take(self.processor.flush())
                self.witness.end()
            row = {
                "hour": hour,
                "audio": name,
                **self.witness.hour(),
                "audio_s_per_cpu_s": round(self._speed.heard / self._speed.spent, 1),
                "engine_cpu_s": round(self._speed.spent, 2),
                "all_cpu_s": round(time.process_time() - began, 2),
                "age": round(median(self._speed.ages), 4) if self._speed.ages else None,
                "resident_mb": round(resident_mb(), 2),
            }
            rows.append(row)
            told(row)
        self.processor.close()
        return self.result(rows)

    def _play(self, name: int, length: int) -> None:
        """Play an hour. The beginning of each minute is kept, for both engines to hear."""
        first = self._given
        kept: list[Audio] = []
        for audio, strokes in self._drummer.play(name, length):
            self.witness.expect([(first + sample, drum) for sample, drum in strokes])
            heard = (self._given - first + sum(map(len, kept))) / self.samplerate
            if heard % MINUTE_S < COMPARED_S:
                kept.append(audio.copy())
            else:
                self._hear(kept)
                self._hear([audio])
                kept = []
        self._hear(kept)

    def _hear(self, blocks: list[Audio]) -> None:
        """Let the engine hear blocks, the young one as well if they are several."""
        if not blocks:
            return
        young = self._young if len(blocks) > 1 else None
        young_s = 0.0
        self._turn = not self._turn
        if young is not None:
            young.reset(forget=True)
            if self._turn:
                young_s = _process(young, blocks)
        spent = _process(self.processor, blocks, self.witness.take)
        if young is not None and not self._turn:
            young_s = _process(young, blocks)
        if young_s:
            self._speed.ages.append(spent / young_s)
        self._given += sum(map(len, blocks))
        self._speed.heard += sum(map(len, blocks)) / self.samplerate
        self._speed.spent += spent
        counts = self.processor.counts
        if counts.samples != self._given:
            self.witness.wrong(f"the clock is {counts.samples} where {self._given} were given")
        lost = counts.events_dropped, counts.bad_hops, counts.xruns
        if any(lost):
            self.witness.wrong(f"events dropped, hops not heard, blocks lost: {lost}")
        self._weigh(blocks)

    def _weigh(self, blocks: list[Audio]) -> None:
        """Note how the memory has grown since the first minute; always with as many blocks."""
        if len(blocks) == 1 or self._given - self._start < MINUTE_S * self.samplerate:
            return
        if self._young is None:
            self._settled_mb = self._meet_young(blocks)
        self._growth_mb = max(self._growth_mb, resident_mb() - self._settled_mb)

    def _meet_young(self, blocks: list[Audio]) -> float:
        """Make the second engine; the memory once it has all that it will ever need."""
        settings, learner = self.processor.settings, self.processor.learner
        kit = Kit.of(learner, settings, self.samplerate)
        self._young = Processor(settings, driver=self.processor.driver, kit=kit)
        self._young.prepare(self.samplerate)
        for _ in range(3):
            self._young.reset(forget=True)
            _process(self._young, blocks)
        return resident_mb()

    def result(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """Sum up the hours, with ``problems``: a list of lines that say what was wrong."""
        settings = self.processor.settings
        problems = list(self.witness.problems)
        again: dict[int, set[str]] = {}
        for row in rows:
            again.setdefault(row["audio"], set()).add(row["onsets"])
        if any(len(onsets) > 1 for onsets in again.values()):
            problems.append("the same audio had other onsets in another hour")
        ages = [row["age"] for row in rows if row["age"] is not None]
        raw = [row["audio_s_per_cpu_s"] for row in rows]
        if self._growth_mb >= MAX_GROWTH_MB:
            problems.append(f"the memory grew by {self._growth_mb:.2f} MB")
        if ages and max(ages) / min(ages) - 1.0 > MAX_CHANGE:
            problems.append(f"an hour took {max(ages) / min(ages):.3f} times what another took")
        return {
            "method": settings.method,
            "driver": self.processor.driver,
            "samplerate": self.samplerate,
            "start": self._start,
            "samples": self._given,
            "true": sum(row["true"] for row in rows),
            **{key: sum(row[key] for row in rows) for key in COUNTED},
            "classes": self.witness.classes,
            "growth_mb": round(self._growth_mb, 3),
            "age": [min(ages), max(ages)] if ages else [],
            "audio_s_per_cpu_s": [min(raw), max(raw)],
            "problems": problems,
            "hours": rows,
        }


def _process(
    processor: Processor, blocks: Iterable[Audio], take: Callable[[list[Event]], None] | None = None
) -> float:
    """CPU seconds that it took; the events go on at once, so that none of them pile up."""
    spent = 0.0
    for block in blocks:
        began = time.process_time()
        events = processor.process(block)
        spent += time.process_time() - began
        if take is not None:
            take(events)
    return spent


def _played(hours: int, *options: Any) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Hours and what they come to, one by one, from a process that does nothing else.

    What a report is made of would be weighed with the engine: rich alone keeps 2 MB in the end.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_play_hours, args=(theirs, hours, *options), daemon=True)
    process.start()
    theirs.close()
    with suppress(EOFError):
        while True:
            yield ours.recv()
    process.join()
    if process.exitcode:
        raise typer.Exit(1)


def _play_hours(
    pipe: Any,
    hours: int,
    method: str,
    driver: str | None,
    samplerate: int,
    start: int,
    seed: int,
) -> None:
    """The other process: tell each hour, and what all of them came to so far."""
    touched_pages_only()
    settings = settings_of(method)
    soak = Soak(settings, driver=driver, samplerate=samplerate, start=start, seed=seed)
    rows: list[dict[str, Any]] = []

    def told(row: dict[str, Any]) -> None:
        rows.append(row)
        pipe.send((row, soak.result(rows)))

    soak.run(hours, told=told)


def _table(runs: list[dict[str, Any]]) -> Table:
    table = Table(title="A day of drums, hour by hour")
    columns = ("method", "hour", *COUNTED, "date p99", "x real time", "age", "MB")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    for run in runs:
        for row in run["hours"]:
            table.add_row(
                run["method"], str(row["hour"]), *(str(row[key]) for key in COUNTED),
                f"{row['dating_error_ms'].get('p99', 0.0):.2f} ms",
                f"{row['audio_s_per_cpu_s']:.0f}",
                "" if row["age"] is None else f"{row['age']:.3f}", f"{row['resident_mb']:.1f}",
            )  # fmt: skip
    return table


def main(
    hours: Annotated[int, typer.Option(help="Of audio, for each method.", min=1)] = 24,
    method: Annotated[list[str] | None, typer.Option(help="Onset detectors.")] = None,
    driver: Annotated[str | None, typer.Option(help="compiled or python.")] = None,
    samplerate: Annotated[int, typer.Option(help="Hz.")] = SAMPLERATE,
    start: Annotated[int, typer.Option(help="Where the clock begins, in samples.", min=0)] = 0,
    seed: Annotated[int, typer.Option(help="Of the drums.", min=0)] = 0,
) -> None:
    """Let the engine hear drums for a day."""
    console = report_console()
    runs: list[dict[str, Any]] = []
    for name in method or METHODS:
        told: list[dict[str, Any]] = [{}]
        for row, told[0] in _played(hours, name, driver, samplerate, start, seed):
            console.print(row, style="dim")
            write("soak", {"runs": [*runs, told[0]]})
        runs.append(told[0])
    console.print(_table(runs))
    for run in runs:
        for problem in run["problems"]:
            console.print(f"{run['method']}: {problem}")
    console.print(f"Written: bench/results/{write('soak', {'runs': runs}).name}")
    if any(run["problems"] for run in runs):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
