"""The soak test in short, and around the wraps that a day of audio reaches."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

import numpy as np
import pytest

from bench.drummer import Drummer
from bench.soak import Soak, settings_of
from bench.witness import Spread, Witness
from rtcluster import Processor, Settings
from rtcluster.events import Final, Guess, Onset

RATE = 44100
HOUR_S = 12.0
HOP = 64


def soak(method: str, driver: str | None, start: int, hours: int, **options: Any) -> dict[str, Any]:
    """What a short soak comes to; run in a process that does nothing else."""
    return Soak(settings_of(method), driver=driver, start=start).run(hours, **options)


def near(wrap: int) -> int:
    """A start from which the second of three short hours goes over a wrap."""
    return wrap - round(1.5 * HOUR_S * RATE / HOP) * HOP


@pytest.mark.parametrize(
    ("method", "driver", "start"),
    [
        ("drums", "compiled", 0),
        ("drums", "compiled", near(1 << 31)),
        ("drums", "python", near(1 << 32)),
        ("hfc", "compiled", near(1 << 32)),
        ("hfc", "python", near(1 << 32)),
    ],
)
def test_no_hit_is_lost_or_doubled(weighed: Executor, method: str, driver: str, start: int) -> None:
    played = weighed.submit(soak, method, driver, start, 3, hour_s=HOUR_S, repeat=2)
    result = played.result(timeout=300)
    assert result["problems"] == []
    assert result["hits"] == result["true"] > 50
    assert (result["misses"], result["extras"], result["doubled"]) == (0, 0, 0)
    assert [row["audio"] for row in result["hours"]] == [0, 1, 0]
    assert result["samples"] == start + 3 * round(HOUR_S * RATE / HOP) * HOP
    assert max(row["dating_error_ms"]["max"] for row in result["hours"]) < 1.0


def test_a_drum_keeps_its_class_and_the_memory_its_size(weighed: Executor) -> None:
    result = weighed.submit(soak, "drums", None, 0, 1, hour_s=200.0).result(timeout=300)
    assert result["problems"] == []
    assert len(set(result["classes"].values())) == 3
    assert result["moved"] == 0
    assert result["growth_mb"] < 1.0
    assert 0.5 < result["age"][0] < 2.0


def test_the_same_hour_is_the_same_audio() -> None:
    once, again = (
        [block.copy() for block, _ in Drummer(RATE, 0).play(3, RATE * 20)] for _ in range(2)
    )
    assert sum(map(len, once)) == RATE * 20
    assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))
    assert np.abs(np.concatenate(once)).max() < 1.0


def test_strokes_are_where_the_truth_says() -> None:
    audio, strokes = [], []
    for block, due in Drummer(RATE, 1).play(0, RATE * 30):
        audio.append(block.copy())
        strokes += due
    whole = np.concatenate(audio)
    assert len(strokes) > 20
    for sample, _ in strokes:
        before, after = whole[sample - 220 : sample - 20], whole[sample : sample + 200]
        assert np.ptp(after) > 2 * np.ptp(before)


def onset(number: int, sample: int) -> Onset:
    return Onset(number, sample, round(sample / RATE, 6), sample + 64, 64, 1.0)


def judged(kind: type, number: int, sample: int, emitted: int, class_: int = 0) -> Guess:
    return kind(number, sample, emitted, class_, "", 0.0, 1, 1.0, 1, 64)


def witnessed(events: list, strokes: list[tuple[int, str]]) -> Witness:
    witness = Witness(RATE, 0)
    witness.expect(strokes)
    witness.take(events)
    witness.end()
    return witness


def whole(number: int, sample: int) -> list:
    return [
        onset(number, sample),
        judged(Guess, number, sample, sample + 1400),
        judged(Final, number, sample, sample + 4000),
    ]


def test_a_hit_that_is_found_counts_once() -> None:
    found = witnessed(whole(0, 10_001), [(10_000, "kick")])
    assert found.problems == []
    assert found.counts["hits"] == 1
    assert found.hour()["dating_error_ms"]["max"] == 0.023


@pytest.mark.parametrize(
    ("events", "count"),
    [
        ([], {"misses": 1}),
        (whole(0, 20_000), {"misses": 1, "extras": 1}),
        ([*whole(0, 10_000), *whole(1, 10_300)], {"hits": 1, "extras": 1, "doubled": 1}),
    ],
)
def test_what_is_lost_or_doubled_is_counted(events: list, count: dict[str, int]) -> None:
    ordered = sorted(events, key=lambda event: event.emitted)
    counts = witnessed(ordered, [(10_000, "kick")]).counts
    assert {key: counts[key] for key in count} == count


@pytest.mark.parametrize(
    ("events", "problem"),
    [
        (whole(1, 10_000), "id 1 came after -1"),
        (whole(0, 10_000)[:2], "1 hits were never settled"),
        ([onset(0, 10_000), *whole(0, 10_000)[2:]], "Final where guess was due"),
        ([*whole(0, 10_000), whole(0, 10_000)[2]], "Final where nothing was due"),
        ([*whole(0, 10_000), *whole(1, 9_000)], "is no later than the last"),
    ],
)
def test_what_is_out_of_order_is_a_problem(events: list, problem: str) -> None:
    assert any(problem in line for line in witnessed(events, [(10_000, "kick")]).problems)


def test_a_drum_that_changes_its_class_is_counted() -> None:
    minute = 60 * RATE
    events: list = []
    for number, (sample, class_) in enumerate(
        [(RATE, 1), (minute + RATE, 1), (minute + 2 * RATE, 0)]
    ):
        events += [*whole(number, sample)[:2], judged(Final, number, sample, sample + 4000, class_)]
    found = witnessed(events, [(event.sample, "kick") for event in events if type(event) is Onset])
    assert found.counts["moved"] == 1


def test_percentiles_need_no_values() -> None:
    spread = Spread(0, 100)
    for value in range(1, 101):
        spread.add(value)
    assert spread.percentiles(2.0) == {"p50": 100.0, "p95": 190.0, "p99": 198.0, "max": 200.0}
    assert Spread(0, 1).percentiles(1.0) == {}


def test_a_clock_that_drifts_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    soak = Soak(Settings(classes=3))
    process = Processor.process
    monkeypatch.setattr(Processor, "process", lambda self, block: process(self, block[:-1]))
    result = soak.run(1, hour_s=3.0)
    assert any(line.startswith("the clock is") for line in result["problems"])
