"""The model: everything that the kernel needs to give a hit its class, made on the pump thread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtcluster.kernel.state import MODEL, State
from rtcluster.learning.scaling import Array, Labels, Scaling
from rtcluster.settings import MAX_CENTRES


@dataclass(frozen=True, slots=True)
class Stage:
    """Nearest centre over one span of a hit.

    Attributes
    ----------
    scaling : Scaling
        Its map at this moment is what is published.
    centres : ndarray of float64, shape (n_centres, n_features)
        Scaled.
    owner : ndarray of int64, shape (n_centres,)
        The class of each centre.
    spread : ndarray of float64, shape (n_centres,)
        Root mean square distance of a centre's own hits, scaled.
    """

    scaling: Scaling
    centres: Array
    owner: Labels
    spread: Array

    def classes_of(self, hits: Array) -> Labels:
        """Class of the nearest centre of each raw hit, shape (n_hits,)."""
        centres = self.centres
        scores = (centres**2).sum(axis=1) - 2.0 * self.scaling.scaled(hits) @ centres.T
        return np.asarray(self.owner[scores.argmin(axis=1)])


def record(version: int, guess: Stage, final: Stage, reject: float) -> State:
    """The kernel's record of a model; ``effective`` is left to the publisher.

    Parameters
    ----------
    version : int
    guess, final : Stage
    reject : float
        Spreads from the nearest centre beyond which a hit is unknown; 0 for never.

    Returns
    -------
    ndarray of :data:`rtcluster.kernel.state.MODEL`, shape (1,)
    """
    out = np.zeros(1, MODEL)
    out["version"], out["reject"] = version, reject
    for place, stage in enumerate((guess, final)):
        count, n = stage.centres.shape
        assert count <= MAX_CENTRES
        out["n_features"], out["n_centres"][0, place] = n, count
        out["scale"][0, place, :n] = stage.scaling.scale
        out["offset"][0, place, :n] = stage.scaling.offset
        out["centres"][0, place, :count, :n] = stage.centres
        out["owner"][0, place, :count] = stage.owner
        out["spread"][0, place, :count] = stage.spread
    return out
