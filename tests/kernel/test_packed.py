"""The FFT that stands for aubio's."""

from __future__ import annotations

import json
import subprocess
import sys

import aubio
import numpy as np
import pytest
import scipy.fft

from rtcluster import Processor, Settings
from rtcluster.kernel import packed
from rtcluster.kernel.aubio_c import FVEC
from rtcluster.sources import groove


def transformed(x):
    """The complex bins by our own FFT."""
    frame = len(x)
    own, out = packed.tables(frame), np.zeros(frame, np.float32)
    source, target = np.zeros(1, FVEC), np.zeros(1, FVEC)
    source[0], target[0] = (frame, x.ctypes.data), (frame, out.ctypes.data)
    packed.do_complex(own.ctypes.data, source.ctypes.data, target.ctypes.data)
    bins = out[: frame // 2 + 1].astype(complex)
    bins[1:-1] += 1j * out[: frame // 2 : -1]
    return bins


@pytest.mark.parametrize("frame", [64, 128, 512, 1024, 2048, 4096, 8192])
def test_the_fft_is_that_of_scipy_and_that_of_aubio(frame):
    x = np.random.default_rng(frame).standard_normal(frame).astype(np.float32)
    out, exact = transformed(x), scipy.fft.rfft(x.astype(np.float64))
    by_aubio = np.array(aubio.fft(frame)(x).norm)
    loudest = abs(exact).max()
    assert abs(out - exact).max() < 3e-7 * loudest
    assert abs(abs(out) - by_aubio).max() < 6e-7 * loudest


WITHOUT = """
import importlib.util, json, sys

find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "aubio._aubio" else find(name, *rest)

from rtcluster import Processor, Settings
from rtcluster.sources import groove

heard = {}
for method in ("drums", "hfc"):
    processor = Processor(Settings(classes=3, method=method))
    processor.prepare(44100)
    found = processor.process(groove.render(6.0).audio)
    events = [event.as_dict() for event in found + processor.flush()]
    heard[method] = (processor.driver, events)
try:
    Processor(Settings(method="hfc"), driver="compiled")
except Exception as error:
    heard["error"] = str(error)
json.dump(heard, sys.stdout)
"""


def test_without_aubios_c_functions_the_default_detector_is_compiled_and_hears_the_same():
    child = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True, timeout=300
    )
    heard = json.loads(child.stdout)
    assert [heard[method][0] for method in ("drums", "hfc")] == ["compiled", "python"]
    assert "hfc and the compiled driver" in heard["error"]
    for method in ("drums", "hfc"):
        processor = Processor(Settings(classes=3, method=method))
        processor.prepare(44100)
        found = processor.process(groove.render(6.0).audio)
        events = [event.as_dict() for event in found + processor.flush()]
        assert len(events) > 60
        for mine, other in zip(events, heard[method][1], strict=True):
            if mine["event"] == "onset":
                assert other.pop("strength") == pytest.approx(mine.pop("strength"), abs=1e-4)
            assert json.loads(json.dumps(mine)) == other
