"""The engine's events become one row per hit."""

from __future__ import annotations

import numpy as np

from rtcluster.notebook import engine


def test_hits_and_latencies_are_taken_from_the_events(groove, fake_engine) -> None:
    run = engine.run(groove.x, groove.fs, 2)
    assert len(run.onset_samples) == len(groove.times)
    np.testing.assert_allclose(run.onset_samples / groove.fs, groove.times + 0.003, atol=1e-4)
    assert set(run.latency["onset"]) == {128}
    assert set(run.latency["guess"]) == {672}
    assert set(run.latency["final"]) == {2048}


def test_relabels_give_the_first_hits_their_class(groove, fake_engine) -> None:
    run = engine.run(groove.x, groove.fs, 2)
    assert list(run.labels) == [i % 2 for i in range(len(groove.times))]


def test_every_sample_reaches_the_engine_once_and_in_order(groove, new_engine) -> None:
    heard = new_engine()
    told: list[int] = []
    engine.run(groove.x, groove.fs, 2, engine=heard, tick=lambda done, _: told.append(done))
    assert told[-1] == len(groove.x)
    assert told == sorted(set(told))
    np.testing.assert_array_equal(np.concatenate(heard.blocks), groove.x)


def test_classes_are_those_asked_for_and_those_that_hits_have(groove, fake_engine) -> None:
    run = engine.run(groove.x, groove.fs, 4)
    assert set(run.labels) == {0, 1}
    assert list(run.classes) == [0, 1, 2, 3]
    events = [{"event": "final", "id": 0, "sample": 9, "emitted": 99, "class": 5, "span": 90}]
    rejected = [{"event": "final", "id": 1, "sample": 9, "emitted": 99, "class": -2, "span": 90}]
    finals = [{"zcr": 1, "energy": 1.0, **event} for event in events + rejected]
    assert list(engine.digest(finals, 22050, {}).classes) == [5]


def test_a_hit_without_a_final_has_no_class() -> None:
    onset = {"event": "onset", "id": 0, "sample": 100, "emitted": 164}
    run = engine.digest([onset], 22050, {})
    assert list(run.labels) == [-1]
    assert list(run.spans) == [0]
    assert run.features.shape == (1, 2)


def test_no_event_is_no_hit() -> None:
    run = engine.digest([], 22050, {})
    assert run.onset_samples.shape == (0,)
    assert run.features.shape == (0, 2)


def test_events_of_other_kinds_are_kept_and_change_nothing() -> None:
    events = [{"event": "model", "version": 1, "effective": 5}, {"event": "news", "id": 3}]
    run = engine.digest(events, 22050, {})
    assert run.events == tuple(events)
    assert len(run.onset_samples) == 0


def test_the_real_engine_measures_what_librosa_measures(groove) -> None:
    from rtcluster.notebook.compare import check_features

    run = engine.run(groove.x, groove.fs, 2)
    assert len(run.onset_samples)
    check = check_features(groove.x, groove.fs, run.onset_samples, run.spans, run.features)
    assert check.equal_zcr == check.hits
    assert check.energy_error < 1e-6


def test_the_optimum_nearest_to_the_engines_classes_is_named(groove, fake_engine, tmp_path) -> None:
    from rtcluster.notebook import Recording, analyze, results, survey

    result = analyze(groove.x, groove.fs, classes=2)
    recording = Recording(groove.x, groove.fs, tmp_path / "groove.wav", groove.fs, 1)
    run = engine.run(groove.x, groove.fs, 2)
    found = survey(result.scaled, 3, starts=50)
    assert len(found.optima) > 1
    duel = results.face(recording, result, run, found)
    assert duel.nearest is not None
    assert duel.nearest[0] in found.optima
    assert (
        duel.nearest[1] >= results.compare.agree(found.optima[0].labels, run.labels).adjusted_rand
    )
    assert duel.classes.adjusted_rand == 1.0
