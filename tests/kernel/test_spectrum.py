from __future__ import annotations

import numpy as np
import pytest

from rtcluster.kernel import aubio_c, spectrum
from rtcluster.kernel.detector import DETECTOR, configure
from rtcluster.presets import PRESETS


def detector(rate=44100, frame=1024, hop=64):
    record = np.zeros(1, DETECTOR)
    configure(record[0], rate, "balanced", frame, hop)
    return record


def measured(record, recent):
    """The bands, by aubio's FFT in compiled code."""
    fft = aubio_c.Fft(record[0])
    spectrum.measure_bands(record[0], recent)
    fft.close()
    return record["band"][0, : record["bands"][0]].copy()


def expected(recent, rate, frame, peak):
    """The same in plain numpy: triangles a quarter octave to either side of each centre."""
    rise = round(peak * frame)
    t = np.arange(frame) + 0.5
    window = np.where(
        t < rise,
        np.sin(np.pi / 2 * t / rise) ** 2,
        np.cos(np.pi / 2 * (t - rise) / (frame - rise)) ** 2,
    )
    bins = np.abs(np.fft.rfft(recent[-frame:] * window * 2 / window.sum()))
    bins[[0, -1]] = 0.0
    hz, width = np.fft.rfftfreq(frame, 1 / rate), rate / frame
    bands, centre = [], 220.0
    while centre <= 17000 and centre * 2**0.25 <= rate / 2:
        below = min(centre * 2**-0.25, centre - width)
        above = max(centre * 2**0.25, centre + width)
        triangle = np.interp(hz, [below, centre, above], [0, 1, 0])
        triangle[[0, -1]] = 0.0
        bands.append(triangle @ bins / triangle.sum())
        centre *= 2**0.25
    return np.array(bands)


@pytest.mark.parametrize(
    ("rate", "frame"),
    [(8000, 256), (22050, 512), (44100, 512), (44100, 1024), (48000, 1024), (96000, 2048)],
)
def test_the_bands_are_those_of_a_plain_computation(rate, frame):
    rng = np.random.default_rng(rate)
    recent = rng.uniform(-1, 1, frame + 1000).astype(np.float32)
    bands = measured(detector(rate, frame), recent)
    assert bands == pytest.approx(
        expected(recent.astype(np.float64), rate, frame, PRESETS["balanced"].peak), rel=1e-5
    )


def test_a_sine_of_full_scale_is_full_scale_in_its_bin():
    record, k = detector(), 100
    recent = np.sin(2 * np.pi * k / 1024 * np.arange(2048)).astype(np.float32)
    measured(record, recent)
    assert record["magnitude"][0, k] == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("frame", [256, 512, 1024])
@pytest.mark.parametrize("peak", [0.6, 0.75, 0.85])
def test_the_window_rises_slowly_and_falls_fast(frame, peak):
    window = spectrum.lopsided_window(frame, peak)
    top = round(peak * frame)
    assert window.shape == (frame,)
    assert window.argmax() in (top - 1, top)
    assert window.max() == pytest.approx(1.0, abs=1e-3)
    assert (np.diff(window[:top]) > 0).all()
    assert (np.diff(window[top:]) < 0).all()
    assert window[0] < 1e-3
    assert window[-1] < 2e-3


def test_the_newest_samples_count_at_once():
    """An attack that has been in the frame for 2 ms is within 20 dB of what it will be."""
    rng = np.random.default_rng(0)
    recent = np.zeros(4096, np.float32)
    recent[-88:] = rng.standard_normal(88)
    new = measured(detector(), recent)
    recent[-1024:] = rng.standard_normal(1024)
    whole = measured(detector(), recent)
    assert np.median(20 * np.log10(new / whole)) > -20


def test_nothing_does_lasting_harm():
    recent = np.zeros(2048, np.float32)
    recent[-500:] = 3e38
    recent[-400:] = 1e-40
    bands = measured(detector(), recent)
    assert np.isfinite(bands).all()
    assert bands.max() <= 2 * spectrum.LOUDEST


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 192000])
def test_no_band_reaches_over_the_nyquist_frequency(rate):
    centres = spectrum.band_centres(rate)
    assert centres[-1] * 2**0.25 <= rate / 2
    assert len(centres) <= spectrum.MAX_BANDS


@pytest.mark.parametrize("rate", [8000, 44100, 192000])
def test_the_shares_of_the_bands_make_a_whole(rate):
    frame = int(1024 * 2.0 ** round(np.log2(rate / 44100)))
    record = detector(rate, frame)
    assert record["band_weight"].sum() == pytest.approx(1.0)
