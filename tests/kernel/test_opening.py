from __future__ import annotations

import numpy as np
import pytest

from rtcluster.kernel import aubio_c, opening, spectrum
from rtcluster.kernel.detector import DETECTOR, configure

RATE, HOP, FRAME, PAST = 44100, 64, 1024, 8192


def found(audio):
    """Sample at which a stream's opening hit began; None if it began without one."""
    record = np.zeros(1, DETECTOR)
    configure(record[0], RATE, "balanced", FRAME, HOP)
    fft = aubio_c.Fft(record[0])
    padded = np.concatenate([np.zeros(PAST), audio]).astype(np.float32)
    begun = []
    for now in range(HOP, len(audio) + 1, HOP):
        recent = padded[now : now + PAST]
        spectrum.measure_bands(record[0], recent)
        record["hops"] += 1
        if record["hops"][0] > record["look"][0]:
            break
        offset = opening.opening_hit(record[0], recent)
        if offset:
            begun.append(now - offset)
    fft.close()
    assert len(begun) <= 1
    return begun[0] if begun else None


T = np.arange(RATE // 10) / RATE
NOISE = np.random.default_rng(0).standard_normal(T.size)


@pytest.mark.parametrize("level", [0.5, 0.01])
@pytest.mark.parametrize("at", [0, 200])
def test_what_decays_was_a_hit(at, level):
    audio = np.zeros(T.size)
    audio[at:] = level * (NOISE * np.exp(-T / 0.012))[: T.size - at]
    assert abs(found(audio) - at) <= 10


@pytest.mark.parametrize("level", [0.5, 1e-3])
def test_noise_that_is_there_from_the_start_is_no_hit(level):
    assert found(level * NOISE) is None


def test_hum_that_is_cut_in_is_no_hit():
    assert found(0.3 * np.sin(2 * np.pi * 50 * T + 1)) is None


def test_an_offset_is_no_hit():
    assert found(np.full(T.size, 0.3)) is None


def test_an_offset_that_goes_is_no_hit():
    assert found(np.where(T < 0.02, 0.3, 0.0)) is None


def test_silence_is_no_hit():
    assert found(np.zeros(T.size)) is None


def ringing(rise, decay, seed=1):
    """A cymbal's worth of noise that rises in so many seconds and falls in so many."""
    noise = np.random.default_rng(seed).standard_normal(T.size)
    return 0.3 * noise * np.minimum(1.0, T / rise) * np.exp(-T / decay)


@pytest.mark.parametrize("decay", [0.03, 1.0])
@pytest.mark.parametrize("at", [0, 100, 700])
def test_what_rises_from_less_was_a_hit_though_it_rings_on(at, decay):
    audio = 1e-4 * NOISE
    audio[at:] += ringing(0.002, decay)[: T.size - at]
    assert abs(found(audio) - at) <= 100


@pytest.mark.parametrize("decay", [0.05, 0.2])
def test_a_tail_that_is_cut_into_is_hardly_ever_a_hit(decay):
    """It falls as a hit does; what it lacks is a rise, but a few samples may be low by chance."""
    hits = 0
    for seed in range(40):
        noise = np.random.default_rng(seed).standard_normal(T.size)
        partials = sum(np.sin(2 * np.pi * hz * T + seed) for hz in (190, 333, 810))
        hits += found(0.2 * (noise + partials) * np.exp(-T / decay)) is not None
    assert hits <= 4  # by the fall alone nearly all were


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("colour", [-0.98, 0.0, 0.98])
def test_noise_of_any_colour_is_no_hit(colour, seed):
    white = np.random.default_rng(seed).standard_normal(T.size + 500)
    coloured = np.zeros_like(white)
    for t in range(1, white.size):
        coloured[t] = white[t] - colour * coloured[t - 1]
    assert found(0.05 * coloured[500:]) is None
