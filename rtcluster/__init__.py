"""rtcluster: a live drum-hit classifier.

A live input, hit by hit, heard by compiled code::

    import rtcluster

    with rtcluster.listen(classes=3) as hits:
        for hit in hits:
            print(hit.time, hit.name, hit.velocity)

A recording as a table, a row a hit::

    table = rtcluster.hits("groove.wav", classes=3)
    table[table.name == "class 1"].to_pandas()

The engine as a plug-in, for whoever has the audio::

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

# Not typing's, whose import takes longer than all else before the program hears Ctrl-C.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtcluster.durations import Duration as Duration
    from rtcluster.engine.figures import Latency as Latency
    from rtcluster.engine.processor import Processor as Processor
    from rtcluster.errors import RtclusterError as RtclusterError
    from rtcluster.events import Event as Event
    from rtcluster.events import Final as Final
    from rtcluster.events import Guess as Guess
    from rtcluster.events import MergeOffer as MergeOffer
    from rtcluster.events import Microphone as Microphone
    from rtcluster.events import ModelChange as ModelChange
    from rtcluster.events import Onset as Onset
    from rtcluster.events import Relabel as Relabel
    from rtcluster.events import Xrun as Xrun
    from rtcluster.recording.listen import listen as listen
    from rtcluster.recording.table import Hits as Hits
    from rtcluster.recording.table import hits as hits
    from rtcluster.recording.table import read as read
    from rtcluster.session.listening import Listening as Listening
    from rtcluster.settings import Settings as Settings

__version__ = "0.1.0"

_HOME = {
    "RtclusterError": "errors",
    "Event": "events",
    "Final": "events",
    "Guess": "events",
    "MergeOffer": "events",
    "Microphone": "events",
    "ModelChange": "events",
    "Onset": "events",
    "Relabel": "events",
    "Xrun": "events",
    "Latency": "engine.figures",
    "Processor": "engine.processor",
    "Duration": "durations",
    "Settings": "settings",
    "Hits": "recording.table",
    "hits": "recording.table",
    "read": "recording.table",
    "Listening": "session.listening",
    "listen": "recording.listen",
}

__all__ = [*_HOME]


def __getattr__(name: str) -> object:
    """Load a public name from its module (PEP 562)."""
    import importlib

    if name not in _HOME:
        raise AttributeError(f"module 'rtcluster' has no attribute {name!r}")
    return getattr(importlib.import_module(f"rtcluster.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """Names that completion and :func:`help` offer, which are not loaded for it."""
    return sorted({*globals(), *__all__})
