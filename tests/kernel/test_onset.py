from __future__ import annotations

import numpy as np
import pytest

from rtcluster.kernel import onset


def test_good_audio_reaches_the_detector_as_it_is():
    x = np.array([0.5, -0.25, 1.0, 0.0], np.float32)
    out = np.empty_like(x)
    assert onset.condition(x, out)
    assert out.tolist() == x.tolist()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_hop_with_nan_or_inf_becomes_silence(bad):
    x = np.array([0.5, bad, 0.25], np.float32)
    out = np.ones_like(x)
    assert not onset.condition(x, out)
    assert not x.any()
    assert not out.any()


def test_the_detector_sees_no_denormals_and_nothing_far_over_full_scale():
    x = np.array([1e-40, -1e-30, 1e30, -3e38], np.float32)
    out = np.empty_like(x)
    assert onset.condition(x, out)
    assert out.tolist() == [0.0, 0.0, 16.0, -16.0]
    assert x[3] == np.float32(-3e38)
