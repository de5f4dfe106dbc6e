from __future__ import annotations

import numpy as np
import pytest

from rtcluster.kernel import flux
from rtcluster.kernel.detector import DETECTOR, configure

RATE, HOP = 44100, 64
HOP_MS = 1e3 * HOP / RATE
SETTLED = 60  # hops: the stream's start is over


def detector():
    record = np.zeros(1, DETECTOR)
    configure(record[0], RATE, "balanced", 1024, HOP)
    return record


def fluxes(bands):
    """The flux of each hop of bands, shape (hops, bands)."""
    record = detector()
    out = []
    for band in bands:
        record["band"][0, : len(band)] = band
        out.append(float(flux.measure_flux(record[0])))
    return np.array(out)


def expected(bands):
    """The same in plain numpy, from the module's description."""
    record = detector()
    share = record["band_weight"][0, : bands.shape[1]].astype(np.float64)
    lag, settle = round(1e3 * flux.LAG_S / HOP_MS), int(np.ceil(1e3 * flux.SETTLE_S / HOP_MS))
    fall = 10 ** (-flux.FALL_DB_MS * HOP_MS / 20)
    rise = 10 ** (flux.BACKGROUND_RISE_DB_S * HOP_MS / 1e3 / 20)
    keep = np.exp(-HOP_MS / 1e3 / flux.BACKGROUND_FALL_S)
    down, floor = 10 ** (-flux.NEIGHBOUR_DB / 20), flux.FLOOR
    envelope = np.zeros((len(bands) + lag, bands.shape[1]))
    background, out = bands[0], []
    for h, now in enumerate(bands):
        if h < settle:
            background = now
        else:
            lower = now + (background - now) * keep
            higher = np.minimum(now, np.maximum(background, floor) * rise)
            background = np.where(now < background, lower, higher)
        envelope[h + lag] = np.maximum(now, fall * envelope[h + lag - 1])
        past = np.pad(envelope[h], 1)
        heard = np.maximum(past[1:-1], down * np.maximum(past[:-2], past[2:]))
        base = floor + flux.BACKGROUND_GAIN * background
        new = np.log10((now + base) / (heard + base)).clip(0.0, flux.CAP)
        out.append(0.0 if h < settle else float(share @ new))
    return np.array(out)


def count():
    return int(detector()["bands"][0])


@pytest.mark.parametrize("seed", range(3))
def test_the_flux_is_that_of_a_plain_computation(seed):
    rng = np.random.default_rng(seed)
    walk = rng.normal(0, 2.0, (400, count())).cumsum(axis=0) + rng.normal(0, 4, (400, count()))
    walk[200:300] += 40  # two hits, one of them soft
    walk[100:130] += 8
    bands = 10 ** ((walk - 60) / 20)
    want = expected(bands.astype(np.float32).astype(np.float64))
    assert want.max() > 0.3
    assert fluxes(bands) == pytest.approx(want, abs=1e-5)


def test_what_goes_on_as_it_was_is_not_new():
    assert fluxes(np.full((300, count()), 0.1)).max() == 0.0


def test_a_stream_that_begins_is_not_new():
    assert fluxes(np.full((SETTLED, count()), 0.5)).max() == 0.0


def hit(level, after=20, before=1e-6):
    bands = np.full((SETTLED + after, count()), before)
    bands[SETTLED:] = level
    return bands


def test_all_bands_new_is_the_cap_and_lasts_as_long_as_the_lag():
    found = fluxes(hit(0.1))
    lag = int(detector()["lag"][0])
    assert found[SETTLED : SETTLED + lag] == pytest.approx(flux.CAP, rel=1e-5)
    assert found[SETTLED + lag] == 0.0


def test_one_band_cannot_outvote_the_others():
    bands = np.full((SETTLED + 5, count()), 1e-6)
    bands[SETTLED:, 12] = 1.0
    share = float(detector()["band_weight"][0, 12])
    assert fluxes(bands).max() == pytest.approx(share * flux.CAP, rel=1e-4)


def test_the_level_does_not_count_over_the_floor():
    rng = np.random.default_rng(1)
    bands = rng.uniform(0.01, 0.02, (SETTLED + 20, count()))
    bands[SETTLED:] *= 1.8
    loud, soft = fluxes(bands), fluxes(bands / 10)
    assert loud.max() > 0.05
    assert soft == pytest.approx(loud, abs=0.01)


def test_a_pitch_that_glides_into_the_next_band_is_less_new_than_one_that_leaps():
    def step(to):
        bands = np.full((SETTLED + 5, count()), 1e-6)
        bands[:SETTLED, 10] = 0.1
        bands[SETTLED:, to] = 0.1
        return fluxes(bands).max()

    assert step(11) < 0.9 * step(14)


def test_a_short_gap_is_bridged():
    """A band that is 20 dB down for 6 ms, as beating partials are, is not new when it is back."""
    bands = np.full((SETTLED + 60, count()), 0.1)
    bands[SETTLED : SETTLED + 4] *= 0.1
    assert fluxes(bands).max() < 0.06


def test_after_a_long_gap_the_same_level_is_new_again():
    bands = np.full((SETTLED + 200, count()), 0.1)
    bands[SETTLED : SETTLED + 100] = 1e-4
    assert fluxes(bands).max() == pytest.approx(flux.CAP, rel=0.01)
