"""The features agree with librosa and scipy, always."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import scipy.linalg
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rtcluster import Final
from rtcluster.events import Classified
from rtcluster.kernel.features import energy, zero_crossings
from rtcluster.sources.groove import render
from tests.conftest import run

# Both sides of librosa's own threshold are where a mistake would be; signed zeros and denormals
# too. Of a float32 that is the threshold itself librosa 0.11 and 1.0 say different things: the one
# compares it in single precision, the other in double.
EDGES = [0.0, -0.0, 9.99999e-11, -9.99999e-11, 1.000001e-10, -1.000001e-10, 1e-45, -1e-45, 1e-38,
         3.4e38, -3.4e38, 1.0, -1.0]  # fmt: skip
samples = st.one_of(st.sampled_from(EDGES), st.floats(-1, 1, width=32))
windows = hnp.arrays(np.float32, st.integers(1, 200), elements=samples)


def reference(x):
    """What the notebook computes."""
    return int(librosa.zero_crossings(x).sum()), float(scipy.linalg.norm(x.astype(np.float64)))


def check(x):
    crossings, norm = reference(x)
    assert zero_crossings(x) == crossings
    assert energy(x) == pytest.approx(norm, rel=1e-6, abs=1e-45)


@given(windows)
def test_any_window_measures_as_librosa_and_scipy_do(x):
    check(x)


@pytest.mark.parametrize(
    "x",
    [
        np.zeros(1), np.zeros(500), -np.zeros(500), np.ones(1), -np.ones(1),
        np.full(100, 1e-45), np.tile([1e-45, -1e-45], 50), np.tile([0.0, -0.0], 50),
        np.tile([3.4e38, -3.4e38], 50), np.sin(np.arange(3969) / 7),
        np.random.default_rng(0).standard_normal(8640),
    ],
)  # fmt: skip
def test_edge_cases_measure_as_librosa_and_scipy_do(x):
    check(x.astype(np.float32))


def test_energy_agrees_with_scipys_own_float32_norm():
    x = render(1.0).audio[:3969]
    assert energy(x) == pytest.approx(float(scipy.linalg.norm(x)), rel=1e-6)


@pytest.mark.parametrize("rate", [22050, 44100, 48000, 96000])
def test_every_event_carries_the_features_of_its_own_window(rate):
    drums = render(4.0, rate)
    judged = [event for event in run(drums.audio, rate) if isinstance(event, Classified)]
    assert len([event for event in judged if isinstance(event, Final)]) == len(drums.strokes)
    for event in judged:
        x = drums.audio[event.sample : event.sample + event.span]
        crossings, norm = reference(x)
        assert (event.zcr, event.energy) == (crossings, pytest.approx(norm, rel=1e-6))
        length = 0.090 if isinstance(event, Final) else 0.030
        if not (isinstance(event, Final) and event.overlapped):
            whole = drums.audio[event.sample : int(event.sample + rate * length)]
            assert event.span == len(whole)


@pytest.mark.parametrize("name", ["125_bounce", "classic_rock_beat", "simple_loop", "cowbell"])
def test_the_loops_features_agree_with_librosas(data, name):
    channels, rate = soundfile.read(data / "loops" / f"{name}.wav", dtype="float32")
    x = librosa.to_mono(channels.T)
    judged = [event for event in run(x, rate) if isinstance(event, Classified)]
    assert judged
    for event in judged:
        crossings, norm = reference(x[event.sample : event.sample + event.span])
        assert (event.zcr, event.energy) == (crossings, pytest.approx(norm, rel=1e-6))
