"""The streaming engine on the same samples.

The only module here that knows the engine, and only by its event schema: it imports the engine
inside `run`, so everything else works without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rtcluster.notebook.audio import Tick, silent

if TYPE_CHECKING:
    from rtcluster.engine.processor import Processor

BLOCK = 4096
"""Samples given to the engine at once; any size gives the same events."""


@dataclass(frozen=True, slots=True, eq=False)
class EngineRun:
    """What the engine made of a signal.

    Parameters
    ----------
    samplerate : int
        Sampling rate in Hz.
    events : tuple of dict
        Every event in order, as objects of the event schema.
    settings : dict
        The engine's settings.
    onset_samples : ndarray of int64, shape (n_hits,)
        First sample of each hit, rising.
    spans : ndarray of int64, shape (n_hits,)
        Length of each hit's window in samples; 0 where no final came.
    features : ndarray of float64, shape (n_hits, 2)
        The finals' zero crossings and energy.
    labels : ndarray of int64, shape (n_hits,)
        The finals' classes, relabels applied; -1 where there is none.
    latency : dict of str to ndarray of int64
        ``emitted - sample`` in samples, of the events "onset", "guess" and "final".
    """

    samplerate: int
    events: tuple[dict[str, Any], ...]
    settings: Mapping[str, Any]
    onset_samples: NDArray[np.int64]
    spans: NDArray[np.int64]
    features: NDArray[np.float64]
    labels: NDArray[np.int64]
    latency: Mapping[str, NDArray[np.int64]]

    @property
    def onset_times(self) -> NDArray[np.float64]:
        """First sample of each hit in s, shape (n_hits,)."""
        return self.onset_samples / self.samplerate

    @property
    def classes(self) -> NDArray[np.int64]:
        """The classes that it was asked for, in order, and any other that a hit has."""
        asked = np.arange(int(self.settings.get("classes", 0)))
        return np.union1d(asked, self.labels[self.labels >= 0])


def run(
    x: NDArray[np.float32],
    fs: int,
    classes: int = 2,
    *,
    engine: Processor | None = None,
    tick: Tick = silent,
) -> EngineRun:
    """Give a signal to the streaming engine, block by block.

    Parameters
    ----------
    x : ndarray of float32, shape (n_samples,)
        Mono signal.
    fs : int
        Sampling rate in Hz.
    classes : int
        Classes that the engine learns.
    engine : Processor, optional
        A fresh processor; by default ``Processor(Settings(classes=classes))``.
    tick : callable
        Told the samples given and all samples.

    Returns
    -------
    EngineRun
        Events and, hit by hit, what they say.

    Raises
    ------
    ImportError, OSError
        If the engine is not installed, or one of its libraries does not load.
    ValueError
        If its settings refuse the number of classes.
    """
    settings: Mapping[str, Any] = {"classes": classes}
    if engine is None:
        from rtcluster import Processor, Settings

        chosen = Settings(classes=classes)
        settings = chosen.as_dict()
        engine = Processor(chosen)
    engine.prepare(samplerate=fs, blocksize=BLOCK)
    events: list[dict[str, Any]] = []
    for start in range(0, len(x), BLOCK):
        block = np.ascontiguousarray(x[start : start + BLOCK], np.float32)
        events += [event.as_dict() for event in engine.process(block)]
        tick(min(start + BLOCK, len(x)), len(x))
    events += [event.as_dict() for event in engine.flush()]
    return digest(events, fs, settings)


def digest(events: Iterable[dict[str, Any]], fs: int, settings: Mapping[str, Any]) -> EngineRun:
    """Gather events into one row per hit.

    Parameters
    ----------
    events : iterable of dict
        Objects of the event schema, in order.
    fs : int
        Sampling rate in Hz.
    settings : dict
        The engine's settings.

    Returns
    -------
    EngineRun
        Hits in order of time; a hit without a final has class -1, span 0 and features 0.
    """
    kept = tuple(events)
    onsets: dict[int, int] = {}
    finals: dict[int, dict[str, Any]] = {}
    labels: dict[int, int] = {}
    latency: dict[str, list[int]] = {"onset": [], "guess": [], "final": []}
    for event in kept:
        kind = event["event"]
        if kind in latency:
            latency[kind].append(int(event["emitted"]) - int(event["sample"]))
        if kind in ("onset", "final"):
            onsets[event["id"]] = int(event["sample"])
        if kind == "final":
            finals[event["id"]] = event
        if kind in ("final", "relabel"):
            labels[event["id"]] = int(event["class"])
    ids = sorted(onsets, key=lambda i: (onsets[i], i))
    empty = {"zcr": 0, "energy": 0.0, "span": 0}
    rows = [finals.get(i, empty) for i in ids]
    return EngineRun(
        samplerate=fs,
        events=kept,
        settings=settings,
        onset_samples=np.array([onsets[i] for i in ids], np.int64),
        spans=np.array([row["span"] for row in rows], np.int64),
        features=np.array([(row["zcr"], row["energy"]) for row in rows], float).reshape(-1, 2),
        labels=np.array([labels.get(i, -1) for i in ids], np.int64),
        latency={kind: np.array(values, np.int64) for kind, values in latency.items()},
    )
