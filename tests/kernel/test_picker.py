from __future__ import annotations

import numpy as np
import pytest

from rtcluster.kernel import picker
from rtcluster.kernel.detector import DETECTOR, configure

RATE, HOP, FRAME = 44100, 64, 1024
HOP_MS = 1e3 * HOP / RATE
MASK_MS = 32.0
SOFT, USUAL, LOUD = 0.1, 0.3, 0.6


@pytest.fixture
def record():
    record = np.zeros(1, DETECTOR)
    configure(record[0], RATE, "balanced", FRAME, HOP)
    record["threshold"], record["mask"] = 0.08, MASK_MS / 1e3
    return record


NOISE = np.random.default_rng(0).uniform(-1, 1, FRAME + 10).astype(np.float32)


def pick(record, flux, level=USUAL, recent=NOISE):
    threshold = record[0]["threshold"]
    return float(picker.pick(record[0], np.float32(flux), threshold, np.float32(level), recent))


def hit(record, flux=0.4, level=USUAL):
    assert pick(record, flux, level) >= 1.0
    picker.remember_hit(record[0], np.float32(flux), np.float32(level))


def wait(record, ms, flux=0.0, level=0.0):
    """Let time pass; nothing may fire."""
    for _ in range(round(ms / HOP_MS) - 1):
        assert pick(record, flux, level) == 0.0


def test_what_is_not_over_the_threshold_does_not_fire(record):
    assert pick(record, 0.079) == 0.0
    assert pick(record, 0.081) == pytest.approx(0.081 / 0.08, rel=1e-4)


@pytest.mark.parametrize("ms", [5, 10, 15])
def test_within_half_the_mask_nothing_fires(record, ms):
    hit(record)
    wait(record, ms)
    assert pick(record, 0.5, 1.0) == 0.0


@pytest.mark.parametrize("ms", [20, 25, 30])
def test_within_the_mask_only_a_louder_hit_fires(record, ms):
    hit(record)
    wait(record, ms)
    assert pick(record, 0.5, USUAL) == 0.0
    assert pick(record, 0.5, LOUD) > 1.0


def test_after_the_mask_a_softer_hit_fires_too(record):
    hit(record)
    wait(record, 37)
    assert pick(record, 0.3, SOFT) > 1.0


def test_what_has_a_third_of_the_last_hits_flux_43_ms_later_is_its_echo(record):
    hit(record, 0.5)
    wait(record, 43)
    assert pick(record, 0.16) == 0.0


def test_and_100_ms_later_a_hit(record):
    hit(record, 0.5)
    wait(record, 100)
    assert pick(record, 0.16) > 1.0


def test_one_broad_rise_counts_once(record):
    hit(record, 0.3)
    wait(record, 40, 0.28)
    assert pick(record, 0.30) == 0.0


def test_the_last_hit_is_its_peak_though_it_fired_before(record):
    hit(record, 0.1)
    assert pick(record, 0.5) == 0.0  # still rising
    wait(record, 43)
    assert pick(record, 0.14) == 0.0


@pytest.mark.parametrize("at", [0.2, 0.5, 0.9])
def test_a_step_of_the_offset_does_not_fire(record, at):
    recent = 1e-4 * NOISE
    recent[int(at * len(recent)) :] += 0.3
    assert picker.is_step(recent, FRAME)
    assert pick(record, 0.4, recent=recent) == 0.0


@pytest.mark.parametrize("decay_ms", [0.5, 2.0, 20.0])
def test_a_hit_is_no_step(decay_ms):
    t = np.arange(len(NOISE)) - 300.0
    recent = np.where(t < 0, 0.0, NOISE * np.exp(-t.clip(0) / (decay_ms * RATE / 1e3)))
    assert not picker.is_step(recent.astype(np.float32), FRAME)


@pytest.mark.parametrize("offset", [-0.4, 0.0, 0.4])
def test_the_level_is_half_the_swing_whatever_the_offset(record, offset):
    recent = (offset + 0.25 * np.sin(np.arange(2000) / 3)).astype(np.float32)
    for _ in range(picker.LEVEL_HOPS):
        record["hops"] += 1
        level = picker.measure_level(record[0], recent)
    assert level == pytest.approx(0.25, rel=0.01)


def test_the_level_is_that_of_the_last_three_hops(record):
    def level(amplitude):
        record["hops"] += 1
        wave = amplitude * np.sin(np.arange(HOP) / 3)
        return float(picker.measure_level(record[0], wave.astype(np.float32)))

    levels = [level(a) for a in (0.5, 0.0, 0.0, 0.0)]
    assert levels[:3] == pytest.approx([0.5, 0.5, 0.5], rel=0.01)
    assert levels[3] == 0.0
