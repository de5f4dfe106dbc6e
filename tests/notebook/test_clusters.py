"""KMeans and AffinityPropagation sort hits, and say so where they cannot."""

from __future__ import annotations

import numpy as np
import pytest

from rtcluster.notebook import analyze, clusters
from rtcluster.notebook.optima import partition

AFFINITY = "0 0 0 3 2 3 0 1 0 2 3 0 1 3 2 3 0 1 0 2 3 0 2 3 2 3 0 1 0 3 0 3 2 3 3 0 0"


@pytest.mark.parametrize("algorithm", ["kmeans", "affinity"])
def test_kicks_and_hats_are_told_apart(groove, algorithm) -> None:
    result = analyze(groove.x, groove.fs, algorithm)
    drums = np.array(groove.labels)
    for label in result.classes:
        assert len(set(drums[result.labels == label])) == 1


def test_kmeans_classes_are_numbered_by_rising_zcr_whatever_the_seed(groove) -> None:
    for seed in range(8):
        result = analyze(groove.x, groove.fs, classes=3, seed=seed)
        centres = result.model.cluster_centers_
        assert (np.diff(centres[:, 0]) >= 0).all()
        np.testing.assert_array_equal(result.model.predict(result.scaled), result.labels)


def test_the_same_seed_gives_the_same_classes(groove) -> None:
    first = analyze(groove.x, groove.fs, classes=4, seed=3)
    again = analyze(groove.x, groove.fs, classes=4, seed=3)
    np.testing.assert_array_equal(first.labels, again.labels)


def test_125_bounce_gives_the_notebooks_numbers(data) -> None:
    from rtcluster.notebook import load

    sound = load(data / "loops" / "125_bounce.wav")
    result = analyze(sound.samples, sound.rate, "affinity")
    assert result.features.shape == (37, 2)
    np.testing.assert_allclose(result.scaled.min(axis=0), [-1, -1], rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.scaled.max(axis=0), [1, 1], rtol=0, atol=1e-12)
    assert " ".join(str(label) for label in result.labels) == AFFINITY


@pytest.mark.parametrize("algorithm", ["kmeans", "affinity"])
def test_a_signal_without_onset_leaves_nothing_to_sort(algorithm) -> None:
    result = analyze(np.zeros(22050), 22050, algorithm)
    assert result.labels.shape == (0,)
    assert result.model is None
    assert result.note == "No onset was found."


def test_fewer_hits_than_classes_leave_them_without_a_class(groove) -> None:
    result = analyze(groove.x, groove.fs, classes=17)
    assert result.model is None
    assert set(result.labels) == {-1}
    assert "16 onsets found: too few for 17 classes" in result.note


def test_one_hit_is_too_few_for_affinity_propagation(groove) -> None:
    result = analyze(groove.x[: int(0.3 * groove.fs)], groove.fs, "affinity")
    assert list(result.labels) == [-1]
    assert result.note.startswith("Only 1 onset found")


def test_one_hit_makes_one_class(groove) -> None:
    result = analyze(groove.x[: int(0.3 * groove.fs)], groove.fs, classes=1)
    assert list(result.labels) == [0]


def test_affinity_propagation_is_given_a_choice_of_many_hits(
    groove, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = analyze(groove.x, groove.fs, "affinity")
    monkeypatch.setattr(clusters, "AFFINITY_LIMIT", 12)
    result = analyze(groove.x, groove.fs, "affinity")
    assert "12 of the 16 hits" in result.note
    assert result.labels.shape == (16,)
    assert len(result.classes) >= 2
    assert partition(whole.labels)  # the whole still runs


@pytest.mark.parametrize(
    "options", [{"algorithm": "dbscan"}, {"classes": 0}, {"seed": -1}, {"seed": 2**32}]
)
def test_a_parameter_out_of_range_is_refused_in_one_line(options) -> None:
    with pytest.raises(ValueError, match="Expected") as caught:
        analyze(np.zeros(100), 22050, **options)
    assert "\n" not in str(caught.value)


def test_it_is_a_line_to_look_at(groove):
    result = analyze(groove.x, groove.fs, classes=3)
    sizes = ", ".join(str(size) for size in np.bincount(result.labels))
    assert repr(result) == f"<Analysis by kmeans: {len(result.labels)} hits, classes of {sizes}>"
