from __future__ import annotations

import numpy as np
import pytest

from rtcluster.kernel import attack
from rtcluster.kernel.detector import NEVER

RATE = 44100


def background(kind, rng, n):
    t = np.arange(n) / RATE
    if kind == "silence":
        return np.zeros(n)
    if kind == "noise":
        return 1e-3 * rng.standard_normal(n)
    if kind == "hum":
        return 0.02 * np.sin(2 * np.pi * 50 * t) + 0.01 * np.sin(2 * np.pi * 150 * t)
    if kind == "offset":
        return np.full(n, 0.1)
    assert kind == "ringing tom"
    return 0.3 * np.sin(2 * np.pi * 110 * t) * np.exp(-t / 0.4)


def found(x, delay, previous=NEVER):
    scratch = np.zeros(attack.WORK)
    search = int(attack.SEARCH_S * RATE)
    offset = attack.attack_start(x.astype(np.float32), len(x), previous, search, RATE, scratch)
    return len(x) - offset


@pytest.mark.parametrize("delay", [80, 200, 500])
@pytest.mark.parametrize("kind", ["silence", "noise", "hum", "offset", "ringing tom"])
def test_the_attack_is_found_to_the_millisecond_on_any_background(kind, delay):
    late = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x = background(kind, rng, 6000)
        start = len(x) - delay
        t = np.arange(delay) / RATE
        x[start:] += 0.5 * rng.standard_normal(delay) * np.exp(-t / 0.03)
        late.append(found(x, delay) - start)
    assert abs(np.median(late)) <= 22  # 0.5 ms
    assert np.median(np.abs(late)) <= 22


def test_the_start_of_the_hit_before_is_never_found_again():
    rng = np.random.default_rng(0)
    x = np.zeros(6000)
    x[5000:] = 0.5 * rng.standard_normal(1000)
    assert found(x, 0, previous=1000) > 5000 + attack.SETTLE_S * RATE - 1


@pytest.mark.parametrize("n", [1, 2, 10, 100])
def test_a_stream_that_has_only_just_begun_is_no_trouble(n):
    x = np.ones(4000, np.float32)
    scratch = np.zeros(attack.WORK)
    assert 1 <= attack.attack_start(x, n, NEVER, 600, RATE, scratch) <= max(n, 1)


def test_the_level_leaves_out_what_sounded_before():
    rng = np.random.default_rng(0)
    x = (0.05 * np.sin(np.arange(6000) / 20)).astype(np.float32)
    x[5800:] += (0.5 * np.sign(rng.standard_normal(200))).astype(np.float32)
    assert attack.attack_level(x, 6000, 200, RATE) == pytest.approx(-6.0, abs=1.0)
