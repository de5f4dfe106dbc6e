"""The detector for drums: bands, flux, threshold and picker as one step over one record.

:func:`configure` runs on a Python thread and may allocate. :func:`step` runs on the audio thread,
once a hop: no allocation, no exceptions, no locks.

The record also holds what every method needs of the last hit (:data:`HIT_FIELDS`), aubio's stock
ones too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.kernel import attack
from rtcluster.kernel.flux import FLUX_FIELDS, configure_flux, measure_flux
from rtcluster.kernel.following import (
    FOLLOWING_FIELDS,
    WEAK_DB,
    configure_following,
    follow,
    is_weak,
    learn_peak,
    needed_flux,
)
from rtcluster.kernel.jit import compiled
from rtcluster.kernel.opening import OPENING_FIELDS, configure_opening, opening_hit
from rtcluster.kernel.picker import (
    PICKER_FIELDS,
    configure_picker,
    measure_level,
    pick,
    remember_hit,
)
from rtcluster.kernel.spectrum import SPECTRUM_FIELDS, configure_spectrum, measure_bands
from rtcluster.presets import PRESETS

ECHO_S = 0.035
"""An attack so soon after another one must be seen in the waveform as well ..."""

ECHO_DB = 5.0
"""... so far over what could be predicted from what sounded before it."""

NEVER = 1 << 40
"""Samples since the last hit, where there was none."""

HIT_FIELDS = [
    ("samplerate", "f8"),  # Hz
    ("silence", "f4"),  # dBFS
    ("previous", "i8"),  # samples since the last hit's onset
    ("offset", "i8"),  # of the hit that fired: its onset lies so far before the end of the hop
    ("level_db", "f8"),  # of the hit that fired, dBFS
    ("scratch", "f8", (attack.WORK,)),
]

DETECTOR = np.dtype(
    SPECTRUM_FIELDS + FLUX_FIELDS + FOLLOWING_FIELDS + PICKER_FIELDS + OPENING_FIELDS + HIT_FIELDS,
    align=True,
)


def configure(record: Any, samplerate: int, preset: str, frame: int, hop: int) -> None:
    """Make a record ready to step; aubio's FFT is attached by the driver.

    Parameters
    ----------
    record : element of a DETECTOR array
        Must stay where it is in memory: aubio is given pointers into it.
    samplerate : int
        Hz.
    preset : str
        A key of :data:`rtcluster.presets.PRESETS`.
    frame, hop : int
        Samples.
    """
    configure_spectrum(record, samplerate, frame, hop, PRESETS[preset].peak)
    configure_flux(record, samplerate, hop)
    configure_following(record, samplerate, hop)
    configure_picker(record, samplerate, hop)
    configure_opening(record, samplerate, hop)
    record["samplerate"] = samplerate
    record["previous"] = NEVER


@compiled
def step(record: Any, recent: npt.NDArray[np.float32], available: int) -> Any:
    """Look at the hop that has just ended.

    Parameters
    ----------
    record : DETECTOR record
    recent : ndarray of float32, shape (n,)
        The recent past, the newest sample last, zeros before the stream's start; at least a frame
        and 50 ms.
    available : int
        Samples at the end of ``recent`` that are signal.

    Returns
    -------
    float32
        0 if nothing fires. Else how far the flux stands over what it had to exceed, 1 or more;
        ``record.offset`` and ``record.level_db`` then tell when the attack began and how loud
        it is.
    """
    measure_bands(record, recent)
    return decide(record, recent, available)


@compiled
def decide(record: Any, recent: npt.NDArray[np.float32], available: int) -> Any:
    """:func:`step` once the bands are measured."""
    level = measure_level(record, recent)
    flux = measure_flux(record)
    rate = record.samplerate
    follow(record, flux)
    threshold = needed_flux(record)
    strength = pick(record, flux, threshold, level, recent)
    if strength > 0.0:
        offset = attack.attack_start(
            recent, available, record.previous, int(attack.SEARCH_S * rate), rate, record.scratch
        )
        least = WEAK_DB if is_weak(record, flux) else 0.0
        if record.previous - offset < ECHO_S * rate:
            least = ECHO_DB
        if least > 0.0:
            contrast = attack.attack_contrast(
                recent, available, offset, record.previous, rate, record.scratch
            )
            if contrast < least:
                return np.float32(0.0)
    elif record.hops <= record.look:
        offset = opening_hit(record, recent)
        if offset == 0 or record.previous < NEVER // 2:
            return np.float32(0.0)
        strength = np.float32(1.0)
    else:
        return np.float32(0.0)
    if attack.attack_level(recent, available, offset, rate) < record.silence:
        return np.float32(0.0)
    if record.previous < NEVER // 2:
        learn_peak(record, record.peak)
    remember_hit(record, flux, level)
    note_hit(record, recent, available, offset)
    return strength


@compiled
def note_hit(record: Any, recent: npt.NDArray[np.float32], available: int, offset: int) -> None:
    """Note when the hit that fires began, and how loud it is."""
    record.offset = offset
    record.previous = offset
    record.level_db = attack.attack_level(recent, available, offset, record.samplerate)
