"""The one record that holds everything a stream's kernel needs.

Allocated once by :func:`create`, in one stretch of memory where several hear the same stream; the
audio thread owns it while a stream runs. What threads share without a lock is this, and no more:

===================================  =========  ==============================================
what                                 writer     reader
===================================  =========  ==============================================
events, by ``events_written``        audio      pump, which moves ``events_read``
models, by ``models_written``        pump       audio, which moves ``models_read``
``asked_threshold``, ``asked_mask``  any        audio, at the start of a hop: a word each
``click``: which class has which     pump       audio, at a hit: a word each
sound, and which are muted
ring, by ``samples_written``         audio      any (:mod:`rtcluster.engine.tap`)
``complete_until``                   audio      pump
``clock`` and the counts             audio      any: a word each, as of about now
``began``, ``work``, ``callbacks``   audio      pump, for percentiles
``stop``                             any        audio, of the virtual sound card
===================================  =========  ==============================================

The counters that hand something over are stored with release and loaded with acquire, see
:mod:`rtcluster.kernel.ring`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rtcluster.events import EVENT, MOST_PARTS
from rtcluster.kernel.apart import APART
from rtcluster.kernel.aubio_c import FVEC
from rtcluster.kernel.click import CLICK, VOICE, VOICES
from rtcluster.kernel.detector import DETECTOR
from rtcluster.kernel.rate import KIT_RATE
from rtcluster.kernel.sets import MAX_SETS, SETS
from rtcluster.kernel.shape import MAX_STRETCHES, SHAPE
from rtcluster.kernel.velocity import SCALE
from rtcluster.settings import BANDS, MAX_CENTRES, MAX_FEATURES, MAX_MICROPHONES

MAX_HOP = 2048

MAX_OPEN = 32
"""Hits that may wait for their guess or final at once. One is cut short by the next
two after it at the latest, so this is never the limit that is met first."""

RING = 1 << 18
"""Samples of history, a power of two: 5.9 s at 44.1 kHz, 1.4 s at 192 kHz, so that a recorder
outlives a disk that stalls for a second. The ring is written twice, at ``i`` and at ``i + RING``,
so that any stretch of it is one contiguous view."""

EVENTS = 1 << 10
"""Slots of the event ring, a power of two."""

MODELS = 1 << 4
"""Slots of the model queue, a power of two."""

TIMINGS = 1 << 14
"""Callbacks whose times are kept, a power of two: 23 s of 64-frame blocks at 44.1 kHz."""

DRUMS, AUBIO_PRESETS = 0, 1
"""Values of ``STATE["method"]``: our own detector, or one of aubio's."""

GUESSING, FINISHING = 1, 2
"""Values of ``HIT["stage"]``; 0 is a free slot."""

NOT_CUT = -1

MODEL = np.dtype(
    [
        ("version", "i8"),
        ("effective", "i8"),  # sample from which it decides; a multiple of the hop
        ("reject", "f8"),  # spreads from the nearest centre beyond which a hit is unknown; 0: never
        ("n_features", "i4"),
        # Index 0 is the guess's, index 1 the final's.
        ("n_centres", "i4", (2,)),
        ("scale", "f8", (2, MAX_FEATURES)),
        ("offset", "f8", (2, MAX_FEATURES)),
        ("centres", "f8", (2, MAX_CENTRES, MAX_FEATURES)),
        ("owner", "i4", (2, MAX_CENTRES)),  # class of each centre
        ("spread", "f8", (2, MAX_CENTRES)),  # of a centre's own hits, scaled
        ("by_sets", "i4"),  # the sets of a taught kit's drums decide, not the centres
        ("prior", "f4", (MAX_SETS,)),  # of the sets of a taught kit's drums, a logarithm
        ("late", "i4"),  # in a replay: it came late when it was recorded
    ],
    align=True,
)
"""What :func:`rtcluster.kernel.classify.classify` needs: scaled centres and the scaling."""

HIT = np.dtype(
    [
        ("id", "i8"),
        ("sample", "i8"),
        ("cut", "i8"),  # where the next hit began, or NOT_CUT
        ("stage", "i4"),
        ("velocity", "i4"),
        ("level", "f8"),  # dBFS, of the whole attack
        ("place", "i4"),  # of several microphones, the one that knows it best
        ("guess_class", "i4"),
        ("guess_others", "i4", (MOST_PARTS - 1,)),
        ("stretches", "i4"),  # of its spectrum that were measured
        ("powers", "f4", (1 + MAX_STRETCHES, BANDS)),  # theirs, after that of what sounded before
        ("whole", "f4", (2, BANDS)),  # the same of the one stretch of features that are bands
    ],
    align=True,
)

_CACHE_LINE = 64

STATE = np.dtype(
    [
        # Set before the stream runs.
        ("samplerate", "i4"),
        ("hop", "i4"),
        ("window", "i4"),
        ("guess", "i4"),
        ("n_features", "i4"),
        ("features", "i4", (MAX_FEATURES,)),  # places in settings.FEATURES
        ("plugins", "u8", (MAX_FEATURES,)),  # address of a plug-in's feature, or 0
        ("kit_rate", KIT_RATE, (1,)),
        ("shape", SHAPE, (1,)),
        ("whole", SHAPE, (1,)),  # of one stretch, for the features that are bands
        ("by_bands", "i4"),  # there are such
        ("by_levels", "i4"),  # there are features that are levels on several microphones
        ("sets", SETS, (1,)),
        ("apart", APART, (1,)),
        ("method", "i4"),  # DRUMS or AUBIO_PRESETS
        ("echo_db", "f4"),  # of a stock method
        ("channels", "i4"),
        ("channel", "i4"),  # -1: their mean
        ("together", "i4"),  # states from this one on, in memory, that hear the same blocks
        # Of one kit with several microphones (kernel/joint.py).
        ("microphones", "i4"),  # states after this one that are its microphones'; 0: it hears alone
        ("number", "i4"),  # a microphone's channel as its events tell it, from 1
        ("lag", "i4"),  # samples by which a microphone hears any drum too late at least
        ("silences", "i4"),  # a microphone was silent in a taught stroke: that is no fault of it
        ("synchronous", "i4"),  # advance returns after a hop that has a final
        ("steps", "f4"),  # steps up to full scale that the input is rounded to; 0: not at all
        # Set while running: taken over at the start of a hop, which an event then tells.
        ("asked_threshold", "f4"),  # negative: it follows the player (kernel/following.py)
        ("asked_mask", "i4"),
        # In force.
        ("threshold", "f4"),  # as asked
        ("mask", "i4"),  # samples
        ("silence", "f4"),
        ("velocity_curve", "i4"),
        ("velocity_set", "i4"),  # the top is set, not learned
        ("velocity_top", "f8"),  # dBFS that is velocity 127, where it is set
        ("velocity_range", "f8"),  # dB
        # Position.
        ("filled", "i4"),  # samples of hop_audio that wait for their hop
        ("clock", "i8"),  # samples that have been through whole hops
        # Audio.
        ("hop_audio", "f4", (MAX_HOP,)),
        ("detector_audio", "f4", (MAX_HOP,)),
        ("ring", "f4", (2 * RING,)),
        ("ring_pad", "u1", (_CACHE_LINE,)),
        ("samples_written", "u8", (1,)),  # samples in the ring, for readers on other threads
        ("ring_pad2", "u1", (_CACHE_LINE,)),
        ("complete_until", "u8", (1,)),  # the clock once all of its events are in the ring
        ("complete_until_pad", "u1", (_CACHE_LINE,)),
        # Onsets.
        ("detector", DETECTOR, (1,)),
        # aubio's stock detector. It lives in C; these are addresses.
        ("onset", "u8"),
        ("input_address", "u8"),
        ("output_address", "u8"),
        ("input", FVEC),
        ("output", FVEC),
        ("fired", "f4", (2,)),
        ("applied_threshold", "f4"),
        ("applied_silence", "f4"),
        ("aubio_frames", "i8"),  # since aubio's own 32-bit counter was last reset
        # Of several microphones: an onset that is held back, and what it rests on so far.
        ("fault", "i4"),  # of a microphone (kernel/faults.py); 0: none
        ("left_out", "i4"),  # place of the microphone that no drum is judged by; 0: none
        ("swing", "f4"),  # half the range of the last hit's samples
        ("clipped", "i4"),  # hits that clipped hard on a microphone, ...
        ("unclipped", "i4"),  # ... and hits since the last one
        ("strength", "f4"),  # a microphone's detector's answer to this hop
        ("fired_by", "i4"),  # microphones; 0: nothing is held back
        ("first_fired", "i8"),  # the clock
        ("earliest", "i8"),  # sample of the attack
        ("evidence", "f4"),  # sum of the strengths
        ("strongest", "f4"),
        ("strongest_place", "i4"),
        ("strongest_level", "f8"),
        ("last_onset", "i8"),
        # Hits.
        ("next_id", "i8"),
        ("scales", SCALE, (2,)),  # of the onsets' levels, of the guesses'
        ("finals", "i4"),  # emitted in this hop
        ("hits", HIT, (MAX_OPEN,)),
        ("zcr", "i8"),  # of the stretch of a hit that was measured last; so is the energy
        ("energy", "f8"),
        # The shape of its spectrum, and its levels on several microphones (kernel/levels.py).
        ("bands", "f8", (BANDS + MAX_MICROPHONES,)),
        ("power", "f8"),  # of a hit's attack on a microphone, mean square
        ("top", "f8"),  # the greatest one so far
        ("raw", "f8", (MAX_FEATURES,)),  # its features
        ("scaled", "f8", (MAX_FEATURES,)),
        # Sound out.
        ("click", CLICK, (1,)),
        ("voices", VOICE, (VOICES,)),
        ("grid", "i8"),  # divides the hop and every block so far; 0 before the first
        ("pings", "i8"),  # begun
        # Model.
        ("model", MODEL, (1,)),
        ("models", MODEL, (MODELS,)),
        ("models_written", "u8", (1,)),
        ("models_pad", "u1", (_CACHE_LINE,)),
        ("models_read", "u8", (1,)),
        # Events. The counters lie on cache lines of their own: each has one writer.
        ("events", EVENT, (EVENTS,)),
        ("events_pad", "u1", (_CACHE_LINE,)),
        ("events_written", "u8", (1,)),
        ("events_pad2", "u1", (_CACHE_LINE,)),
        ("events_read", "u8", (1,)),
        ("events_pad3", "u1", (_CACHE_LINE,)),
        # Counts, for the summary.
        ("events_dropped", "i8"),
        ("bad_hops", "i8"),  # hops with a NaN or an Inf
        ("late_models", "i8"),
        ("xruns", "i8"),
        # Time, only under a callback.
        ("stamp", "i8"),  # ns at which this block's callback began; 0 offline
        ("timespec", "i8", (2,)),
        ("stop", "i4"),  # asks the virtual sound card to stop
        ("callbacks", "i8"),
        ("frames", "i8"),
        ("began", "i8", (TIMINGS,)),  # ns
        ("work", "i8", (TIMINGS,)),  # ns
    ],
    align=True,
)

State = npt.NDArray[Any]
"""An array of one :data:`STATE`."""


def create(count: int = 1) -> State:
    """Allocate states that hear the same blocks, one after the other in memory.

    All fields are 0 but for what an empty one needs.
    """
    states = np.zeros(count, STATE)
    states["together"] = np.arange(count, 0, -1)
    for place in range(count):
        clear(states[place : place + 1])
    return states


def clear(state: State) -> None:
    """Make a state fresh in place: its address stays what a callback was given.

    What is "set before the stream runs" and "set while running" is kept; the detector has to be
    configured anew.
    """
    kept = {name: state[name].copy() for name in _KEPT}
    state[...] = np.zeros(1, STATE)
    for name, value in kept.items():
        state[name] = value
    state["hits"]["cut"] = NOT_CUT
    # NaN differs from any value, so that the first hop hands both to aubio.
    state["applied_threshold"] = state["applied_silence"] = np.nan


_KEPT = (
    "samplerate", "hop", "window", "guess", "n_features", "features", "plugins", "kit_rate",
    "shape", "whole", "by_bands", "by_levels", "sets", "apart", "method", "echo_db", "channels",
    "channel", "together", "microphones", "number", "lag", "silences", "synchronous", "steps",
    "asked_threshold", "asked_mask", "threshold", "mask", "silence", "velocity_curve",
    "velocity_set", "velocity_top", "velocity_range", "click",
)  # fmt: skip
