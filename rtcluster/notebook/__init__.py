"""The notebook, offline: the reference that the streaming engine is held to.

It does with librosa and scikit-learn what the "K-Means Clustering" notebook of
musicinformationretrieval.com does: onsets, zero crossings and energy of the 90 ms after each,
scaling to [-1, 1], KMeans or AffinityPropagation. `analyze` gives arrays and touches no file;
`run_analyze` is the command ``rtcluster analyze``, which writes a report with plots and sounds.

Everything runs on the calling thread. Importing this package is cheap: librosa, scikit-learn and
matplotlib (the extra ``[report]``) are imported by the submodules that need them, on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rtcluster.notebook.audio import Recording as Recording
    from rtcluster.notebook.audio import load as load
    from rtcluster.notebook.clusters import Analysis as Analysis
    from rtcluster.notebook.clusters import analyze as analyze
    from rtcluster.notebook.clusters import cluster as cluster
    from rtcluster.notebook.command import run_analyze as run_analyze
    from rtcluster.notebook.optima import Optimum as Optimum
    from rtcluster.notebook.optima import Survey as Survey
    from rtcluster.notebook.optima import survey as survey
    from rtcluster.notebook.reference import Hits as Hits
    from rtcluster.notebook.reference import measure as measure

_HOME = {
    "Analysis": "clusters",
    "Hits": "reference",
    "Optimum": "optima",
    "Recording": "audio",
    "Survey": "optima",
    "analyze": "clusters",
    "cluster": "clusters",
    "load": "audio",
    "measure": "reference",
    "run_analyze": "command",
    "survey": "optima",
}

__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
