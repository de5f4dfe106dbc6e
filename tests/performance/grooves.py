"""Grooves whose tempo, swing, drift and jitter are known: their times, and their sound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtcluster.sources import groove

BAR = "K.h.S.hhK.h.S.hh"
NAMES = ("kick", "snare", "hat")
_SWAYS = {"sixteenths": (0, 1, 0, 1), "eighths": (0, 0, 1, 0), "all eighths": (0, 0.5, 1, 0.5)}


@dataclass(frozen=True)
class Played:
    """Hits of a player who is known: times in s, classes, names, and what each was off by."""

    times: np.ndarray
    classes: np.ndarray
    names: list[str]
    jitter: np.ndarray
    tempo: float  # mean over the hits, bpm


def play(
    bpm=104.0, beats=80, jitter=0.005, swing=0.0, notes="sixteenths", bar=BAR, drift=0.0, seed=0,
    start=0.3, late=None,
):  # fmt: skip
    """Swing in beats, drift in bpm a minute, jitter in s or by drum, late in s by drum."""
    rng = np.random.default_rng(seed)
    rate, rise = bpm / 60, drift / 7200
    rows = []
    for step in range(beats * 4):
        drum = bar[step % len(bar)]
        if drum == ".":
            continue
        beat = step / 4 + swing * _SWAYS[notes][step % 4]
        at = beat / rate if not rise else (np.sqrt(rate**2 + 4 * rise * beat) - rate) / (2 * rise)
        name = {"K": "kick", "S": "snare", "h": "hat"}[drum]
        sd = jitter[name] if isinstance(jitter, dict) else jitter
        off = rng.normal(0, sd) + (late or {}).get(name, 0.0)
        rows.append((at + off + start, NAMES.index(name), name, off))
    rows.sort()
    times, classes, names, offs = zip(*rows, strict=True)
    middle = (times[0] + times[-1]) / 2 - start
    return Played(
        np.array(times), np.array(classes), list(names), np.array(offs), bpm + drift / 60 * middle
    )


def sound(played: Played, samplerate=44100, seed=0):
    """The same as audio; each stroke begins at the sample nearest to its time."""
    rng = np.random.default_rng(seed)
    audio = rng.normal(0, 1e-4, int((played.times[-1] + 0.6) * samplerate)).astype(np.float32)
    loudest = {"kick": 0.6, "snare": 0.5, "hat": 0.25}
    for time, name in zip(played.times, played.names, strict=True):
        voice = getattr(groove, name)(samplerate, rng)
        first = round(time * samplerate)
        audio[first : first + voice.size] += loudest[name] * rng.uniform(0.7, 1.0) * voice
    return audio
