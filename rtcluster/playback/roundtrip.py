"""How long sound takes out of the sound card and back in, heard by the detector itself.

The compiled callback plays pings at frames of the output that are known beforehand; input and
output are counted by the same clock. The detector dates each ping where it comes back. From the
difference goes what the detector is known to date this very ping late by: the same samples are
run through it without a sound card (:func:`bias`). What is left is the way from the callback
out and back to it.

Runs on the main thread; the audio thread is the callback's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rtcluster.engine.processor import Processor
from rtcluster.errors import SettingsError
from rtcluster.events import Onset
from rtcluster.playback.clicks import Pings
from rtcluster.session.collect import PERIOD_S, collected
from rtcluster.settings import Settings
from rtcluster.sources.live import LiveInput
from rtcluster.timing import Stop

FIRST_S = 1.0
"""The first ping begins so long after the stream, in seconds: by then the detector is at ease."""

SLACK_S = 0.001
"""By so much a ping may seem to come before it was played, in seconds."""

_PROBES = 16  # pings that the bias is measured with: places in a hop

STILL_S = 5.0
"""A stream without audio for so long has stopped, in seconds; a slow one is waited for."""

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """What became of the pings.

    Attributes
    ----------
    samplerate : int
        Hz.
    played : int
        Pings.
    samples : ndarray of int64, shape (n_found,)
        Round trip of each that came back once, in samples.
    own : ndarray of int64, shape (n_found,)
        The detector's own share, which comes on top: from the attack to the onset event.
    missing, ambiguous : int
        Pings that did not come back, and those with several hits until the next one.
    """

    samplerate: int
    played: int
    samples: Integers
    own: Integers
    missing: int
    ambiguous: int

    def milliseconds(self, samples: npt.ArrayLike) -> dict[str, float]:
        """p50, p95, min and max of some counts of samples, in ms; empty where there are none."""
        values = 1e3 * np.asarray(samples, float) / self.samplerate
        if not values.size:
            return {}
        cuts = np.percentile(values, (50, 95, 0, 100))
        names = ("p50", "p95", "min", "max")
        return {name: round(float(v), 3) for name, v in zip(names, cuts, strict=True)}


def match(
    frames: Integers, onsets: Sequence[Onset], bias: int, every: int, samplerate: int
) -> RoundTrip:
    """Find each ping among the hits.

    Parameters
    ----------
    frames : ndarray, shape (n,)
        When the pings were played.
    onsets : sequence of Onset
        What was heard.
    bias : int
        Samples by which the detector dates a ping late.
    every : int
        Samples from a ping to the next: a longer round trip cannot be told.
    samplerate : int
        Hz.
    """
    dated = np.array([onset.sample - bias for onset in onsets], np.int64)
    slack = round(SLACK_S * samplerate)
    trips, own = [], []
    missing = ambiguous = 0
    for frame in frames:
        [heard] = np.nonzero((dated >= frame - slack) & (dated < frame - slack + every))
        if len(heard) == 1:
            onset = onsets[heard[0]]
            trips.append(dated[heard[0]] - frame)
            own.append(onset.emitted - onset.sample)
        elif len(heard):
            ambiguous += 1
        else:
            missing += 1
    return RoundTrip(
        samplerate, len(frames), np.array(trips, np.int64), np.array(own, np.int64), missing,
        ambiguous,
    )  # fmt: skip


def bias(pings: Pings, settings: Settings, samplerate: int) -> int:
    """Samples by which the detector dates a ping late that comes straight back.

    Raises
    ------
    SettingsError
        If it hears none: the pings are too soft.
    """
    sound = pings.sound(samplerate)
    processor = Processor(settings)
    processor.prepare(samplerate)
    every = samplerate // 4 // processor.spans.hop * processor.spans.hop
    frames = every * (1 + np.arange(_PROBES)) + processor.spans.hop * np.arange(_PROBES) // _PROBES
    audio = np.zeros(every * (_PROBES + 2), np.float32)
    for frame in frames:
        audio[frame : frame + sound.size] = sound
    onsets = [event for event in processor.process(audio) if isinstance(event, Onset)]
    processor.close()
    found = match(frames, onsets, 0, every, samplerate)
    if found.samples.size < _PROBES / 2:
        raise SettingsError(
            "Expected a level that the detector hears, got pings too soft for it even without "
            "a sound card; raise --level."
        )
    return int(np.median(found.samples))


def measure(
    processor: Processor,
    live: LiveInput,
    pings: Pings,
    every: float,
    stop: Stop,
    report: Callable[[str], None],
    say: Callable[[str], None],
) -> RoundTrip:
    """Play the pings through a stream that is open and not started, and hear them.

    Parameters
    ----------
    processor : Processor
    live : LiveInput
        With ``pings`` for its player.
    every : float
        From a ping to the next, in seconds.
    stop : Stop
        Breaks the measurement off when set.
    report, say : callable
        For what went wrong and for what happens, a line each.
    """
    rate = processor.samplerate
    frames = pings.frames(rate)
    interval = round(every * rate)
    late = bias(pings, processor.settings, rate)
    onsets: list[Onset] = []
    end = int(frames[-1]) + interval + rate // 10
    with live:
        clock, still = processor.clock, 0
        for batch in collected(live, processor, stop, report, say):
            onsets += [event for event in batch if isinstance(event, Onset)]
            clock, still = processor.clock, still + 1 if processor.clock == clock else 0
            if clock >= end or still * PERIOD_S >= STILL_S:
                break
    onsets += [event for event in processor.collect() if isinstance(event, Onset)]
    return match(frames, onsets, late, interval, rate)
