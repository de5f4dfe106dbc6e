"""The audio of taught strokes: what a kit keeps of them, and as text in its file.

Audio can be measured again by another program, at another rate and over other spans, and two
strokes can be added to hear what both drums together sound like. In the file a stroke is 16-bit PCM
as base64, scaled to its own peak: its length says how much memory it takes, and no reader of a
format has to be trusted. Belongs to the main thread.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Audio = npt.NDArray[np.float32]

STROKE_S = 0.150
"""Kept of a stroke from its first sample on, in seconds."""

LEAD_S = 0.004
"""Kept before it: an attack may begin a little before the sample at which it was found."""

MOST = 12
"""Strokes that are kept of a drum."""

LOUDEST = 1000.0
"""The largest peak that a file may tell: 60 dB over full scale."""

MOST_RATE = 48000
"""In Hz: strokes that were heard at a higher rate are kept at half of it, or at a quarter."""

_PEAK = 32767.0


@dataclass(frozen=True, slots=True)
class Stroke:
    """One taught stroke.

    Parameters
    ----------
    class_ : int
    audio : ndarray of float32, shape (n,) or (n, microphones)
        From :data:`LEAD_S` before its first sample on; shorter where the next hit came.
    """

    class_: int
    audio: Audio = field(compare=False)

    def as_dict(self) -> dict[str, Any]:
        """What the file holds: class, peak and the samples as text, of each microphone."""
        if self.audio.ndim == 1:
            peak, text = _as_text(self.audio)
            return {"class": self.class_, "peak": peak, "pcm": text}
        peaks, texts = zip(*map(_as_text, self.audio.T), strict=True)
        return {"class": self.class_, "peak": list(peaks), "pcm": list(texts)}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Stroke:
        """The stroke that :meth:`as_dict` described; the kit has checked it."""
        peak, pcm = stored["peak"], stored["pcm"]
        if isinstance(pcm, str):
            return cls(int(stored["class"]), _from_text(peak, pcm))
        return cls(int(stored["class"]), np.stack([*map(_from_text, peak, pcm)], axis=1))


def _as_text(audio: Audio) -> tuple[float, str]:
    peak = float(np.abs(audio).max(initial=0.0))
    scale = _PEAK / peak if peak > 0.0 else 0.0
    samples = np.rint(audio * scale).astype("<i2")
    return peak, base64.b64encode(samples.tobytes()).decode("ascii")


def _from_text(peak: float, text: str) -> Audio:
    samples = np.frombuffer(base64.b64decode(text), "<i2")
    return np.asarray(samples.astype(np.float32) * np.float32(peak / _PEAK), np.float32)


def samples_in(text: str) -> int | None:
    """Samples that the text of a stroke holds, or None where it is not what one has."""
    try:
        size = len(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return None
    return size // 2 if size % 2 == 0 else None


def stored(strokes: Iterable[Stroke], samplerate: int) -> dict[str, Any]:
    """What a kit's file holds of strokes heard at a rate in Hz: the latest of each drum."""
    kept = kept_rate(samplerate)
    by_class: dict[int, list[Stroke]] = {}
    for one in strokes:
        by_class.setdefault(one.class_, []).append(one)
    latest = [one for class_ in sorted(by_class) for one in by_class[class_][-MOST:]]
    return {
        "samplerate": kept,
        "audio": [one.as_dict() for one in at_rate(latest, samplerate, kept)],
    }


def read(content: dict[str, Any], samplerate: int) -> list[Stroke]:
    """The strokes of a kit's file, which has been checked, at a rate in Hz."""
    own = [Stroke.from_dict(one) for one in content["audio"]]
    return at_rate(own, content["samplerate"], samplerate)


def longest(samplerate: int) -> int:
    """Samples of a stroke at most."""
    return int((LEAD_S + STROKE_S) * samplerate)


def cut(audio: Audio, start: int, end: int, samplerate: int) -> Audio:
    """A stroke out of a recording.

    Parameters
    ----------
    audio : ndarray of float32, shape (n,) or (n, microphones)
    start : int
        First sample of the stroke.
    end : int
        Where the next one begins, or the audio ends.
    samplerate : int
        Hz.

    Returns
    -------
    ndarray of float32
        What lies before the start of the recording is silence.
    """
    lead = int(LEAD_S * samplerate)
    begin, stop = start - lead, min(end, start - lead + longest(samplerate), len(audio))
    out = np.zeros((max(stop - begin, lead), *audio.shape[1:]), np.float32)
    source = audio[max(0, begin) : stop]
    out[max(0, -begin) : max(0, -begin) + len(source)] = source
    return out


def kept_rate(samplerate: int) -> int:
    """Rate in Hz at which strokes of a stream are kept."""
    while samplerate > MOST_RATE and samplerate % 2 == 0:
        samplerate //= 2
    return samplerate


def at_rate(strokes: Iterable[Stroke], samplerate: int, wanted: int) -> list[Stroke]:
    """The same strokes at another rate."""
    if samplerate == wanted:
        return list(strokes)
    from math import gcd

    from scipy.signal import resample_poly

    common = gcd(samplerate, wanted)
    up, down = wanted // common, samplerate // common
    return [
        Stroke(one.class_, resample_poly(one.audio, up, down).astype(np.float32)) for one in strokes
    ]
