"""Onsets and features are those of librosa's and SciPy's own calls."""

from __future__ import annotations

import subprocess
import sys

import librosa
import numpy as np
import pytest
import scipy.linalg

from rtcluster.notebook import measure, reference


def test_onsets_are_those_of_the_notebooks_call(groove) -> None:
    expected = librosa.onset.onset_detect(y=groove.x, sr=groove.fs, delta=0.04, wait=4)
    hits = measure(groove.x, groove.fs)
    np.testing.assert_array_equal(hits.onset_frames, expected)
    np.testing.assert_array_equal(hits.onset_samples, librosa.frames_to_samples(expected))


def test_each_drum_is_found_once_within_a_frame_or_two(groove) -> None:
    hits = measure(groove.x, groove.fs)
    assert len(hits) == len(groove.times)
    assert np.abs(hits.onset_times - groove.times).max() < 2.5 * reference.HOP / groove.fs


def test_features_are_those_of_the_90_ms_after_an_onset(groove) -> None:
    hits = measure(groove.x, groove.fs)
    for i, (zcr, energy) in zip(hits.onset_samples, hits.features, strict=True):
        window = groove.x[i : int(i + groove.fs * 0.090)]
        assert zcr == librosa.zero_crossings(window).sum()
        assert energy == pytest.approx(scipy.linalg.norm(window), rel=1e-6)


def test_a_window_is_cut_where_the_signal_ends() -> None:
    x = np.ones(1000, np.float32)
    features = reference.measure_at(x, 22050, [900])
    assert features[0, 1] == pytest.approx(10.0)  # the norm of the hundred ones that are left


def test_features_are_scaled_to_the_whole_of_minus_one_to_one(groove) -> None:
    hits = measure(groove.x, groove.fs)
    np.testing.assert_allclose(hits.scaled.min(axis=0), [-1, -1], rtol=0, atol=1e-12)
    np.testing.assert_allclose(hits.scaled.max(axis=0), [1, 1], rtol=0, atol=1e-12)


@pytest.mark.parametrize("frames_per_block", [7, 64, 4096])
def test_onset_strength_in_blocks_is_that_of_the_whole(
    groove, monkeypatch: pytest.MonkeyPatch, frames_per_block: int
) -> None:
    monkeypatch.setattr(reference, "_FRAMES_PER_BLOCK", frames_per_block)
    whole = librosa.onset.onset_strength(y=groove.x, sr=groove.fs)
    blocks = reference.strength_in_blocks(groove.x, groove.fs)
    np.testing.assert_allclose(blocks, whole, rtol=1e-4, atol=1e-4)


def test_a_long_signal_has_the_same_onsets(groove, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = measure(groove.x, groove.fs)
    monkeypatch.setattr(reference, "WHOLE", 1000)
    blocks = measure(groove.x, groove.fs)
    np.testing.assert_array_equal(blocks.onset_frames, whole.onset_frames)
    np.testing.assert_array_equal(blocks.features, whole.features)


@pytest.mark.parametrize("length", [0, 1, 100, 22050])
def test_silence_of_any_length_has_no_onset(length: int) -> None:
    hits = measure(np.zeros(length), 22050)
    assert len(hits) == 0
    assert hits.features.shape == hits.scaled.shape == (0, 2)


@pytest.mark.parametrize(
    ("x", "options", "words"),
    [
        (np.zeros((2, 100)), {}, "mono"),
        (np.array([0.0, np.nan]), {}, "finite"),
        (np.zeros(100), {"delta": 1.5}, "delta"),
        (np.zeros(100), {"delta": float("nan")}, "delta"),
        (np.zeros(100), {"wait": -1}, "wait"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_line(x, options, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        measure(x, 22050, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("wait", [-1, 10**20])
def test_a_wait_that_no_recording_has_is_refused(wait: int) -> None:
    with pytest.raises(ValueError, match=f"Expected a wait of 0 to 1000000 frames, got {wait}"):
        reference.check(0.04, wait)


def test_importing_the_package_imports_no_heavy_library() -> None:
    code = (
        "import sys, rtcluster.notebook as n; dir(n);"
        "print([m for m in ('librosa', 'sklearn', 'matplotlib', 'numba') if m in sys.modules])"
    )
    bare = subprocess.run(
        [sys.executable, "-c", "import sys, rtcluster;" + code.split(";", 1)[1].split(";")[-1]],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    ours = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ours.stdout == bare.stdout


def test_integers_are_scaled_by_their_type(groove) -> None:
    steps = np.round(groove.x / np.abs(groove.x).max() * 32000).astype(np.int16)
    np.testing.assert_array_equal(
        measure(steps, groove.fs).features,
        measure(steps.astype(np.float32) / 32768, groove.fs).features,
    )
