from __future__ import annotations

import itertools

import librosa
import numpy as np
import pytest

from rtcluster import Settings
from rtcluster.events import Classified, Final
from rtcluster.kernel import shape
from rtcluster.kernel.entry import measure_all
from rtcluster.kernel.shape import SHAPE
from rtcluster.settings import BANDS
from rtcluster.sources import groove
from tests.conftest import run

BEST = Settings(classes=3, features="best")


def measured(audio, start, rate, edges=None, top_hz=None):
    """Powers of one hit, shape (1 + stretches, BANDS)."""
    edges = edges or shape.edges_of(rate, int(0.03 * rate), int(0.09 * rate))
    record = np.zeros(1, SHAPE)
    shape.configure(record[0], rate, top_hz or 0.45 * rate, edges)
    out = np.zeros((1, 1, len(edges), BANDS), np.float32)
    measure_all(record, np.ascontiguousarray(audio[None, None], np.float32), np.array([start]), out)
    return out[0, 0]


def represented(powers, out):
    """What a hit of four stretches is judged by."""
    own = np.zeros(len(out) // 2, np.float32)
    assert shape.own_powers(powers, 4, BANDS, own) == len(own)
    return shape.represent(own, out)


@pytest.mark.parametrize("rate", [44100, 48000, 96000, 192000])
def test_the_bands_are_librosas(rate):
    audio = np.random.default_rng(1).standard_normal(rate // 5).astype(np.float32)
    start = rate // 20
    got = measured(audio, start, rate)
    edges = shape.edges_of(rate, int(0.03 * rate), int(0.09 * rate))
    frame = 1 << int(np.ceil(np.log2(0.03 * rate + 1)))
    bank = librosa.filters.mel(
        sr=rate, n_fft=frame, n_mels=BANDS, fmin=40.0, fmax=16000.0, norm=None
    )
    corners = librosa.mel_frequencies(BANDS + 2, fmin=40.0, fmax=16000.0)
    for n, (begin, end) in enumerate(itertools.pairwise(edges)):
        part = audio[start + begin : start + end].astype(np.float64)
        part -= audio[start - int(0.023 * rate) : start].mean()
        window = np.ones(len(part))
        rest = len(part) - len(part) // 2
        window[len(part) // 2 :] = 0.5 + 0.5 * np.cos(np.pi * np.arange(rest) / (rest - 1))
        power = np.abs(np.fft.rfft(part * window, frame)) ** 2
        wanted = bank @ power / (window**2).sum()
        wanted[corners[2:] > 0.45 * rate] = 0.0
        assert got[1 + n] == pytest.approx(wanted, rel=0.02, abs=1e-6)


def test_the_gain_changes_nothing():
    audio = np.random.default_rng(2).standard_normal(9000).astype(np.float32) * 0.1
    powers = measured(audio, 2000, 44100)
    for gain in (0.1, 2.0):
        again = measured(gain * audio, 2000, 44100)
        one, other = (np.zeros(2 * 4 * BANDS, np.float32) for _ in range(2))
        represented(powers, one)
        represented(again, other)
        assert one == pytest.approx(other, abs=1e-2)


def test_what_sounded_before_is_taken_away():
    rate, start = 44100, 2000
    time = np.arange(9000) / rate
    ringing = 0.3 * np.sin(2 * np.pi * 300.0 * time)
    hit = np.where(np.arange(9000) >= start, 0.3 * np.sin(2 * np.pi * 5000.0 * time), 0.0)
    alone, both = measured(hit, start, rate), measured(hit + ringing, start, rate)
    low = int(np.argmax(measured(ringing, start, rate)[1]))
    assert both[2, low] > 1e3 * alone[2, low]
    assert shape.own_power(both, 1, low) < 0.1 * both[2, low]
    high = int(np.argmax(alone[1]))
    assert shape.own_power(both, 1, high) == pytest.approx(alone[2, high], rel=0.05)


def test_a_constant_offset_changes_nothing():
    time = np.arange(9000) / 44100
    hit = np.where(np.arange(9000) >= 2000, 0.05 * np.sin(2 * np.pi * 5000.0 * time), 0.0)
    plain, offset = measured(hit, 2000, 44100), measured(hit + 0.02, 2000, 44100)
    assert offset == pytest.approx(plain, abs=1e-3 * float(plain.max()))


@pytest.mark.parametrize("audio", [np.zeros(9000), np.full(9000, 1e38), np.full(9000, 1e-39)])
def test_whatever_is_heard_gives_finite_values(audio):
    powers = measured(audio.astype(np.float32), 2000, 44100)
    out = np.zeros(2 * 4 * BANDS, np.float32)
    assert represented(powers, out) == len(out)
    assert np.isfinite(out).all()


def test_the_guess_is_an_edge_and_the_last_stretch_ends_with_the_window():
    assert shape.edges_of(44100, 882, 3969) == [0, 441, 882, 1323, 2646, 3969]
    assert shape.edges_of(44100, 1323, 2000) == [0, 441, 1323, 2000]
    assert shape.edges_of(44100, 4410, 8820) == [0, 441, 1323, 2646, 3969]
    assert shape.edges_of(44100, 100, 100) == [0, 100]


def test_the_features_that_are_bands_are_the_fourth_roots_of_one_stretch():
    drums = groove.render(2.0)
    finals = [e for e in run(drums.audio, settings=BEST) if isinstance(e, Final)]
    assert finals
    for event in finals:
        if event.overlapped or event.sample < 2000:
            continue
        powers = measured(drums.audio, event.sample, 44100, [0, int(0.06 * 44100)]).astype(float)
        own = np.maximum(powers[1] - powers[0], 0.02 * powers[1]) + 1e-12
        assert event.features == pytest.approx(own**0.25 / np.linalg.norm(own**0.25), rel=1e-5)


def test_the_features_that_are_bands_do_not_depend_on_the_gain():
    audio = groove.render(2.0).audio
    loud, soft = (
        [e.features for e in run(gain * audio, settings=BEST) if isinstance(e, Classified)]
        for gain in (np.float32(1.0), np.float32(0.125))
    )
    assert len(loud) == len(soft)
    assert np.array(soft) == pytest.approx(np.array(loud), abs=2e-3)
