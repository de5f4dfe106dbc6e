"""What each onset detector fires at unless it is told otherwise: our own and aubio's."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AubioPreset:
    """Settings that make one of aubio's own methods fire about once a hit.

    Attributes
    ----------
    threshold : float
        aubio's, raised from its default where the method fires again and again.
    mask_ms : float
        Within this of the last hit only one that is 2 dB louder is another one.
    echo_db : float
        Within 70 ms of the last hit, how far the attack must stand out of what could be
        predicted from what sounded before it.
    silence : float
        Level in dBFS under which nothing is a hit.
    """

    threshold: float
    mask_ms: float
    echo_db: float
    silence: float = -70.0


AUBIO_PRESETS = {
    "hfc": AubioPreset(0.12, 30.0, 5.0),
    "energy": AubioPreset(1.8, 70.0, 8.0, -55.0),
    "complex": AubioPreset(0.15, 30.0, 5.0),
    "phase": AubioPreset(1.8, 70.0, 8.0, -55.0),
    "specdiff": AubioPreset(0.9, 70.0, 8.0),
    "kl": AubioPreset(1.05, 30.0, 5.0),
    "mkl": AubioPreset(0.15, 30.0, 5.0),
    "specflux": AubioPreset(0.54, 70.0, 8.0),
}
"""aubio's onset detection functions (``aubio_specdesc``), by aubio's names."""

AUBIO_FRAME = 512
"""Samples of a frame of aubio's own methods, at 44.1 kHz."""

DRUMS = "drums"
"""Our own detector (:mod:`rtcluster.kernel.detector`)."""

METHODS = (DRUMS, *AUBIO_PRESETS)

DRUMS_MASK = "32ms"
DRUMS_SILENCE = -90.0


@dataclass(frozen=True, slots=True)
class Preset:
    """A trade-off of the drum detector.

    Attributes
    ----------
    frame : int
        Samples at 44.1 kHz.
    peak : float
        Where the window peaks, 0 to 1 of the frame.
    threshold : float
        Flux that fires, in log10 units.
    """

    frame: int
    peak: float
    threshold: float


PRESETS = {
    "fast": Preset(512, 0.75, 0.095),
    "balanced": Preset(1024, 0.85, 0.080),
    "accurate": Preset(1024, 0.75, 0.075),
}
"""Chosen by ``bench/sweep.py``."""
