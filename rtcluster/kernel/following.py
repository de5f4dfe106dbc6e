"""A threshold that follows the player: what the flux must exceed, from what was heard lately.

Runs in the audio callback, once a hop: no allocation, no exceptions, no locks.

One fixed threshold is too high for the strokes of a ride over its own wash and too low for the
fingers and sleeves between strokes on a guitar's body. Three things are asked instead, all as
shares of the threshold of the preset:

- *how far down*: a rise counts in full where it comes near the loudest that its own bands have
  been lately (they forget by `FORGET_DB_S`). From `DOWN_DB` under that on the threshold goes up by
  `STEEPNESS` per 10 dB: the noises of hands rise 20 to 40 dB down, a soft ride's only 5 to 15, for
  nothing else fills its bands;
- *what this player's soft hits are like*: the threshold goes up to `SHARE` of the flux of the
  third weakest of the last `HITS` hits at most. Who plays ghost notes gets ghost notes; where
  every hit is a full one, what has a third of its flux is none;
- *how sure*: the threshold is low, `QUIET`, only if the last hit is `SOON_S` ago, and only where
  the flux does not reach half of that by itself (a fifth of the time: a buzz, a crash). What then
  stays under `SURE` is a hit if the waveform agrees as well: the error of a linear prediction must
  rise by `WEAK_DB` (:func:`rtcluster.kernel.attack.attack_contrast`). A wash and a ringing tom
  that swing have 0.5 to 2.5 dB, soft strokes 3 to 12.

The constants were chosen on songs, renders and taps, with kits and songs left out in turn; see
docs/lab-book/measurements.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rtcluster.kernel.jit import compiled
from rtcluster.kernel.spectrum import MAX_BANDS

QUIET = 0.65  # of the threshold: 0.052 for 0.08
SURE = 0.875  # of the threshold: 0.07 for 0.08
SOON_S = 0.060
SWING = 2.0  # the threshold over the level under which the flux stays by itself ...
SWING_SHARE = 0.8  # ... for so much of the time
SWING_S = 0.5  # in which that level is learned
LEAST_SWING, MOST_SWING = 0.004, 0.06  # log10 units
WEAK_DB = 2.5

DOWN_DB = 15.0
STEEPNESS = 1.0  # of the threshold, per 10 dB
FORGET_DB_S = 1.0

HITS = 8
SHARE = 0.35
LOUD = 0.5  # log10 units: the flux of hits that are not known yet, a full one's

FLOOR = 1e-6  # -120 dBFS: below this nothing is compared

FOLLOWING_FIELDS = [
    ("follows", "i4"),  # 0: the threshold is fixed
    ("forget", "f4"),  # factor of `lately` per hop
    ("lately", "f4", (MAX_BANDS,)),  # loudest magnitude of each band
    ("swing", "f4"),  # level under which the flux stays by itself
    ("swing_up", "f4"),  # factors of it per hop, for a flux over it and under it
    ("swing_down", "f4"),
    ("quiet", "f4"),  # lowest threshold in this hop
    ("peaks", "f4", (HITS,)),  # flux of the last hits
    ("next_peak", "i8"),
    ("most", "f4"),  # to which the threshold goes up
    ("penalty", "f4"),  # by which it would go up in this hop
]


def configure_following(record: Any, samplerate: float, hop: int) -> None:
    """Fill this part of `record`, but for what may change while it runs."""
    record["forget"] = 10.0 ** (-FORGET_DB_S * hop / samplerate / 20.0)
    record["lately"] = FLOOR
    rate = hop / samplerate / SWING_S / 2.0
    record["swing_up"] = np.exp(rate / (1.0 - SWING_SHARE))
    record["swing_down"] = np.exp(-rate / SWING_SHARE)
    record["swing"] = LEAST_SWING
    record["peaks"] = LOUD
    record["next_peak"] = 0
    record["most"] = SHARE * LOUD
    record["penalty"] = 0.0


@compiled
def follow(record: Any, flux: Any) -> None:
    """Compare the newest bands with the loudest of late, then count them among those.

    To be called once a hop, when `record.band` and `record.new` are measured.
    """
    threshold, swing = record.threshold, record.swing
    sure = np.float32(SURE) * threshold
    record.quiet = min(sure, max(np.float32(QUIET) * threshold, np.float32(SWING) * swing))
    swing *= record.swing_up if flux > swing else record.swing_down
    record.swing = min(np.float32(MOST_SWING), max(np.float32(LEAST_SWING), swing))
    record.penalty = np.float32(0.0)
    if record.follows != 0 and flux > record.quiet:
        record.penalty = np.float32(STEEPNESS) * threshold * how_far_down(record, flux)
    # Slices from 0: the compiler then proves the indices and uses vector code.
    lately, band = record.lately[: record.bands], record.band[: record.bands]
    forget = record.forget
    for b in range(lately.size):
        lately[b] = max(band[b], max(np.float32(FLOOR), lately[b] * forget))


@compiled
def how_far_down(record: Any, flux: Any) -> Any:
    """How far under the loudest of late the bands that rise are, beyond `DOWN_DB`, in 10 dB."""
    band, lately, new, share = record.band, record.lately, record.new, record.bright_weight
    floor = np.float32(FLOOR)
    down = np.float32(0.0)
    for b in range(record.bands):
        if new[b] > 0.0:
            down -= share[b] * new[b] * np.log10((band[b] + floor) / (lately[b] + floor))
    return max(np.float32(0.0), np.float32(2.0) * down / flux - np.float32(DOWN_DB / 10.0))


@compiled
def raised(record: Any, threshold: Any) -> Any:
    """A threshold with this hop's penalty, as far as the player's soft hits allow."""
    return threshold + min(record.penalty, max(np.float32(0.0), record.most - threshold))


@compiled
def needed_flux(record: Any) -> Any:
    """What the flux has to exceed in this hop."""
    if record.follows == 0:
        return record.threshold
    if record.since > SOON_S:
        return raised(record, record.quiet)
    return raised(record, np.float32(SURE) * record.threshold)


@compiled
def is_weak(record: Any, flux: Any) -> bool:
    """Whether a flux that fires must be seen in the waveform as well."""
    if record.follows == 0:
        return False
    return flux < raised(record, np.float32(SURE) * record.threshold)


@compiled
def learn_peak(record: Any, peak: Any) -> None:
    """Count the flux of a hit among those of the last ones."""
    peaks = record.peaks
    peaks[record.next_peak % HITS] = peak
    record.next_peak += 1
    first = second = third = np.float32(1e9)
    for i in range(HITS):
        value = peaks[i]
        if value < first:
            first, second, third = value, first, second
        elif value < second:
            second, third = value, second
        elif value < third:
            third = value
    record.most = np.float32(SHARE) * third
