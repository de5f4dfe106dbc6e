"""Drums without end, made block by block in constant memory, and the truth about them.

Strokes of :mod:`rtcluster.sources.groove` are made once, and then mixed in random order, at tempos,
levels, noise floors and offsets (DC) that change from one passage to the next. Between them are
rests, with noise or of digital silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rtcluster.sources import groove

Audio = npt.NDArray[np.float32]

Strokes = list[tuple[int, str]]
"""Sample and drum of each."""

REST_S = 1.0
"""An hour begins and ends in silence, and a passage with a rest, of this many seconds."""

_VARIANTS = 16
_LEVELS = {"kick": 0.7, "snare": 0.56, "hat": 0.25}
_VOICES = {"kick": groove.kick, "snare": groove.snare, "hat": groove.hat}
_LONGEST_S = 0.31
_BLOCK_S = 1.0
_NOISE = 1 << 20


@dataclass(frozen=True, slots=True)
class Passage:
    """How it sounds for a while.

    Attributes
    ----------
    length : int
        Samples.
    gap : tuple of int
        Least and most from one stroke to the next, in samples; 0: a rest.
    gain : float
        Of the drums.
    noise : float
        RMS of the noise floor.
    offset : float
        A constant on top of everything.
    """

    length: int
    gap: tuple[int, int] = (0, 0)
    gain: float = 0.0
    noise: float = 0.0
    offset: float = 0.0


class Drummer:
    """Plays hours of drums.

    Parameters
    ----------
    samplerate : int
        Hz.
    seed : int
    """

    def __init__(self, samplerate: int, seed: int) -> None:
        self.samplerate = samplerate
        self._seed = seed
        bank = np.random.default_rng(seed)
        self._sounds = {
            drum: [voice(samplerate, bank) for _ in range(_VARIANTS)]
            for drum, voice in _VOICES.items()
        }
        self._noise = bank.standard_normal(_NOISE).astype(np.float32)
        self._block = round(_BLOCK_S * samplerate)
        self._sum = np.zeros(self._block + round(_LONGEST_S * samplerate), np.float32)

    def play(self, hour: int, length: int) -> Iterator[tuple[Audio, Strokes]]:
        """Blocks of an hour, each with the strokes that begin in it.

        Parameters
        ----------
        hour : int
            Names what is played: the same number gives the same audio.
        length : int
            Samples.

        Yields
        ------
        tuple
            Audio, shape (frames,), good until the next one; and the strokes, counted in samples
            from the start of the hour.
        """
        rng = np.random.default_rng((self._seed, hour))
        self._sum[:] = 0.0
        before, start = Passage(0), 0
        for passage in self._passages(rng, length):
            strokes = self._strokes(rng, passage)
            for at in range(0, passage.length, self._block):
                size = min(self._block, passage.length - at)
                due = [one for one in strokes if at <= one[0] < at + size]
                for sample, drum in due:
                    self._strike(rng, sample - at, drum, passage.gain)
                block = self._sum[:size]
                self._under(rng, block, before, passage)
                before = passage
                yield block, [(start + sample, drum) for sample, drum in due]
                rest = self._sum[size:].copy()
                self._sum[: rest.size] = rest
                self._sum[rest.size :] = 0.0
            start += passage.length

    def _passages(self, rng: np.random.Generator, length: int) -> Iterator[Passage]:
        rest = min(round(REST_S * self.samplerate), length // 2)
        yield Passage(rest)
        left = length - 2 * rest
        while left > 0:
            seconds = rng.uniform(5.0, 40.0)
            size = min(round(seconds * self.samplerate), left)
            left -= size
            kind = rng.random()
            noise = float(10 ** (rng.uniform(-90.0, -66.0) / 20))
            gain = float(10 ** (rng.uniform(-12.0, 0.0) / 20))
            offset = float(rng.uniform(-0.1, 0.1)) if rng.random() < 0.5 else 0.0
            sixteenth = round(15.0 / rng.uniform(70.0, 120.0) * self.samplerate)
            if kind < 0.08:
                yield Passage(size)
            elif kind < 0.16:
                yield Passage(size, noise=noise, offset=offset)
            else:
                # More would hide how often a soft drum crosses zero, and so its class.
                offset *= 0.01 * gain
                yield Passage(size, (sixteenth, 4 * sixteenth), gain, noise, offset)
        yield Passage(rest)

    def _strokes(self, rng: np.random.Generator, passage: Passage) -> Strokes:
        least, most = passage.gap
        strokes: Strokes = []
        rest = round(REST_S * self.samplerate)
        sample = rest
        while least and sample < passage.length - rest:
            strokes.append((sample, groove.DRUMS[rng.integers(len(groove.DRUMS))]))
            sample += int(rng.integers(least, most))
        return strokes

    def _strike(self, rng: np.random.Generator, at: int, drum: str, gain: float) -> None:
        sound = self._sounds[drum][rng.integers(_VARIANTS)]
        level = _LEVELS[drum] * gain * 10 ** (rng.uniform(-4.0, 0.0) / 20)
        self._sum[at : at + sound.size] += np.float32(level) * sound

    def _under(self, rng: np.random.Generator, block: Audio, before: Passage, now: Passage) -> None:
        """Lay noise and offset under a block; from one passage to the next they glide."""
        if before.noise or now.noise:
            start = int(rng.integers(self._noise.size - block.size))
            block += self._noise[start : start + block.size] * _ramp(
                before.noise, now.noise, block.size
            )
        if before.offset or now.offset:
            block += _ramp(before.offset, now.offset, block.size)


def _ramp(first: float, last: float, size: int) -> Audio | np.float32:
    if first == last:
        return np.float32(last)
    return np.linspace(first, last, size, dtype=np.float32)
