"""The JAMS file, read back and judged by jams."""

from __future__ import annotations

import jams
import numpy as np
import pytest

from rtcluster import __version__
from tests.exports.conftest import HITS, LENGTH, RATE, UNITS


def test_jams_finds_nothing_wrong(exported):
    path, count = exported("jams")
    file = jams.load(str(path), validate=True, strict=True)
    assert file.validate(strict=True)
    assert count == len(HITS)
    assert file.file_metadata.duration == LENGTH / RATE
    assert file.file_metadata.title == "groove.wav"


def test_onsets_and_drums_are_annotations_of_their_own(exported):
    path, _ = exported("jams")
    file = jams.load(str(path), strict=True)
    (onsets,), (drums,) = file.search(namespace="onset"), file.search(namespace="tag_open")
    times, _ = onsets.to_event_values()
    intervals, names = drums.to_interval_values()
    samples, _, expected, _ = zip(*HITS, strict=True)
    np.testing.assert_allclose(times, np.array(samples) / RATE)
    np.testing.assert_allclose(intervals[:, 0], times)
    np.testing.assert_allclose(np.diff(intervals)[:, 0], 0.09)
    assert names == list(expected)
    assert [one.confidence for one in drums] == [0.75] * len(HITS)
    for annotation in (onsets, drums):
        about = annotation.annotation_metadata
        assert about.annotation_tools == f"rtcluster {__version__}"
        assert about.version == __version__
        assert annotation.duration == pytest.approx(LENGTH / RATE)


def test_jams_scores_the_onsets_against_themselves(exported):
    path, _ = exported("jams")
    (onsets,) = jams.load(str(path)).search(namespace="onset")
    assert jams.eval.onset(onsets, onsets)["F-measure"] == 1.0


def test_a_file_without_hits_is_valid(exported):
    path, _ = exported("jams", ())
    file = jams.load(str(path), strict=True)
    assert file.validate(strict=True)
    assert [len(annotation.data) for annotation in file.annotations] == [0, 0, 0]


def test_what_was_measured_is_a_vector_a_hit_whose_places_have_names_and_units(exported):
    path, _ = exported("jams", (*HITS, (150000, -1, "", 77)), units=UNITS)
    file = jams.load(str(path), validate=True, strict=True)
    (vectors,) = file.search(namespace="vector")
    assert [one["name"] for one in vectors.sandbox.features] == ["zcr", "energy", "air", "level"]
    assert [one["unit"] for one in vectors.sandbox.features][2:] == ["dB", "dBFS"]
    assert [one.value for one in vectors] == [[40, 2.5, n, n] for n in range(len(HITS))]
    assert [one.time for one in vectors] == [sample / RATE for sample, *_ in HITS]
