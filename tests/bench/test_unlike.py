"""The benchmark of strokes that are unlike the others of their drum, on drums that are clear."""

from __future__ import annotations

import numpy as np
import pytest

from bench import unlike


@pytest.fixture(scope="module")
def drawn():
    random = np.random.default_rng(0)
    drums = np.eye(3, 20)[:, None] + random.normal(0, 0.01, (3, 12, 20))
    kit = dict(zip(("kick", "tom_low", "tom_mid"), drums, strict=True))
    return list(unlike.lessons("a kit", kit, random))


def test_a_stroke_of_a_clear_drum_is_told_and_the_others_are_not(drawn):
    assert len(drawn) == 3 * unlike.LESSONS
    assert sum(bool(one.other) for one in drawn) == len(drawn) // 2
    assert unlike.shares(drawn, 0.15) == (0.0, 1.0, 1.0)
    assert unlike.shares(drawn, 9.0) == (0.0, 0.0, 0.0)
    assert unlike.choose(drawn) < 0.15


def test_a_source_counts_as_one_and_a_tom_is_a_tom():
    made = [
        *[unlike.Lesson("a", "kick", "tom_low", 1.0)] * 6,
        unlike.Lesson("a", "tom_mid", "tom_low", 0.0),
        unlike.Lesson("b", "kick", "snare", 0.0),
        unlike.Lesson("b", "kick", "", 0.2),
        unlike.Lesson("a", "kick", "", 0.0),
    ]
    assert unlike.shares(made, 0.1) == (0.5, 0.25, 0.5)
    assert unlike.choose(made) == 0.2
