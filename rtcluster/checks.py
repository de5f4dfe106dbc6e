"""One contract suite for every feature, every clusterer and every sink, ours and yours.

Each check raises ``AssertionError`` with what was expected. In a plug-in's own tests::

    from rtcluster.checks import check_feature
    from crest import crest

    def test_crest_keeps_the_contract():
        check_feature(crest)
"""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np

from rtcluster.durations import WINDOW
from rtcluster.engine.processor import Processor
from rtcluster.events import Control, Event, MergeOffer, Microphone, ModelChange, Xrun
from rtcluster.learning.centres import Centres
from rtcluster.learning.scaling import MinMaxScaling
from rtcluster.plugins import Feature
from rtcluster.session.session import Session
from rtcluster.session.status import StatusReader
from rtcluster.settings import Settings
from rtcluster.sinks import Sink
from rtcluster.sources.groove import render

RATES = (8000, 22050, 44100, 96000, 192000)


def _windows(samplerate: int) -> list[np.ndarray[Any, np.dtype[np.float32]]]:
    """Windows that a feature meets: drums, cut ones, none at all, silence and extremes."""
    groove = render(2.0, samplerate)
    whole = WINDOW.samples(samplerate)
    hits = [groove.audio[s.sample : s.sample + whole] for s in groove.strokes]
    cut = [hits[0][:n] for n in (0, 1, 2, 3, 10)]
    odd = [np.zeros(whole), np.ones(whole), np.full(whole, 1e-40), np.tile([3e38, -3e38], whole)]
    return [np.ascontiguousarray(x, dtype=np.float32) for x in (*hits, *cut, *odd)]


def check_feature(feature: Feature | Callable[[Any, float], float]) -> None:
    """Check a feature: finite everywhere, the same twice, and it leaves the audio as it was.

    Parameters
    ----------
    feature : Feature or callable
        Made with :func:`rtcluster.plugins.feature`, or any ``f(x, samplerate)``.
    """
    for samplerate in RATES:
        for x in _windows(samplerate):
            before = x.copy()
            values = [_call(feature, x, samplerate) for _ in range(2)]
            assert np.isfinite(values[0]), (
                f"Expected a finite value, got {values[0]} for {x.size} samples at {samplerate} Hz"
            )
            assert values[0] == values[1], f"Expected the same value twice, got {values}"
            assert np.array_equal(x, before), "Expected the window to stay as it was"
    if isinstance(feature, Feature):
        kick = _windows(44100)[0]
        plain = float(feature.function(kick, 44100.0))
        assert np.isclose(_call(feature, kick, 44100), plain, rtol=1e-5), (
            "Expected the compiled feature to give what its Python source gives"
        )


def _call(feature: Feature | Callable[[Any, float], float], x: Any, samplerate: int) -> float:
    if isinstance(feature, Feature):
        from rtcluster.kernel.features import plugin_value

        return plugin_value(np.uint64(feature.compiled.address), x, float(samplerate))
    return float(feature(x, float(samplerate)))


def check_clusterer(make: Callable[..., Any]) -> None:
    """Check a clusterer: it keeps the centres it is given, and learns towards the hits.

    Parameters
    ----------
    make : callable
        ``make(centres, random)``, see :mod:`rtcluster.plugins`.
    """
    centres = np.array([[-0.5, -0.5], [0.5, 0.5]])
    estimator = make(centres.copy(), np.random.RandomState(0))
    estimator.partial_fit(centres, sample_weight=np.array([5.0, 5.0]))
    kept = np.asarray(estimator.cluster_centers_)
    assert kept.shape == centres.shape, f"Expected centres of shape (2, 2), got {kept.shape}"
    assert np.allclose(kept, centres), "Expected centres to stay where their own samples are"

    scaling = MinMaxScaling()
    scaling.learn(np.array([[0.0, 0.0], [10.0, 10.0]]))
    raw = np.array([[2.0, 2.0], [8.0, 8.0]])
    learner = Centres(
        raw, np.ones(2), np.arange(2), np.zeros((2, 2)), 0, np.random.RandomState(0), make
    )
    for _ in range(50):
        learner.learn(np.array([7.0, 9.0]), scaling)
    assert np.array_equal(learner.raw[0], raw[0]), "Expected only the nearest centre to move"
    near = np.abs(learner.raw[1] - [7.0, 9.0]).max()
    assert near < 0.5, f"Expected 50 equal hits to draw their centre near, it is {near:.2f} off"


def check_sink(make: Callable[[], Sink]) -> None:
    """Check a sink: it takes two sessions with every kind of event, and changes nothing of them.

    Its figures are fields for JSON, and asking for them changes nothing, so that the second answer
    is the first one's.

    Parameters
    ----------
    make : callable
        Makes the sink; it is closed in the end.
    """
    sink = make()
    assert isinstance(sink, Sink), f"Expected a Sink, got {type(sink).__name__}"
    try:
        for _ in range(2):
            _one_session(sink)
    finally:
        sink.close()


def _one_session(sink: Sink) -> None:
    processor = Processor(Settings(classes=3))
    processor.prepare(44100, 441)
    session = Session(processor, "a groove", (), lambda _: None)
    events: list[Event] = [
        *processor.process(render(8.0, 44100).audio),
        *processor.flush(),
        Xrun(44100, "input_overflow"),
        ModelChange(7, 44100, late=True),
        MergeOffer(0, 1),
        Microphone(44000, 44100, "silent", channel=3),
        Control(44100, "rename", {"class": 0, "name": "kick"}),
        Control(44100, "mute", {"class": 0, "muted": True}),
    ]
    _unchanged(sink.begin, session.opening())
    for event in events:
        _unchanged(sink.event, event)
    if sink.wants_status:
        _unchanged(sink.status, StatusReader(session).read())
    sink.notice("A line for people.")
    sink.finish()
    figures = [dict(sink.figures()) for _ in range(2)]
    assert figures[0] == figures[1], f"Expected the same figures twice, got {figures}"
    json.dumps(figures, allow_nan=False)
    _unchanged(sink.end, session.closing() | figures[0])
    processor.close()


def _unchanged(call: Callable[[Any], None], given: Any) -> None:
    before = deepcopy(given)
    call(given)
    assert given == before, f"Expected {call.__name__} to leave what it is given as it was"
