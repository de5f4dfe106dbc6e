"""A drum groove made with numpy, whose truth is known to the sample.

It needs no recording and no sound card: ``rtcluster demo`` plays it, and the project's
own tests stand on it. Every drum sounds alone, so each hit has one right class.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from rtcluster.files import atomic_write

Audio = npt.NDArray[np.float32]

DRUMS = ("kick", "snare", "hat")

BAR = "K.h.S.hhK.h.S.hh"
"""A bar in sixteenths: K kick, S snare, h hat, . rest."""

_LETTERS = {"K": "kick", "S": "snare", "h": "hat"}
_LEAD_IN_S = 0.25
_LAST_HIT_S = 0.25  # no hit starts closer than this to the end
_JITTER_S = 0.004
_PEAK = 0.7


@dataclass(frozen=True, slots=True)
class Stroke:
    """One hit of the truth.

    Attributes
    ----------
    sample : int
        The first sample that the hit contributes to the audio.
    drum : str
        One of :data:`DRUMS`.
    level : float
        Peak, 1.0 is full scale.
    """

    sample: int
    drum: str
    level: float


@dataclass(frozen=True, slots=True)
class Groove:
    """Audio, shape (n,), and the truth about it, in order of time."""

    audio: Audio
    strokes: tuple[Stroke, ...]
    samplerate: int


def kick(samplerate: int, rng: np.random.Generator) -> Audio:
    """A sine that falls from 190 Hz to 48 Hz, with a click of the beater."""
    t = np.arange(int(0.30 * samplerate)) / samplerate
    frequency = 48 + 142 * np.exp(-t / 0.018)
    tone = np.sin(2 * np.pi * np.cumsum(frequency) / samplerate) * np.exp(-t / 0.040)
    click = rng.standard_normal(t.size) * np.exp(-t / 0.0015)
    return _shaped(tone + 0.15 * click, samplerate)


def snare(samplerate: int, rng: np.random.Generator) -> Audio:
    """Two modes of the head and the noise of the wires."""
    t = np.arange(int(0.22 * samplerate)) / samplerate
    head = np.sin(2 * np.pi * 185 * t) + 0.6 * np.sin(2 * np.pi * 331 * t)
    wires = rng.standard_normal(t.size) * np.exp(-t / 0.055)
    return _shaped(0.8 * head * np.exp(-t / 0.035) + 0.6 * wires, samplerate)


def hat(samplerate: int, rng: np.random.Generator) -> Audio:
    """Noise whose lows are taken off by differencing twice, with a short decay."""
    t = np.arange(int(0.09 * samplerate)) / samplerate
    noise = np.diff(rng.standard_normal(t.size + 2), n=2)
    return _shaped(noise * np.exp(-t / 0.016), samplerate)


_VOICES = {"kick": (kick, 1.0), "snare": (snare, 0.8), "hat": (hat, 0.35)}


def _shaped(x: npt.NDArray[np.float64], samplerate: int) -> Audio:
    """Peak 1, no click at the end."""
    fade = int(0.005 * samplerate)
    x[-fade:] *= np.linspace(1.0, 0.0, fade)
    return np.asarray(x / np.abs(x).max(), dtype=np.float32)


def render(
    seconds: float,
    samplerate: int = 44100,
    *,
    bpm: float = 104.0,
    noise_dbfs: float = -75.0,
    seed: int = 0,
) -> Groove:
    """Play the groove.

    Parameters
    ----------
    seconds : float
        Length of the audio, in seconds.
    samplerate : int
        Hz.
    bpm : float
        Quarter notes per minute.
    noise_dbfs : float
        RMS of the noise floor, in dBFS.
    seed : int
        Of the noise, the loudness and the timing of the hits.

    Returns
    -------
    Groove
    """
    rng = np.random.default_rng(seed)
    audio = np.zeros(round(seconds * samplerate), np.float32)
    strokes = []
    sixteenth, step = 60.0 / bpm / 4, 0
    while (time := _LEAD_IN_S + step * sixteenth) < seconds - _LAST_HIT_S:
        drum = _LETTERS.get(BAR[step % len(BAR)])
        step += 1
        if drum is None:
            continue
        start = round((time + rng.uniform(-_JITTER_S, _JITTER_S)) * samplerate)
        voice, nominal = _VOICES[drum]
        level = _PEAK * nominal * 10 ** (rng.uniform(-4.0, 0.0) / 20)
        sound = level * voice(samplerate, rng)
        audio[start : start + sound.size] += sound[: audio.size - start]
        strokes.append(Stroke(start, drum, level))
    audio += rng.normal(0.0, 10 ** (noise_dbfs / 20), audio.size).astype(np.float32)
    return Groove(audio, tuple(strokes), samplerate)


def write(groove: Groove, audio: Path, annotations: Path) -> None:
    """Write a groove as a 32-bit WAV file, and its hits as CSV with the header ``time,label``.

    Raises
    ------
    RtclusterError
        If one of them cannot be written.
    """
    rows = [f"{one.sample / groove.samplerate:.6f},{one.drum}\n" for one in groove.strokes]
    with atomic_write(audio) as file:
        soundfile.write(file, groove.audio, groove.samplerate, subtype="FLOAT", format="WAV")
    with atomic_write(annotations) as file:
        file.write_text("time,label\n" + "".join(rows), encoding="utf-8")
