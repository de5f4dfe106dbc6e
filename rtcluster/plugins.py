"""Features and clusterers of your own.

A feature is a function of a window and the sample rate. Decorate it, and name it in your package's
entry points; ``--features`` then takes it like any other::

    # crest.py
    from rtcluster.plugins import feature

    @feature
    def crest(x, samplerate):
        peak, power = 0.0, 1e-12
        for i in range(x.size):
            peak = max(peak, abs(x[i]))
            power += x[i] * x[i]
        return peak / (power / max(1, x.size)) ** 0.5

    # pyproject.toml
    [project.entry-points."rtcluster.features"]
    crest = "crest:crest"

It runs on the audio thread, so it is compiled: plain loops over float32, no allocation, nothing
that raises. A window may be short, down to no samples at all.

A clusterer is a function that makes an estimator for given centres, shape (n_centres,
n_features): anything with ``partial_fit(X, sample_weight=None)`` and ``cluster_centers_``. Its
group is ``rtcluster.clusterers``, and ``--clusterer`` takes its name. It runs on the pump thread.

``rtcluster.checks`` puts either to the test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import entry_points
from typing import Any, overload

from rtcluster.errors import SettingsError

FEATURE_GROUP, CLUSTERER_GROUP = "rtcluster.features", "rtcluster.clusterers"

_SIGNATURE = "float64(CPointer(float32), int64, float64)"


@dataclass(frozen=True, slots=True)
class Feature:
    """A compiled feature.

    Attributes
    ----------
    function : callable
        What it was made of: ``f(x, samplerate)`` in Python.
    compiled : object
        Numba's ``cfunc``; ``compiled.address`` is what the kernel calls.
    unit : str
        What its values are in, for people; empty where that is not said.
    """

    function: Callable[[Any, float], float]
    compiled: Any
    unit: str = ""

    def __call__(self, x: Any, samplerate: float) -> float:
        """Measure a window, in Python; x is a vector, the rate is in Hz."""
        return float(self.function(x, samplerate))


@overload
def feature(function: Callable[[Any, float], float], *, unit: str = "") -> Feature: ...


@overload
def feature(*, unit: str) -> Callable[[Callable[[Any, float], float]], Feature]: ...


def feature(function: Callable[[Any, float], float] | None = None, *, unit: str = "") -> Any:
    """Compile a feature: ``@feature``, or ``@feature(unit="dB")``.

    Parameters
    ----------
    function : callable
        ``f(x, samplerate) -> float``; x is a float32 vector, the rate is in Hz.
    unit : str
        As in :class:`Feature`.
    """
    if function is None:
        return partial(feature, unit=unit)
    from numba import carray, cfunc, njit

    inner = njit(nogil=True, error_model="numpy")(function)

    def outer(data: Any, size: Any, samplerate: Any) -> Any:
        return inner(carray(data, size), samplerate)

    return Feature(function, cfunc(_SIGNATURE)(outer), unit)


def names(group: str) -> tuple[str, ...]:
    """Names of the plug-ins that are installed."""
    return tuple(sorted(point.name for point in entry_points(group=group)))


def find(group: str, name: str) -> Any:
    """What an installed plug-in brings.

    Parameters
    ----------
    group : {"rtcluster.features", "rtcluster.clusterers"}
    name : str

    Returns
    -------
    Feature or callable

    Raises
    ------
    SettingsError
        If there is none of that name, or it is something else.
    """
    points = (point for point in entry_points(group=group) if point.name == name)
    found = next((point.load() for point in points), None)
    good = isinstance(found, Feature) if group == FEATURE_GROUP else callable(found)
    if not good:
        wanted = "a feature made with rtcluster.plugins.feature"
        raise SettingsError(
            f"Expected {wanted if group == FEATURE_GROUP else 'a function that makes a clusterer'} "
            f"at the entry point {name} of {group}, got {type(found).__name__}."
        )
    return found
