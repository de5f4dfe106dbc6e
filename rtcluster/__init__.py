"""rtcluster: a live drum-hit classifier.

What a user of the library imports::

    from rtcluster import Processor, Settings

    processor = Processor(Settings(classes=3))
    processor.prepare(samplerate=44100, blocksize=64)
    for block in blocks:
        for event in processor.process(block):
            print(event)
    print(processor.flush())

Names are loaded on first use, so that ``import rtcluster`` (and with it
``rtcluster --help``) does not wait for Numba and scikit-learn.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtcluster.errors import RtclusterError as RtclusterError
    from rtcluster.events import Event as Event
    from rtcluster.events import Final as Final
    from rtcluster.events import Guess as Guess
    from rtcluster.events import MergeOffer as MergeOffer
    from rtcluster.events import ModelChange as ModelChange
    from rtcluster.events import Onset as Onset
    from rtcluster.events import Relabel as Relabel
    from rtcluster.events import Xrun as Xrun
    from rtcluster.processor import Latency as Latency
    from rtcluster.processor import Processor as Processor
    from rtcluster.settings import Duration as Duration
    from rtcluster.settings import Settings as Settings

__version__ = "0.1.0"

_HOME = {
    "RtclusterError": "errors",
    "Event": "events",
    "Final": "events",
    "Guess": "events",
    "MergeOffer": "events",
    "ModelChange": "events",
    "Onset": "events",
    "Relabel": "events",
    "Xrun": "events",
    "Latency": "processor",
    "Processor": "processor",
    "Duration": "settings",
    "Settings": "settings",
}

__all__ = [*_HOME]


def __getattr__(name: str) -> object:
    """Load a public name from its module (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'rtcluster' has no attribute {name!r}")
    return getattr(importlib.import_module(f"rtcluster.{_HOME[name]}"), name)
