"""How a live session stands, for those who watch it: sinks with a ``status`` method.

:class:`StatusReader` is the pump thread's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rtcluster.engine.tap import Tap

if TYPE_CHECKING:
    from rtcluster.session.session import Session

PERIOD_S = 0.050
"""From one status to the next, in seconds."""

CLIPPED = 0.999
"""A sample of this magnitude is taken for full scale."""

FLOOR_DB = -120.0


class StatusReader:
    """Reads the status of a session.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._tap = Tap(session.processor)

    def read(self) -> dict[str, object]:
        """[pump thread] The status.

        Returns
        -------
        dict
            ``samples`` and ``seconds`` since the stream began; ``peak_db`` and ``rms_db`` (dBFS)
            and ``clipped`` of the audio since the last status; ``hits``, ``xruns``,
            ``late_models``, ``events_dropped``; ``frozen``, ``threshold``, ``warmup`` (hits heard,
            hits needed), ``ready``; ``names``, ``counts`` (hits by class number);
            ``features`` (names of the first two), ``centres`` (raw, of those two) and ``owner``
            (the class of each); ``recording``, the folder, or None; ``onset_latency_ms``,
            ``sink_delay_ms`` and ``callback_load`` as in the summary.
        """
        session = self._session
        processor = session.processor
        learner, counts = processor.learner, processor.counts
        raw, owner = learner.centres()
        return {
            "samples": counts.samples,
            "seconds": round(counts.samples / processor.samplerate, 3),
            **self._levels(),
            "hits": counts.hits,
            "xruns": counts.xruns,
            "late_models": counts.late_models,
            "events_dropped": counts.events_dropped,
            "frozen": processor.frozen,
            "threshold": round(processor.threshold, 4),
            "warmup": [learner.heard, processor.settings.warmup_hits],
            "ready": learner.ready,
            "recording": session.recording,
            "names": list(learner.names),
            "counts": session.counts_by_class(),
            "features": list(processor.settings.features[:2]),
            "centres": np.round(raw[:, :2], 6).tolist(),
            "owner": owner.tolist(),
            **session.latencies(),
            "callback_load": processor.callback_load(),
        }

    def _levels(self) -> dict[str, object]:
        audio = np.abs(self._tap.take().audio)
        if not audio.size:
            return {"peak_db": FLOOR_DB, "rms_db": FLOOR_DB, "clipped": False}
        peak = float(audio.max())
        return {
            "peak_db": decibels(peak),
            "rms_db": decibels(float(np.sqrt(np.mean(np.square(audio, dtype=np.float64))))),
            "clipped": peak >= CLIPPED,
        }


def decibels(value: float) -> float:
    """An amplitude in dBFS, to a tenth, :data:`FLOOR_DB` at least."""
    return round(max(FLOOR_DB, 20.0 * float(np.log10(max(value, 1e-12)))), 1)
