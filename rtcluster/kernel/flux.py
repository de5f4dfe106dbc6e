"""How much is new in the newest frame: a spectral flux that knows the last hit.

Runs in the audio callback, once a hop: no allocation, no exceptions, no locks.

Per band, the magnitude now is compared with what a listener would still expect:

- the *envelope*: the band's magnitude, falling by at most `FALL_DB_MS` per ms,
  as it was `LAG_S` ago. The lag spans the attack; the slow fall bridges the
  beats of a ringing drum and the gaps of a noisy cymbal, so that they are not
  taken for attacks, yet a stroke 20 ms later stands out. The neighbouring bands
  count too, `NEIGHBOUR_DB` down, so that a pitch that glides is not new (the
  maximum filter of SuperFlux: Boeck and Widmer, DAFx 2013);
- the *background*: the level to which the band keeps returning (it follows
  falls in 50 ms and rises by 2 dB a second). It is added to both sides, so steady
  noise, hum and the hiss between hits contribute little, whatever their level. What lies under
  `FLOOR` is silence: the one level in here that is absolute.

The rise in log10 of the magnitude is limited to `CAP` (a band cannot outvote
the others) and averaged over the bands: 0 is nothing new, `CAP` all bands new.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rtcluster.kernel.jit import compiled
from rtcluster.kernel.spectrum import MAX_BANDS

MAX_LAG = 32  # hops of envelope that are kept; a power of two
LAG_S = 0.0085  # 6 hops of 64 at 44.1 and at 48 kHz
FALL_DB_MS = 0.4
NEIGHBOUR_DB = 6.0
FLOOR = 2e-5  # -94 dBFS: below this nothing is heard
BACKGROUND_GAIN = 1.5  # the fluctuation of noise about its typical level: 3.5 dB
BACKGROUND_RISE_DB_S = 2.0
BACKGROUND_FALL_S = 0.050
CAP = 0.5  # log10: 10 dB
SETTLE_S = 0.0232  # a whole frame: the stream's start is not an attack

FLUX_FIELDS = [
    ("hops", "i8"),  # seen since the start
    ("lag", "i8"),  # hops
    ("settle", "i8"),  # hops
    ("fall", "f4"),  # factor of the envelope per hop
    ("neighbour", "f4"),  # factor
    ("floor", "f4"),  # magnitude
    ("cap", "f4"),  # log10
    ("background_gain", "f4"),
    ("background_rise", "f4"),  # factor per hop
    ("background_fall", "f4"),  # remaining share per hop
    ("envelope", "f4", (MAX_LAG, MAX_BANDS)),
    ("background", "f4", (MAX_BANDS,)),
    ("new", "f4", (MAX_BANDS,)),  # by how much each band rose, log10, 0 to `cap`
]


def configure_flux(record: Any, samplerate: float, hop: int) -> None:
    """Fill the flux's part of `record` for hops of `hop` samples at `samplerate` Hz."""
    hop_s = hop / samplerate
    record["hops"] = 0
    record["lag"] = min(MAX_LAG - 1, max(1, round(LAG_S / hop_s)))
    record["settle"] = int(np.ceil(SETTLE_S / hop_s))
    record["fall"] = 10.0 ** (-FALL_DB_MS * 1e3 * hop_s / 20.0)
    record["neighbour"] = 10.0 ** (-NEIGHBOUR_DB / 20.0)
    record["floor"], record["cap"] = FLOOR, CAP
    record["background_gain"] = BACKGROUND_GAIN
    record["background_rise"] = 10.0 ** (BACKGROUND_RISE_DB_S * hop_s / 20.0)
    record["background_fall"] = np.exp(-hop_s / BACKGROUND_FALL_S)
    record["envelope"] = 0.0
    record["background"] = 0.0
    record["new"] = 0.0


@compiled
def measure_flux(record: Any) -> Any:
    """Flux of `record.band` against the past, 0..`CAP`; the past then includes it."""
    band, background, envelope = record.band, record.background, record.envelope
    new = record.new
    share = record.band_weight if record.follows == 0 else record.bright_weight
    bands = record.bands
    hops = record.hops
    record.hops = hops + 1
    now = hops & (MAX_LAG - 1)
    before = (hops - 1) & (MAX_LAG - 1)
    then = (hops - record.lag) & (MAX_LAG - 1)
    settling = hops < record.settle
    fall = record.fall
    neighbour = record.neighbour
    rise = record.background_rise
    keep = record.background_fall
    floor = record.floor
    cap = record.cap
    gain = record.background_gain
    flux = np.float32(0.0)
    for b in range(bands):
        x = band[b]
        level = background[b]
        if settling or x < level:
            # While the stream settles the background is simply what there is.
            level = x if settling else x + (level - x) * keep
        else:
            level = min(x, max(level, floor) * rise)
        background[b] = level
        envelope[now, b] = max(x, envelope[before, b] * fall)
        expected = envelope[then, b]
        if b > 0:
            expected = max(expected, neighbour * envelope[then, b - 1])
        if b + 1 < bands:
            expected = max(expected, neighbour * envelope[then, b + 1])
        rose = np.float32(0.0)
        if x > expected:
            base = floor + gain * level
            rose = min(cap, np.log10((x + base) / (expected + base)))
            flux += share[b] * rose
        new[b] = rose
    if settling:
        return np.float32(0.0)
    return flux
