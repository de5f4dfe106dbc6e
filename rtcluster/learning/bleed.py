"""Which microphone hears which drum, how loud and how late: learned from the taught strokes.

The level of a drum on a microphone says how much of it bleeds there, whatever the microphone's own
gain: a microphone is a drum's own where the drum stands out most of what else it hears there. The
delays say by how much a microphone is behind at least, whatever is struck. Belongs to the main
thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from rtcluster.learning.kit import Kit
from rtcluster.learning.strokes import LEAD_S, Audio, Stroke, read
from rtcluster.settings import SILENT_SHARE

Array = npt.NDArray[np.float64]

ATTACK_S = 0.030
"""Of a stroke's attack, in seconds: its level is the root mean square of this."""

RISE = 0.1
"""An attack begins where this share of its peak is reached first, ..."""

OVER_NOISE = 4.0
"""... and this many times what sounds before it."""

LATEST_S = 0.010
"""From a drum's own microphone to another one at most, in seconds: 3.4 m."""

SILENT_DB = -120.0


@dataclass(frozen=True, slots=True)
class Bleed:
    """What each microphone hears of each drum.

    Attributes
    ----------
    level_db : ndarray, shape (drums, microphones)
        dBFS, the median over a drum's strokes.
    delay : ndarray, shape (drums, microphones)
        Samples after the drum's own microphone; NaN where the drum is too soft to tell.
    home : ndarray of int, shape (drums,)
        Place of each drum's own microphone.
    lag : ndarray of int, shape (microphones,)
        Samples by which a microphone is behind at least.
    silences : ndarray of bool, shape (microphones,)
        Whether a microphone gave nothing in a stroke: one behind a gate does.
    """

    level_db: Array = field(compare=False)
    delay: Array = field(compare=False)
    home: npt.NDArray[np.int64] = field(compare=False)
    lag: npt.NDArray[np.int64] = field(compare=False)
    silences: npt.NDArray[np.bool_] = field(compare=False)

    @property
    def relative_db(self) -> Array:
        """Level of each drum on each microphone, against its level on its own one, in dB."""
        own = self.level_db[np.arange(len(self.home)), self.home]
        return np.asarray(self.level_db - own[:, None])

    def home_without(self, microphone: int) -> npt.NDArray[np.int64]:
        """Each drum's own microphone, were one of them not there."""
        return _home(self.level_db, microphone)


def of_kit(kit: Kit) -> Bleed | None:
    """That of a kit; None of one of one channel, or that keeps no audio."""
    if not kit.microphones or kit.strokes is None:
        return None
    rate = kit.strokes["samplerate"]
    return bleed_of(read(kit.strokes, rate), len(kit.names), rate)


def bleed_of(strokes: Sequence[Stroke], classes: int, samplerate: int) -> Bleed:
    """Learn it from strokes.

    Parameters
    ----------
    strokes : sequence of Stroke
        At least one of each class.
    classes : int
    samplerate : int
        Hz.
    """
    heard = [np.atleast_2d(one.audio.T) for one in strokes]
    owner = np.array([one.class_ for one in strokes])
    levels = np.array([_levels(one, samplerate) for one in heard])
    starts = np.array([_starts(one, samplerate) for one in heard])
    level = np.array([np.median(levels[owner == c], axis=0) for c in range(classes)])
    delay = np.full(level.shape, np.nan)
    for c in range(classes):
        own = starts[owner == c]
        told = ~np.isnan(own).all(axis=0)
        delay[c, told] = np.nanmedian(own[:, told], axis=0)
    home = _home(level)
    delay -= delay[np.arange(classes), home][:, None]
    lag = np.where(np.isnan(delay), np.inf, np.maximum(delay, 0.0)).min(axis=0)
    lag[home] = 0.0  # it is the first to hear its own drum
    lag[np.isinf(lag)] = 0.0
    peaks = np.array([np.ptp(one, axis=1) for one in heard])
    silences = (peaks <= SILENT_SHARE * peaks.max(axis=1, keepdims=True)).any(axis=0)
    return Bleed(level, delay, home, lag.astype(np.int64), silences)


def _home(level: Array, without: int = -1) -> npt.NDArray[np.int64]:
    """Where each drum stands out most of what else is heard there: gains do not count."""
    over = level - level.mean(axis=0)
    if without >= 0 and level.shape[1] > 1:
        over[:, without] = -np.inf
    return np.asarray(np.argmax(over, axis=1), np.int64)


def _levels(audio: Audio, samplerate: int) -> Array:
    """Level of the attack on each microphone in dBFS; shape (microphones, n)."""
    lead = int(LEAD_S * samplerate)
    attack = audio[:, lead : lead + int(ATTACK_S * samplerate)].astype(np.float64)
    power = (attack**2).mean(axis=1) if attack.shape[1] else np.zeros(len(audio))
    return np.asarray(np.maximum(10.0 * np.log10(power + 1e-20), SILENT_DB))


def _starts(audio: Audio, samplerate: int) -> Array:
    """Sample at which the attack begins on each microphone; NaN where it does not stand out."""
    lead, length = int(LEAD_S * samplerate), int(LATEST_S * samplerate)
    out = np.full(len(audio), np.nan)
    for place, x in enumerate(np.abs(audio[:, : lead + length])):
        before = float(x[: lead // 2].max(initial=0.0))
        least = max(RISE * float(x.max(initial=0.0)), OVER_NOISE * before)
        found = np.flatnonzero(x > least)
        if found.size:
            out[place] = found[0]
    return out
